import type { LimitBook } from '../limits/types.ts';
import { DAY_MILLISECONDS } from '../units.ts';
import type { BarClose } from './guard/price-window.ts';
import type { StateStore } from './ports.ts';

/**
 * Where the newest bar of each market of a stored book ended, as its decisions have stored it: prices are judged by it before
 * anything is decided anew. Of markets whose bars are more than a day behind nothing is said.
 */
export async function storedCloses(
  { asOf, markets }: LimitBook,
  store: Pick<StateStore, 'trackSince'>,
): Promise<Readonly<Record<string, BarClose>>> {
  const decided = new Map(markets.map((market) => [market.symbol, market.asOf]));
  const closes: Record<string, BarClose> = {};
  // Oldest first: the newest stays.
  for (const point of await store.trackSince(asOf - DAY_MILLISECONDS)) {
    const isOfBook = point.asOf <= (decided.get(point.symbol) ?? Number.NEGATIVE_INFINITY);
    if (isOfBook && point.close !== null) closes[point.symbol] = { asOf: point.asOf, price: point.close };
  }
  return closes;
}
