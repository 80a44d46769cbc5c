import { maxLeverageAt } from '../../src/limits/brackets.ts';
import { adverseExcursions } from '../../src/risk/tail/excursions.ts';
import type { Execution } from './execution.ts';
import { type MarginMoves, marginMoves } from './procyclicality.ts';
import type { SchedulePath } from './schedule-path.ts';
import type { MarketTape } from './tape.ts';
import { type Dealings, deal, type TraderRules } from './traders.ts';

/** What a backtest says of a table, whoever made it. Ratios are shares; all but the first five are of the median market. */
export interface Measures {
  /** Of all positions that were asked for, each size with the same notional; a refused one counts with 0. */
  readonly averageLeverage: number;
  readonly refusedRatio: number;
  /** Mean over markets and hours of the leverage granted to a position of `MEASURED_NOTIONAL`. */
  readonly hourlyLeverage: number;
  /** Loss beyond the traders' margin per notional that was open, and year. */
  readonly badDebtRatio: number;
  readonly liquidations: number;
  readonly liquidationsPerPositionYear: number;
  /** Share of hours and sides whose adverse excursion over the margin-call horizon was more than the initial margin. */
  readonly exceedanceRate: number;
  readonly changesPerMonth: number;
  readonly largestDailyCut: number;
  readonly largestDailyRaise: number;
  readonly largestRise1Day: number;
  readonly largestRise5Days: number;
  readonly largestRise30Days: number;
  readonly peakToTrough: number;
  /** Shortest and median notice before a higher maintenance margin reached open positions; null where none did. */
  readonly noticeHours: { readonly least: number; readonly median: number } | null;
  readonly positions: number;
  readonly marketHours: number;
}

/** One market's part, before it is added up. */
export interface MarketMeasures {
  readonly dealings: Dealings;
  readonly moves: MarginMoves | null;
  readonly exceedances: number;
  readonly judged: number;
  readonly noticeHours: readonly number[];
  readonly hours: number;
  /** Sum over the hours of the leverage granted to a position of `MEASURED_NOTIONAL`. */
  readonly leverageHours: number;
}

/** Moves of margins and exceedances are taken for a position of this size, in quote units. */
export const MEASURED_NOTIONAL = 10_000;

/** @param isCounted by hour; only these count. */
export function measureMarket(
  market: MarketTape,
  path: SchedulePath,
  execution: Execution,
  rules: TraderRules,
  marginCallHorizonHours: number,
  isCounted: Uint8Array,
): MarketMeasures {
  const { bars } = market;
  const margins = path.schedules.map(
    (schedule) => 1 / Math.max(maxLeverageAt(schedule, MEASURED_NOTIONAL), 1),
  );
  const excursions = adverseExcursions(bars, marginCallHorizonHours);
  let [exceedances, judged, hours, leverageHours] = [0, 0, 0, 0];
  for (let hour = 0; hour < bars.length; hour++) {
    const table = path.opening[hour];
    if (table < 0 || isCounted[hour] === 0) continue;
    hours++;
    leverageHours += 1 / margins[table];
    if (hour >= excursions.length || excursions.valid[hour] === 0) continue;
    judged += 2;
    if (excursions.long[hour] > margins[table]) exceedances++;
    if (excursions.short[hour] > margins[table]) exceedances++;
  }
  return {
    dealings: deal(bars, path, execution, rules, isCounted),
    moves: marginMoves(path, MEASURED_NOTIONAL, isCounted),
    exceedances,
    judged,
    noticeHours: path.noticeHours,
    hours,
    leverageHours,
  };
}

export function addUp(markets: readonly MarketMeasures[]): Measures {
  const sum = (of: (market: MarketMeasures) => number): number =>
    markets.reduce((total, one) => total + of(one), 0);
  const positions = sum(({ dealings }) => dealings.positions);
  const years = sum(({ dealings }) => dealings.years);
  const moves = markets.map((market) => market.moves).filter((one) => one !== null);
  const typical = (name: keyof MarginMoves): number => median(moves.map((one) => one[name])) ?? 0;
  const notices = markets.flatMap(({ noticeHours }) => noticeHours);
  return {
    averageLeverage: ratio(
      sum(({ dealings }) => dealings.leverage),
      positions,
    ),
    refusedRatio: ratio(
      sum(({ dealings }) => dealings.refused),
      positions,
    ),
    hourlyLeverage: ratio(
      sum(({ leverageHours }) => leverageHours),
      sum(({ hours }) => hours),
    ),
    badDebtRatio: ratio(
      sum(({ dealings }) => dealings.badDebt),
      years,
    ),
    liquidations: sum(({ dealings }) => dealings.liquidations),
    liquidationsPerPositionYear: ratio(
      sum(({ dealings }) => dealings.liquidations),
      years,
    ),
    exceedanceRate: ratio(
      sum(({ exceedances }) => exceedances),
      sum(({ judged }) => judged),
    ),
    changesPerMonth: typical('changesPerMonth'),
    largestDailyCut: typical('largestDailyCut'),
    largestDailyRaise: typical('largestDailyRaise'),
    largestRise1Day: typical('largestRise1Day'),
    largestRise5Days: typical('largestRise5Days'),
    largestRise30Days: typical('largestRise30Days'),
    peakToTrough: moves.length === 0 ? 1 : typical('peakToTrough'),
    noticeHours: notices.length === 0 ? null : { least: Math.min(...notices), median: median(notices) ?? 0 },
    positions,
    marketHours: sum(({ hours }) => hours),
  };
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

/** The lower one of the two in the middle; null of nothing. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >>> 1] ?? null;
}
