import { HOUR_MILLISECONDS } from '../src/units.ts';

/** Where one slice of time ends and the next begins; rows in between belong to none. */
export interface TimeSplit {
  readonly trainUntil: number;
  readonly validationFrom: number;
  readonly validationUntil: number;
  /** Null where nothing is held out for a test. */
  readonly testFrom: number | null;
  readonly end: number;
}

/**
 * Left out between slices: the longest horizon, so that no outcome of one slice reaches into the next, and as much
 * again, because what happened in those hours still shapes the features after them.
 */
export const PURGE_HOURS = 48;

/** Of all time, for early stopping and calibration: the newest share before a test, or of all. */
export const VALIDATION_SHARE = 0.1;
/** Of all time, the newest share, for the scores of a fit that never saw it. */
export const TEST_SHARE = 0.2;

/** What a row is for. Rows that are purged are looked at by nobody. */
export const SLICES = ['train', 'validation', 'test', 'purged'] as const;
export type Slice = (typeof SLICES)[number];

/** The slice of a time. */
export function sliceAt(split: TimeSplit, time: number): Slice {
  if (time < split.trainUntil) return 'train';
  if (split.testFrom !== null && time >= split.testFrom) return 'test';
  return time >= split.validationFrom && time <= split.validationUntil ? 'validation' : 'purged';
}

/**
 * Cuts time in order: train, gap, validation, gap, test.
 *
 * @param testShare share of the whole time at the end; 0 for none. @param validationShare share before it.
 */
export function splitTime(start: number, end: number, validationShare: number, testShare: number): TimeSplit {
  const purge = PURGE_HOURS * HOUR_MILLISECONDS;
  const span = end - start;
  const testFrom = testShare > 0 ? end - testShare * span : null;
  const validationUntil = testFrom === null ? end : testFrom - purge;
  const validationFrom = (testFrom ?? end) - validationShare * span;
  return { trainUntil: validationFrom - purge, validationFrom, validationUntil, testFrom, end };
}

/** Rows whose time is in [from, until). */
export function rowsBetween(asOf: Float64Array, from: number, until: number): Uint32Array {
  const rows = new Uint32Array(asOf.length);
  let count = 0;
  for (let row = 0; row < asOf.length; row++) if (asOf[row] >= from && asOf[row] < until) rows[count++] = row;
  return rows.slice(0, count);
}
