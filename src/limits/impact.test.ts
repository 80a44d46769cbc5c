import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { grantsMore, maintenanceMarginMicros } from './brackets.ts';
import { decideBook } from './decide.ts';
import {
  type HitPosition,
  type MarginGroup,
  MOST_NAMED,
  mergedImpact,
  previewImpact,
  tableImpact,
  tablesOf,
} from './impact.ts';
import { context, forecast, largeMarket } from './test-inputs.ts';
import type { Bracket, LimitBook } from './types.ts';

/** A bracket of whole numbers; maintenance half of initial, continuous at the floor by the amount given. */
function bracket(
  number: number,
  notionalFloor: number,
  notionalCap: number,
  maxLeverage: number,
  maintenanceMarginRatePpm: number,
  maintenanceAmountMicros: number,
): Bracket {
  const initialMarginRatePpm = Math.ceil(1e6 / maxLeverage);
  const rest = { maxLeverage, initialMarginRatePpm, maintenanceMarginRatePpm, maintenanceAmountMicros };
  return { bracket: number, notionalFloor, notionalCap, ...rest };
}

/** 10x to 1,000, then 5x to 3,000. MM: 5 %, then 10 % less 50. */
const WIDE = [bracket(1, 0, 1000, 10, 50_000, 0), bracket(2, 1000, 3000, 5, 100_000, 50_000_000)];
/** 5x to 1,000, then 2x to 2,000. MM: 10 %, then 25 % less 150. */
const NARROW = [bracket(1, 0, 1000, 5, 100_000, 0), bracket(2, 1000, 2000, 2, 250_000, 150_000_000)];
const both = (brackets: readonly Bracket[]) => ({ brackets, maintenance: brackets });
const tables = (brackets: readonly Bracket[]) => new Map([['BTCUSDT', both(brackets)]]);
/** A position that has its margin to itself. */
const held = (accountId: string, notional: number, margin: number, symbol = 'BTCUSDT'): MarginGroup => ({
  accountId,
  marginMicros: BigInt(margin) * 1_000_000n,
  positions: [{ symbol, notional }],
});

