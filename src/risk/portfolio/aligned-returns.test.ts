import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomMarket } from '../../../test/random-market.ts';
import { HOUR_MILLISECONDS } from '../../units.ts';
import type { BarSeries } from '../bars.ts';
import { adverseExcursions } from '../tail/excursions.ts';
import { alignMarkets, CELL, type MarketBars } from './aligned-returns.ts';
import { factorBetas } from './factor-betas.ts';
import { givenScenarios, returnScenarios, terminalReturns } from './return-scenarios.ts';
import { GOLDEN_START, goldenBars, relativeDifference, withBars } from './test-portfolio-data.ts';

const insufficient = expect.objectContaining({ code: 'DATA_INSUFFICIENT', remedy: expect.any(String) });
const invalid = expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) });

/** A lives throughout, B ends, C is young, D is too young for a regression. */
function fourLives(): MarketBars[] {
  const [a, b, c, d] = goldenBars(4, 700);
  return [a, withBars(b, (i) => i < 600), withBars(c, (i) => i >= 300), withBars(d, (i) => i >= 620)];
}

describe('what is missing is filled as NumPy 2.4 fills it, residual by residual', () => {
  const aligned = alignMarkets(fourLives(), { seed: 5 });
  const at = (values: Float64Array, m: number, t: number): number => values[m * aligned.slots + t];

  test('the account says by which rule, from how much, and how often', () => {
    expect(aligned.accounts.map(({ measured, carried, filled }) => [measured, carried, filled])).toEqual([
      [700, 0, 0],
      [600, 0, 100],
      [400, 0, 300],
      [80, 0, 620],
    ]);
    const facts = aligned.accounts.map(({ fills }) =>
      fills.map(({ fromSlot, slots, rule, overlap, residualsOf }) => [
        fromSlot,
        slots,
        rule,
        overlap,
        residualsOf,
      ]),
    );
    expect(facts).toEqual([
      [],
      [
        [600, 21, 'regression', 599, 'A'],
        [621, 79, 'regression', 599, 'A'],
      ],
      [[0, 300, 'regression', 399, 'B']],
      [
        [0, 301, 'scaled', 79, null],
        [301, 299, 'scaled', 79, null],
        [600, 20, 'scaled', 79, null],
      ],
    ]);
    const { fills } = aligned.accounts[2];
    expect(fills[0].from).toBe(GOLDEN_START);
    expect(relativeDifference([fills[0].residualVolatility], [0.01282877643888149])).toBeLessThan(1e-9);
    const betas = aligned.accounts.flatMap((account) => account.fills.map(({ beta }) => beta));
    const expected = [
      1.0376703913980714, 1.0376703913980714, 1.6848970292618528, 2.417616727122995, 2.0441516753213516,
      2.1847303526809654,
    ];
    expect(relativeDifference(betas, expected)).toBeLessThan(1e-9);
  });

  test('the prices', () => {
    const prices = [
      [2, 0],
      [2, 150],
      [2, 299],
      [3, 0],
      [3, 400],
      [3, 619],
      [1, 600],
      [1, 699],
    ].map(([m, t]) => at(aligned.close, m, t));
    const expected = [
      244.94078893547393, 260.6035951478331, 197.35906840659166, 255.56168794865457, 197.68039065466047,
      362.9282881508071, 194.74238893338952, 240.31834332461267,
    ];
    expect(relativeDifference(prices, expected)).toBeLessThan(1e-9);
    const ranges = [
      [2, 150],
      [1, 650],
      [3, 0],
    ].flatMap(([m, t]) => [at(aligned.low, m, t), at(aligned.high, m, t)]);
    const extremes = [
      258.03442683259976, 269.17198942092693, 201.6243026203229, 212.30592697591095, 255.56168794865457,
      255.56168794865457,
    ];
    expect(relativeDifference(ranges, extremes)).toBeLessThan(1e-9);
    const sum = aligned.close.reduce((total, value) => total + value, 0);
    expect(relativeDifference([sum], [542691.0896393791])).toBeLessThan(1e-11);
  });

  test('betas on all the others', () => {
    const betas = factorBetas(aligned);
    const expected = [0.38487497442561064, 1.0376703913980714, 1.4620332244735808, 2.0441516753213516];
    expect(
      relativeDifference(
        betas.map(({ beta }) => beta),
        expected,
      ),
    ).toBeLessThan(1e-9);
    expect(betas.map(({ rule, overlap }) => [rule, overlap])).toEqual([
      ['regression', 699],
      ['regression', 599],
      ['regression', 399],
      ['scaled', 79],
    ]);
  });
});

