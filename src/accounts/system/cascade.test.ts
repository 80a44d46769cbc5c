import { describe, expect, it } from 'vitest';
import { plainCascade, plainEquity } from './cascade.fixture.ts';
import { type CascadeRules, cascade } from './cascade.ts';
import { accountColumnsOf, marketColumnsOf } from './columns-of.ts';
import { buildGroupIndex } from './group-index.ts';
import { BRACKETS, plainBookOf, type RandomBook, RULES, randomBook } from './random-book.fixture.ts';

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed + 1);
const SHOCKS = [-0.5, -0.2, -0.05, 0, 0.08, 0.3];

function shocked(book: RandomBook, moves: Float64Array, insuranceFund: number, rules: CascadeRules = RULES) {
  return cascade(book.accounts, book.markets, { moves, impact: book.impact, rules, insuranceFund });
}

/** The first market alone, or all of them by turns of sign. */
function movesOf(markets: number, move: number, isAll: boolean): Float64Array {
  return Float64Array.from({ length: markets }, (_, m) => {
    if (isAll) return m % 2 === 0 ? move : move / 2;
    return m === 0 ? move : 0;
  });
}

describe('the cascade', () => {
  it.each(SEEDS)('is what plain loops over objects come to, round by round (seed %i)', (seed) => {
    const book = randomBook(seed, { accounts: 40, markets: 5, hasInverse: true, isBalanced: false });
    const index = buildGroupIndex(book.accounts, book.markets);
    for (const [i, move] of SHOCKS.entries()) {
      const moves = movesOf(5, move, i % 2 === 0);
      const fund = [0, 5_000, 1e9][i % 3];
      const fast = shocked(book, moves, fund);
      const slow = plainCascade(plainBookOf(book, index), moves, book.impact, RULES, fund);
      expect(fast.isSettled).toBe(true);
      expect(fast.rounds.map(({ groups }) => groups)).toEqual(slow.fallenByRound.map(({ length }) => length));
      const accounts = new Set(slow.fallenByRound.flat().map(({ account }) => account));
      expect(fast.accountsFallen).toBe(accounts.size);
      const pairs: readonly (readonly [number, number])[] = [
        [fast.badDebt, slow.badDebt],
        [fast.fundLeft, slow.fundLeft],
        [fast.deleveragedNotional, slow.deleveragedNotional],
        [fast.deleveragedLoss, slow.deleveragedLoss],
        [fast.closeoutFees, slow.fees],
        [fast.equityReturned, slow.returned],
        ...slow.marks.map((mark, m) => [fast.byMarket.mark[m], mark] as const),
      ];
      for (const [own, other] of pairs) expect(own / (other || 1)).toBeCloseTo(other === 0 ? 0 : 1, 8);
    }
  });

  it.each(SEEDS)('is so too where maintenance rises faster than the equity that counts (seed %i)', (seed) => {
    const rules = { ...RULES, liquidationRatio: 0.1 };
    const book = randomBook(seed, {
      ...{ accounts: 40, markets: 5, hasInverse: true, isBalanced: false },
      spareMargin: 0.3,
    });
    const index = buildGroupIndex(book.accounts, book.markets);
    for (const move of SHOCKS) {
      const moves = movesOf(5, move, true);
      const fast = shocked(book, moves, 100, rules);
      const slow = plainCascade(plainBookOf(book, index), moves, book.impact, rules, 100);
      expect(fast.rounds.map(({ groups }) => groups)).toEqual(slow.fallenByRound.map(({ length }) => length));
    }
  });

  it('meets every part of it somewhere in these books, so that they compare something', () => {
    const results = SEEDS.flatMap((seed) => {
      const book = randomBook(seed, { accounts: 40, markets: 5, hasInverse: true, isBalanced: false });
      return [-0.2, 0.3].map((move) => shocked(book, movesOf(5, move, false), 0));
    });
    const count = (is: (result: (typeof results)[number]) => boolean): number => results.filter(is).length;
    expect(count(({ rounds }) => rounds.length > 2)).toBeGreaterThan(10);
    expect(count(({ accountsByContagion }) => accountsByContagion > 0)).toBeGreaterThan(5);
    expect(count(({ deleveragedNotional }) => deleveragedNotional > 0)).toBeGreaterThan(10);
    expect(count(({ uncovered }) => uncovered > 1)).toBeGreaterThan(0);
  });

  it.each(SEEDS)(
    'makes and loses no money: what is lost is gained, or falls on the fund, or is bad debt (seed %i)',
    (seed) => {
      const book = randomBook(seed, { accounts: 60, markets: 3, hasInverse: false, isBalanced: true });
      const index = buildGroupIndex(book.accounts, book.markets);
      const before = plainBookOf(book, index);
      const marks = before.markets.map(({ mark }) => mark);
      const equityOf = (plain: typeof before, at: readonly number[]): number =>
        plain.groups.reduce(
          (sum, group) => sum + (group.isGone ? 0 : plainEquity(group, plain.markets, at)),
          0,
        );
      const initial = equityOf(before, marks);
      const moves = movesOf(3, -0.15, true);
      const fund = 3_000;
      const slow = plainCascade(before, moves, book.impact, RULES, fund);
      const fast = shocked(book, moves, fund);
      const uncovered = slow.badDebt - (fund - slow.fundLeft) - slow.deleveragedLoss;
      const after =
        equityOf(before, slow.marks) + slow.returned + slow.outsideProfit + slow.fees + slow.fundLeft;
      expect((initial + fund + uncovered) / after).toBeCloseTo(1, 9);
      expect(fast.badDebt).toBeCloseTo(fast.fundPaid + fast.deleveragedLoss + fast.uncovered, 4);
      expect(fast.fundPaid + fast.fundLeft).toBeCloseTo(fund, 6);
      const byMarket = fast.byMarket.badDebt.reduce((sum, debt) => sum + debt, 0);
      expect(byMarket).toBeCloseTo(fast.badDebt, 4);
    },
  );

  it.each(SEEDS)('of one market that falls further fells no fewer (seed %i)', (seed) => {
    // Healthy ones alone: who is due anyway may be saved by a fall.
    const book = randomBook(seed, {
      accounts: 60,
      markets: 1,
      hasInverse: false,
      isBalanced: false,
      spareMargin: 0.06,
    });
    const index = buildGroupIndex(book.accounts, book.markets);
    expect(shocked(book, new Float64Array(1), 1e12).rounds).toEqual([]);
    let before = { groups: 0, badDebt: 0 };
    for (const move of [-0.01, -0.02, -0.05, -0.1, -0.2, -0.4, -0.7]) {
      const result = cascade(
        book.accounts,
        book.markets,
        { moves: Float64Array.of(move), impact: book.impact, rules: RULES, insuranceFund: 1e12 },
        index,
      );
      expect(result.groupsFallen).toBeGreaterThanOrEqual(before.groups);
      expect(result.badDebt).toBeGreaterThanOrEqual(before.badDebt);
      before = { groups: result.groupsFallen, badDebt: result.badDebt };
    }
    expect(before.groups).toBeGreaterThan(0);
  });

  it('leaves the book as it was, and says the same again', () => {
    const book = randomBook(7, { accounts: 40, markets: 5, hasInverse: true, isBalanced: false });
    const copies = [
      book.accounts.quantity.slice(),
      book.accounts.collateral.slice(),
      book.markets.mark.slice(),
    ];
    const moves = movesOf(5, -0.3, true);
    const first = shocked(book, moves, 100);
    expect([book.accounts.quantity, book.accounts.collateral, book.markets.mark]).toEqual(copies);
    expect(shocked(book, moves, 100)).toEqual(first);
  });

  it('says when it was stopped before it was over', () => {
    const book = randomBook(3, { accounts: 40, markets: 5, hasInverse: true, isBalanced: false });
    const moves = movesOf(5, -0.2, true);
    const whole = shocked(book, moves, 0);
    expect(whole.rounds.length).toBeGreaterThan(1);
    const stopped = shocked(book, moves, 0, { ...RULES, maximumRounds: 1 });
    expect(stopped).toMatchObject({ isSettled: false, groupsFallen: whole.rounds[0].groups });
  });
});

