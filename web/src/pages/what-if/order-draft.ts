import { typedDecimal } from '../../typed.ts';

/** The form of an order as it is typed; it is in the address under the same names. */
export interface OrderDraft {
  readonly user: string;
  readonly account: string;
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly notional: string;
  readonly leverage: string;
  readonly price: string;
  readonly reduceOnly: boolean;
}

export function orderDraftOf(query: URLSearchParams): OrderDraft {
  const text = (name: string): string => query.get(name) ?? '';
  return {
    user: text('user'),
    account: text('account'),
    symbol: text('symbol'),
    side: text('side') === 'short' ? 'short' : 'long',
    notional: text('notional'),
    leverage: text('leverage'),
    price: text('price'),
    reduceOnly: text('reduceOnly') === 'yes',
  };
}

/** What the address is told of it; null takes a name out. */
export function addressOf(draft: OrderDraft): Record<keyof OrderDraft, string | null> {
  return {
    user: draft.user.trim() || null,
    account: draft.account.trim() || null,
    symbol: draft.symbol.trim().toUpperCase() || null,
    side: draft.side === 'short' ? 'short' : 'long',
    notional: draft.notional.trim() === '' ? null : (typedDecimal(draft.notional) ?? draft.notional.trim()),
    leverage: draft.leverage.trim() || null,
    price: draft.price.trim() === '' ? null : (typedDecimal(draft.price) ?? draft.price.trim()),
    reduceOnly: draft.reduceOnly ? 'yes' : null,
  };
}

export interface CheckQuestion {
  readonly userId: string;
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly notional: string;
  readonly leverage: number;
  readonly accountId?: string;
  readonly price?: string;
  readonly reduceOnly?: true;
}

/** @returns null while something is missing, and what is wrong in words where it is. */
export function questionOf(draft: OrderDraft): { question: CheckQuestion | null; faults: readonly string[] } {
  const { user, account, symbol, side, reduceOnly } = draft;
  const faults: string[] = [];
  const numberOf = (name: string, text: string): string | null => {
    if (text.trim() === '') return null;
    const decimal = typedDecimal(text);
    if (decimal === null || Number(decimal) <= 0)
      faults.push(`The ${name} “${text}” is not a number above 0, such as 25000 or 25,000.50.`);
    return decimal;
  };
  const notional = numberOf('notional', draft.notional);
  const leverage = numberOf('leverage', draft.leverage);
  const price = numberOf('price', draft.price);
  if (faults.length > 0 || user === '' || symbol === '' || notional === null || leverage === null)
    return { question: null, faults };
  return {
    question: {
      ...{ userId: user, symbol, side, notional, leverage: Number(leverage) },
      ...(account === '' ? {} : { accountId: account }),
      ...(price === null ? {} : { price }),
      ...(reduceOnly ? { reduceOnly } : {}),
    },
    faults,
  };
}

export type Verdict = 'allowed' | 'clamped' | 'refused';

/** Either clamp alone would make the order allowed, where it is not 0. */
export function verdictOf(check: {
  readonly allowed: boolean;
  readonly clampedLeverage: number;
  readonly clampedNotional: string;
}): Verdict {
  if (check.allowed) return 'allowed';
  return check.clampedLeverage > 0 || Number(check.clampedNotional) > 0 ? 'clamped' : 'refused';
}
