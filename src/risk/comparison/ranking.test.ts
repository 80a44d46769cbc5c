import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { areaUnderRoc, averagePrecision, precisionRecallCurve } from './ranking.ts';

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

describe('scikit-learn 1.9 (average_precision_score, roc_auc_score, precision_recall_curve) and SciPy 1.10 (mannwhitneyu) agree', () => {
  test.each([
    ['without ties', false, 0.6025992857631145, 0.7954323521791985],
    ['with ties', true, 0.5914602811035797, 0.7916558719783177],
  ])('%s', (_, hasTies, precision, area) => {
    expect(averagePrecision(...golden(hasTies))).toMatchObject({ value: expect.closeTo(precision, 13) });
    expect(areaUnderRoc(...golden(hasTies))).toMatchObject({ value: expect.closeTo(area, 14) });
  });

  test('on the curve over twenty values', () => {
    const curve = precisionRecallCurve(...golden(true));
    if (!curve.available) throw new Error(curve.reason);
    expect(curve.baseRate).toBe(0.278);
    expect([...curve.thresholds]).toEqual([
      0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05,
      0.0,
    ]);
    for (const [k, value] of PREC.entries()) expect(curve.precision[k]).toBeCloseTo(value, 14);
    for (const [k, value] of RECALL.entries()) expect(curve.recall[k]).toBeCloseTo(value, 14);
  });
});

const PREC = [
  0.75, 0.7272727272727273, 0.7380952380952381, 0.7272727272727273, 0.7323943661971831, 0.6785714285714286,
  0.6538461538461539, 0.6311475409836066, 0.593103448275862, 0.5609756097560976, 0.5371428571428571,
  0.5051546391752577, 0.4790697674418605, 0.4658119658119658, 0.4269230769230769, 0.41935483870967744,
  0.391025641025641, 0.3633720930232558, 0.3384615384615385, 0.278,
];
const RECALL = [
  0.08633093525179857, 0.17266187050359713, 0.22302158273381295, 0.28776978417266186, 0.37410071942446044,
  0.41007194244604317, 0.4892086330935252, 0.5539568345323741, 0.6187050359712231, 0.6618705035971223,
  0.6762589928057554, 0.7050359712230215, 0.7410071942446043, 0.7841726618705036, 0.7985611510791367,
  0.841726618705036, 0.8776978417266187, 0.8992805755395683, 0.9496402877697842, 1.0,
];

describe('laws', () => {
  const draws = fc.record({
    seed: fc.integer({ min: 1, max: 1_000_000 }),
    n: fc.integer({ min: 2, max: 60 }),
    values: fc.integer({ min: 1, max: 20 }),
  });
  /** With an event first and none second. */
  function drawn({
    seed,
    n,
    values,
  }: {
    seed: number;
    n: number;
    values: number;
  }): [Float64Array, Uint8Array] {
    const random = Random.stream(seed, 'ranking');
    const probabilities = new Float64Array(n).map(() => random.integer(values + 1) / values);
    return [probabilities, new Uint8Array(n).map((_, i) => (i < 2 ? 1 - i : random.integer(2)))];
  }
  const value = (measured: ReturnType<typeof areaUnderRoc>): number => {
    if (!measured.available) throw new Error(measured.reason);
    return measured.value;
  };

  test('the area is the share of pairs in the right order, ties by half', () => {
    fc.assert(
      fc.property(draws, (draw) => {
        const [probabilities, outcomes] = drawn(draw);
        let [right, pairs] = [0, 0];
        for (let i = 0; i < outcomes.length; i++)
          for (let j = 0; j < outcomes.length; j++)
            if (outcomes[i] === 1 && outcomes[j] === 0) {
              pairs++;
              right += 0.5 + 0.5 * Math.sign(probabilities[i] - probabilities[j]);
            }
        expect(value(areaUnderRoc(probabilities, outcomes))).toBeCloseTo(right / pairs, 13);
        const mirrored = probabilities.map((p) => 1 - p);
        expect(value(areaUnderRoc(mirrored, outcomes))).toBeCloseTo(1 - right / pairs, 13);
      }),
      { seed: 61, numRuns: 200 },
    );
  });

  test('each point of the curve is a count of alarms, and the average weighs precision by what recall gains', () => {
    fc.assert(
      fc.property(draws, (draw) => {
        const [probabilities, outcomes] = drawn(draw);
        const curve = precisionRecallCurve(probabilities, outcomes);
        if (!curve.available) throw new Error(curve.reason);
        const events = outcomes.reduce((sum, outcome) => sum + outcome, 0);
        let average = 0;
        for (const [k, threshold] of curve.thresholds.entries()) {
          const alarms = outcomes.filter((_, i) => probabilities[i] >= threshold);
          const found = alarms.reduce((sum, outcome) => sum + outcome, 0);
          expect(curve.precision[k]).toBe(found / alarms.length);
          expect(curve.recall[k]).toBe(found / events);
          average += (curve.recall[k] - (k === 0 ? 0 : curve.recall[k - 1])) * curve.precision[k];
        }
        expect(curve.recall.at(-1)).toBe(1);
        expect(curve.precision.at(-1)).toBe(curve.baseRate);
        expect(value(averagePrecision(probabilities, outcomes))).toBeCloseTo(average, 14);
      }),
      { seed: 62, numRuns: 200 },
    );
  });

  test('forecasts that part the outcomes have 1, and those that never differ one half and the base rate', () => {
    const outcomes = Uint8Array.of(0, 0, 1, 1);
    expect(value(areaUnderRoc(Float64Array.of(0.1, 0.2, 0.3, 0.4), outcomes))).toBe(1);
    expect(value(averagePrecision(Float64Array.of(0.1, 0.2, 0.3, 0.4), outcomes))).toBe(1);
    expect(value(areaUnderRoc(new Float64Array(4).fill(0.3), outcomes))).toBe(0.5);
    expect(value(averagePrecision(new Float64Array(4).fill(0.3), outcomes))).toBe(0.5);
  });
});

test('without an event, or without anything else, there is nothing to rank', () => {
  const probabilities = Float64Array.of(0.2, 0.8);
  expect(averagePrecision(probabilities, Uint8Array.of(0, 0))).toMatchObject({ available: false });
  expect(precisionRecallCurve(probabilities, Uint8Array.of(0, 0))).toMatchObject({ available: false });
  expect(areaUnderRoc(probabilities, Uint8Array.of(0, 0))).toMatchObject({ available: false });
  expect(areaUnderRoc(probabilities, Uint8Array.of(1, 1))).toMatchObject({ available: false });
  expect(() => areaUnderRoc(probabilities, Uint8Array.of(1))).toThrow(
    expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
  );
});
