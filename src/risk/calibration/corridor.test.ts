import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import type { AdjustedRisk, Calibrator } from './adjustment.ts';
import { adjustedWithin, type CorridorState, clipToCorridor, inCorridor, observeWithin } from './corridor.ts';
import { type QuantileTrackingState, quantileTracking } from './quantile-tracking.ts';
import { splitConformal } from './split-conformal.ts';
import { regimeSeries } from './test-streams.ts';

const invalid = expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) });
const risk: AdjustedRisk = { valueAtRisk: 2, expectedShortfall: 3, status: 'adjusted' };

describe('a VaR in its corridor', () => {
  test.each([
    ['inside', { floor: 1, ceiling: 4 }, { valueAtRisk: 2, expectedShortfall: 3, status: 'adjusted' }],
    ['below', { floor: 4, ceiling: 9 }, { valueAtRisk: 4, expectedShortfall: 6, status: 'clipped-low' }],
    ['above', { floor: 0, ceiling: 1 }, { valueAtRisk: 1, expectedShortfall: 1.5, status: 'clipped-high' }],
    ['at its ends', { floor: 2, ceiling: 2 }, { valueAtRisk: 2, expectedShortfall: 3, status: 'adjusted' }],
    [
      'with no ceiling',
      { floor: 0, ceiling: Number.POSITIVE_INFINITY },
      { valueAtRisk: 2, status: 'adjusted' },
    ],
    [
      'with a floor above the ceiling: the floor counts',
      { floor: 3, ceiling: 1 },
      { valueAtRisk: 3, status: 'clipped-low' },
    ],
    [
      'above both, the floor being above',
      { floor: 1.5, ceiling: 1 },
      { valueAtRisk: 1.5, status: 'clipped-high' },
    ],
  ] as const)('%s', (_, corridor, expected) => {
    expect(clipToCorridor(risk, corridor)).toMatchObject(expected);
  });

  test('keeps the direction in which the adjuster itself was clipped', () => {
    const high = { ...risk, status: 'clipped-high' } as const;
    expect(clipToCorridor(high, { floor: 4, ceiling: 9 }).status).toBe('clipped-high');
    const low = { ...risk, status: 'clipped-low' } as const;
    expect(clipToCorridor(low, { floor: 0, ceiling: 1 }).status).toBe('clipped-low');
  });

  // What no factor moves there moves by a sum, by hand.
  test.each([
    ['up from 0', 0, 1, { floor: 2, ceiling: 9 }, 3],
    ['up from below 0', -1, 1, { floor: 2, ceiling: 9 }, 4],
    ['up to 0', -3, -1, { floor: 0, ceiling: 9 }, 2],
    ['up, all below 0', -3, -1, { floor: -2, ceiling: 9 }, 0],
    ['down to 0', 2, 3, { floor: -1, ceiling: 0 }, 1],
    ['down, all below 0', -1, 1, { floor: -9, ceiling: -2 }, 0],
    ['down from above 0 to below it', 2, 3, { floor: -9, ceiling: -2 }, -1],
    ['up from a VaR so small that the factor overflows', 1e-310, 1, { floor: 2, ceiling: 9 }, 3],
  ])('%s ES keeps its distance to VaR', (_, valueAtRisk, expectedShortfall, corridor, shortfall) => {
    const target = valueAtRisk < corridor.floor ? corridor.floor : corridor.ceiling;
    expect(clipToCorridor({ valueAtRisk, expectedShortfall, status: 'adjusted' }, corridor)).toEqual({
      valueAtRisk: target,
      expectedShortfall: shortfall,
      status: target > valueAtRisk ? 'clipped-low' : 'clipped-high',
    });
  });

  test.each([
    ['a floor that is no number', { floor: Number.NaN, ceiling: 1 }],
    ['an infinite floor', { floor: Number.POSITIVE_INFINITY, ceiling: 1 }],
    ['a ceiling that is no number', { floor: 0, ceiling: Number.NaN }],
    ['a ceiling of minus infinity', { floor: 0, ceiling: Number.NEGATIVE_INFINITY }],
  ])('%s is refused with a remedy', (_, corridor) => {
    expect(() => clipToCorridor(risk, corridor)).toThrow(invalid);
  });

  test.each([
    ['a VaR that is no number', Number.NaN, 1],
    ['an infinite ES', 1, Number.POSITIVE_INFINITY],
    ['an ES below VaR', 2, 1],
  ])('%s is refused inside the corridor too', (_, valueAtRisk, expectedShortfall) => {
    const wrong: AdjustedRisk = { valueAtRisk, expectedShortfall, status: 'adjusted' };
    expect(() => clipToCorridor(wrong, { floor: 0, ceiling: 9 })).toThrow(invalid);
  });

  test('lies in the corridor, with ES not below it, for any numbers', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(number, number, number, number, (a, b, floor, ceiling) => {
        const [valueAtRisk, expectedShortfall] = a < b ? [a, b] : [b, a];
        const clipped = clipToCorridor(
          { valueAtRisk, expectedShortfall, status: 'adjusted' },
          { floor, ceiling },
        );
        expect(clipped.valueAtRisk).toBeGreaterThanOrEqual(floor);
        expect(clipped.valueAtRisk).toBeLessThanOrEqual(Math.max(ceiling, floor));
        expect(clipped.expectedShortfall).toBeGreaterThanOrEqual(clipped.valueAtRisk);
        expect(Number.isFinite(clipped.expectedShortfall)).toBe(true);
        expect(clipped.status === 'adjusted').toBe(clipped.valueAtRisk === valueAtRisk);
      }),
      { seed: 9, numRuns: 2000 },
    );
  });
});