describe('who would be hit', () => {
  test('counts breaches, the least reduction and liquidations, by hand', () => {
    const positions = [
      // 800 at 10x: 80. At 5x that carries 400; maintenance 80 is just met.
      held('a', 800, 80),
      // 900 with 80: maintenance would be 90. Liquidated, and 400 carried.
      held('b', 900, 80),
      // 2,500 with 2,000: above the new last cap of 2,000; maintenance 2,500 · 25 % − 150 = 475.
      held('c', 2500, 2000),
      // 500 with 300: no concern.
      held('d', 500, 300),
      // Below maintenance already: 900 · 5 % = 45. What the change adds is the difference in what must go.
      held('e', 900, 40),
    ];
    const impact = previewImpact(tables(WIDE), tables(NARROW), positions);
    expect(impact).toEqual({
      accounts: 5,
      breaching: 4,
      // a 400 of 0; b 500, of which 100 had to go before (80 carries 800 at 10x); c 500; e 700 where 500 had to.
      notionalToReduce: 400 + 400 + 500 + 200,
      liquidations: 1,
      liquidatedNotional: 900,
      unusable: 0,
      hit: [
        { accountId: 'b', symbol: 'BTCUSDT', notionalToReduce: 400, isLiquidated: true },
        { accountId: 'c', symbol: 'BTCUSDT', notionalToReduce: 500, isLiquidated: false },
        { accountId: 'a', symbol: 'BTCUSDT', notionalToReduce: 400, isLiquidated: false },
        { accountId: 'e', symbol: 'BTCUSDT', notionalToReduce: 200, isLiquidated: false },
      ],
    });
  });

  test('of a new maintenance table are only those below it', () => {
    const after = new Map([['BTCUSDT', { brackets: WIDE, maintenance: NARROW }]]);
    const impact = previewImpact(tables(WIDE), after, [held('a', 800, 80), held('b', 790, 78)]);
    expect(impact).toMatchObject({
      breaching: 0,
      notionalToReduce: 0,
      liquidations: 1,
      liquidatedNotional: 790,
    });
  });

  test('of positions that share a margin the dearest goes first, as far as it has to, by hand', () => {
    const all = (brackets: readonly Bracket[]) =>
      new Map([
        ['BTCUSDT', both(brackets)],
        ['ETHUSDT', both(WIDE)],
      ]);
    const group: MarginGroup = {
      accountId: 'cross',
      marginMicros: 400_000_000n,
      positions: [
        { symbol: 'BTCUSDT', notional: 1500 },
        { symbol: 'ETHUSDT', notional: 900 },
      ],
    };
    // Before: 1,500 / 5 + 900 / 10 = 390 of 400. After: 1,500 / 2 + 90 = 840, 440 too much. Within its bracket that is 880
    // of notional, but 500 reach its floor, and 1,000 at 5x ask for 200 + 90 = 290.
    const impact = previewImpact(all(WIDE), all(NARROW), [group]);
    expect(impact).toMatchObject({ accounts: 1, breaching: 1, notionalToReduce: 500, liquidations: 0 });
    expect(impact.hit).toEqual([
      { accountId: 'cross', symbol: 'BTCUSDT', notionalToReduce: 500, isLiquidated: false },
    ]);
    // Maintenance after: 1,500 · 25 % − 150 + 900 · 5 % = 270; before it was 100 + 45.
    const poorer = { ...group, marginMicros: 269_999_999n };
    expect(previewImpact(all(WIDE), all(NARROW), [poorer])).toMatchObject({
      ...{ liquidations: 1, liquidatedNotional: 2400 },
      hit: [
        { symbol: 'BTCUSDT', isLiquidated: true },
        { symbol: 'ETHUSDT', isLiquidated: true },
      ],
    });
    expect(previewImpact(all(WIDE), all(NARROW), [{ ...group, marginMicros: 270_000_000n }])).toMatchObject({
      liquidations: 0,
    });
  });

  test('of positions that share a margin what is left fits, whatever they are', () => {
    const notional = fc.integer({ min: 0, max: 4000 });
    fc.assert(
      fc.property(notional, notional, fc.integer({ min: 0, max: 1500 }), (btc, eth, margin) => {
        const tight = new Map([
          ['BTCUSDT', both(NARROW)],
          ['ETHUSDT', both(WIDE)],
        ]);
        const free = [bracket(1, 0, 4000, 1000, 1, 0)];
        const loose = new Map([...tight.keys()].map((symbol) => [symbol, both(free)]));
        const positions = [
          { symbol: 'BTCUSDT', notional: btc },
          { symbol: 'ETHUSDT', notional: eth },
        ];
        const group = { accountId: 'a', marginMicros: BigInt(margin) * 1_000_000n, positions };
        fc.pre(btc + eth <= margin * 1000);
        const { hit } = previewImpact(loose, tight, [group]);
        const asked = positions.reduce((sum, { symbol, notional: held }) => {
          const gone = hit.find((one) => one.symbol === symbol)?.notionalToReduce ?? 0;
          const own = tight.get(symbol)?.brackets.find(({ notionalCap }) => held - gone <= notionalCap);
          expect(own).toBeDefined();
          return sum + (held - gone) * (own?.initialMarginRatePpm ?? 0);
        }, 0);
        expect(asked).toBeLessThanOrEqual(margin * 1e6);
      }),
      { seed: 5, numRuns: 500 },
    );
  });

  test('what cannot be is counted apart and in nothing else', () => {
    const impossible = [
      held('a', Number.NaN, 1),
      held('b', -5, 1),
      held('c', Number.POSITIVE_INFINITY, 1),
      held('d', 1.5, 1),
      held('e', 5, 0, 'NOPEUSDT'),
    ];
    expect(previewImpact(tables(WIDE), tables(NARROW), impossible)).toMatchObject({
      ...{ accounts: 0, breaching: 0, liquidations: 0, notionalToReduce: 0, unusable: 5, hit: [] },
    });
  });

  test('names so many at most, and counts all', () => {
    const many = Array.from({ length: 250 }, (_, i) => held(`a${i}`, 800, 80));
    const impact = previewImpact(tables(WIDE), tables(NARROW), many);
    expect([impact.breaching, impact.hit.length]).toEqual([250, MOST_NAMED]);
  });

  test('of parts of all accounts comes together as that of all', () => {
    const group = fc.record({
      notional: fc.integer({ min: -1, max: 4000 }),
      margin: fc.integer({ min: -50, max: 800 }),
    });
    fc.assert(
      fc.property(fc.array(group, { maxLength: 150 }), fc.integer({ min: 1, max: 4 }), (groups, parts) => {
        const all = groups.map(({ notional, margin }, i) => held(`a${i}`, notional, margin));
        const whole = previewImpact(tables(WIDE), tables(NARROW), all);
        const divided = Array.from({ length: parts }, (_, part) =>
          previewImpact(
            tables(WIDE),
            tables(NARROW),
            all.filter((__, i) => i % parts === part),
          ),
        );
        const merged = mergedImpact([null, ...divided]);
        expect({ ...merged, hit: null }).toEqual({ ...whole, hit: null });
        const sizes = (hit: readonly HitPosition[] = []) =>
          hit.map(({ isLiquidated, notionalToReduce }) => [isLiquidated, notionalToReduce]);
        expect(sizes(merged?.hit)).toEqual(sizes(whole.hit));
      }),
    );
    expect(mergedImpact([null, null])).toBeNull();
  });

  test('is what a search over every notional finds', () => {
    const position = fc.record({
      notional: fc.integer({ min: 0, max: 4000 }),
      margin: fc.integer({ min: -50, max: 1500 }),
    });
    /** The slow way: the largest notional, one by one, whose own bracket is paid for. */
    const carried = (brackets: readonly Bracket[], notional: number, marginMicros: number): number => {
      for (let n = notional; n > 0; n--) {
        const own = brackets.find(({ notionalCap }) => n <= notionalCap);
        if (own !== undefined && n * own.initialMarginRatePpm <= marginMicros) return n;
      }
      return 0;
    };
    fc.assert(
      fc.property(position, ({ notional, margin }) => {
        const one = held('a', notional, margin);
        const { notionalToReduce } = previewImpact(tables(WIDE), tables(NARROW), [one]);
        const [before, after] = [WIDE, NARROW].map(
          (brackets) => notional - carried(brackets, notional, margin * 1e6),
        );
        expect(notionalToReduce).toBe(Math.max(after - before, 0));
      }),
      { seed: 3, numRuns: 500 },
    );
  });
});

