import { expect, test } from 'vitest';
import { FEATURE_COUNT, FEATURE_NAMES } from '../features/spec.ts';
import { newAlarms } from './coverage-alarms.ts';
import { coverageReport } from './coverage-report.ts';
import { type DriftReferences, newDrift, withSeen } from './drift-watch.ts';

const DAY = 86_400_000;
const REFERENCE: DriftReferences = {
  windowDays: 30,
  features: [{ name: FEATURE_NAMES[0], edges: [0], counts: [50, 50], usual: 0.1 }],
  residuals: [{ horizonHours: 24, edges: [0.5], counts: [90, 10], usual: 0.1 }],
  scores: [{ horizonHours: 24, mean: 0.1, usual: 1.2 }],
};

/** Days in which everything that was seen lay on one side. */
function driftOver(days: number) {
  let state = newDrift('m@1');
  const seen = {
    features: new Float64Array(FEATURE_COUNT).fill(1),
    horizons: Uint8Array.of(3),
    residuals: Float64Array.of(2),
    scores: Float64Array.of(0.4),
  };
  for (let day = 1; day <= days; day++) state = withSeen(state, REFERENCE, seen, day * DAY);
  return state;
}

test('drift is told once its window has enough days, with what has drifted', () => {
  const alarms = newAlarms('m@1');
  expect(coverageReport(alarms, driftOver(26), REFERENCE).drift).toBeNull();
  const { drift } = coverageReport(alarms, driftOver(27), REFERENCE);
  expect(drift).toMatchObject({
    windowDays: 30,
    features: [{ name: FEATURE_NAMES[0], usual: 0.1 }],
    scores: [{ horizonHours: 24, ratio: expect.closeTo(4, 9), usual: 1.2 }],
    drifted: ['features', 'residuals/24h', 'score/24h'],
  });
});

test('the drift of another model, or one without a reference, is not told', () => {
  expect(coverageReport(newAlarms('m@2'), driftOver(30), REFERENCE).drift).toBeNull();
  expect(coverageReport(newAlarms('m@1'), driftOver(30), null).drift).toBeNull();
  expect(coverageReport(null, driftOver(30), REFERENCE)).toEqual({ model: null, tiers: [], drift: null });
});