describe('one account by hand', () => {
  const market = { mark: 100, kind: 'linear' as const, contractSize: 1, maintenance: BRACKETS };
  const markets = marketColumnsOf([market, { ...market, mark: 50 }]);
  const calm = {
    hourlyVolume: Float64Array.of(1e12, 1e12),
    dailyVolatility: Float64Array.of(0, 0),
    depthNotional: Float64Array.of(Number.NaN, Number.NaN),
    depthBandRate: Float64Array.of(0, 0),
  };
  const rules = { ...RULES, closeoutCostRate: 0 };
  const long = { market: 0, quantity: 10, entryPrice: 100, isolatedMargin: Number.NaN };

  it('10 at 100 with 100 behind it: falls at a price of 90.45 and is worth nothing at 90', () => {
    const accounts = accountColumnsOf([{ collateral: 100, positions: [long] }]);
    const at = (move: number) =>
      cascade(accounts, markets, {
        moves: Float64Array.of(move, 0),
        impact: calm,
        rules,
        insuranceFund: 30,
      });
    // Equity 100 + 10 (p − 100) meets 0.5 % of 10 p at p = 900 / 9.95.
    expect(at(-0.0954)).toMatchObject({ accountsFallen: 0, rounds: [] });
    expect(at(-0.0955)).toMatchObject({ accountsFallen: 1, badDebt: 0 });
    expect(at(-0.0955).equityReturned).toBeCloseTo(4.5, 9);
    expect(at(-0.15).badDebt).toBeCloseTo(50, 9);
    expect(at(-0.15).fundLeft).toBe(0);
    expect(at(-0.15).uncovered).toBeCloseTo(20, 9);
  });

  it('a short that won pays what the fund cannot, and no more than it had won', () => {
    const short = { ...long, quantity: -4, entryPrice: 100 };
    const accounts = accountColumnsOf([
      { collateral: 100, positions: [long] },
      { collateral: 1000, positions: [short] },
    ]);
    const result = cascade(accounts, markets, {
      moves: Float64Array.of(-0.15, 0),
      impact: calm,
      rules,
      insuranceFund: 30,
    });
    // 20 are missing for 40 % of 10 contracts: 4 contracts, and 5 each.
    expect(result.deleveragedNotional).toBeCloseTo(4 * 85, 9);
    expect(result.deleveragedLoss).toBeCloseTo(20, 9);
    expect(result.uncovered).toBeCloseTo(0, 9);
  });

  it('a long falls by a rise where its maintenance rises faster than the equity that counts', () => {
    // Two million at 100: a tenth of 1.6 million is above the maintenance of 148 400, a tenth of 2.2 million below 223 400.
    const large = { ...long, quantity: 20_000 };
    const accounts = accountColumnsOf([{ collateral: 1.6e6, positions: [large] }]);
    const at = (move: number) =>
      cascade(accounts, markets, {
        moves: Float64Array.of(move, 0),
        impact: calm,
        rules: { ...rules, liquidationRatio: 0.1 },
        insuranceFund: 0,
      });
    expect(at(0)).toMatchObject({ accountsFallen: 0, accountsDue: 0 });
    expect(at(0.3)).toMatchObject({ accountsFallen: 1, badDebt: 0 });
  });

  it('accounts in a market without a mark are left alone and counted', () => {
    const unknown = marketColumnsOf([market, { ...market, mark: Number.NaN }]);
    const accounts = accountColumnsOf([
      { collateral: 100, positions: [long, { ...long, market: 1 }] },
      { collateral: 100, positions: [long] },
      { collateral: 5, positions: [] },
    ]);
    const moves = Float64Array.of(-0.15, -0.15);
    const result = cascade(accounts, unknown, { moves, impact: calm, rules, insuranceFund: 0 });
    expect(result).toMatchObject({ accounts: 1, unknownAccounts: 1, accountsFallen: 1 });
  });
});
