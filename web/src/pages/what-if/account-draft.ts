import { formatDecimal, parseAttos } from '../../../../src/units.ts';
import type { Margin } from '../../answers.ts';
import { typedDecimal } from '../../typed.ts';

/** An account that need not exist, as it is typed. */
export interface AccountDraft {
  readonly user: string;
  readonly marginMode: 'cross' | 'isolated';
  readonly equity: string;
  readonly positions: readonly PositionDraft[];
  /** By market; what has none is taken at the newest mark. */
  readonly prices: Readonly<Record<string, string>>;
}

export interface PositionDraft {
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly quantity: string;
  /** Empty for the mark. */
  readonly entryPrice: string;
  readonly isolatedMargin: string;
}

export interface SimulateQuestion {
  readonly account: {
    readonly accountId: string;
    readonly userId: string;
    readonly marginMode: 'cross' | 'isolated';
    readonly equity: string;
    readonly positions: readonly {
      readonly symbol: string;
      readonly side: 'long' | 'short';
      readonly quantity: string;
      readonly entryPrice: string;
      readonly isolatedMargin?: string;
    }[];
  };
  readonly prices: Readonly<Record<string, string>>;
}

export const NO_POSITION: PositionDraft = {
  ...{ symbol: '', side: 'long', quantity: '', entryPrice: '', isolatedMargin: '' },
};
export const NO_ACCOUNT: AccountDraft = {
  ...{ user: '', marginMode: 'cross', equity: '', positions: [NO_POSITION], prices: {} },
};
/** A user of whom nothing is set, where none is named. */
const NOBODY = 'what-if';
/** Addresses longer than this are cut by what they are pasted into. */
const LONGEST_ADDRESS = 1500;

/** @param marks the newest that are known, for entry prices that are left out. */
export function simulateQuestionOf(
  draft: AccountDraft,
  marks: Readonly<Record<string, string>>,
): { question: SimulateQuestion | null; faults: readonly string[] } {
  const faults: string[] = [];
  const decimal = (name: string, typed: string): string => {
    const found = typedDecimal(typed);
    if (found === null)
      faults.push(typed.trim() === '' ? `${name} is missing.` : `${name}: “${typed}” is not a number.`);
    return found ?? '0';
  };
  const equity = decimal('The equity', draft.equity);
  const filled = draft.positions.filter(({ symbol, quantity }) => symbol !== '' || quantity !== '');
  if (filled.length === 0) faults.push('There is no position: give a market and a quantity.');
  const positions = filled.map((position, i) => {
    const name = `Position ${i + 1}`;
    const symbol = position.symbol.trim().toUpperCase();
    if (symbol === '') faults.push(`${name}: the market is missing.`);
    const entry = position.entryPrice.trim() || marks[symbol] || '';
    return {
      symbol,
      side: position.side,
      quantity: decimal(`${name}: the quantity`, position.quantity),
      entryPrice: decimal(`${name}: the entry price`, entry),
      ...(position.isolatedMargin.trim() === ''
        ? {}
        : { isolatedMargin: decimal(`${name}: the isolated margin`, position.isolatedMargin) }),
    };
  });
  const held = new Set(positions.map(({ symbol }) => symbol));
  const prices = Object.entries(draft.prices)
    .filter(([symbol, price]) => held.has(symbol) && price.trim() !== '')
    .map(([symbol, price]) => [symbol, decimal(`The price of ${symbol}`, price)] as const);
  if (faults.length > 0) return { question: null, faults };
  return {
    question: {
      account: {
        ...{ accountId: NOBODY, userId: draft.user.trim() || NOBODY, marginMode: draft.marginMode },
        ...{ equity, positions },
      },
      prices: Object.fromEntries(prices),
    },
    faults,
  };
}

/** For the address; null where it would be too long for one. */
export function shortText(draft: AccountDraft): string | null {
  const text = JSON.stringify({
    ...(draft.user === '' ? {} : { user: draft.user }),
    ...(draft.marginMode === 'cross' ? {} : { marginMode: draft.marginMode }),
    equity: draft.equity,
    positions: draft.positions.map((position) =>
      Object.fromEntries(Object.entries(position).filter(([, value]) => value !== '')),
    ),
    ...(Object.values(draft.prices).some((price) => price !== '') ? { prices: draft.prices } : {}),
  });
  return encodeURIComponent(text).length > LONGEST_ADDRESS ? null : text;
}

/**
 * From the address or a paste: an account as it is streamed, or with `prices` as it is simulated.
 *
 * @throws Error that says what is wrong.
 */
export function accountDraftOf(text: string): AccountDraft {
  const parsed = objectOf(parse(text), 'an account');
  const account = parsed.account === undefined ? parsed : objectOf(parsed.account, 'account');
  if (!Array.isArray(account.positions)) throw new Error('There is no list “positions”.');
  return {
    user: textOf(account.userId ?? account.user),
    marginMode: account.marginMode === 'isolated' ? 'isolated' : 'cross',
    equity: textOf(account.equity),
    positions: account.positions.map((one, i) => positionOf(objectOf(one, `position ${i + 1}`))),
    prices: Object.fromEntries(
      Object.entries(objectOf(parsed.prices ?? {}, 'prices')).map(([symbol, price]) => [
        symbol,
        textOf(price),
      ]),
    ),
  };
}

/** A position of the side `net` says its side by its sign. */
function positionOf(one: Record<string, unknown>): PositionDraft {
  const quantity = textOf(one.quantity);
  const isShort = one.side === 'net' ? quantity.startsWith('-') : one.side === 'short';
  return {
    symbol: textOf(one.symbol),
    side: isShort ? 'short' : 'long',
    quantity: one.side === 'net' ? quantity.replace(/^-/, '') : quantity,
    entryPrice: textOf(one.entryPrice),
    isolatedMargin: textOf(one.isolatedMargin),
  };
}

/**
 * An account that is known, from what is told of its margin. Its collateral is its equity less what it has won and what is
 * isolated; null where no equity is known, because a mark is missing.
 */
export function draftOfMargin(margin: Margin): AccountDraft | null {
  if (margin.equity === null) return null;
  const others = margin.positions.flatMap(({ unrealisedProfit, isolatedMargin }) => [
    unrealisedProfit ?? '0',
    isolatedMargin ?? '0',
  ]);
  return {
    user: margin.userId,
    marginMode: margin.marginMode,
    equity: decimalLess(margin.equity, others),
    positions: margin.positions.map(({ symbol, side, quantity, entryPrice, isolatedMargin }) => ({
      ...{ symbol, side, quantity, entryPrice, isolatedMargin: isolatedMargin ?? '' },
    })),
    prices: {},
  };
}

/** Exactly. */
function decimalLess(from: string, others: readonly string[]): string {
  const attos = (decimal: string): bigint => parseAttos(decimal) ?? 0n;
  return formatDecimal(
    others.reduce((rest, other) => rest - attos(other), attos(from)),
    18,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('That is not JSON.');
  }
}

function objectOf(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new Error(`What should be ${name} is not an object.`);
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
