import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { CUSUM_START, type CusumState, cusumAlarms, updateCusum } from './cusum.ts';
import {
  PAGE_HINKLEY_START,
  type PageHinkleyState,
  pageHinkleyAlarms,
  updatePageHinkley,
} from './page-hinkley.ts';

/** Montgomery, Introduction to Statistical Quality Control, table 9.1: mean 10, then 11 from the 21st value on. */
const MONTGOMERY = Float64Array.of(
  9.45,
  7.99,
  9.29,
  11.66,
  12.16,
  10.18,
  8.04,
  11.46,
  9.2,
  10.34,
  9.03,
  11.47,
  10.51,
  9.4,
  10.08,
  9.37,
  10.62,
  10.31,
  8.52,
  10.84,
  10.9,
  9.33,
  12.29,
  11.5,
  10.6,
  11.08,
  10.38,
  11.62,
  11.31,
  10.52,
);

/** Normal values with a shift from the half on. */
function shifted(seed: number, n: number, shift: number): Float64Array {
  const random = Random.stream(seed, 'change');
  return new Float64Array(n).map((_, t) => random.normal() + (t >= n / 2 ? shift : 0));
}

const seeds = fc.integer({ min: 1, max: 1_000_000 });

describe('the tabular CUSUM', () => {
  const settings = { mean: 10, standardDeviation: 1 };

  test('alarms in Montgomery’s table 9.2 at value 29 with 5.28, seven values after the sum was last 0', () => {
    const states: CusumState[] = [];
    for (const value of MONTGOMERY) states.push(updateCusum(states.at(-1) ?? CUSUM_START, value, settings));
    const rounded = (state: CusumState): number[] =>
      [state.high, state.low].map((sum) => Math.round(100 * sum) / 100);
    expect([1, 2, 4, 6, 12, 23, 28].map((t) => rounded(states[t]))).toEqual([
      [0, 1.56],
      [0, 1.77],
      [2.82, 0],
      [0.04, 1.46],
      [0.98, 0],
      [2.79, 0],
      [5.28, 0],
    ]);
    expect(states[28]).toMatchObject({ alarm: 'up', highRun: 7, count: 29 });
    expect(states.filter(({ alarm }) => alarm !== 'none')).toHaveLength(1);
    expect(cusumAlarms(MONTGOMERY, settings)).toEqual([{ at: 28, direction: 'up', onset: 22 }]);
  });

  test('equals the difference of sums from their lowest and highest points', () => {
    fc.assert(
      fc.property(seeds, fc.double({ min: 0, max: 1.5, noNaN: true }), (seed, allowance) => {
        const values = shifted(seed, 60, 1);
        let state = CUSUM_START;
        for (let t = 0; t < values.length; t++) {
          state = updateCusum(state, values[t], { mean: 0, standardDeviation: 2, allowance, threshold: 1e9 });
          let [up, down, lowest, highest] = [0, 0, 0, 0];
          for (let s = 0; s <= t; s++) {
            up += values[s] / 2 - allowance;
            down += values[s] / 2 + allowance;
            lowest = Math.min(lowest, up);
            highest = Math.max(highest, down);
          }
          expect(state.high).toBeCloseTo(up - lowest, 11);
          expect(state.low).toBeCloseTo(highest - down, 11);
        }
      }),
      { seed: 111, numRuns: 50 },
    );
  });

  test('finds a shift of one standard deviation after about ten values, and calls falsely about every 465', () => {
    let [delay, falseAlarms] = [0, 0];
    for (let seed = 1; seed <= 200; seed++) {
      const random = Random.stream(seed, 'run length');
      const standard = { mean: 0, standardDeviation: 1 };
      delay +=
        cusumAlarms(
          new Float64Array(200).map(() => random.normal() - 1),
          standard,
        )[0].at + 1;
      falseAlarms += cusumAlarms(
        new Float64Array(465).map(() => random.normal()),
        standard,
      ).length;
    }
    expect(delay / 200).toBeGreaterThan(9);
    expect(delay / 200).toBeLessThan(12);
    expect(falseAlarms / 200).toBeGreaterThan(0.75);
    expect(falseAlarms / 200).toBeLessThan(1.25);
  });

  test('mirrored values have mirrored alarms, and the unit plays no part', () => {
    const values = shifted(5, 400, 2);
    const alarms = cusumAlarms(values, { mean: 0, standardDeviation: 1 });
    expect(alarms.length).toBeGreaterThan(0);
    expect(alarms[0]).toMatchObject({ direction: 'up' });
    const mirrored = cusumAlarms(
      values.map((value) => -8 * value),
      { mean: 0, standardDeviation: 8 },
    );
    expect(mirrored).toEqual(alarms.map((alarm) => ({ ...alarm, direction: 'down' })));
  });
});

