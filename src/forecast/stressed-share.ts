import type { MarketHistory } from '../risk/bars.ts';
import { quantileOfSorted } from '../risk/numeric/quantile.ts';
import { excursionsOf } from '../risk/tail/excursions.ts';
import { reasonAgainst, tailsOf } from './excursion-history.ts';
import { lookback } from './lookback.ts';
import { HORIZONS_HOURS, pathIndex, SIDES } from './predictor.ts';

/** A market is in stress where its excursion of the last 24 hours is beyond this quantile of its last 365 days. */
const STRESS_CONFIDENCE = 0.99;
const DAY_HORIZON = HORIZONS_HOURS.indexOf(24);

/** How many markets could be judged, and how many of them are in stress. */
export interface StressedMarkets {
  readonly judged: number;
  readonly stressed: number;
}

/** Counts the markets whose excursion of the day that ended at `asOf`, on either side, is beyond its long-run quantile. */
export function stressedMarkets(markets: readonly MarketHistory[], asOf: number): StressedMarkets {
  let [judged, stressed] = [0, 0];
  const day = new Float64Array(SIDES.length);
  for (const { bars } of markets) {
    const past = lookback(bars, asOf);
    if (reasonAgainst(past, asOf) !== '') continue;
    const newestClose = bars.openTime[past.end - 1] + bars.intervalMilliseconds;
    const origin = past.end - 1 - HORIZONS_HOURS[DAY_HORIZON];
    if (newestClose !== asOf || !excursionsOf(bars, origin, HORIZONS_HOURS[DAY_HORIZON], day)) continue;
    judged++;
    const tails = tailsOf(past);
    const isBeyond = SIDES.some((_, s) => {
      const { largest, count } = tails[pathIndex(0, s, DAY_HORIZON)];
      return day[s] > quantileOfSorted(largest, count, STRESS_CONFIDENCE);
    });
    if (isBeyond) stressed++;
  }
  return { judged, stressed };
}
