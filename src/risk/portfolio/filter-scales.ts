import { PlimsollError } from '../../errors.ts';
import { HOUR_MILLISECONDS } from '../../units.ts';
import { requireSameLength, requireWithin } from '../numeric/inputs.ts';
import { ewmaVariance, HOURLY_EWMA_DECAY } from '../volatility/ewma.ts';
import type { AlignedMarkets } from './aligned-returns.ts';
import type { ReturnScenarios } from './return-scenarios.ts';

export interface FilterOptions {
  /** Of the EWMA variance per slot, in (0, 1). RiskMetrics' 0.94 per day unless given. */
  readonly decay?: number;
  /** g in [0, 1]: 1 rescales wholly, 0 not at all. 1 unless given. */
  readonly exponent?: number;
}

/**
 * Factors (σ_today / σ_then)^g for each market and scenario (Hull and White 1998): the market's EWMA volatility at the end of
 * the history over that at the scenario's entry. Each market has its own, while the day stays joint: ranks of one market
 * across days change, dependence within a day does not. The factor of market m in scenario s is at m · scenarios + s.
 *
 * @param scenarios made from this history by `returnScenarios`.
 * @throws PlimsollError INPUT_INVALID for a decay or exponent outside, or scenarios of another history; DATA_INSUFFICIENT for
 * a market that stood still up to an entry: it has no volatility to divide by.
 */
export function filterScales(
  aligned: AlignedMarkets,
  scenarios: ReturnScenarios,
  { decay, exponent = 1 }: FilterOptions = {},
): Float64Array {
  const lambda = decay ?? HOURLY_EWMA_DECAY ** (aligned.intervalMilliseconds / HOUR_MILLISECONDS);
  requireWithin('the decay', lambda, Number.MIN_VALUE, 1 - Number.EPSILON);
  requireWithin('the exponent', exponent, 0, 1);
  const { markets, slots, close } = aligned;
  requireSameLength('prices of history and scenarios', close.length, scenarios.close.length);
  const count = scenarios.scenarios;
  const scales = new Float64Array(markets.length * count);
  const returns = new Float64Array(slots);
  for (let m = 0; m < markets.length; m++) {
    for (let t = 1; t < slots; t++) returns[t] = Math.log(close[m * slots + t] / close[m * slots + t - 1]);
    const variance = ewmaVariance(returns, lambda);
    const today = variance[slots - 1];
    for (let s = 0; s < count; s++) {
      const then = variance[scenarios.entry[s]];
      if (!(then > 0 && today > 0))
        throw new PlimsollError('DATA_INSUFFICIENT', `${markets[m]} stood still`, {
          remedy: 'Leave it out, or use historical simulation.',
        });
      scales[m * count + s] = (today / then) ** (0.5 * exponent);
    }
  }
  return scales;
}
