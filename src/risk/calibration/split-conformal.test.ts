import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { calibrateSeries } from './calibrator.ts';
import { conformalRank, EMPTY_WINDOW, leastConformalSample, withScore } from './score-window.ts';
import { applyConformal, conformalAdjustment, splitConformal } from './split-conformal.ts';
import { goldenSeries } from './test-streams.ts';

const golden = goldenSeries();

function adjustmentOf(
  ...[confidence, form, decay]: [number, 'additive' | 'multiplicative', number?]
): number {
  const outcome = conformalAdjustment(golden.loss, golden.valueAtRisk, confidence, form, decay);
  expect(outcome.available).toBe(true);
  return outcome.available ? outcome.adjustment : 0;
}

describe('the conformal adjustment equals NumPy', () => {
  test.each([
    [0.9, 'multiplicative', 1.1831374688406253],
    [0.95, 'multiplicative', 1.6020285973126664],
    [0.99, 'multiplicative', 2.4887742656643463],
    [0.9, 'additive', 0.005571776310826292],
    [0.95, 'additive', 0.017510441992007006],
    [0.99, 'additive', 0.041835773973864995],
  ] as const)('at %d, %s: the ⌈(n + 1) c⌉-th smallest score', (confidence, form, expected) => {
    expect(adjustmentOf(confidence, form)).toBeCloseTo(expected, 14);
  });

  test.each([
    [0.95, 0.98, 2.0314297424115164, 98.99892277048784],
    [0.99, 0.995, 3.123120916326175, 361.42451813287005],
    // ρ = 0.9 weighs 9 altogether, exactly what 90 % needs: only the largest score will do.
    [0.9, 0.9, 3.3439409973813357, 19],
  ])('at %d with the decay %d', (confidence, decay, expected, effective) => {
    const outcome = conformalAdjustment(golden.loss, golden.valueAtRisk, confidence, 'multiplicative', decay);
    expect(outcome).toMatchObject({
      available: true,
      adjustment: expect.closeTo(expected, 13),
      effectiveSampleSize: expect.closeTo(effective, 9),
    });
  });

  test('moves ES with VaR: by the factor or by the sum', () => {
    const forecast = { valueAtRisk: 0.02, expectedShortfall: 0.03 };
    expect(applyConformal(forecast, 1.5, 'multiplicative')).toEqual({
      valueAtRisk: 0.03,
      expectedShortfall: expect.closeTo(0.045, 15),
      status: 'adjusted',
    });
    expect(applyConformal(forecast, -0.005, 'additive')).toEqual({
      valueAtRisk: 0.015,
      expectedShortfall: expect.closeTo(0.025, 15),
      status: 'adjusted',
    });
  });
});

describe('too few scores for the level', () => {
  test.each([
    [98, 0.99, false],
    [99, 0.99, true],
    [18, 0.95, false],
    [19, 0.95, true],
    [39, 0.975, true],
    [998, 0.999, false],
    [999, 0.999, true],
  ])('%i scores at %d: available %s', (n, confidence, available) => {
    const loss = Float64Array.from({ length: n }, (_, i) => i);
    const outcome = conformalAdjustment(loss, new Float64Array(n).fill(1), confidence, 'additive');
    expect(outcome.available).toBe(available);
    expect(leastConformalSample(1 - confidence) <= n).toBe(available);
    if (!outcome.available) expect(outcome.reason).toMatch(/too few/);
    // 99 scores at 99 %: only the largest will do.
    else if (n === leastConformalSample(1 - confidence)) expect(outcome.adjustment).toBe(n - 2);
  });

  test('as many scores, but a decay that leaves them too light', () => {
    const outcome = conformalAdjustment(golden.loss, golden.valueAtRisk, 0.9, 'additive', 0.85);
    expect(outcome).toMatchObject({ available: false, reason: expect.stringContaining('decay') });
  });

  test('along a stream the forecast stays as it is until there are enough', () => {
    const calibrated = calibrateSeries(splitConformal({ confidence: 0.95 }), golden);
    expect(calibrated.valueAtRisk.slice(0, 19)).toEqual(golden.valueAtRisk.slice(0, 19));
    expect(calibrated.valueAtRisk[19]).not.toBe(golden.valueAtRisk[19]);
  });

  test.each([
    ['a window that cannot bear the level', { confidence: 0.99, window: 98 }],
    ['a decay that cannot bear the level', { confidence: 0.99, decay: 0.98 }],
    ['a decay above 1', { confidence: 0.9, decay: 1.1 }],
    ['a decay of 0', { confidence: 0.9, decay: 0 }],
    ['a confidence of 99', { confidence: 99 }],
    ['a range without 1 in it', { confidence: 0.9, range: { least: 2, greatest: 3 } }],
  ])('%s is refused with a remedy', (_, options) => {
    expect(() => splitConformal(options)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
    );
  });

  test.each([
    ['no score', new Float64Array(0), new Float64Array(0), 'DATA_INSUFFICIENT'],
    ['a loss that is no number', Float64Array.of(Number.NaN), Float64Array.of(1), 'INPUT_INVALID'],
    ['more losses than forecasts', Float64Array.of(1, 2), Float64Array.of(1), 'INPUT_INVALID'],
    ['a VaR of 0, to be multiplied', Float64Array.of(1), Float64Array.of(0), 'INPUT_INVALID'],
  ])('%s is refused', (_, loss, valueAtRisk, code) => {
    expect(() => conformalAdjustment(loss, valueAtRisk, 0.5, 'multiplicative')).toThrow(
      expect.objectContaining({ code, remedy: expect.any(String) }),
    );
  });
});

