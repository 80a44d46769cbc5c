import type { ForecastCell, LimitBook } from '../limits/types.ts';
import type { MarketHistory } from '../risk/bars.ts';
import type { CoverageCount } from './decision-cycle.ts';

const HOUR_MILLISECONDS = 3_600_000;

/** The forecasts of one book, kept until their longest horizon is over. */
interface Pending {
  readonly asOf: number;
  readonly longestHorizonHours: number;
  readonly cellsBySymbol: ReadonlyMap<string, readonly ForecastCell[]>;
  /** Horizons that have been judged already. */
  readonly judged: Set<number>;
}

/**
 * Compares every published forecast with what then happened: as soon as the bars of a horizon are there, the realised
 * adverse excursion is held against the VaR of that time. Each forecast is judged once.
 */
export class CoverageWatch {
  #pending: Pending[] = [];

  /** Judges what has come due, then takes the new book's forecasts in. Returns counts by confidence and horizon. */
  judge(book: LimitBook, markets: readonly MarketHistory[]): readonly CoverageCount[] {
    const counts = new Map<
      string,
      { confidence: number; horizonHours: number; n: number; exceeded: number }
    >();
    for (const pending of this.#pending) judgePending(pending, book.asOf, markets, counts);
    this.#pending = this.#pending.filter(
      (pending) => book.asOf - pending.asOf < pending.longestHorizonHours * HOUR_MILLISECONDS,
    );
    // A book decided anew on the same bars repeats the forecasts of the one before.
    if (this.#pending.every((pending) => pending.asOf !== book.asOf)) this.#pending.push(pendingOf(book));
    return [...counts.values()].map(({ confidence, horizonHours, n, exceeded }) => ({
      confidence,
      horizonHours,
      observations: n,
      exceedances: exceeded,
    }));
  }
}

function pendingOf(book: LimitBook): Pending {
  const current = book.markets.filter((market) => market.asOf === book.asOf);
  const horizons = current.flatMap((market) => market.forecasts.map((cell) => cell.horizonHours));
  return {
    asOf: book.asOf,
    longestHorizonHours: Math.max(0, ...new Set(horizons)),
    cellsBySymbol: new Map(current.map((market) => [market.symbol, market.forecasts])),
    judged: new Set(),
  };
}

function judgePending(
  pending: Pending,
  now: number,
  markets: readonly MarketHistory[],
  counts: Map<string, { confidence: number; horizonHours: number; n: number; exceeded: number }>,
): void {
  const due = new Set<number>();
  for (const history of markets) {
    for (const cell of pending.cellsBySymbol.get(history.symbol) ?? []) {
      const { horizonHours, confidence } = cell;
      if (pending.judged.has(horizonHours)) continue;
      if (now - pending.asOf < horizonHours * HOUR_MILLISECONDS) continue;
      due.add(horizonHours);
      const excursion = realisedExcursion(history, pending.asOf, horizonHours, cell.side);
      if (excursion === null) continue;
      const key = `${confidence}/${horizonHours}`;
      const count = counts.get(key) ?? { confidence, horizonHours, n: 0, exceeded: 0 };
      count.n++;
      if (excursion > cell.valueAtRisk) count.exceeded++;
      counts.set(key, count);
    }
  }
  for (const horizonHours of due) pending.judged.add(horizonHours);
}

/** Worst loss of a side after `asOf`, or null where a bar of the horizon is missing. */
function realisedExcursion(
  { bars }: MarketHistory,
  asOf: number,
  horizonHours: number,
  side: 'long' | 'short',
): number | null {
  let entry = bars.length - 1;
  while (entry >= 0 && bars.openTime[entry] + bars.intervalMilliseconds > asOf) entry--;
  const last = entry + horizonHours;
  if (entry < 0 || last >= bars.length) return null;
  if (bars.openTime[last] - bars.openTime[entry] !== horizonHours * HOUR_MILLISECONDS) return null;
  let worst = 0;
  for (let i = entry + 1; i <= last; i++) {
    const loss = side === 'long' ? 1 - bars.low[i] / bars.close[entry] : bars.high[i] / bars.close[entry] - 1;
    if (loss > worst) worst = loss;
  }
  return worst;
}
