import { describe, expect, test } from 'vitest';
import { normalSurvival } from '../numeric/normal.ts';
import { conditionalCalibration } from './identification.ts';
import { garchForecasts, goldenForecasts, inUnit } from './judged-forecasts.fixture.ts';

describe('conditional calibration equals NumPy 2.4 and SciPy 1.17', () => {
  test.each([
    [0, 0.7434877293863216, 0.6895308330992274, 0.6957837144594865, 0.14095519072754223, 0.6659290060822044],
    [4, 0.7960074217449329, 0.6716595352145092, 0.734656396037919, 0.14495512239557456, 0.6635597284516044],
  ])('with %i lags', (lags, statistic, pValue, ofVaR, ofShortfall, oneSided) => {
    const outcome = conditionalCalibration(goldenForecasts(), { lags });
    if (!outcome.available) throw new Error(outcome.reason);
    expect(outcome.statistic / statistic).toBeCloseTo(1, 11);
    expect(outcome.pValue / pValue).toBeCloseTo(1, 11);
    expect(outcome.valueAtRiskUnderstated / ofVaR).toBeCloseTo(1, 11);
    expect(outcome.shortfallUnderstated / ofShortfall).toBeCloseTo(1, 10);
    expect(outcome.pValueUnderstated / oneSided).toBeCloseTo(1, 11);
  });

  test('and the one-sided p-value of esback, by its formula in NumPy, follows from the standardised means', () => {
    const forecasts = goldenForecasts();
    // VaR too large and ES a little: 8 exceedances where 30 are expected.
    const cautious = {
      ...forecasts,
      valueAtRisk: forecasts.valueAtRisk.map((value) => 1.5 * value),
      expectedShortfall: forecasts.expectedShortfall.map((value) => 1.1 * value),
    };
    const outcome = conditionalCalibration(cautious);
    if (!outcome.available) throw new Error(outcome.reason);
    expect(outcome.pValueUnderstated / 0.12430115123175235).toBeCloseTo(1, 10);
    const [small, large] = [
      normalSurvival(-outcome.valueAtRiskUnderstated),
      normalSurvival(outcome.shortfallUnderstated),
    ].sort((a, b) => a - b);
    expect((3 * Math.min(small, large / 2)) / 4.004236410131145e-14).toBeCloseTo(1, 9);
  });
});

function rejected(factor: number, rounds: number, lags: number): { twoSided: number; oneSided: number } {
  let [twoSided, oneSided] = [0, 0];
  for (let seed = 1; seed <= rounds; seed++) {
    const outcome = conditionalCalibration(garchForecasts(2500, 0.95, seed, factor), { lags });
    if (!outcome.available) throw new Error(outcome.reason);
    if (outcome.pValue < 0.05) twoSided++;
    if (outcome.pValueUnderstated < 0.05) oneSided++;
  }
  return { twoSided: twoSided / rounds, oneSided: oneSided / rounds };
}

describe('honest forecasts', () => {
  test.each([0, 5])('are rejected at 0.05 in about one of twenty series, with %i lags', (lags) => {
    const { twoSided, oneSided } = rejected(1, 300, lags);
    expect(twoSided).toBeGreaterThan(0.02);
    expect(twoSided).toBeLessThan(0.11);
    // Hommel's rule pays for not knowing how the two depend on each other.
    expect(oneSided).toBeLessThan(0.06);
  });

  test('that understate risk by a fifth are rejected by both, and those that overstate it only by the two-sided one', () => {
    const understated = rejected(0.8, 60, 0);
    expect(understated.twoSided).toBeGreaterThan(0.95);
    expect(understated.oneSided).toBeGreaterThan(0.95);
    const overstated = rejected(1.3, 60, 0);
    expect(overstated.twoSided).toBeGreaterThan(0.9);
    expect(overstated.oneSided).toBe(0);
  });
});

describe('laws and bad input', () => {
  test('the unit of the losses does not matter', () => {
    const forecasts = goldenForecasts();
    const [a, b] = [conditionalCalibration(forecasts), conditionalCalibration(inUnit(forecasts, 2.5e4))];
    if (!a.available || !b.available) throw new Error('no outcome');
    expect(b.statistic).toBeCloseTo(a.statistic, 10);
    expect(b.pValueUnderstated).toBeCloseTo(a.pValueUnderstated, 10);
  });

  test('few exceedances are not judged, nor an ES that is what VaR says', () => {
    const forecasts = goldenForecasts();
    const none = { ...forecasts, loss: forecasts.loss.map(() => 0) };
    expect(conditionalCalibration(none)).toMatchObject({
      available: false,
      reason: expect.stringContaining('few'),
    });
    // Losses that only reach VaR are no exceedances.
    const exceeding = (most: number) => {
      let left = most;
      const loss = forecasts.loss.map((value, t) => {
        const valueAtRisk = forecasts.valueAtRisk[t];
        return value > valueAtRisk && left-- > 0 ? value : valueAtRisk;
      });
      return conditionalCalibration({ ...forecasts, loss });
    };
    expect(exceeding(5)).toMatchObject({ available: true });
    expect(exceeding(4)).toMatchObject({ available: false, reason: expect.stringMatching(/^4 exceedances/) });
    const flat = new Float64Array(100).fill(1);
    const loss = flat.map((_, t) => (t % 10 === 0 ? 2 : 0));
    const same = { loss, valueAtRisk: flat, expectedShortfall: flat.map((v) => v + 1), confidence: 0.9 };
    expect(conditionalCalibration(same)).toMatchObject({ available: false });
  });

  test.each([
    ['a confidence of 99', { confidence: 99 }],
    ['a loss that is none', { loss: goldenForecasts().loss.fill(Number.NaN, 7, 8) }],
    ['fewer forecasts than losses', { valueAtRisk: new Float64Array(3) }],
    ['an infinite ES', { expectedShortfall: new Float64Array(1200).fill(Number.POSITIVE_INFINITY) }],
  ])('%s is refused with a remedy', (_, change) => {
    expect(() => conditionalCalibration({ ...goldenForecasts(), ...change })).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
    );
    expect(() => conditionalCalibration(goldenForecasts(), { lags: -1 })).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });
});
