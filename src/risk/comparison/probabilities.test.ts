import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import {
  type BrierDecomposition,
  binnedBrierDecomposition,
  brierDecomposition,
} from './brier-decomposition.ts';
import { brierSkill, logLoss } from './probabilities.ts';
import { expectedCalibrationError, reliabilityCurve, wilsonInterval } from './reliability.ts';
import { brier } from './scores.ts';

/** Probabilities and outcomes by Park and Miller's generator; with ties, probabilities are twentieths. */
function golden(hasTies: boolean): [Float64Array, Uint8Array] {
  const { uniform: next } = parkMiller(20240601);
  const probabilities = new Float64Array(500);
  const outcomes = new Uint8Array(500);
  for (let i = 0; i < 500; i++) {
    const u = next();
    probabilities[i] = hasTies ? Math.floor(20 * (u * u)) / 20 : u * u;
    outcomes[i] = next() < 0.05 + 0.7 * (u * u) ? 1 : 0;
  }
  return [probabilities, outcomes];
}

function near(actual: number, expected: number): void {
  expect(Math.abs(actual / expected - 1)).toBeLessThan(1e-9);
}

/** The score that the parts of a decomposition add up to. */
function sumOf(parts: BrierDecomposition): number {
  return (
    parts.reliability -
    parts.resolution +
    parts.uncertainty +
    parts.withinBinVariance -
    parts.withinBinCovariance
  );
}

describe('the Brier decomposition equals NumPy 1.24, bin by bin over the observations', () => {
  test.each([
    [
      'without ties, ten bins',
      binnedBrierDecomposition(...golden(false), 10),
      [
        0.016000975784200244, 0.049715999999999996, 0.200716, 0.0011207136624620413, 0.0013104378805200263,
        10,
      ],
      0.16681125156614227,
    ],
    [
      'with ties, nine of ten bins',
      binnedBrierDecomposition(...golden(true), 10),
      [0.012114458363470972, 0.048004721551785395, 0.200716, 0.0008394236198682918, 0.001360160431553874, 9],
      0.164305,
    ],
    [
      'every value a bin, all different',
      brierDecomposition(...golden(false)),
      [0.16681125156614215, 0.20071599999999942, 0.200716, 0, 0, 500],
      0.16681125156614227,
    ],
    [
      'every value a bin, twenty values',
      brierDecomposition(...golden(true)),
      [0.016153780311573086, 0.052564780311573085, 0.200716, 0, 0, 20],
      0.164305,
    ],
  ])('%s', (_, parts, [reliability, resolution, uncertainty, variance, covariance, bins], score) => {
    near(parts.reliability, reliability);
    near(parts.resolution, resolution);
    near(parts.uncertainty, uncertainty);
    expect(parts.withinBinVariance).toBeCloseTo(variance, 14);
    expect(parts.withinBinCovariance).toBeCloseTo(covariance, 14);
    expect(parts.bins).toBe(bins);
    expect(sumOf(parts)).toBeCloseTo(score, 14);
  });
});

