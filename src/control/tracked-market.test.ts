import { expect, test } from 'vitest';
import type { TrackPoint } from './track-point.ts';
import { trackedMarket } from './tracked-market.ts';

const NO_BARS = {
  ...{ intervalMilliseconds: 1, openTime: new Float64Array(), open: new Float64Array() },
  ...{ high: new Float64Array(), low: new Float64Array(), close: new Float64Array() },
};

function point(version: number, changes: Partial<TrackPoint> = {}): TrackPoint {
  return {
    ...{ symbol: 'AUSDT', version, asOf: version, close: 1, maxLeverage: 10, bindingBound: 'tail' },
    ...{ horizonHours: 4, confidence: 0.99, longValueAtRisk: 0.1, shortValueAtRisk: 0.2 },
    ...changes,
  };
}

test('a decision was exceeded on the side that lost more than its VaR, and a side without one is not judged', () => {
  const points = [point(1), point(2), point(3, { shortValueAtRisk: null }), point(4)];
  const realised = [{ long: 0.11, short: 0 }, { long: 0.1, short: 0.2 }, { long: 0, short: 0.9 }, null];
  const { decisions, exceedances } = trackedMarket(points, { bars: NO_BARS, realised }, 10);
  expect(decisions.map(({ exceeded }) => exceeded)).toEqual([
    { long: true, short: false },
    { long: false, short: false },
    { long: false, short: null },
    null,
  ]);
  expect(exceedances).toEqual({ observations: 3, long: 1, short: 0 });
});

test('decisions that were made again from the same bars are all told of and counted once, the newest', () => {
  const points = [point(1, { asOf: 5 }), point(2, { asOf: 5, longValueAtRisk: 0.3 }), point(3, { asOf: 6 })];
  const realised = [0, 1, 2].map(() => ({ long: 0.25, short: 0 }));
  const { decisions, exceedances } = trackedMarket(points, { bars: NO_BARS, realised }, 10);
  expect(decisions.map(({ exceeded }) => exceeded?.long)).toEqual([true, false, true]);
  expect(exceedances).toEqual({ observations: 2, long: 1, short: 0 });
});

test('of more decisions than are asked for the exceeded ones and the newest stay, and all are counted', () => {
  const points = Array.from({ length: 103 }, (_, i) => point(i + 1));
  const realised = points.map(({ version }) => ({ long: version % 25 === 0 ? 1 : 0, short: 0 }));
  const { decisions, exceedances } = trackedMarket(points, { bars: NO_BARS, realised }, 20);
  expect(decisions.length).toBeLessThanOrEqual(20);
  const versions = decisions.map(({ version }) => version);
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  expect(versions).toEqual(expect.arrayContaining([25, 50, 75, 100, 103]));
  expect(exceedances).toEqual({ observations: 103, long: 4, short: 0 });
});