describe('an adjuster in a corridor', () => {
  const confidence = 0.95;
  const tracker = quantileTracking({ confidence });

  test('counts every clipped step and what was exceeded in it, as counting by hand does', () => {
    const random = Random.stream(1, 'corridor');
    const series = regimeSeries(4000, 5, confidence);
    const counts = {
      steps: 0,
      exceedances: 0,
      unadjusted: 0,
      clippedHigh: 0,
      clippedLow: 0,
      exceedancesClippedHigh: 0,
      exceedancesClippedLow: 0,
    };
    let state: CorridorState<QuantileTrackingState> = inCorridor(tracker, () => ({
      floor: 0,
      ceiling: 1,
    })).initial();
    for (let t = 0; t < 4000; t++) {
      const forecast = { valueAtRisk: series.valueAtRisk[t], expectedShortfall: series.expectedShortfall[t] };
      const floor = 3 + random.uniform();
      const corridor = { floor, ceiling: floor + 2 * random.uniform() };
      const wanted = tracker.adjusted(
        state.inner,
        forecast.valueAtRisk,
        forecast.expectedShortfall,
      ).valueAtRisk;
      const published = Math.min(Math.max(wanted, corridor.floor), corridor.ceiling);
      expect(adjustedWithin(tracker, state, forecast, corridor).valueAtRisk).toBe(published);
      const hit = series.loss[t] > published ? 1 : 0;
      counts.steps++;
      counts.exceedances += hit;
      if (wanted > published) {
        counts.clippedHigh++;
        counts.exceedancesClippedHigh += hit;
      } else if (wanted < published) {
        counts.clippedLow++;
        counts.exceedancesClippedLow += hit;
      }
      state = observeWithin(tracker, state, series.loss[t], forecast, corridor);
    }
    expect(state.counts).toEqual(counts);
    expect(counts.clippedHigh).toBeGreaterThan(300);
    expect(counts.clippedLow).toBeGreaterThan(300);
  });

  test('counts the steps of an adjuster that has not learnt yet, and no exceedance where the loss is just VaR', () => {
    const { initial, adjusted, observe } = inCorridor(splitConformal({ confidence }), () => ({
      floor: 0,
      ceiling: 9,
    }));
    const forecast = { valueAtRisk: 2, expectedShortfall: 3 };
    let state = initial();
    expect(adjusted(state, 2, 3)).toEqual({ ...forecast, status: 'unadjusted' });
    for (const loss of [2, 2.5, 1]) state = observe(state, loss, forecast);
    expect(state.counts).toMatchObject({
      steps: 3,
      exceedances: 1,
      unadjusted: 3,
      clippedHigh: 0,
      clippedLow: 0,
    });
  });

  test('refuses a loss that is no number, also around an adjuster that looks at none', () => {
    const heedless: Calibrator<null> = {
      initial: () => null,
      adjusted: () => risk,
      observe: () => null,
    };
    const { initial, observe } = inCorridor(heedless, () => ({ floor: 0, ceiling: 9 }));
    for (const loss of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => observe(initial(), loss, { valueAtRisk: 2, expectedShortfall: 3 })).toThrow(invalid);
  });

  test('has the state of one without, to the bit, however it is clipped: nothing can run away', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0, max: 5, noNaN: true }),
        fc.double({ min: 0, max: 5, noNaN: true }),
        (losses, floor, ceiling) => {
          const clipped = inCorridor(tracker, () => ({ floor, ceiling }));
          const forecast = { valueAtRisk: 1, expectedShortfall: 1.3 };
          let free = tracker.initial();
          let held = clipped.initial();
          for (const loss of losses) {
            free = tracker.observe(free, loss, forecast);
            held = clipped.observe(held, loss, forecast);
          }
          expect(held.inner).toStrictEqual(free);
          expect(held.counts.steps).toBe(losses.length);
        },
      ),
      { seed: 10, numRuns: 100 },
    );
  });

  test('answers at once when the corridor lets go, where one fed with what was published would have run away', () => {
    const random = Random.stream(2, 'windup');
    const forecast = { valueAtRisk: 3, expectedShortfall: 4 };
    const clipped = inCorridor(tracker, () => ({ floor: 0, ceiling: 1.5 }));
    let state = clipped.initial();
    let wound = 0;
    for (let t = 0; t < 3000; t++) {
      const loss = random.exponential();
      // The published VaR is held at half of what is needed: it is exceeded in 22 % of all steps, for ever.
      wound += 0.045 * ((loss > 1.5 ? 1 : 0) - 0.05);
      state = clipped.observe(state, loss, forecast);
    }
    expect(state.counts.exceedances / 3000).toBeGreaterThan(0.2);
    expect(state.counts.clippedHigh).toBe(3000);
    expect(wound).toBeGreaterThan(20);
    const multiplier = Math.exp(state.inner.logMultiplier);
    expect(3 * multiplier).toBeGreaterThan(2);
    expect(3 * multiplier).toBeLessThan(4.5);
  });
});
