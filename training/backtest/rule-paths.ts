import { CONFIDENCES, HORIZONS_HOURS } from '../../src/forecast/predictor.ts';
import { closeoutNotional, type MarginCurve, marginCurve, type TailProfile } from '../../src/limits/curve.ts';
import { bracketsFromCurve } from '../../src/limits/cut.ts';
import type { Policy } from '../../src/limits/policy.ts';
import type { Bracket } from '../../src/limits/types.ts';
import { countedVolumes } from './execution.ts';
import { PathRecorder, type SchedulePath } from './schedule-path.ts';
import type { MarketTape } from './tape.ts';

/**
 * What a backtest compares with where there is no exchange: tables by rules that desks use. They are cut into brackets like the policy's own, with
 * the same liquidity, so that only the margins differ.
 */
const AXES = { horizonsHours: HORIZONS_HOURS, confidences: CONFIDENCES };

/**
 * Margins follow volatility alone: the maintenance margin is so many daily standard deviations of the last month over the root of time, the initial
 * margin twice that of an hour. Looked at once a day; no governor.
 *
 * @param deviations how many, above 0.
 */
export function volatilityPath(market: MarketTape, policy: Policy, deviations: number): SchedulePath {
  const recorder = new PathRecorder(market.symbol, market.bars.length);
  const volumes = countedVolumes(market, policy.volumeQuantile);
  let schedule: readonly Bracket[] | null = null;
  for (let hour = 0; hour < market.bars.length; hour++) {
    if (schedule === null || hour % 24 === 0)
      schedule = byVolatility(market.dailyVolatility[hour], volumes[hour], policy, deviations) ?? schedule;
    if (schedule !== null) recorder.record(hour, schedule, schedule);
  }
  return recorder.path();
}

/** One table for the whole span: that of the volatility rule in the market's first hour. */
export function staticPath(market: MarketTape, policy: Policy, deviations: number): SchedulePath {
  const recorder = new PathRecorder(market.symbol, market.bars.length);
  const volumes = countedVolumes(market, policy.volumeQuantile);
  let schedule: readonly Bracket[] | null = null;
  for (let hour = 0; hour < market.bars.length; hour++) {
    schedule ??= byVolatility(market.dailyVolatility[hour], volumes[hour], policy, deviations);
    if (schedule !== null) recorder.record(hour, schedule, schedule);
  }
  return recorder.path();
}

function byVolatility(
  dailyVolatility: number,
  hourlyVolume: number,
  policy: Policy,
  deviations: number,
): readonly Bracket[] | null {
  if (!(dailyVolatility > 0) || !(hourlyVolume > 0)) return null;
  const move = (hours: number): number => deviations * dailyVolatility * Math.sqrt(hours / 24);
  const profile: TailProfile = {
    valueAtRiskByHorizon: Float64Array.from(HORIZONS_HOURS, move),
    marginCallShortfall: 2 * move(1),
    shortfallSide: 0,
  };
  const liquidity = { hourlyVolume, dailyVolatility };
  const curve: MarginCurve = marginCurve(profile, liquidity, AXES, policy);
  const largestNotional = closeoutNotional(policy.maximumCloseoutHorizonHours, liquidity, policy);
  return bracketsFromCurve({ curve, maximumLeverage: policy.maximumLeverage, largestNotional }, policy);
}
