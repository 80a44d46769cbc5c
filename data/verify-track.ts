import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { LimitBook, MarketLimit } from '../src/limits/types.ts';
import { trackPoint } from './sqlite-track.ts';

/**
 * Holds the points of markets' tracks against the book that they come from. Only what they say is judged: a book of an older
 * version has none, one between bars has those of the markets that it decided, and what a bar closed at is in no book.
 */
export class TrackCheck {
  readonly #points: StatementSync;

  constructor(database: DatabaseSync) {
    this.#points = database.prepare('SELECT * FROM market_track WHERE version = ?');
  }

  faultOf({ version, markets }: LimitBook): string | null {
    const rows = this.#points.all(version);
    if (rows.length === 0) return null;
    const bySymbol = new Map(markets.map((market) => [market.symbol, market]));
    return rows.every((row) => holds(trackPoint(row), bySymbol.get(row.symbol as string)))
      ? null
      : 'the track of a market differs from it';
  }
}

function holds(point: ReturnType<typeof trackPoint>, market: MarketLimit | undefined): boolean {
  if (market === undefined) return false;
  const { asOf, brackets, bindingBound, forecasts } = market;
  const forecast = (side: 'long' | 'short'): number | null =>
    forecasts.find(
      (cell) =>
        cell.side === side &&
        cell.horizonHours === point.horizonHours &&
        cell.confidence === point.confidence,
    )?.valueAtRisk ?? null;
  return (
    point.asOf === asOf &&
    point.maxLeverage === brackets[0].maxLeverage &&
    point.bindingBound === bindingBound &&
    point.longValueAtRisk === forecast('long') &&
    point.shortValueAtRisk === forecast('short')
  );
}
