import type { Margin, Markets } from '../../answers.ts';
import { usePosted } from '../../posted.ts';
import { useResource } from '../../resource.ts';

/**
 * The newest marks of markets. No route lists them, so they are taken from a simulation of one contract each, which says
 * at which mark it counted.
 *
 * @returns by symbol; without those that are not known, or not yet.
 */
export function useMarks(symbols: readonly string[]): Readonly<Record<string, string>> {
  const markets = useResource<Markets>('/v1/markets', { on: 'limits' }).data?.markets ?? [];
  const known = [...new Set(symbols)].filter((symbol) => markets.some((market) => market.symbol === symbol));
  const positions = known.toSorted().map((symbol) => ({
    ...{ symbol, side: 'long', quantity: '1', entryPrice: '1', isolatedMargin: '1' },
  }));
  const account = { accountId: 'what-if', userId: 'what-if', marginMode: 'isolated', equity: '0', positions };
  const { data } = usePosted<Margin>('/v1/margin/simulate', known.length === 0 ? null : { account }, {
    isLive: true,
  });
  return Object.fromEntries(
    (data?.positions ?? []).flatMap(({ symbol, mark }) => (mark === null ? [] : [[symbol, mark]])),
  );
}
