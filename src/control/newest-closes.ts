import type { MarketHistory } from '../risk/bars.ts';
import type { BarClose } from './guard/price-window.ts';

/** Close of the newest bar of any market. */
export function newestClose(markets: readonly MarketHistory[]): number {
  let newest = 0;
  for (const { bars } of markets) {
    newest = Math.max(newest, bars.openTime[bars.length - 1] + bars.intervalMilliseconds);
  }
  return newest;
}

/** Where the bars of each market ended. */
export function closesOf(markets: readonly MarketHistory[]): Record<string, BarClose> {
  return Object.fromEntries(
    markets.map(({ symbol, bars }) => {
      const newest = bars.length - 1;
      const asOf = bars.openTime[newest] + bars.intervalMilliseconds;
      return [symbol, { asOf, price: bars.close[newest] }];
    }),
  );
}

/** Close of the newest bar of each venue. */
export function newestCloseBySource(markets: readonly MarketHistory[]): Record<string, number> {
  const newest: Record<string, number> = {};
  for (const { source, bars } of markets) {
    const venue = source.split('-')[1] ?? source;
    const close = bars.openTime[bars.length - 1] + bars.intervalMilliseconds;
    newest[venue] = Math.max(newest[venue] ?? 0, close);
  }
  return newest;
}
