import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Calibrator } from './adjustment.ts';
import { calibrateSeries, noCalibration } from './calibrator.ts';
import { type PidState, pid, type Scorecaster, saturationFor } from './pid.ts';
import { duel, goldenSeries, MOVES, regimeSeries } from './test-streams.ts';

const golden = goldenSeries();

/** A slow mean of the scores, half a VaR less: where the next score is expected to be. */
const slowMean: Scorecaster<number> = {
  initial: () => 0,
  forecast: (mean) => mean,
  observe: (mean, score) => 0.9 * mean + 0.1 * (score - 0.5),
};

describe('conformal PID control equals the paper’s formulas in NumPy', () => {
  const run = <Cast>(
    calibrator: Calibrator<PidState<Cast>>,
  ): { state: PidState<Cast>; hits: number; multipliers: number; clipped: number } => {
    const { valueAtRisk, hits, clipped, state } = calibrateSeries(calibrator, golden);
    const count = (values: Uint8Array): number => values.reduce((sum, value) => sum + value, 0);
    const multipliers = valueAtRisk.reduce((sum, value, t) => sum + value / golden.valueAtRisk[t], 0);
    return { state, hits: count(hits), multipliers, clipped: count(clipped) };
  };
  const common = { confidence: 0.95, rate: 0.1, window: 50, gain: 1, saturation: 0.2, headStart: 100 };

  test('with the integrator', () => {
    const result = run(pid(common));
    expect(result).toMatchObject({ hits: 32, clipped: 0, multipliers: expect.closeTo(967.7829493966651, 8) });
    expect(result.state.tracker).toBeCloseTo(1.6364600404132168, 10);
    expect(result.state.errorSum).toBeCloseTo(2, 10);
  });

  test('with a saturation so tight that it is reached', () => {
    const result = run(
      pid({ confidence: 0.9, rate: 0.05, window: 30, gain: 0.5, saturation: 0.02, headStart: 60 }),
    );
    expect(result).toMatchObject({
      hits: 61,
      clipped: 26,
      multipliers: expect.closeTo(1037.7608142037604, 8),
    });
    expect(result.state.tracker).toBeCloseTo(0.9513936286070074, 10);
    expect(result.state.errorSum).toBeCloseTo(1, 10);
  });

  test('with a scorecaster', () => {
    const result = run(pid({ ...common, start: 0.5, scorecaster: slowMean }));
    expect(result).toMatchObject({ hits: 34, clipped: 0, multipliers: expect.closeTo(907.7887491103356, 8) });
    expect(result.state.tracker).toBeCloseTo(1.3141581382548209, 10);
    expect(result.state.errorSum).toBeCloseTo(4, 10);
  });

  test('C_sat for a tolerance is what the bound gives back', () => {
    const saturation = saturationFor(8760, 1 - 0.99);
    expect(saturation).toBeCloseTo(0.05713230576822585, 14);
    expect(((Math.PI / 2) * saturation) / Math.log(8760) + 1 / 8760).toBeCloseTo(0.01, 14);
    expect(() => saturationFor(100, 0.01)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });
});

/** (c h(T) + 1) / T of the docstring. */
function bound(steps: number, saturation: number, headStart: number): number {
  const clock = steps + headStart;
  return (((Math.PI / 2) * saturation * clock) / Math.log(clock) + 1) / steps;
}

describe('against any losses, an adversary’s too', () => {
  test('the saturated integrator keeps the bound that the docstring states, with and without a tracker', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...MOVES), { minLength: 1, maxLength: 60 }),
        fc.constantFrom(0.9, 0.95, 0.99),
        fc.constantFrom(0, 0.1, 1),
        fc.constantFrom(0.02, 0.1, 0.5),
        fc.integer({ min: 2, max: 500 }),
        fc.integer({ min: 100, max: 3000 }),
        (moves, confidence, rate, saturation, headStart, steps) => {
          const calibrator = pid({ confidence, rate, saturation, headStart });
          const { exceedances, state } = duel(calibrator, moves, steps, 0.2, 5);
          const off = exceedances / steps - (1 - confidence);
          expect(Math.abs(off)).toBeLessThanOrEqual(bound(steps, saturation, headStart) + 1e-9);
          // The sum was never held: it is what it says.
          expect(state.errorSum / steps).toBeCloseTo(off, 9);
        },
      ),
      { seed: 7, numRuns: 150 },
    );
  });

  test('a scorecaster that is always wrong cannot break it', () => {
    const wrong: Scorecaster<number> = {
      initial: () => 0,
      forecast: (last) => 3 - last,
      observe: (_, score) => score,
    };
    const calibrator = pid({ confidence: 0.95, saturation: 0.05, headStart: 50, scorecaster: wrong });
    for (const moves of [['just above', 'lowest', 'highest'], ['highest'], ['just below']] as const) {
      const { exceedances } = duel(calibrator, moves, 4000, 0.2, 5);
      expect(Math.abs(exceedances / 4000 - 0.05)).toBeLessThanOrEqual(bound(4000, 0.05, 50));
    }
  });

  test('losses beyond its range: clipped, held, and back at once', () => {
    const calibrator = pid({ confidence: 0.95, range: { least: 0.5, greatest: 2 } });
    const forecast = { valueAtRisk: 1, expectedShortfall: 1.2 };
    let state = calibrator.initial();
    for (let t = 0; t < 3000; t++) state = calibrator.observe(state, 5, forecast);
    expect(calibrator.adjusted(state, 1, 1.2).status).toBe('clipped-high');
    expect(state.tracker).toBeLessThanOrEqual(2);
    // Unheld, the sum would be 0.95 · 3000.
    expect(state.errorSum).toBeLessThan(5);
    let steps = 0;
    while (calibrator.adjusted(state, 1, 1.2).status !== 'adjusted') {
      state = calibrator.observe(state, 0.1, forecast);
      steps++;
    }
    expect(steps).toBeLessThan(20);
  });
});

