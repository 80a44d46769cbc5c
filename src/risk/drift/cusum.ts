import { refusal, requireSeries, requireWithin } from '../numeric/inputs.ts';

export interface CusumSettings {
  /** Mean and standard deviation while nothing has changed, in the unit of the values. */
  readonly mean: number;
  readonly standardDeviation: number;
  /** k, in standard deviations: half of the shift that is to be found soonest. */
  readonly allowance?: number;
  /** h, in standard deviations: how far a sum may go before it alarms. */
  readonly threshold?: number;
}

/** Where the two sums stand; plain data that can be stored between updates. */
export interface CusumState {
  /** Sum of what exceeded the mean by more than k, in standard deviations, and of how many values since it was last 0. */
  readonly high: number;
  readonly highRun: number;
  /** The same of what fell short. */
  readonly low: number;
  readonly lowRun: number;
  /** Values seen so far. */
  readonly count: number;
  /** What the last value set off. After an alarm both sums begin anew with the next value. */
  readonly alarm: 'none' | 'up' | 'down';
}

export interface ChangeAlarm {
  /** Index of the value that set it off. */
  readonly at: number;
  readonly direction: 'up' | 'down';
  /** Index of the value with which the sum began to rise: an estimate of when the change came (Page 1954). */
  readonly onset: number;
}

/** Finds a shift of one standard deviation after about 10 values, and raises a false alarm about every 465 (Montgomery 2013). */
const DEFAULT_ALLOWANCE = 0.5;
const DEFAULT_THRESHOLD = 5;

export const CUSUM_START: CusumState = { high: 0, highRun: 0, low: 0, lowRun: 0, count: 0, alarm: 'none' };

/**
 * One step of the two-sided tabular CUSUM (Page 1954): with z = (x − mean)/sd, high = max(0, high + z − k) and low = max(0,
 * low − z − k); an alarm where one exceeds h. The state given is left alone.
 *
 * @throws PlimsollError INPUT_INVALID for a value that is no number and for settings that are none.
 */
export function updateCusum(state: CusumState, value: number, settings: CusumSettings): CusumState {
  const { mean, standardDeviation, allowance = DEFAULT_ALLOWANCE, threshold = DEFAULT_THRESHOLD } = settings;
  requireSettings(mean, standardDeviation, allowance, threshold);
  const z = (value - mean) / standardDeviation;
  if (!Number.isFinite(z)) throw refusal(`the value is ${value}`, 'Leave it out, or mend it.');
  const from = state.alarm === 'none' ? state : CUSUM_START;
  const high = Math.max(0, from.high + z - allowance);
  const low = Math.max(0, from.low - z - allowance);
  return {
    high,
    highRun: high > 0 ? from.highRun + 1 : 0,
    low,
    lowRun: low > 0 ? from.lowRun + 1 : 0,
    count: state.count + 1,
    alarm: high > threshold ? 'up' : low > threshold ? 'down' : 'none',
  };
}

/**
 * All alarms of a series, by the same steps.
 *
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function cusumAlarms(values: Float64Array, settings: CusumSettings): readonly ChangeAlarm[] {
  requireSeries('values', values, 1);
  const alarms: ChangeAlarm[] = [];
  let state = CUSUM_START;
  for (let at = 0; at < values.length; at++) {
    state = updateCusum(state, values[at], settings);
    if (state.alarm === 'none') continue;
    const run = state.alarm === 'up' ? state.highRun : state.lowRun;
    alarms.push({ at, direction: state.alarm, onset: at + 1 - run });
  }
  return alarms;
}

function requireSettings(
  mean: number,
  standardDeviation: number,
  allowance: number,
  threshold: number,
): void {
  requireWithin('the mean', mean, -Number.MAX_VALUE, Number.MAX_VALUE);
  requireWithin('the standard deviation', standardDeviation, Number.MIN_VALUE, Number.MAX_VALUE);
  requireWithin('the allowance', allowance, 0, Number.MAX_VALUE);
  requireWithin('the threshold', threshold, 0, Number.MAX_VALUE);
}
