import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guardedDecision } from '../../src/control/guard/guarded-decision.ts';
import { IntrabarGuard } from '../../src/control/guard/intrabar-guard.ts';
import { outcomeOf, type PriceCode } from '../../src/control/guard/prices.ts';
import {
  engineOn,
  HOUR,
  MemoryMarkets,
  NOW,
  TestModel,
  threeMarkets,
} from '../../src/control/test-market-data.ts';
import { OPERATOR, TestService } from '../../src/http/test-service.ts';
import { bookHashHolds } from '../../src/limits/chain.ts';
import { decideBook } from '../../src/limits/decide.ts';
import { NO_GOVERNANCE } from '../../src/limits/governance.ts';
import { DEFAULT_GUARD_POLICY } from '../../src/limits/guard-policy.ts';
import { context, DECIDED_AT, largeMarket } from '../../src/limits/test-inputs.ts';
import type { LimitBook } from '../../src/limits/types.ts';
import { Random } from '../../src/random.ts';
import type { BarSeries, MarketHistory } from '../../src/risk/bars.ts';

/** Sources that stall, flood or lie. Whatever they say, a limit is held or tightened, and nobody else's moves. */
const LIAR = 'BUSDT';
const HONEST = ['AUSDT', 'CUSDT'];

const copyOf = (bars: BarSeries): BarSeries => ({
  ...bars,
  openTime: bars.openTime.slice(),
  open: bars.open.slice(),
  high: bars.high.slice(),
  low: bars.low.slice(),
  close: bars.close.slice(),
  volume: bars.volume.slice(),
  quoteVolume: bars.quoteVolume.slice(),
});

/** What the liar does to the bars that close after NOW. */
const LIES: Readonly<Record<string, (bars: BarSeries, i: number) => void>> = {
  'says NaN': (bars, i) => {
    bars.close[i] = Number.NaN;
    bars.high[i] = Number.NaN;
  },
  'says infinity': (bars, i) => {
    bars.high[i] = Number.POSITIVE_INFINITY;
    bars.quoteVolume[i] = Number.POSITIVE_INFINITY;
  },
  'spikes a hundredfold': (bars, i) => {
    if (i % 3 === 0) bars.high[i] *= 100;
  },
  'is on the wrong scale': (bars, i) => {
    for (const prices of [bars.open, bars.high, bars.low, bars.close]) prices[i] *= 1000;
  },
  'says the same hour again and again': (bars, i) => {
    bars.openTime[i] = bars.openTime[i - (i % 5)];
  },
  'stands still: no price moves any more': (bars, i) => {
    for (const prices of [bars.open, bars.high, bars.low, bars.close]) prices[i] = bars.close[i - 1];
  },
  'turns high and low round': (bars, i) => {
    [bars.high[i], bars.low[i]] = [bars.low[i], bars.high[i]];
  },
};

function withLie(
  markets: readonly MarketHistory[],
  lie: (bars: BarSeries, i: number) => void,
): MarketHistory[] {
  return markets.map((market) => {
    if (market.symbol !== LIAR) return market;
    const bars = copyOf(market.bars);
    for (let i = 0; i < bars.length; i++) if (bars.openTime[i] >= NOW) lie(bars, i);
    return { ...market, bars };
  });
}

const bracketsOf = (book: LimitBook, symbol: string) =>
  book.markets.find((market) => market.symbol === symbol)?.brackets ?? [];
const highest = (book: LimitBook, symbol: string): number => bracketsOf(book, symbol)[0].maxLeverage;

async function decisions(markets: readonly MarketHistory[], hours: readonly number[]): Promise<LimitBook[]> {
  const reader = new MemoryMarkets(markets);
  const engine = engineOn(reader, { predictor: new TestModel(), reason: '' });
  const books: LimitBook[] = [];
  for (const hour of hours) {
    const proposal = await engine.propose(books.at(-1) ?? null, NOW + hour * HOUR, NO_GOVERNANCE);
    if (proposal !== null) books.push(proposal.book);
  }
  return books;
}

const AT = [0, 1, 2, 6, 26];