describe('laws of filling', () => {
  test('a young market is never believed to be calmer than the market, an old one keeps its beta elsewhere', () => {
    const calm = goldenBars(4, 700).map((market, m) => withBars(market, (i) => m !== 0 || i >= 350));
    const [{ fills }] = alignMarkets(calm).accounts;
    expect(fills).toHaveLength(1);
    expect(fills[0].estimatedBeta).toBeLessThan(0.5);
    expect(fills[0].beta).toBe(1);
    expect(alignMarkets(calm, { leastBeta: 0 }).accounts[0].fills[0].beta).toBe(fills[0].estimatedBeta);
  });

  test('the order of the markets changes nothing, the seed only what is filled', () => {
    const markets = fourLives();
    const order = [2, 0, 3, 1];
    const aligned = alignMarkets(markets, { seed: 9 });
    const turned = alignMarkets(
      order.map((m) => markets[m]),
      { seed: 9 },
    );
    const other = alignMarkets(markets, { seed: 10 });
    for (const name of ['close', 'high', 'low'] as const) {
      const { slots } = aligned;
      order.forEach((m, i) => {
        const same = aligned[name].subarray(m * slots, (m + 1) * slots);
        const there = turned[name].subarray(i * slots, (i + 1) * slots);
        expect(relativeDifference(there, same)).toBeLessThan(1e-10);
      });
      for (let i = 0; i < aligned.close.length; i++)
        if (aligned.cell[i] === CELL.measured) expect(other[name][i]).toBe(aligned[name][i]);
    }
    expect(other.close).not.toEqual(aligned.close);
  });

  test('every cell has a price in a bar that makes sense, whatever is missing, and every one is counted', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            seed: fc.integer({ min: 1, max: 1000 }),
            start: fc.integer({ min: 0, max: 300 }),
            hours: fc.integer({ min: 60, max: 500 }),
            gapProbability: fc.constantFrom(0, 0.02),
          }),
          { minLength: 1, maxLength: 5 },
        ),
        (specs) => {
          const markets = specs.map(({ seed, start, hours, gapProbability }, m) => ({
            market: `M${m}`,
            bars: randomMarket({
              symbol: `M${m}`,
              seed,
              hours,
              start: GOLDEN_START + start * HOUR_MILLISECONDS,
              gapProbability,
              longestGapHours: 10,
            }).bars,
          }));
          const alone = alignOrNull(markets);
          if (alone === null) return;
          const { slots, accounts, close, high, low, cell, time } = alone;
          accounts.forEach(({ market, measured, carried, filled, fills }, m) => {
            expect(measured + carried + filled).toBe(slots);
            expect(measured).toBe(markets[m].bars.length);
            expect(fills.reduce((total, { slots: count }) => total + count, 0)).toBe(filled);
            expect(market).toBe(`M${m}`);
          });
          for (let i = 0; i < close.length; i++) {
            expect(low[i]).toBeGreaterThan(0);
            expect(low[i]).toBeLessThanOrEqual(close[i] * (1 + 1e-12));
            expect(high[i]).toBeGreaterThanOrEqual(close[i] * (1 - 1e-12));
            expect(Number.isFinite(high[i])).toBe(true);
            expect(cell[i]).toBeLessThanOrEqual(2);
          }
          for (let t = 1; t < slots; t++) expect(time[t]).toBeGreaterThan(time[t - 1]);
        },
      ),
      { seed: 8, numRuns: 60 },
    );
  });

  test('a hole within a life is carried, and its move falls on the bar after it', () => {
    const [a, b] = goldenBars(2, 100);
    const aligned = alignMarkets([a, withBars(b, (i) => i < 40 || i >= 45)]);
    const close = aligned.close.subarray(100);
    expect(aligned.accounts[1]).toMatchObject({ measured: 95, carried: 5, filled: 0, fills: [] });
    for (let t = 40; t < 45; t++) expect(close[t]).toBe(b.bars.close[39]);
    expect(close[45]).toBe(b.bars.close[45]);
    const scenarios = returnScenarios(aligned, 4);
    expect(scenarios.accounts).toEqual([
      { market: 'A', measured: 96, carried: 0, filled: 0 },
      { market: 'B', measured: 88, carried: 8, filled: 0 },
    ]);
  });
});

/** Null where lives that never met cannot be filled. */
function alignOrNull(markets: readonly MarketBars[]): ReturnType<typeof alignMarkets> | null {
  try {
    return alignMarkets(markets);
  } catch (error) {
    expect(error).toEqual(insufficient);
    return null;
  }
}