describe('the reliability curve equals NumPy 1.24, its intervals those of statsmodels 0.13 (proportion_confint, wilson)', () => {
  test.each([
    [
      'without ties',
      false,
      [50, 50, 50, 50, 50, 50, 50, 50, 50, 50],
      [
        0.0034786544805144263, 0.02390392839074721, 0.06330811833392888, 0.12871807545433284,
        0.21367040280272345, 0.32368299797219036, 0.45704498810935357, 0.5957026539041037, 0.7350769326107021,
        0.9159558413505559,
      ],
      [0.02, 0.06, 0.2, 0.06, 0.22, 0.2, 0.26, 0.46, 0.58, 0.72],
      [
        0.003539259271646236, 0.020614970348973943, 0.11243750015776109, 0.020614970348973943,
        0.1275391597021442, 0.11243750015776109, 0.15871527493552381, 0.3296965219222434, 0.44233441768578224,
        0.5833487630404344,
      ],
      [
        0.10495443589637815, 0.16217091688838173, 0.33037105932225413, 0.16217091688838173,
        0.3524154958125367, 0.33037105932225413, 0.39553157264848826, 0.5960112860084252, 0.7062499664528801,
        0.8252582933408876,
      ],
      0.10718203853933245,
    ],
    [
      'with ties',
      true,
      [110, 46, 65, 45, 40, 49, 61, 42, 42],
      [
        0.0, 0.049999999999999975, 0.1253846153846154, 0.22888888888888884, 0.32625000000000004, 0.45,
        0.5975409836065573, 0.75, 0.9083333333333333,
      ],
      [
        0.06363636363636363, 0.15217391304347827, 0.12307692307692308, 0.17777777777777778, 0.275,
        0.24489795918367346, 0.47540983606557374, 0.6190476190476191, 0.7380952380952381,
      ],
      [
        0.031164518014477616, 0.07572282227805464, 0.06370467509869226, 0.09294389514104145,
        0.16108016247667334, 0.1460234525833975, 0.3553048742284526, 0.4681404026715268, 0.5893126929422804,
      ],
      [
        0.12555746188210204, 0.28224139552061, 0.22451494082161533, 0.3132982462645977, 0.42834955806210573,
        0.38086318987603934, 0.5984284307501431, 0.7500027423604485, 0.8469735971216702,
      ],
      0.0927,
    ],
  ])('%s', (_, hasTies, counts, means, frequencies, lows, highs, error) => {
    const [probabilities, outcomes] = golden(hasTies);
    const curve = reliabilityCurve(probabilities, outcomes);
    expect(curve.map(({ count }) => count)).toEqual(counts);
    for (const [k, bin] of curve.entries()) {
      if (means[k] === 0) expect(bin.meanProbability).toBe(0);
      else near(bin.meanProbability, means[k]);
      near(bin.frequency, frequencies[k]);
      near(bin.interval[0], lows[k]);
      near(bin.interval[1], highs[k]);
      expect(bin.lowest).toBeLessThanOrEqual(bin.highest);
      if (k > 0) expect(bin.lowest).toBeGreaterThan(curve[k - 1].highest);
    }
    near(expectedCalibrationError(probabilities, outcomes), error);
  });

  test('an interval without and with nothing but events ends at 0 and at 1', () => {
    expect(wilsonInterval(0, 10, 0.95)[0]).toBe(0);
    near(wilsonInterval(0, 10, 0.95)[1], 0.27753279986288926);
    near(wilsonInterval(10, 10, 0.9)[0], 0.7870580299165928);
    expect(wilsonInterval(10, 10, 0.9)[1]).toBe(1);
  });
});

describe('log loss and skill', () => {
  test('equal scikit-learn 1.9 (log_loss, brier_score_loss) and NumPy 1.24', () => {
    near(logLoss(...golden(false)).value, 0.5304742859866594);
    expect(logLoss(...golden(false)).clipped).toBe(0);
    // scikit-learn clips at the machine's epsilon.
    expect(logLoss(...golden(true), Number.EPSILON).clipped).toBe(110);
    near(logLoss(...golden(true), Number.EPSILON).value, 0.9594878117697458);
    near(logLoss(...golden(true)).value, 0.9384195338508555);
    near(logLoss(...golden(false), 0.01).value, 0.5234272961336245);
    expect(logLoss(...golden(false), 0.01).clipped).toBe(50);
    near(brier(...golden(false)), 0.16681125156614235);
  });

  test('skill is against frequencies known at the time', () => {
    const [probabilities, outcomes] = golden(false);
    const known = new Float64Array(500);
    let came = 0;
    for (let i = 0; i < 500; i++) {
      known[i] = i === 0 ? 0.3 : came / i;
      came += outcomes[i];
    }
    const skill = brierSkill(probabilities, outcomes, known);
    if (!skill.available) throw new Error(skill.reason);
    near(skill.value, 0.18260757688279072);
    expect(brierSkill(known, outcomes, known)).toEqual({ available: true, value: 0 });
    expect(brierSkill(known, outcomes, Float64Array.from(outcomes))).toMatchObject({ available: false });
  });
});

