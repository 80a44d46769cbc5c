import { type ContractTerms, contractOf } from '../../limits/account-policy.ts';
import { QUOTES } from '../../limits/bounds/asset-class.ts';

/** What a market's symbol says of its contract, in the words that exchanges name theirs with. */
export interface Instrument {
  readonly base: string;
  readonly quote: string;
  /** What profit is paid in. */
  readonly settle: string;
  readonly kind: ContractTerms['kind'];
  /** Of inverse contracts, in the quote asset. */
  readonly contractSize: number;
  /** Epoch milliseconds; null for perpetuals. */
  readonly deliveryAt: number | null;
}

/** Some contracts are quoted in a coin, such as ETHBTC. */
const ALL_QUOTES = [...QUOTES, 'BTC', 'ETH'];

/**
 * The parts of a symbol such as `BTCUSDT`, `BTCUSDT_250328` or `BTCUSD_PERP`.
 *
 * @returns null where the symbol does not end in an asset that contracts are quoted in, or in no date.
 */
export function instrumentOf(symbol: string, contracts: readonly ContractTerms[]): Instrument | null {
  const match = /^([A-Z0-9]+)(?:_(PERP|\d{6}))?$/.exec(symbol);
  if (match === null) return null;
  const [, pair, suffix] = match;
  const quote = ALL_QUOTES.find((name) => pair.endsWith(name) && pair.length > name.length);
  const deliveryAt = suffix === undefined || suffix === 'PERP' ? null : deliveryOf(suffix);
  if (quote === undefined || Number.isNaN(deliveryAt)) return null;
  const base = pair.slice(0, -quote.length);
  const { kind, contractSize } = contractOf(symbol, contracts);
  return { base, quote, settle: kind === 'inverse' ? base : quote, kind, contractSize, deliveryAt };
}

/** Contracts are delivered at 08:00 UTC. @returns NaN where it is no date. */
function deliveryOf(yymmdd: string): number {
  const [year, month, day] = [0, 2, 4].map((at) => yymmdd.slice(at, at + 2));
  return Date.parse(`20${year}-${month}-${day}T08:00:00Z`);
}
