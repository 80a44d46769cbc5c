import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { asymmetricReturns, parkMiller } from '../park-miller.fixture.ts';
import { automaticBlockLength, bootstrapInterval, stationaryBlocks } from './block-bootstrap.ts';
import { minimise } from './minimise.ts';
import { rollingSums } from './rolling.ts';
import { minimiseScalar, rootOf } from './scalar.ts';
import { simplexMinimise } from './simplex.ts';

/** Rosenbrock's valley (1960). */
const valley = (x: Float64Array): number => 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2;
const valleySlope = (x: Float64Array, gradient: Float64Array): number => {
  gradient[0] = -400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]);
  gradient[1] = 200 * (x[1] - x[0] ** 2);
  return valley(x);
};

describe('minimisers', () => {
  test("find the bottom of Rosenbrock's valley from its usual start", () => {
    const start = Float64Array.of(-1.2, 1);
    const descent = minimise(valleySlope, start);
    expect(descent).toMatchObject({ converged: true });
    expect(descent.evaluations).toBeLessThan(80);
    for (const found of [descent, simplexMinimise(valley, start, { steps: Float64Array.of(0.5, 0.5) })]) {
      expect(found.at[0]).toBeCloseTo(1, 5);
      expect(found.at[1]).toBeCloseTo(1, 5);
    }
    expect(start).toEqual(Float64Array.of(-1.2, 1));
  });

  test('find the least of any bowl, in any scale', () => {
    const bowls = fc.array(
      fc.tuple(
        fc.double({ min: -50, max: 50, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
      ),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(bowls, (bowl) => {
        const f = (x: Float64Array, gradient: Float64Array): number =>
          bowl.reduce((sum, [centre, weight], i) => {
            gradient[i] = 2 * weight * (x[i] - centre);
            return sum + weight * (x[i] - centre) ** 2;
          }, 0);
        const found = minimise(f, new Float64Array(bowl.length));
        expect(found.converged).toBe(true);
        bowl.forEach(([centre, weight], i) => {
          expect(Math.abs(found.at[i] - centre)).toBeLessThan(1e-6 / weight + 1e-8);
        });
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  test.each<[string, (x: Float64Array) => number, number[], number[], number, number]>([
    ["Rosenbrock's valley", valley, [-1.2, 1], [1, 1], 1e-6, 282],
    [
      'kinks',
      (x) => Math.abs(x[0] - 1) + 2 * Math.abs(x[1] + x[0]) + Math.max(x[2], -0.5 * x[2]),
      [3, 3, 3],
      [1, -1, 0],
      1e-9,
      866,
    ],
    ['one variable', (x) => Math.abs(x[0] - 2) + 1, [9], [2], 1e-9, 106],
    [
      'a bowl of five',
      (x) => x.reduce((sum, value, i) => sum + (i + 1) * (value - i) ** 2, 0),
      [5, 5, 5, 5, 5],
      [0, 1, 2, 3, 4],
      2e-6,
      973,
    ],
    [
      'ripples',
      (x) => x.reduce((sum, value) => sum + value * value + 0.3 * Math.sin(9 * value) ** 2, 0),
      [0.9, -1.1],
      [0, 0],
      1e-6,
      216,
    ],
  ])('a simplex finds the bottom soon and counts its evaluations: %s', (_, f, from, bottom, near, most) => {
    const start = Float64Array.from(from);
    const steps = new Float64Array(from.length).fill(0.5);
    let calls = 0;
    const counted = (x: Float64Array): number => {
      calls++;
      return f(x);
    };
    const found = simplexMinimise(counted, start, { steps });
    expect(found).toMatchObject({ converged: true, evaluations: calls, value: f(found.at) });
    bottom.forEach((at, i) => {
      expect(Math.abs(found.at[i] - at)).toBeLessThan(near);
    });
    expect(calls).toBeLessThanOrEqual(most);
    expect([Array.from(start), Array.from(steps)]).toEqual([from, from.map(() => 0.5)]);
    // Cut short, it has the best of what it saw, and says that it was.
    calls = 0;
    let least = Number.POSITIVE_INFINITY;
    const cut = simplexMinimise(
      (x) => {
        least = Math.min(least, counted(x));
        return f(x);
      },
      start,
      { steps, maximumEvaluations: 20 },
    );
    expect(cut).toMatchObject({ converged: false, evaluations: calls, value: least });
    // A step may take a simplex's worth beyond the bound.
    expect(calls).toBeLessThan(20 + 2 + from.length);
  });

  test('step back from where the function is not defined', () => {
    const f = (x: Float64Array, gradient: Float64Array): number => {
      gradient[0] = 1 - 1 / x[0];
      return x[0] > 0 ? x[0] - Math.log(x[0]) : Number.NaN;
    };
    expect(minimise(f, Float64Array.of(0.01)).at[0]).toBeCloseTo(1, 6);
    const kink = simplexMinimise(
      (x) => (x[0] < 0 ? Number.NaN : Math.abs(x[0] - 2) + 1),
      Float64Array.of(9),
      {
        steps: Float64Array.of(1),
      },
    );
    expect(kink.at[0]).toBeCloseTo(2, 9);
  });

  test('say when they did not come to rest', () => {
    expect(minimise(valleySlope, Float64Array.of(-1.2, 1), { maximumIterations: 3 }).converged).toBe(false);
    const cut = simplexMinimise(valley, Float64Array.of(-1.2, 1), {
      steps: Float64Array.of(1, 1),
      maximumEvaluations: 12,
    });
    expect(cut.converged).toBe(false);
  });
});

describe('on a line', () => {
  test('the lower of two valleys is found', () => {
    const f = (x: number): number => (x * x - 1) ** 2 + 0.3 * x;
    const found = minimiseScalar(f, -2, 2, 9);
    expect(found.at).toBeCloseTo(-1.0355, 3);
    expect(minimiseScalar((x) => x, 3, 5, 4).at).toBeCloseTo(3, 8);
    expect(minimiseScalar((x) => Math.abs(x - 0.123456789), -1, 1, 3).at).toBeCloseTo(0.123456789, 7);
  });

  // Evaluations are a tenth above what was counted: a search that has become slow is found out too.
  test.each<[string, (x: number) => number, number, number, number, number, number]>([
    ['a parabola', (x) => (x - 0.3) ** 2, -5, 7, 5, 0.3, 11],
    ['a parabola about 0', (x) => x * x, -1, 2, 4, 0, 9],
    ['a chain', (x) => Math.cosh(x - 2) + 0.1 * x, -10, 10, 7, 2 + Math.asinh(-0.1), 26],
    ['one that leans', (x) => Math.exp(x) - 3 * x, -6, 6, 9, Math.log(3), 24],
    ['a narrow well', (x) => -Math.exp(-((x - 0.77) ** 2) / 0.02), -1, 1, 11, 0.77, 22],
    ['one that falls steeply and rises slowly', (x) => x - 5 * Math.log(x), 0.1, 100, 12, 5, 38],
    ['a flat bottom', (x) => (x + 1) ** 4, -3, 4, 6, -1, 35],
    ['a kink', (x) => Math.abs(x - 0.123456789), -1, 1, 3, 0.123456789, 38],
    ['the lower end', (x) => x, 3, 5, 4, 3, 26],
    ['the upper end', (x) => -x, 3, 5, 4, 5, 25],
  ])('the bottom of %s is found soon', (_, f, low, high, scanned, bottom, most) => {
    let calls = 0;
    const found = minimiseScalar(
      (x) => {
        calls++;
        expect(x).toBeGreaterThanOrEqual(low - 1e-8);
        expect(x).toBeLessThanOrEqual(high + 1e-8);
        return f(x);
      },
      low,
      high,
      scanned,
    );
    expect(Math.abs(found.at - bottom)).toBeLessThan(5e-8);
    expect(found.value).toBe(f(found.at));
    expect(calls).toBeLessThanOrEqual(most);
  });

  test('a root is found to the last digit, or it is a defect to ask for it', () => {
    expect(rootOf((x) => x * x - 2, 0, 2)).toBeCloseTo(Math.SQRT2, 15);
    expect(rootOf((x) => 1 - x, 1, 9)).toBe(1);
    expect(rootOf((x) => x - 9, 1, 9)).toBe(9);
    const internal = expect.objectContaining({ code: 'INTERNAL' });
    expect(() => rootOf((x) => x * x + 1, -1, 1)).toThrow(internal);
    // Halving towards a number that is none would never end.
    expect(() => rootOf(() => Number.NaN, 0, 1)).toThrow(internal);
    expect(() => rootOf((x) => x - 1, 0, Number.NaN)).toThrow(internal);
  });
});

describe('sums of a rolling window', () => {
  test('equal those of each window alone, also after an absurd value has left', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 1500 }), (length, window) => {
        const random = new Random(length);
        const values = Float64Array.from({ length }, (_, i) => (i === 7 ? 1e12 : random.uniform()));
        const sums = new Float64Array(length);
        rollingSums(values, window, sums);
        for (const end of [0, Math.floor(length / 2), length - 1]) {
          const slow = values
            .slice(Math.max(end - window + 1, 0), end + 1)
            .reduce((sum, value) => sum + value, 0);
          // The grain of 1e12 stays for less than a thousand steps.
          expect(Math.abs(sums[end] - slow)).toBeLessThan(end > 7 + window + 1024 ? 1e-9 * slow : 1);
        }
      }),
      { seed: 3, numRuns: 60 },
    );
  });
});

describe('the stationary bootstrap', () => {
  test('takes every place equally often, in blocks of the asked mean length', () => {
    const places = new Uint32Array(200_000);
    stationaryBlocks(places, 50, 8, new Random(4));
    const counts = new Float64Array(50);
    let breaks = 0;
    places.forEach((place, i) => {
      counts[place]++;
      if (i > 0 && place !== (places[i - 1] + 1) % 50) breaks++;
    });
    for (const count of counts) expect(count / 4000).toBeCloseTo(1, 0);
    // One break in fifty goes unseen, since a new block may begin where the old one would have gone on.
    expect(places.length / breaks / 8).toBeCloseTo(1, 1);
    stationaryBlocks(places, 50, 1, new Random(5));
    expect(
      places.filter((place, i) => i > 0 && place === (places[i - 1] + 1) % 50).length / places.length,
    ).toBeCloseTo(0.02, 2);
  });

  test('has the length of Politis and White, one lag short of that of arch', () => {
    const returns = asymmetricReturns();
    // arch 8.0, which starts its run of small correlations one lag later than the paper: 27.754 and 28.918.
    expect(automaticBlockLength(returns.map((value) => value * value))).toBeCloseTo(27.2137, 3);
    expect(automaticBlockLength(returns.map(Math.abs))).toBeCloseTo(28.0073, 3);
    expect(automaticBlockLength(new Float64Array(100).fill(2))).toBe(1);
    const random = new Random(6);
    expect(automaticBlockLength(Float64Array.from({ length: 500 }, () => random.normal()))).toBeLessThan(4);
    const trend = Float64Array.from({ length: 400 }, (_, i) => i);
    expect(automaticBlockLength(trend)).toBeLessThanOrEqual(60);
  });

  // By Python from the paper's formulas: autoregressions of Park and Miller's normals.
  test.each([
    [0.5, 200, 3, 5.824676047710267],
    [0.9, 150, 4, 15.000242259478958],
    [-0.6, 120, 5, 6.496910117336143],
    [0, 100, 6, 1.4554210547490645],
    [0.7, 12, 8, 1.3477895139869132],
    [0.95, 40, 9, 6.105930035267425],
    [0.99, 2500, 10, 97.04945695927721],
  ])('has the length for autocorrelation %d of %d values', (correlation, length, seed, expected) => {
    const { normal } = parkMiller(seed);
    let value = 0;
    const values = Float64Array.from({ length }, () => (value = correlation * value + normal()));
    expect(automaticBlockLength(values) / expected).toBeCloseTo(1, 11);
    // Nor does the unit matter.
    expect(automaticBlockLength(values.map((each) => 1e-9 * each)) / expected).toBeCloseTo(1, 11);
  });

  test('has no length above n/3, and a trend has one by its correlations', () => {
    const alternating = Float64Array.from({ length: 12 }, (_, i) => i % 2);
    expect(automaticBlockLength(alternating)).toBe(4);
    expect(automaticBlockLength(Float64Array.from({ length: 20 }, (_, i) => i))).toBeCloseTo(4.083759069, 8);
    expect(automaticBlockLength(Float64Array.from({ length: 400 }, (_, i) => i))).toBeCloseTo(32.87216631, 7);
  });

  test('holds the mean of independent draws about as often as its level says', () => {
    let held = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const random = new Random(seed);
      const values = Float64Array.from({ length: 100 }, () => random.normal());
      const plan = { replications: 200, blockLength: 1, seed, level: 0.9 };
      const interval = bootstrapInterval(
        100,
        plan,
        (places) => places.reduce((sum, i) => sum + values[i], 0) / 100,
      );
      if (interval !== null && interval.low <= 0 && interval.high >= 0) held++;
    }
    expect(held / 200).toBeGreaterThan(0.82);
    expect(held / 200).toBeLessThan(0.96);
  });

  test('has the quantiles of the values that there are, and says of how many', () => {
    const plan = { replications: 100, blockLength: 2, seed: 1, level: 0.8 };
    let call = 0;
    // Of every four one is null and one is no number: half have a value, which is enough; with one more of them, it is not.
    const half = bootstrapInterval(5, plan, () => [1, 2, null, Number.NaN][call++ % 4]);
    expect(half).toEqual({ available: true, low: 1, high: 2, level: 0.8, replications: 50 });
    expect(bootstrapInterval(5, plan, () => (call++ < 149 ? 1 : null))).toBeNull();
    // 1 … 11 of eleven replications: its deciles.
    let next = 0;
    const eleven = bootstrapInterval(5, { ...plan, replications: 11 }, () => ++next);
    expect(eleven).toEqual({
      available: true,
      low: expect.closeTo(2, 12),
      high: expect.closeTo(10, 12),
      level: 0.8,
      replications: 11,
    });
  });

  test('has no interval where most resamples have no value', () => {
    const plan = { replications: 50, blockLength: 2, seed: 1, level: 0.9 };
    expect(bootstrapInterval(10, plan, () => null)).toBeNull();
    expect(() => bootstrapInterval(10, { ...plan, replications: 3 }, () => 1)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });
});
