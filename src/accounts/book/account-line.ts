import { type AccountRecord, MOST_POSITIONS, type PositionRecord } from './account-book.ts';
import { CONTRACT_KIND } from './columns.ts';
import type { MarketRows } from './market-rows.ts';

/** Why an account's state is not taken. */
export const ACCOUNT_CODES = [
  /** Not a line of an account. */
  'ACCOUNT_INVALID',
  'MARKET_UNKNOWN',
  'QUANTITY_NEGATIVE',
  'QUANTITY_ABSURD',
  'POSITION_REPEATED',
  'ISOLATED_MARGIN_MISSING',
  'SETTLEMENT_MIXED',
  /** A later state of the account is known. */
  'ACCOUNT_OUT_OF_ORDER',
  /** Another process keeps this account. */
  'ACCOUNT_ELSEWHERE',
] as const;
export type AccountCode = (typeof ACCOUNT_CODES)[number];

export interface AccountFault {
  readonly code: AccountCode;
  readonly message: string;
}

const ID = /^[\w.:-]{1,64}$/;
const SIGNED = /^-?\d{1,15}(\.\d{1,18})?$/;
const UNSIGNED = /^\d{1,15}(\.\d{1,18})?$/;
/** No position of any market is worth more, in quote units. */
const MOST_NOTIONAL = 1e13;

/**
 * An account as it comes in, one JSON value, checked. Written by hand where the rest of the service uses a schema: it runs
 * for every line of a stream.
 */
export function readAccount(value: unknown, markets: MarketRows): AccountRecord | AccountFault {
  if (typeof value !== 'object' || value === null) return invalid('the line must be a JSON object');
  const { accountId, userId, marginMode, equity, positions, sequence = 0 } = value as Record<string, unknown>;
  if (typeof accountId !== 'string' || !ID.test(accountId)) return invalid(`accountId: ${ID_RULE}`);
  if (typeof userId !== 'string' || !ID.test(userId)) return invalid(`userId: ${ID_RULE}`);
  if (marginMode !== 'cross' && marginMode !== 'isolated')
    return invalid('marginMode: must be "cross" or "isolated"');
  if (typeof equity !== 'string' || !SIGNED.test(equity)) return invalid(`equity: ${DECIMAL_RULE}`);
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 0)
    return invalid('sequence: must be a whole number of at least 0');
  if (!Array.isArray(positions)) return invalid('positions: must be a list');
  if (positions.length > MOST_POSITIONS) return invalid(`positions: at most ${MOST_POSITIONS}`);
  const isIsolated = marginMode === 'isolated';
  const read: PositionRecord[] = [];
  for (let i = 0; i < positions.length; i++) {
    const position = readPosition(positions[i], i, isIsolated, markets);
    if (position === null) continue;
    if ('code' in position) return position;
    const fault = faultBeside(position, read, markets);
    if (fault !== null) return fault;
    read.push(position);
  }
  return { accountId, userId, isIsolated, collateral: Number(equity), sequence, positions: read };
}

/** Null for a position of nothing. */
function readPosition(
  value: unknown,
  i: number,
  isIsolated: boolean,
  markets: MarketRows,
): PositionRecord | AccountFault | null {
  if (typeof value !== 'object' || value === null) return invalid(`positions.${i}: must be an object`);
  const { symbol, side, quantity, entryPrice, isolatedMargin } = value as Record<string, unknown>;
  if (typeof symbol !== 'string') return invalid(`positions.${i}.symbol: must be a market`);
  const market = markets.find(symbol);
  if (market < 0) return fault('MARKET_UNKNOWN', `there is no market ${symbol.slice(0, 40)}`);
  if (side !== 'long' && side !== 'short' && side !== 'net')
    return invalid(`positions.${i}.side: must be "long", "short" or "net"`);
  if (typeof quantity !== 'string' || !SIGNED.test(quantity))
    return invalid(`positions.${i}.quantity: ${DECIMAL_RULE}`);
  if (typeof entryPrice !== 'string' || !UNSIGNED.test(entryPrice))
    return invalid(`positions.${i}.entryPrice: ${DECIMAL_RULE}, not negative`);
  const amount = Number(quantity);
  if (amount === 0) return null;
  if (side !== 'net' && amount < 0)
    return fault(
      'QUANTITY_NEGATIVE',
      `${symbol}: a ${side} position has a quantity above 0; the side has the sign`,
    );
  const entry = Number(entryPrice);
  const found = faultOfPosition({ market, quantity: amount, entryPrice: entry }, markets);
  if (found !== null) return found;
  const hasOwn = isolatedMargin !== undefined && isolatedMargin !== null;
  if (isIsolated && !hasOwn)
    return fault(
      'ISOLATED_MARGIN_MISSING',
      `${symbol}: a position of an isolated account has its isolatedMargin`,
    );
  if (hasOwn && (typeof isolatedMargin !== 'string' || !SIGNED.test(isolatedMargin)))
    return invalid(`positions.${i}.isolatedMargin: ${DECIMAL_RULE}`);
  return {
    market,
    quantity: side === 'short' ? -amount : amount,
    entryPrice: entry,
    isolatedMargin: hasOwn ? Number(isolatedMargin) : Number.NaN,
  };
}

/** What speaks against a position by itself. */
export function faultOfPosition(
  { market, quantity, entryPrice }: Pick<PositionRecord, 'market' | 'quantity' | 'entryPrice'>,
  markets: MarketRows,
): AccountFault | null {
  const symbol = markets.symbols[market];
  if (entryPrice <= 0) return invalid(`${symbol}: entryPrice must be above 0`);
  const isLinear = markets.contractKind[market] === CONTRACT_KIND.linear;
  const price = Math.max(entryPrice, markets.mark[market] || 0);
  const notional = Math.abs(quantity) * markets.contractSize[market] * (isLinear ? price : 1);
  if (notional <= MOST_NOTIONAL) return null;
  return fault('QUANTITY_ABSURD', `${symbol}: a notional of ${notional.toPrecision(3)} cannot be`);
}

/** What speaks against a position beside those before it. */
export function faultBeside(
  { market, quantity }: PositionRecord,
  before: readonly PositionRecord[],
  markets: MarketRows,
): AccountFault | null {
  for (const other of before) {
    if (other.market === market && other.quantity > 0 === quantity > 0)
      return fault(
        'POSITION_REPEATED',
        `${markets.symbols[market]} is there twice on the same side; send one position a side`,
      );
    if (markets.settlementOf(other.market) !== markets.settlementOf(market))
      return fault(
        'SETTLEMENT_MIXED',
        `${markets.symbols[other.market]} and ${markets.symbols[market]} settle in different assets; give each asset an account`,
      );
  }
  return null;
}

const ID_RULE = '1 to 64 letters, digits and _ . : -';
const DECIMAL_RULE = 'a plain decimal string such as "-0.5"';

function invalid(message: string): AccountFault {
  return { code: 'ACCOUNT_INVALID', message };
}

function fault(code: AccountCode, message: string): AccountFault {
  return { code, message };
}
