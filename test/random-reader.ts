import { createHash } from 'node:crypto';
import type { LoadOptions, MarketDataReader } from '../data/ports.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { randomMarket } from './random-market.ts';

/** Random markets behind the port of stored market data, for tests of whoever reads it. */
export function randomReader(options: {
  readonly markets: number;
  readonly hours: number;
  readonly seed?: number;
}): MarketDataReader {
  const histories: MarketHistory[] = Array.from({ length: options.markets }, (_, m) =>
    randomMarket({ seed: (options.seed ?? 1) * 100 + m, hours: options.hours, withFunding: m % 2 === 0 }),
  ).sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
  const fingerprint = createHash('sha256').update(JSON.stringify(options)).digest('hex');
  return {
    catalogue: async () => [],
    loadMarkets: async ({ symbols }: LoadOptions = {}) =>
      histories.filter(({ symbol }) => symbols === undefined || symbols.includes(symbol)),
    fingerprint: async () => fingerprint,
  };
}