describe('laws', () => {
  const draws = fc.record({
    seed: fc.integer({ min: 1, max: 1_000_000 }),
    n: fc.integer({ min: 1, max: 200 }),
    values: fc.integer({ min: 1, max: 30 }),
    bins: fc.integer({ min: 1, max: 25 }),
  });
  function drawn(seed: number, n: number, values: number): [Float64Array, Uint8Array] {
    const random = Random.stream(seed, 'probabilities');
    const probabilities = new Float64Array(n).map(() => random.integer(values + 1) / values);
    return [probabilities, new Uint8Array(n).map(() => random.integer(2))];
  }

  test('both decompositions add up to the Brier score, whatever the bins and the ties', () => {
    fc.assert(
      fc.property(draws, ({ seed, n, values, bins }) => {
        const [probabilities, outcomes] = drawn(seed, n, values);
        const score = brier(probabilities, outcomes);
        expect(sumOf(brierDecomposition(probabilities, outcomes))).toBeCloseTo(score, 13);
        const binned = binnedBrierDecomposition(probabilities, outcomes, bins);
        expect(sumOf(binned)).toBeCloseTo(score, 13);
        expect(binned.bins).toBeLessThanOrEqual(bins);
      }),
      { seed: 51, numRuns: 300 },
    );
  });

  test('bins hold every forecast once, ascending, and frequencies lie in their intervals', () => {
    fc.assert(
      fc.property(draws, ({ seed, n, values, bins }) => {
        const curve = reliabilityCurve(...drawn(seed, n, values), bins);
        expect(curve.reduce((sum, { count }) => sum + count, 0)).toBe(n);
        for (const { frequency, interval, lowest, highest, meanProbability } of curve) {
          expect(interval[0]).toBeGreaterThanOrEqual(0);
          expect(interval[0]).toBeLessThanOrEqual(frequency);
          expect(interval[1]).toBeGreaterThanOrEqual(frequency);
          expect(interval[1]).toBeLessThanOrEqual(1);
          expect(meanProbability).toBeGreaterThanOrEqual(lowest - 1e-15);
          expect(meanProbability).toBeLessThanOrEqual(highest + 1e-15);
        }
      }),
      { seed: 52, numRuns: 300 },
    );
  });

  test('the order of the forecasts plays no part', () => {
    for (const hasTies of [false, true]) {
      const [probabilities, outcomes] = golden(hasTies);
      const turned = [probabilities.toReversed(), outcomes.toReversed()] as const;
      expect(binnedBrierDecomposition(...turned, 7)).toEqual(
        binnedBrierDecomposition(probabilities, outcomes, 7),
      );
      expect(reliabilityCurve(...turned, 7)).toEqual(reliabilityCurve(probabilities, outcomes, 7));
    }
  });
});

describe('what is no probability is refused with a remedy', () => {
  const [half, none] = [Float64Array.of(0.5, 0.5), new Float64Array(0)];
  const outcomes = Uint8Array.of(0, 1);
  test.each<[string, string, () => unknown]>([
    ['above 1', 'INPUT_INVALID', () => logLoss(Float64Array.of(0.5, 1.1), outcomes)],
    ['below 0', 'INPUT_INVALID', () => brierDecomposition(Float64Array.of(-0.1, 0.5), outcomes)],
    ['no number', 'INPUT_INVALID', () => reliabilityCurve(Float64Array.of(Number.NaN, 0.5), outcomes)],
    ['an outcome of 2', 'INPUT_INVALID', () => expectedCalibrationError(half, Uint8Array.of(0, 2))],
    ['different lengths', 'INPUT_INVALID', () => logLoss(half, Uint8Array.of(1))],
    ['a short reference', 'INPUT_INVALID', () => brierSkill(half, outcomes, Float64Array.of(0.5))],
    ['no forecast', 'DATA_INSUFFICIENT', () => brierDecomposition(none, new Uint8Array(0))],
    ['no bin', 'INPUT_INVALID', () => binnedBrierDecomposition(half, outcomes, 0)],
    ['a clip of a half', 'INPUT_INVALID', () => logLoss(half, outcomes, 0.5)],
    ['a confidence of 1', 'INPUT_INVALID', () => reliabilityCurve(half, outcomes, 10, 1)],
  ])('%s', (_, code, act) => {
    expect(act).toThrow(expect.objectContaining({ code, remedy: expect.any(String) }));
  });
});
