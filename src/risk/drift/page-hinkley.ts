import { refusal, requireSeries, requireWhole, requireWithin } from '../numeric/inputs.ts';
import type { ChangeAlarm } from './cusum.ts';

export interface PageHinkleySettings {
  /** δ, in the unit of the values: changes of the mean below it do not count. */
  readonly tolerance: number;
  /** λ, in the unit of the values times observations: how far a sum may rise before it alarms. */
  readonly threshold: number;
  /** Values before the first alarm: the mean must be known first. */
  readonly warmUp?: number;
}

/** Where the test stands; plain data that can be stored between updates. */
export interface PageHinkleyState {
  /** Mean of the values since the last alarm, and how many they are. */
  readonly mean: number;
  readonly since: number;
  /** Rise of Σ (x − mean − δ) above its minimum, and of how many values that is. */
  readonly high: number;
  readonly highRun: number;
  /** Fall of Σ (x − mean + δ) below its maximum. */
  readonly low: number;
  readonly lowRun: number;
  /** Values seen so far. */
  readonly count: number;
  /** What the last value set off. After an alarm the mean and both sums begin anew with the next value. */
  readonly alarm: 'none' | 'up' | 'down';
}

const DEFAULT_WARM_UP = 30;

export const PAGE_HINKLEY_START: PageHinkleyState = {
  mean: 0,
  since: 0,
  high: 0,
  highRun: 0,
  low: 0,
  lowRun: 0,
  count: 0,
  alarm: 'none',
};

/**
 * One step of the test of Page (1954) and Hinkley (1971) for a change of a mean that is not known: with the mean x̄_t of the
 * values up to t, m_t = Σ (x_i − x̄_i − δ), an alarm upwards where m_t − min(0, m_1, …, m_t) exceeds λ; downwards by the mirror
 * image. The difference follows max(0, previous + x_t − x̄_t − δ), which does not grow with the length of the series.
 *
 * @throws PlimsollError INPUT_INVALID for a value that is no number and for settings that are none.
 */
export function updatePageHinkley(
  state: PageHinkleyState,
  value: number,
  { tolerance, threshold, warmUp = DEFAULT_WARM_UP }: PageHinkleySettings,
): PageHinkleyState {
  requireWithin('the tolerance', tolerance, 0, Number.MAX_VALUE);
  requireWithin('the threshold', threshold, 0, Number.MAX_VALUE);
  requireWhole('the warm-up', warmUp, 0);
  const from = state.alarm === 'none' ? state : PAGE_HINKLEY_START;
  const since = from.since + 1;
  const mean = from.mean + (value - from.mean) / since;
  const high = Math.max(0, from.high + (value - mean) - tolerance);
  const low = Math.max(0, from.low - (value - mean) - tolerance);
  if (!Number.isFinite(high + low)) throw refusal(`the value is ${value}`, 'Leave it out, or mend it.');
  const isReady = since > warmUp;
  return {
    mean,
    since,
    high,
    highRun: high > 0 ? from.highRun + 1 : 0,
    low,
    lowRun: low > 0 ? from.lowRun + 1 : 0,
    count: state.count + 1,
    alarm: isReady && high > threshold ? 'up' : isReady && low > threshold ? 'down' : 'none',
  };
}

/**
 * All alarms of a series, by the same steps.
 *
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function pageHinkleyAlarms(
  values: Float64Array,
  settings: PageHinkleySettings,
): readonly ChangeAlarm[] {
  requireSeries('values', values, 1);
  const alarms: ChangeAlarm[] = [];
  let state = PAGE_HINKLEY_START;
  for (let at = 0; at < values.length; at++) {
    state = updatePageHinkley(state, values[at], settings);
    if (state.alarm === 'none') continue;
    const run = state.alarm === 'up' ? state.highRun : state.lowRun;
    alarms.push({ at, direction: state.alarm, onset: at + 1 - run });
  }
  return alarms;
}