describe('a stream and its window', () => {
  test('give what the batch gives on the trailing scores, with and without decay', () => {
    for (const [decay, window] of [
      [1, 100],
      [0.99, 250],
    ] as const) {
      const calibrator = splitConformal({ confidence: 0.95, decay, window });
      const { valueAtRisk } = calibrateSeries(calibrator, golden);
      for (const t of [100, 250, 251, 430, 599]) {
        const [loss, before] = [golden.loss, golden.valueAtRisk].map((all) =>
          all.subarray(Math.max(t - window, 0), t),
        );
        const batch = conformalAdjustment(loss, before, 0.95, 'multiplicative', decay);
        if (batch.available) expect(valueAtRisk[t]).toBeCloseTo(golden.valueAtRisk[t] * batch.adjustment, 14);
      }
    }
  });

  test('add to the forecasts what the batch adds', () => {
    const calibrated = calibrateSeries(
      splitConformal({ confidence: 0.95, form: 'additive', window: 100 }),
      golden,
    );
    for (const t of [100, 250, 599]) {
      const [loss, before] = [golden.loss, golden.valueAtRisk].map((all) => all.subarray(t - 100, t));
      const batch = conformalAdjustment(loss, before, 0.95, 'additive');
      if (!batch.available) throw new Error(batch.reason);
      expect(calibrated.valueAtRisk[t]).toBeCloseTo(golden.valueAtRisk[t] + batch.adjustment, 14);
      const moved = golden.expectedShortfall[t] + batch.adjustment;
      expect(calibrated.expectedShortfall[t]).toBeCloseTo(moved, 14);
    }
  });

  test('a window holds the latest scores, sorted, whatever came', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (scores, capacity) => {
          let window = EMPTY_WINDOW;
          for (const score of scores) window = withScore(window, score, capacity);
          const kept = scores.slice(-capacity);
          expect(window.scores).toEqual(kept.toSorted((a, b) => a - b));
          expect(window.seen).toBe(scores.length);
          const byArrival = window.arrivals.map((arrival, i) => [arrival, window.scores[i]] as const);
          expect(byArrival.toSorted(([a], [b]) => a - b).map(([, score]) => score)).toEqual(kept);
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe('coverage in finite samples', () => {
  /** n scores and one more, exchangeable: equicorrelated and with a fat tail, so neither independent nor normal. */
  function exceeds(
    n: number,
    confidence: number,
    form: 'additive' | 'multiplicative',
    seed: number,
  ): boolean {
    const random = Random.stream(seed, 'exchangeable');
    const common = random.normal();
    const draw = (): number => Math.exp(0.5 * common + random.studentT(3));
    const loss = Float64Array.from({ length: n }, draw);
    const valueAtRisk = Float64Array.from(loss, () => 1 + random.uniform());
    const outcome = conformalAdjustment(loss, valueAtRisk, confidence, form);
    if (!outcome.available) throw new Error(outcome.reason);
    const next = 1 + random.uniform();
    const forecast = { valueAtRisk: next, expectedShortfall: next };
    return draw() > applyConformal(forecast, outcome.adjustment, form).valueAtRisk;
  }

  test.each([
    [19, 0.95, 'multiplicative'],
    [150, 0.95, 'additive'],
    [150, 0.95, 'multiplicative'],
    [99, 0.99, 'multiplicative'],
    [333, 0.99, 'additive'],
  ] as const)('with %i scores at %d, %s, is exactly what the ranks say', (n, confidence, form) => {
    const runs = 6000;
    let exceedances = 0;
    for (let seed = 1; seed <= runs; seed++) if (exceeds(n, confidence, form, seed)) exceedances++;
    const p = 1 - conformalRank(n, 1 - confidence) / (n + 1);
    expect(p).toBeLessThanOrEqual(1 - confidence + 1e-12);
    const limit = 3.5 * Math.sqrt(runs * p * (1 - p));
    expect(Math.abs(exceedances - runs * p)).toBeLessThan(limit);
  });

  test('after a break, weights that forget cover better than weights that do not', () => {
    const runs = 3000;
    const missed = { even: 0, decayed: 0 };
    for (let seed = 1; seed <= runs; seed++) {
      const random = Random.stream(seed, 'break');
      const loss = Float64Array.from({ length: 400 }, (_, t) => (t < 300 ? 1 : 2) * random.exponential());
      const ones = new Float64Array(400).fill(1);
      const next = 2 * random.exponential();
      const even = conformalAdjustment(loss, ones, 0.9, 'multiplicative');
      const decayed = conformalAdjustment(loss, ones, 0.9, 'multiplicative', 0.97);
      if (even.available && next > even.adjustment) missed.even++;
      if (decayed.available && next > decayed.adjustment) missed.decayed++;
    }
    expect(missed.even / runs).toBeGreaterThan(0.16);
    expect(missed.decayed / runs).toBeLessThan(0.115);
  });
});
