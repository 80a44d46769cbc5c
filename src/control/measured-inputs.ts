import type { LatestFeatures } from '../features/live.ts';
import { dailyVolatilityOf, FEATURE_COUNT, featureIndex } from '../features/spec.ts';
import { stressedMarkets } from '../forecast/stressed-share.ts';
import type { LiquidityInput, MarketWideInput } from '../limits/market-input.ts';
import type { MarketHistory } from '../risk/bars.ts';

const INDEX_RETURN_24_HOURS = featureIndex('indexScaledReturn24h');
const VOLATILITY_720_HOURS = featureIndex('logRealisedVolatility720h');

/** All markets as one: who of them is in stress today, and how far they moved together. */
export function marketWideOf(
  markets: readonly MarketHistory[],
  asOf: number,
  { values, ready }: LatestFeatures,
): MarketWideInput | null {
  const { judged, stressed } = stressedMarkets(markets, asOf);
  // The features of all markets together are the same in every row.
  const row = ready.indexOf(1);
  if (judged === 0 || row < 0) return null;
  return {
    markets: judged,
    stressedShare: stressed / judged,
    commonShock: values[row * FEATURE_COUNT + INDEX_RETURN_24_HOURS],
    source: 'excursions of the last day',
  };
}

/** Null where nothing was traded, or where no volatility is known yet. */
export function liquidityOf(
  hourlyVolume: number,
  features: LatestFeatures,
  m: number,
): LiquidityInput | null {
  if (!(hourlyVolume > 0) || features.ready[m] === 0) return null;
  return {
    hourlyVolume,
    dailyVolatility: dailyVolatilityOf(features.values[m * FEATURE_COUNT + VOLATILITY_720_HOURS]),
  };
}
