import type { Policy } from '../../src/limits/policy.ts';
import { quantile } from '../../src/risk/numeric/quantile.ts';
import type { MarketTape } from './tape.ts';

/** What a closeout meets in one market. It is the same whoever made the table, so that tables are compared and not markets. */
export interface Execution {
  /** By hour: quote volume of an hour that is counted on. */
  readonly hourlyVolume: Float64Array;
  /** By hour: standard deviation of a day's log return. */
  readonly dailyVolatility: Float64Array;
  readonly participationRatio: number;
  /** Half spread and taker fee. */
  readonly fixedCostRate: number;
  readonly impactCoefficient: number;
}

export type ExecutionRules = Pick<
  Policy,
  'participationRatio' | 'halfSpreadRate' | 'takerFeeRate' | 'impactCoefficient' | 'volumeQuantile'
>;

/** The volume that is counted on is taken anew this often, over so many hours, as the decision cycle does it. */
const VOLUME_REFRESH_HOURS = 24;
const VOLUME_HOURS = 720;
/** Where no volatility is known yet a day is taken to move so far. */
const UNKNOWN_DAILY_VOLATILITY = 0.1;

export function executionOf(market: MarketTape, rules: ExecutionRules): Execution {
  const { bars, dailyVolatility } = market;
  return {
    hourlyVolume: countedVolumes(market, rules.volumeQuantile),
    dailyVolatility: Float64Array.from({ length: bars.length }, (_, hour) =>
      Number.isFinite(dailyVolatility[hour]) ? dailyVolatility[hour] : UNKNOWN_DAILY_VOLATILITY,
    ),
    participationRatio: rules.participationRatio,
    fixedCostRate: rules.halfSpreadRate + rules.takerFeeRate,
    impactCoefficient: rules.impactCoefficient,
  };
}

/** By hour: a quantile of the quote volumes of the hours up to it. */
export function countedVolumes({ bars, earlierVolume }: MarketTape, probability: number): Float64Array {
  const volume = new Float64Array(earlierVolume.length + bars.length);
  volume.set(earlierVolume);
  volume.set(bars.quoteVolume, earlierVolume.length);
  const counted = new Float64Array(bars.length);
  for (let hour = 0; hour < bars.length; hour++) {
    const end = earlierVolume.length + hour + 1;
    counted[hour] =
      hour % VOLUME_REFRESH_HOURS === 0
        ? quantile(volume.subarray(Math.max(end - VOLUME_HOURS, 0), end), probability)
        : counted[hour - 1];
  }
  return counted;
}
