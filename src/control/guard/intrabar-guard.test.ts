import { beforeEach, describe, expect, test } from 'vitest';
import { decideBook } from '../../limits/decide.ts';
import { DEFAULT_GUARD_POLICY } from '../../limits/guard-policy.ts';
import { context, DECIDED_AT, HOUR, largeMarket } from '../../limits/test-inputs.ts';
import type { LimitBook } from '../../limits/types.ts';
import { guardedDecision } from './guarded-decision.ts';
import { IntrabarGuard } from './intrabar-guard.ts';
import type { PriceCode } from './prices.ts';

const AS_OF = DECIDED_AT - HOUR;
const SYMBOLS = ['AUSDT', 'BUSDT', 'CUSDT'];
const INPUTS = SYMBOLS.map((symbol) => largeMarket({ symbol }));
const CLOSES = Object.fromEntries(SYMBOLS.map((symbol) => [symbol, { asOf: AS_OF, price: 100 }]));

let guard: IntrabarGuard;
let book: LimitBook;
let calls: number;
let rejected: [PriceCode, number][];

beforeEach(() => {
  rejected = [];
  guard = new IntrabarGuard(DEFAULT_GUARD_POLICY, {
    pricesTaken: (_, codes) => rejected.push(...codes),
  });
  book = decideBook(INPUTS, null, context());
  guard.published(book, CLOSES);
  calls = 0;
  guard.onUrgent(() => calls++);
});

function take(symbol: string, minutes: number, price: number): PriceCode | null {
  const at = AS_OF + minutes * 60_000;
  return guard.take([{ symbol, price, at }], at)[0];
}

/** Decides what is urgent, as the engine does; null where nothing is. */
function decide(): LimitBook | null {
  const report = guard.report();
  const inputs = INPUTS.filter(({ symbol }) => report.urgent.includes(symbol));
  const now = { decidedAt: DECIDED_AT, governance: context().governance };
  const kept = { inputs, context: context() };
  return guardedDecision(kept, report, book, now)?.book ?? null;
}

function publish(next: LimitBook | null): void {
  if (next === null) throw new Error('nothing was decided');
  book = next;
  guard.published(book);
}

describe('the guard', () => {
  test('asks once for a market whose price leaves what was forecast, and for no other', () => {
    expect(take('AUSDT', 10, 99)).toBeNull();
    expect([calls, guard.report().urgent]).toEqual([0, []]);
    expect(take('BUSDT', 11, 98)).toBeNull();
    expect([calls, guard.report().urgent]).toEqual([1, ['BUSDT']]);
    expect([...guard.report().prices.keys()]).toEqual(['AUSDT', 'BUSDT']);
    publish(decide());
    expect(book.markets[1].reasons).toContain('INTRABAR_GUARD');
    expect(guard.report().urgent).toEqual([]);
  });

  test('asks again when the move has grown by a step, and while a decision is made waits for its end', () => {
    take('BUSDT', 10, 98);
    const first = decide();
    take('BUSDT', 11, 97.9);
    expect(calls).toBe(1);
    publish(first);
    take('BUSDT', 12, 97.8);
    expect(calls).toBe(2);
    publish(decide());
    expect(guard.report().urgent).toEqual([]);
    take('BUSDT', 13, 99.9);
    expect(calls).toBe(2);
  });

  test('asks again with the next report where the decision failed', () => {
    take('BUSDT', 10, 98);
    expect(decide()).not.toBeNull();
    expect(guard.report().urgent).toEqual(['BUSDT']);
  });

  test('does not ask forever for a market that cannot be tightened', () => {
    take('BUSDT', 10, 98);
    guard.report();
    // The decision could not say anything about the market: its book knows of no move.
    guard.published(book);
    expect(guard.report().urgent).toEqual([]);
  });

  test('starts anew with the next bar', () => {
    take('BUSDT', 10, 98);
    publish(decide());
    const next = decideBook(
      INPUTS.map((input) => ({ ...input, asOf: DECIDED_AT })),
      book,
      context({ decidedAt: DECIDED_AT + 1000 }),
    );
    const closes = { ...CLOSES, BUSDT: { asOf: DECIDED_AT, price: 98 } };
    guard.published(next, closes);
    expect(guard.report().prices.has('BUSDT')).toBe(false);
    take('BUSDT', 61, 97.9);
    expect(guard.report().urgent).toEqual([]);
    take('BUSDT', 62, 96);
    expect(guard.report().urgent).toEqual(['BUSDT']);
  });

  test('does not tighten again what a recovered book has tightened already', () => {
    take('BUSDT', 10, 98);
    publish(decide());
    const restarted = new IntrabarGuard(DEFAULT_GUARD_POLICY);
    restarted.published(book);
    const at = AS_OF + 11 * 60_000;
    expect(restarted.take([{ symbol: 'BUSDT', price: 98, at }], at)).toEqual(['PRICE_UNJUDGED']);
    restarted.published(book, CLOSES);
    expect(restarted.take([{ symbol: 'BUSDT', price: 98, at }], at)).toEqual([null]);
    expect(restarted.report().urgent).toEqual([]);
  });

  test('tells how many prices have no effect, and why', () => {
    const at = AS_OF + 600_000;
    const price = (symbol: string, value: number) => ({ symbol, price: value, at });
    const codes = guard.take([null, price('ZUSDT', 1), price('AUSDT', 0), price('AUSDT', 500), null], at);
    expect(codes).toEqual([
      'PRICE_INVALID',
      'MARKET_UNKNOWN',
      'PRICE_INVALID',
      'PRICE_IMPLAUSIBLE',
      'PRICE_INVALID',
    ]);
    expect(rejected).toEqual([
      ['PRICE_INVALID', 3],
      ['MARKET_UNKNOWN', 1],
      ['PRICE_IMPLAUSIBLE', 1],
    ]);
    expect([calls, guard.report().prices.size]).toEqual([0, 0]);
  });
});