describe('on regimes that a predictor does not notice', () => {
  test.each([0.95, 0.99])('at %d it is far nearer to its target than the predictor', (confidence) => {
    const series = regimeSeries(20_000, 2, confidence);
    const off = (hits: Uint8Array): number =>
      hits.reduce((sum, hit) => sum + hit, 0) / hits.length - (1 - confidence);
    const raw = off(calibrateSeries(noCalibration(), series).hits);
    expect(Math.abs(off(calibrateSeries(pid({ confidence }), series).hits))).toBeLessThan(raw / 10);
  });
});

test('the trailing maximum is that of the window', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 80 }),
      fc.integer({ min: 1, max: 12 }),
      (losses, window) => {
        const calibrator = pid({ confidence: 0.9, window });
        let state = calibrator.initial();
        losses.forEach((loss, t) => {
          state = calibrator.observe(state, loss, { valueAtRisk: 1, expectedShortfall: 1 });
          expect(state.peaks[0]).toBe(Math.max(...losses.slice(Math.max(t + 1 - window, 0), t + 1)));
          expect(state.peaks.length).toBeLessThanOrEqual(window);
        });
      },
    ),
    { seed: 8, numRuns: 100 },
  );
});

test('beyond the saturation on either side the multiplier is the end of the range, and the step is clipped', () => {
  const calibrator = pid({ confidence: 0.9 });
  const state = calibrator.initial();
  for (const errorSum of [1e3, 1e6])
    expect(calibrator.adjusted({ ...state, errorSum }, 1, 2)).toMatchObject({
      valueAtRisk: 10,
      status: 'clipped-high',
    });
  for (const errorSum of [-1e3, -1e6])
    expect(calibrator.adjusted({ ...state, errorSum }, 1, 2)).toMatchObject({
      valueAtRisk: 0.1,
      status: 'clipped-low',
    });
  const without = pid({ confidence: 0.9, gain: 0 });
  expect(without.adjusted({ ...state, errorSum: 1e6 }, 1, 2).valueAtRisk).toBe(1);
});

test('a scorecast that is no number is refused with a remedy', () => {
  const broken = pid({ confidence: 0.9, scorecaster: { ...slowMean, forecast: () => Number.NaN } });
  expect(() => broken.adjusted(broken.initial(), 1, 1)).toThrow(
    expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
  );
});
