import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decidedBook } from '../../data/test-books.ts';
import { sealBook } from '../limits/chain.ts';
import type { EncodedInputs } from '../limits/decision-inputs.ts';
import { NO_GOVERNANCE } from '../limits/governance.ts';
import type { MarketInput } from '../limits/market-input.ts';
import { DEFAULT_POLICY, type Policy } from '../limits/policy.ts';
import { absent, DECIDED_AT, forecast, HOUR, largeMarket } from '../limits/test-inputs.ts';
import type { LimitBook } from '../limits/types.ts';
import { replay } from './replay.ts';

interface Decision {
  readonly book: LimitBook;
  readonly previous: LimitBook | null;
  readonly inputs: EncodedInputs;
}

/** As the engine does it: first the bytes, then the book that names them. */
function decide(
  previous: LimitBook | null,
  markets: readonly MarketInput[],
  changes: Parameters<typeof decidedBook>[2],
): Decision {
  return { previous, ...decidedBook(previous, markets, changes) };
}

/** A book as it comes back from the store. */
function stored(book: LimitBook): LimitBook {
  return JSON.parse(JSON.stringify(book));
}

const BROKEN = fc.constantFrom(Number.NaN, -0, Number.POSITIVE_INFINITY, -1, 1e9);
const step = fc.record({
  tails: fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.double({ min: 0.001, max: 0.4, noNaN: true }) },
      { weight: 1, arbitrary: BROKEN },
    ),
    { minLength: 1, maxLength: 3 },
  ),
  noModel: fc.boolean(),
  stale: fc.boolean(),
  quality: fc.constantFrom('accept', 'degrade', 'reject') as fc.Arbitrary<MarketInput['quality']>,
  volume: fc.oneof(fc.double({ min: 1e3, max: 1e9, noNaN: true }), BROKEN),
  maximumLeverage: fc.constantFrom(20, 50, 100),
  frozen: fc.boolean(),
  hours: fc.integer({ min: 0, max: 40 }),
});

describe('replay', () => {
  test('gives every book of any history again to the bit: broken numbers, lost forecasts, freezes and new policies among them', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
        let previous: LimitBook | null = null;
        let decidedAt = DECIDED_AT;
        for (const { tails, noModel, stale, quality, volume, maximumLeverage, frozen, hours } of steps) {
          decidedAt += hours * HOUR;
          const markets = tails.map((tail, i) =>
            largeMarket({
              symbol: `M${i}USDT`,
              ...{ stale, quality, historyDays: tail * 1000 },
              shockModel: noModel ? absent('network', 'none') : forecast('network@1', tail),
              liquidity: { hourlyVolume: volume, dailyVolatility: tail },
            }),
          );
          const policy: Policy = { ...DEFAULT_POLICY, maximumLeverage };
          const freeze = {
            id: 'freeze-1',
            symbol: null,
            reason: 'r',
            frozenBy: 'x',
            frozenAt: 0,
            expiresAt: null,
          };
          const governance = { ...NO_GOVERNANCE, freezes: frozen ? [freeze] : [] };
          const decision = decide(previous, markets, { policy, governance, decidedAt });
          const again = replay(stored(decision.book), previous, decision.inputs);
          expect(again).toMatchObject({ difference: null, program: 'test' });
          expect(again.book.hash).toBe(decision.book.hash);
          previous = stored(decision.book);
        }
      }),
      { seed: 20240606, numRuns: 60 },
    );
  });

  const first = decide(null, [largeMarket(), largeMarket({ symbol: 'ETHUSDT' })], {});

  test('names the first market and field of a book that its inputs do not give', () => {
    const { book, previous, inputs } = first;
    const eth = book.markets[1];
    const bounds = eth.bounds.map((bound) =>
      bound.name === 'stress' ? { ...bound, maxLeverage: 9 } : bound,
    );
    const forged = sealBook({ ...book, markets: [book.markets[0], { ...eth, bounds }] });
    const position = eth.bounds.findIndex(({ name }) => name === 'stress');
    expect(replay(forged, previous, inputs).difference).toEqual({
      symbol: 'ETHUSDT',
      field: `bounds.${position}.maxLeverage`,
      stored: '9',
      recomputed: JSON.stringify(eth.bounds[position].maxLeverage),
    });
    expect(replay(sealBook({ ...book, markets: [eth] }), previous, inputs).difference).toMatchObject({
      symbol: 'BTCUSDT',
      stored: 'absent',
    });
    expect(replay(sealBook({ ...book, validUntil: 5 }), previous, inputs).difference).toEqual({
      symbol: null,
      field: 'validUntil',
      stored: '5',
      recomputed: String(book.validUntil),
    });
  });

  test('refuses inputs and a book before that the book does not name', () => {
    const second = decide(first.book, [largeMarket()], { decidedAt: DECIDED_AT + HOUR });
    const refused = expect.objectContaining({ code: 'CHAIN_BROKEN' });
    expect(() => replay(second.book, first.book, first.inputs)).toThrow(refused);
    expect(() => replay(second.book, null, second.inputs)).toThrow(refused);
    expect(() => replay(second.book, second.book, second.inputs)).toThrow(refused);
  });
});