describe('a source of bars that', () => {
  const honest = decisions(threeMarkets(), AT);

  test.each(Object.entries(LIES))('%s', async (_, lie) => {
    const books = await decisions(withLie(threeMarkets(), lie), AT);
    expect(books).toHaveLength(AT.length);
    for (const [i, book] of books.entries()) {
      expect(bookHashHolds(book)).toBe(true);
      // Held or tightened, from the last decision on honest bars on.
      expect(highest(book, LIAR)).toBeLessThanOrEqual(highest(books[Math.max(i - 1, 0)], LIAR));
      for (const bracket of bracketsOf(book, LIAR))
        for (const value of Object.values(bracket)) expect(Number.isFinite(value)).toBe(true);
      for (const symbol of HONEST)
        expect(bracketsOf(book, symbol)).toEqual(bracketsOf((await honest)[i], symbol));
    }
  });

  test('stalls: the market is degraded after hours and never loosened, and the others go on', async () => {
    const markets = threeMarkets().map((market) => {
      if (market.symbol !== LIAR) return market;
      const known = market.bars.openTime.findIndex((time) => time >= NOW);
      const cut = (values: Float64Array): Float64Array => values.slice(0, known);
      const { bars } = market;
      const shorter = {
        ...bars,
        length: known,
        openTime: cut(bars.openTime),
        open: cut(bars.open),
        high: cut(bars.high),
        low: cut(bars.low),
        close: cut(bars.close),
        volume: cut(bars.volume),
        quoteVolume: cut(bars.quoteVolume),
      };
      return { ...market, bars: shorter };
    });
    const books = await decisions(markets, [0, 1, 6, 26, 60]);
    for (const [i, book] of books.entries())
      if (i > 0) expect(highest(book, LIAR)).toBeLessThanOrEqual(highest(books[i - 1], LIAR));
    const last = books[books.length - 1];
    expect([last.degraded, last.reasons]).toEqual([true, expect.arrayContaining(['DATA_STALE'])]);
    expect(last.markets.find(({ symbol }) => symbol === HONEST[0])?.reasons).not.toContain('DATA_STALE');
  });
});

describe('a source of prices', () => {
  const AS_OF = DECIDED_AT - HOUR;
  const SYMBOLS = ['AUSDT', 'BUSDT'];
  const INPUTS = SYMBOLS.map((symbol) => largeMarket({ symbol }));
  const CLOSES = Object.fromEntries(SYMBOLS.map((symbol) => [symbol, { asOf: AS_OF, price: 100 }]));
  const lie = fc.oneof(
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -100, 1e-300, 1e300),
    fc.constantFrom(1, 0.1, 1000, 100_000, 10_000),
    fc.double({ min: 60, max: 160, noNaN: true }),
  );
  const seconds = fc.oneof(
    fc.integer({ min: 0, max: 3500 }),
    fc.constantFrom(-7200, 10_000, Number.NaN, 1e15),
  );

  test('whatever it says, and when, loosens nothing, moves no other market, and is counted where it is refused', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(lie, seconds), { maxLength: 60 }), (said) => {
        const counted = new Map<PriceCode, number>();
        const guard = new IntrabarGuard(DEFAULT_GUARD_POLICY, {
          pricesTaken: (_, codes) => {
            for (const [code, count] of codes) counted.set(code, (counted.get(code) ?? 0) + count);
          },
        });
        let book = decideBook(INPUTS, null, context());
        const other = bracketsOf(book, 'AUSDT');
        guard.published(book, CLOSES);
        let now = AS_OF;
        let without = 0;
        for (const [price, second] of said) {
          const at = AS_OF + second * 1000;
          // The clock of the machine goes on whatever the source says of time.
          now = Math.max(now + 1000, Math.min(at || 0, AS_OF + HOUR));
          if (guard.take([{ symbol: 'BUSDT', price, at }], now)[0] !== null) without++;
          const report = guard.report();
          const inputs = INPUTS.filter(({ symbol }) => report.urgent.includes(symbol));
          const kept = { inputs, context: context() };
          const decided = { decidedAt: DECIDED_AT, governance: context().governance };
          const next = guardedDecision(kept, report, book, decided)?.book ?? null;
          if (next === null) continue;
          expect(highest(next, 'BUSDT')).toBeLessThanOrEqual(highest(book, 'BUSDT'));
          expect(bracketsOf(next, 'AUSDT')).toEqual(other);
          book = next;
          guard.published(book);
        }
        const refusals = [...counted].filter(([code]) => outcomeOf(code) !== 'ignored' || true);
        expect(refusals.reduce((sum, [, count]) => sum + count, 0)).toBe(without);
      }),
      { numRuns: 60, seed: 20240101 },
    );
  });

  test('that floods is bounded: too many lines are refused, and reads are answered meanwhile', async () => {
    const service = await TestService.start();
    const random = new Random(3);
    const line = (): string =>
      JSON.stringify({
        symbol: 'BTCUSDT',
        price: String(90 + 20 * random.uniform()),
        time: new Date(service.clock.now()).toISOString(),
      });
    const flood = Array.from({ length: 5000 }, line).join('\n');
    const headers = { ...OPERATOR, 'content-type': 'application/x-ndjson' };
    const answers = await Promise.all([
      ...Array.from({ length: 20 }, () => service.post('/v1/prices', flood, headers)),
      ...Array.from({ length: 20 }, () => service.call('/v1/limits')),
      service.post('/v1/prices', `${flood}\n`.repeat(20), headers),
    ]);
    expect(new Set(answers.slice(20, 40).map(({ status }) => status))).toEqual(new Set([200]));
    for (const { status, json } of answers.slice(0, 20)) {
      expect([200, 503]).toContain(status);
      // All came at one time: at most one of each batch can be the next price.
      if (status === 200) expect(json.accepted).toBeLessThanOrEqual(1);
    }
    expect(answers[40].status).toBe(413);
    await service.stop();
  });
});