test('tables are compared between all their edges; above the last cap a position is refused', () => {
  expect(tableImpact(both(WIDE), both(NARROW))).toEqual({
    maxLeverageBefore: 10,
    maxLeverageAfter: 5,
    ranges: [
      range(0, 1000, 10, 5, 50_000, 100_000),
      // At 2,000: 10 % less 50 is 150, 25 % less 150 is 350.
      range(1000, 2000, 5, 2, 75_000, 175_000),
      range(2000, 3000, 5, 0, 83_334, null),
    ],
    losing: [{ notionalFloor: 0, notionalCap: 3000 }],
  });
  function range(
    notionalFloor: number,
    notionalCap: number,
    leverageBefore: number,
    leverageAfter: number,
    maintenanceRatePpmBefore: number,
    maintenanceRatePpmAfter: number | null,
  ) {
    const rates = { maintenanceRatePpmBefore, maintenanceRatePpmAfter };
    return { notionalFloor, notionalCap, leverageBefore, leverageAfter, ...rates };
  }
});

describe('of tables that are really decided', () => {
  const bookAt = (hourlyTail: number): LimitBook =>
    decideBook(
      [
        largeMarket({
          symbol: 'BTCUSDT',
          shockModel: forecast('shock-network@test', hourlyTail),
          historical: forecast('historical@1', hourlyTail),
          filtered: forecast('filtered@1', hourlyTail),
        }),
      ],
      null,
      context(),
    );
  const tail = fc.double({ min: 0.004, max: 0.2, noNaN: true });
  const anyPosition = fc
    .record({ notional: fc.integer({ min: 0, max: 2e9 }), margin: fc.integer({ min: 0, max: 1e8 }) })
    .map(({ notional, margin }) => held('a', notional, margin));

  test('equal ones hit nobody and lose nowhere; tighter ones hit nobody that looser ones spare', () => {
    fc.assert(
      fc.property(tail, tail, fc.array(anyPosition, { maxLength: 20 }), (one, other, positions) => {
        const [loose, tight] = [bookAt(Math.min(one, other)), bookAt(Math.max(one, other))].map((book) =>
          tablesOf(book.markets[0]),
        );
        const same = previewImpact(new Map([['BTCUSDT', tight]]), new Map([['BTCUSDT', tight]]), positions);
        expect(same).toMatchObject({ breaching: 0, notionalToReduce: 0, liquidations: 0, hit: [] });
        expect(tableImpact(tight, tight).losing).toEqual([]);
        if (grantsMore(tight.brackets, loose.brackets)) return;
        const back = previewImpact(new Map([['BTCUSDT', tight]]), new Map([['BTCUSDT', loose]]), positions);
        expect(back).toMatchObject({ breaching: 0, notionalToReduce: 0, liquidations: 0 });
      }),
      { seed: 11, numRuns: 60 },
    );
  });

  test('the ranges cover every notional once, and lose exactly where leverage falls', () => {
    const [before, after] = [bookAt(0.008), bookAt(0.05)].map((book) => tablesOf(book.markets[0]));
    const { ranges, losing, maxLeverageBefore, maxLeverageAfter } = tableImpact(before, after);
    expect(maxLeverageAfter).toBeLessThan(maxLeverageBefore);
    let floor = 0;
    for (const range of ranges) {
      expect(range.notionalFloor).toBe(floor);
      floor = range.notionalCap;
      const isLosing = losing.some(
        (one) => one.notionalFloor <= range.notionalFloor && range.notionalCap <= one.notionalCap,
      );
      expect(isLosing).toBe(range.leverageAfter < range.leverageBefore);
      if (range.maintenanceRatePpmBefore === null) continue;
      const own = before.maintenance.find(({ notionalCap }) => range.notionalCap <= notionalCap) as Bracket;
      expect(range.maintenanceRatePpmBefore).toBeGreaterThanOrEqual(
        maintenanceMarginMicros(own, range.notionalCap) / range.notionalCap,
      );
    }
    expect(losing[0].notionalFloor).toBe(0);
  });
});