describe('Page and Hinkley’s test', () => {
  test('equals the difference of sums of deviations from running means, taken anew at every step', () => {
    fc.assert(
      fc.property(seeds, fc.double({ min: 0, max: 1, noNaN: true }), (seed, tolerance) => {
        const values = shifted(seed, 60, 1);
        let state = PAGE_HINKLEY_START;
        let [up, down, lowest, highest] = [0, 0, 0, 0];
        for (let t = 0; t < values.length; t++) {
          state = updatePageHinkley(state, values[t], { tolerance, threshold: 1e9 });
          const mean = values.subarray(0, t + 1).reduce((sum, value) => sum + value, 0) / (t + 1);
          up += values[t] - mean - tolerance;
          down += values[t] - mean + tolerance;
          lowest = Math.min(lowest, up);
          highest = Math.max(highest, down);
          expect(state.mean).toBeCloseTo(mean, 12);
          expect(state.high).toBeCloseTo(up - lowest, 11);
          expect(state.low).toBeCloseTo(highest - down, 11);
        }
      }),
      { seed: 112, numRuns: 50 },
    );
  });

  test('finds shifts of both directions soon after they come, and names about when', () => {
    const settings = { tolerance: 0.5, threshold: 20 };
    let distance = 0;
    for (const [shift, direction] of [
      [2, 'up'],
      [-2, 'down'],
    ] as const) {
      for (let seed = 1; seed <= 20; seed++) {
        const [alarm] = pageHinkleyAlarms(shifted(seed, 400, shift), settings);
        expect(alarm.direction).toBe(direction);
        expect(alarm.at).toBeGreaterThanOrEqual(200);
        expect(alarm.at).toBeLessThan(235);
        distance += Math.abs(alarm.onset - 200) / 40;
      }
    }
    expect(distance).toBeLessThan(5);
  });

  test('keeps still while it warms up, and begins anew after an alarm', () => {
    const values = new Float64Array(40).map((_, t) => (t < 5 ? 0 : 10));
    const warm = { tolerance: 0, threshold: 5, warmUp: 20 };
    expect(pageHinkleyAlarms(values, warm)[0].at).toBe(20);
    expect(pageHinkleyAlarms(values, { ...warm, warmUp: 0 })[0]).toEqual({
      at: 5,
      direction: 'up',
      onset: 5,
    });
    let state: PageHinkleyState = PAGE_HINKLEY_START;
    for (let t = 0; t <= 6; t++) state = updatePageHinkley(state, values[t], { ...warm, warmUp: 0 });
    expect(state).toMatchObject({ since: 1, mean: 10, high: 0, count: 7, alarm: 'none' });
  });
});

describe('a state', () => {
  test('that was written down and read again goes on as if it had not been, and none is changed in place', () => {
    const values = shifted(9, 300, 1.5);
    const stored = <T>(state: T): T => JSON.parse(JSON.stringify(state));
    const cusumSettings = { mean: 0, standardDeviation: 1 };
    const hinkleySettings = { tolerance: 0.2, threshold: 8 };
    let [cusum, hinkley] = [Object.freeze(CUSUM_START), Object.freeze(PAGE_HINKLEY_START)];
    const alarms: number[] = [];
    for (const [t, value] of values.entries()) {
      cusum = Object.freeze(stored(updateCusum(cusum, value, cusumSettings)));
      hinkley = Object.freeze(stored(updatePageHinkley(hinkley, value, hinkleySettings)));
      if (cusum.alarm !== 'none') alarms.push(t);
      if (hinkley.alarm !== 'none') alarms.push(-t);
    }
    const whole = [
      ...cusumAlarms(values, cusumSettings).map(({ at }) => at),
      ...pageHinkleyAlarms(values, hinkleySettings).map(({ at }) => -at),
    ];
    expect(alarms.toSorted((a, b) => a - b)).toEqual(whole.toSorted((a, b) => a - b));
    expect(whole.length).toBeGreaterThan(1);
  });
});

describe('refused with a remedy', () => {
  const one = Float64Array.of(1);
  const hinkley = { tolerance: 0, threshold: 1 };
  test.each<[string, string, () => unknown]>([
    [
      'a value that is no number',
      'INPUT_INVALID',
      () => updateCusum(CUSUM_START, Number.NaN, { mean: 0, standardDeviation: 1 }),
    ],
    [
      'an infinite one',
      'INPUT_INVALID',
      () => updatePageHinkley(PAGE_HINKLEY_START, Number.NEGATIVE_INFINITY, hinkley),
    ],
    ['one amid a series', 'INPUT_INVALID', () => pageHinkleyAlarms(Float64Array.of(1, Number.NaN), hinkley)],
    ['a deviation of 0', 'INPUT_INVALID', () => cusumAlarms(one, { mean: 0, standardDeviation: 0 })],
    [
      'a mean that is no number',
      'INPUT_INVALID',
      () => cusumAlarms(one, { mean: Number.NaN, standardDeviation: 1 }),
    ],
    [
      'a negative allowance',
      'INPUT_INVALID',
      () => cusumAlarms(one, { mean: 0, standardDeviation: 1, allowance: -1 }),
    ],
    [
      'a threshold that is no number',
      'INPUT_INVALID',
      () => pageHinkleyAlarms(one, { tolerance: 0, threshold: Number.NaN }),
    ],
    ['half a value of warm-up', 'INPUT_INVALID', () => pageHinkleyAlarms(one, { ...hinkley, warmUp: 0.5 })],
    [
      'no value',
      'DATA_INSUFFICIENT',
      () => cusumAlarms(new Float64Array(0), { mean: 0, standardDeviation: 1 }),
    ],
  ])('%s', (_, code, act) => {
    expect(act).toThrow(expect.objectContaining({ code, remedy: expect.any(String) }));
  });
});