describe('scenarios', () => {
  test('of one market are its returns and its valid origins, gaps and all', () => {
    const { bars, symbol } = randomMarket({ seed: 3, hours: 600, gapProbability: 0.01 });
    const scenarios = returnScenarios(alignMarkets([{ market: symbol, bars }]), 12);
    const { valid } = adverseExcursions(bars, 12);
    const origins = Array.from(valid.keys()).filter((i) => valid[i] === 1);
    expect(Array.from(scenarios.entry)).toEqual(origins);
    expect(scenarios.dropped).toEqual({ broken: valid.length - origins.length, filled: 0 });
    const returns = terminalReturns(scenarios);
    origins.forEach((i, s) => {
      expect(returns[s]).toBe(bars.close[i + 12] / bars.close[i] - 1);
    });
  });

  test('with a stride do not overlap, and are dropped where too much is filled', () => {
    const aligned = alignMarkets(fourLives());
    const apart = returnScenarios(aligned, 24, { stride: 24 });
    expect(Array.from(apart.entry.subarray(0, 3))).toEqual([0, 24, 48]);
    const full = returnScenarios(aligned, 24, { mostFilledShare: 0.25 });
    expect(full.dropped.filled).toBe(700 - 24 - full.scenarios);
    // From slot 300 on only D is filled, after 620 only B.
    expect(full.entry[0]).toBe(299);
    expect(full.accounts.map(({ filled }) => filled)).toEqual([0, expect.any(Number), 0, expect.any(Number)]);
    for (const { measured, carried, filled } of full.accounts)
      expect(measured + carried + filled).toBe(full.scenarios);
  });

  test('within a time asked for', () => {
    const from = GOLDEN_START + 310 * HOUR_MILLISECONDS;
    const until = GOLDEN_START + 500 * HOUR_MILLISECONDS;
    const aligned = alignMarkets(fourLives().slice(0, 3), { from, until });
    expect([aligned.time[0], aligned.slots]).toEqual([from, 190]);
    expect(aligned.accounts.every(({ measured }) => measured === 190)).toBe(true);
  });

  test('given returns come back as they are', () => {
    const returns = [Float64Array.of(0.5, -1, 0), Float64Array.of(0.25, 2, -0.5)];
    expect(Array.from(terminalReturns(givenScenarios(['A', 'B'], returns)))).toEqual([
      0.5, -1, 0, 0.25, 2, -0.5,
    ]);
  });
});

describe('what cannot be joined is refused with a remedy', () => {
  const [a, b] = goldenBars(2, 200);
  const broken = (change: (bars: BarSeries) => void): MarketBars => {
    const copy = withBars(b, () => true);
    change(copy.bars);
    return copy;
  };

  test.each([
    ['two markets of one name', [a, { ...b, market: 'A' }]],
    ['another interval', [a, { ...b, bars: { ...b.bars, intervalMilliseconds: 60_000 } }]],
    ['a price of zero', [a, broken(({ close }) => close.fill(0, 5, 6))]],
    ['a price that is none', [a, broken(({ low }) => low.fill(Number.NaN, 5, 6))]],
    ['an infinite price', [a, broken(({ high }) => high.fill(Number.POSITIVE_INFINITY, 5, 6))]],
    ['unsorted times', [a, broken(({ openTime }) => openTime.reverse())]],
    ['a time that is none', [a, broken(({ openTime }) => openTime.fill(Number.NaN, 5, 6))]],
    ['another clock', [a, broken(({ openTime }) => openTime.set(openTime.map((t) => t + 60_000)))]],
  ])('%s', (_, markets) => {
    expect(() => alignMarkets(markets)).toThrow(invalid);
  });

  test.each([
    ['no market', [], {}],
    ['a market without bars', [a, withBars(b, () => false)], {}],
    ['no bar in the time asked for', [a, b], { from: 1, until: 2 }],
    ['lives that never met', [withBars(a, (i) => i < 100), withBars(b, (i) => i >= 100)], {}],
    ['a market too young to fill', [a, withBars(b, (i) => i >= 190)], {}],
  ])('%s', (_, markets, options) => {
    expect(() => alignMarkets(markets, options)).toThrow(insufficient);
  });

  test('horizons, strides and returns that are none', () => {
    const aligned = alignMarkets([a, b]);
    expect(() => returnScenarios(aligned, 0)).toThrow(invalid);
    expect(() => returnScenarios(aligned, 1.5)).toThrow(invalid);
    expect(() => returnScenarios(aligned, 4, { stride: 0 })).toThrow(invalid);
    expect(() => returnScenarios(aligned, 4, { mostFilledShare: 2 })).toThrow(invalid);
    expect(() => returnScenarios(aligned, 200)).toThrow(insufficient);
    expect(() => givenScenarios(['A'], [Float64Array.of(-1.5)])).toThrow(invalid);
    expect(() => givenScenarios(['A'], [Float64Array.of(Number.NaN)])).toThrow(invalid);
    expect(() => givenScenarios(['A', 'B'], [Float64Array.of(0)])).toThrow(invalid);
    expect(() => givenScenarios(['A', 'B'], [Float64Array.of(0), Float64Array.of(0, 0)])).toThrow(invalid);
    expect(() => givenScenarios([], [])).toThrow(invalid);
    expect(() => factorBetas(alignMarkets([a]))).toThrow(insufficient);
  });
});
