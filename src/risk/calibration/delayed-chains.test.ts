import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { calibrateSeries } from './calibrator.ts';
import { delayedChains } from './delayed-chains.ts';
import { quantileTracking, trackingRate } from './quantile-tracking.ts';
import { regimeSeries } from './test-streams.ts';

const confidence = 0.95;
const tracker = quantileTracking({ confidence });
const forecast = { valueAtRisk: 1, expectedShortfall: 1.2 };

describe('chains for losses that are known late', () => {
  test('each is the adjuster on every 24th step, to the bit, through JSON after each step', () => {
    const series = regimeSeries(2400, 1, confidence);
    const chains = delayedChains(tracker, 24);
    let state = chains.initial();
    const published = new Float64Array(2400);
    for (let t = 0; t < 2400; t++) {
      if (t >= 24) state = chains.settle(state, t - 24, series.loss[t - 24]);
      const issued = chains.issue(state, t, {
        valueAtRisk: series.valueAtRisk[t],
        expectedShortfall: series.expectedShortfall[t],
      });
      published[t] = issued.adjusted.valueAtRisk;
      expect(JSON.parse(JSON.stringify(issued.state))).toStrictEqual(issued.state);
      state = JSON.parse(JSON.stringify(issued.state));
    }
    for (let hour = 0; hour < 24; hour++) {
      const every = (values: Float64Array): Float64Array => values.filter((_, t) => t % 24 === hour);
      const alone = calibrateSeries(tracker, {
        loss: every(series.loss),
        valueAtRisk: every(series.valueAtRisk),
        expectedShortfall: every(series.expectedShortfall),
      });
      expect(every(published)).toEqual(alone.valueAtRisk);
    }
    expect(state.unscored).toBe(0);
  });

  test('keep the bound where losses of neighbouring steps are the same crash', () => {
    const random = Random.stream(3, 'overlap');
    const days = 3000;
    const chains = delayedChains(quantileTracking({ confidence: 0.99 }), 24);
    let state = chains.initial();
    // Each step's loss is the largest of the 24 hours that follow, so one bad hour is 24 exceedances.
    const hourly = Float64Array.from({ length: 24 * days + 24 }, () => Math.abs(random.studentT(3)));
    const losses = Float64Array.from({ length: 24 * days }, (_, t) =>
      Math.max(...hourly.subarray(t + 1, t + 25)),
    );
    let exceedances = 0;
    for (let t = 0; t < losses.length; t++) {
      if (t >= 24) state = chains.settle(state, t - 24, losses[t - 24]);
      const issued = chains.issue(state, t, { valueAtRisk: 3, expectedShortfall: 4 });
      if (losses[t] > issued.adjusted.valueAtRisk) exceedances++;
      state = issued.state;
    }
    const off = exceedances / losses.length - 0.01;
    expect(Math.abs(off)).toBeLessThan(Math.log(10) / (trackingRate(0.99) * days));
  });

  test('a preview leaves no trace, and a loss that nobody waits for changes nothing', () => {
    const chains = delayedChains(tracker, 3);
    const before = chains.initial();
    const issued = chains.issue(before, 7, forecast);
    expect(chains.preview(before, 7, forecast)).toEqual(issued.adjusted);
    expect(chains.settle(before, 7, 5)).toBe(before);
    expect(chains.settle(issued.state, 4, 5)).toBe(issued.state);
    const settled = chains.settle(issued.state, 7, 5);
    expect(chains.settle(settled, 7, 5)).toBe(settled);
    expect(chains.chainState(settled, 1).logMultiplier).toBeGreaterThan(0);
    expect(chains.chainState(settled, 0)).toEqual(tracker.initial());
  });

  test('forecasts whose loss never came are counted, whether given up or replaced', () => {
    const chains = delayedChains(tracker, 2);
    let { state } = chains.issue(chains.initial(), 0, forecast);
    state = chains.issue(state, 1, forecast).state;
    state = chains.abandon(state, 0);
    state = chains.abandon(state, 0);
    expect(state.unscored).toBe(1);
    state = chains.issue(state, 3, forecast).state;
    expect(state.unscored).toBe(2);
    // The same step again is the same forecast, made anew.
    state = chains.issue(state, 3, { valueAtRisk: 2, expectedShortfall: 2 }).state;
    expect(state.unscored).toBe(2);
    expect(chains.chainState(state, 0)).toEqual(tracker.initial());
  });

  test.each([
    ['a horizon of 0', () => delayedChains(tracker, 0)],
    [
      'half a step',
      () => delayedChains(tracker, 2).issue(delayedChains(tracker, 2).initial(), 0.5, forecast),
    ],
    [
      'a step before the first',
      () => delayedChains(tracker, 2).settle(delayedChains(tracker, 2).initial(), -1, 0),
    ],
    [
      'the state of another horizon',
      () => delayedChains(tracker, 2).settle(delayedChains(tracker, 3).initial(), 0, 0),
    ],
    [
      'an ES below VaR',
      () =>
        delayedChains(tracker, 2).issue(delayedChains(tracker, 2).initial(), 0, {
          valueAtRisk: 2,
          expectedShortfall: 1,
        }),
    ],
  ])('%s is refused with a remedy', (_, act) => {
    expect(act).toThrow(expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }));
  });
});
