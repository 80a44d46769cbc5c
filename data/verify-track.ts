import type { LimitBook, MarketLimit } from '../src/limits/types.ts';
import { type Row, trackPoint } from './state-rows.ts';

/**
 * Holds the points of markets' tracks against the book that they come from. Only what they say is judged: a book of an older
 * version has none, one between bars has those of the markets that it decided, and what a bar closed at is in no book.
 *
 * @returns what does not hold, or null.
 */
export function trackFault({ markets }: LimitBook, rows: readonly Row[]): string | null {
  if (rows.length === 0) return null;
  const bySymbol = new Map(markets.map((market) => [market.symbol, market]));
  return rows.every((row) => holds(trackPoint(row), bySymbol.get(row.symbol as string)))
    ? null
    : 'the track of a market differs from it';
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
