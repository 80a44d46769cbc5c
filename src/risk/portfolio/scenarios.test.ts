import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOUR_MILLISECONDS } from '../../units.ts';
import { adverseExcursions } from '../tail/excursions.ts';
import { alignMarkets, type MarketBars } from './aligned-returns.ts';
import { type EpisodeWindow, namedEpisodes, readEpisode } from './episodes.ts';
import {
  classShock,
  factorShock,
  rankScenarios,
  type Scenario,
  scenarioDamage,
  uniformShock,
} from './scenarios.ts';
import { GOLDEN_START, goldenBars, withBars } from './test-portfolio-data.ts';

const invalid = expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) });
const hour = (hours: number): number => GOLDEN_START + hours * HOUR_MILLISECONDS;

function read(markets: readonly MarketBars[], window: EpisodeWindow, leastBeta = 1): Scenario {
  const reading = readEpisode(alignMarkets(markets), { id: 'x', description: '', window }, leastBeta);
  expect(reading).toMatchObject({ available: true });
  return reading.available ? reading.scenario : uniformShock([], 0);
}

describe('an episode read from history', () => {
  const markets = goldenBars(3, 400);

  test('has the returns and the excursions that the bars have', () => {
    const scenario = read(markets, { kind: 'instant', from: hour(101), bars: 24 });
    expect([scenario.from, scenario.until]).toEqual([hour(101), hour(125)]);
    scenario.shocks.forEach(({ market, move, long, short, basis, beta }, m) => {
      const { bars } = markets[m];
      const excursions = adverseExcursions(bars, 24);
      expect([market, basis, beta]).toEqual([markets[m].market, 'measured', null]);
      expect(move).toBe(bars.close[124] / bars.close[100] - 1);
      expect(long).toBe(excursions.long[100]);
      expect(short).toBe(excursions.short[100]);
    });
    const range = read(markets, { kind: 'range', from: hour(101), until: hour(125) });
    expect(range.shocks).toEqual(scenario.shocks);
  });

  test.each(['fall', 'rise'] as const)('finds the window of the worst %s within a range', (direction) => {
    const bars = 12;
    const window = { kind: 'worst', from: hour(50), until: hour(150), bars, direction } as const;
    const { from, shocks } = read(markets, window);
    const side = direction === 'fall' ? 'long' : 'short';
    const all = markets.map((market) => adverseExcursions(market.bars, bars)[side]);
    const means = Array.from({ length: 89 }, (_, i) => all.reduce((sum, values) => sum + values[49 + i], 0));
    expect((from as number) - hour(0)).toBe((50 + means.indexOf(Math.max(...means))) * HOUR_MILLISECONDS);
    expect(shocks.reduce((sum, shock) => sum + shock[side], 0)).toBeCloseTo(Math.max(...means), 12);
  });

  test('gives a market that was not there what its beta implies, and says so', () => {
    const young = [...markets.slice(0, 2), withBars(markets[2], (i) => i >= 200)];
    const { shocks } = read(young, { kind: 'instant', from: hour(101), bars: 24 });
    expect(shocks.map(({ basis }) => basis)).toEqual(['measured', 'measured', 'factor-implied']);
    const [{ move: a, long: la, short: sa }, { move: b, long: lb, short: sb }, implied] = shocks;
    const { fills } = alignMarkets(young).accounts[2];
    // The same markets make the factor of the episode and that of the filled bars.
    expect(implied.beta).toBeCloseTo(fills[0].beta, 12);
    const beta = implied.beta ?? Number.NaN;
    expect(implied.move).toBeCloseTo((beta * (a + b)) / 2, 12);
    expect(implied.long).toBeCloseTo((beta * (la + lb)) / 2, 12);
    expect(implied.short).toBeCloseTo((beta * (sa + sb)) / 2, 12);
    const calm = [withBars(markets[0], (i) => i >= 200), ...markets.slice(1)];
    const [{ beta: least }] = read(calm, { kind: 'instant', from: hour(101), bars: 24 }).shocks;
    expect(least).toBe(1);
  });

  test('falls no further than to zero where beta is large', () => {
    const young = [...markets.slice(0, 2), withBars(markets[2], (i) => i >= 200)];
    const { shocks } = read(young, { kind: 'instant', from: hour(101), bars: 24 }, 99);
    expect(shocks[2].move).toBeGreaterThanOrEqual(-1);
    expect(shocks[2].long).toBe(1);
  });

  test('is unavailable where the history does not reach or has holes, with a reason', () => {
    const aligned = alignMarkets(markets);
    const reading = (window: EpisodeWindow, of = aligned): unknown =>
      readEpisode(of, { id: 'x', description: '', window });
    const none = { available: false, reason: expect.any(String) };
    expect(reading({ kind: 'range', from: hour(-50), until: hour(20) })).toMatchObject(none);
    expect(reading({ kind: 'range', from: hour(390), until: hour(500) })).toMatchObject(none);
    expect(
      reading({ kind: 'worst', from: hour(10), until: hour(20), bars: 40, direction: 'fall' }),
    ).toMatchObject(none);
    const holed = alignMarkets(markets.map((market) => withBars(market, (i) => i < 100 || i >= 110)));
    expect(reading({ kind: 'range', from: hour(90), until: hour(120) }, holed)).toMatchObject(none);
    for (const episode of namedEpisodes(24)) expect(readEpisode(aligned, episode)).toMatchObject(none);
    expect(() => reading({ kind: 'range', from: hour(20), until: hour(10) })).toThrow(invalid);
    expect(() => reading({ kind: 'range', from: Number.NaN, until: hour(10) })).toThrow(invalid);
    expect(() => reading({ kind: 'instant', from: hour(20), bars: 0 })).toThrow(invalid);
  });
});

describe('made-up shocks', () => {
  const names = ['BTC', 'ETH', 'WIF'];

  test('of all, by class and by beta', () => {
    expect(uniformShock(names, -0.3).shocks.map(({ move, long, short }) => [move, long, short])).toEqual([
      [-0.3, 0.3, 0],
      [-0.3, 0.3, 0],
      [-0.3, 0.3, 0],
    ]);
    const classOf = new Map([
      ['BTC', 'large'],
      ['ETH', 'large'],
      ['WIF', 'meme'],
    ]);
    const moves = new Map([
      ['large', -0.2],
      ['meme', 0.7],
    ]);
    const byClass = classShock(names, classOf, moves);
    expect(byClass.shocks.map(({ move }) => move)).toEqual([-0.2, -0.2, 0.7]);
    expect(byClass.description).toBe('by class: large -20 %, meme +70 %');
    const betas = new Map([
      ['BTC', 0.5],
      ['ETH', 1],
      ['WIF', 3],
    ]);
    const fall = factorShock(names, betas, -0.4).shocks;
    expect(fall.map(({ move, beta }) => [move, beta])).toEqual([
      [-0.2, 0.5],
      [-0.4, 1],
      [-1, 3],
    ]);
    expect(factorShock(names, betas, 0.4).shocks[2].short).toBeCloseTo(1.2, 12);
  });

  test('refuse what is missing, and name it', () => {
    const missing = (message: string) => expect.objectContaining({ code: 'INPUT_INVALID', message });
    expect(() => uniformShock(names, -1.2)).toThrow(invalid);
    expect(() => uniformShock(names, Number.NaN)).toThrow(invalid);
    expect(() => classShock(names, new Map(), new Map())).toThrow(invalid);
    expect(() => classShock(['BTC'], new Map([['BTC', 'x']]), new Map())).toThrow(invalid);
    // A class called "undefined" is not the class of the markets that have none.
    expect(() => classShock(names, new Map(), new Map([['undefined', 0.1]]))).toThrow(
      missing('BTC has no class'),
    );
    expect(() => classShock(['BTC'], new Map([['BTC', 'x']]), new Map([['y', 0.1]]))).toThrow(
      missing('class x has no move'),
    );
    expect(() => factorShock(names, new Map([['BTC', 1]]), -0.1)).toThrow(missing('ETH has no beta'));
    for (const beta of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => factorShock(['BTC'], new Map([['BTC', beta]]), -0.1)).toThrow(missing('BTC has no beta'));
    expect(() => factorShock(names, new Map(names.map((name) => [name, 1])), -1.1)).toThrow(invalid);
  });
});

describe('damage', () => {
  const markets = goldenBars(3, 400);
  const positions = [
    { market: 'A', notional: 100 },
    { market: 'B', notional: -50 },
    { market: 'A', notional: -20 },
  ];

  test('is by market and in all, at the end and at worst', () => {
    const scenario = read(markets, { kind: 'instant', from: hour(60), bars: 24 });
    const [a, b] = scenario.shocks;
    const end = scenarioDamage(scenario, positions, 'end');
    expect(end.loss).toBeCloseTo(-80 * a.move + 50 * b.move, 12);
    const worst = scenarioDamage(scenario, positions, 'worst');
    expect(worst.loss).toBeCloseTo(80 * a.long + 50 * b.short, 12);
    expect(worst.loss).toBeGreaterThanOrEqual(end.loss);
    expect(worst.markets.map(({ market, notional }) => [market, notional])).toEqual(
      expect.arrayContaining([
        ['A', 80],
        ['B', -50],
      ]),
    );
    expect(worst.impliedLoss).toBe(0);
  });

  test('is sorted by size, and what is implied is told apart', () => {
    const young = [markets[0], withBars(markets[1], (i) => i >= 200), markets[2]];
    const scenarios = [
      uniformShock(['A', 'B', 'C'], 0.1),
      uniformShock(['A', 'B', 'C'], -0.5),
      read(young, { kind: 'instant', from: hour(60), bars: 24 }),
      uniformShock(['A', 'B', 'C'], 0),
    ];
    const ranked = rankScenarios(scenarios, positions, 'end');
    const losses = ranked.map(({ loss }) => loss);
    expect(losses).toEqual(losses.toSorted((x, y) => y - x));
    expect(ranked[0].loss).toBeCloseTo(0.5 * 30, 12);
    const implied = ranked.find(({ scenario }) => scenario.id === 'x');
    const parts = implied?.markets.filter(({ basis }) => basis === 'factor-implied') ?? [];
    expect(parts.map(({ market }) => market)).toEqual(['B']);
    expect(implied?.impliedLoss).toBeCloseTo(parts[0].loss, 12);
  });

  test('names the market that loses most first, by name where they lose the same, and none without a position', () => {
    const moves = new Map([
      ['A', -0.1],
      ['B', 0.2],
      ['C', 0],
      ['D', -0.1],
    ]);
    const scenario = factorShock(['D', 'B', 'A', 'C', 'E'], new Map([...moves, ['E', 1]]), 1);
    const book = (entries: Record<string, number>) =>
      Object.entries(entries).map(([market, notional]) => ({ market, notional }));
    const { markets, loss } = scenarioDamage(scenario, book({ D: 100, B: -200, A: 100, C: 50 }), 'end');
    expect(markets.map(({ market }) => market)).toEqual(['B', 'A', 'D', 'C']);
    expect(markets.map((entry) => entry.loss)).toEqual([40, 10, 10, -0]);
    expect(loss).toBe(60);
    const reversed = factorShock(['A', 'D'], moves, 1);
    const equal = scenarioDamage(reversed, book({ A: 100, D: 100 }), 'end').markets;
    expect(equal.map(({ market }) => market)).toEqual(['A', 'D']);
  });

  test('that is the same of two scenarios ranks them by name, in whatever order they come', () => {
    const [low, high] = [uniformShock(['A', 'B'], -0.1), uniformShock(['A', 'B'], -0.2)];
    const hedged = [
      { market: 'A', notional: 10 },
      { market: 'B', notional: -10 },
    ];
    const ids = (scenarios: readonly Scenario[]) =>
      rankScenarios(scenarios, hedged, 'end').map(({ scenario }) => scenario.id);
    expect(low.id < high.id).toBe(true);
    expect(ids([low, high])).toEqual([low.id, high.id]);
    expect(ids([high, low])).toEqual([low.id, high.id]);
  });

  test('at worst is above the loss at any close on the way; adds up; doubles; and cancels', () => {
    const aligned = alignMarkets(markets);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 370 }),
        fc.integer({ min: 1, max: 24 }),
        fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 3, maxLength: 3 }),
        (entry, bars, notionals) => {
          const window = { kind: 'instant', from: hour(entry + 1), bars } as const;
          const reading = readEpisode(aligned, { id: '', description: '', window });
          if (!reading.available) throw new Error(reading.reason);
          const book = notionals.map((notional, m) => ({ market: 'ABC'[m], notional }));
          const worst = scenarioDamage(reading.scenario, book, 'worst');
          for (let k = 1; k <= bars; k++) {
            const loss = notionals.reduce((sum, notional, m) => {
              const { close } = markets[m].bars;
              return sum - notional * (close[entry + k] / close[entry] - 1);
            }, 0);
            expect(loss).toBeLessThanOrEqual(worst.loss + 1e-9);
          }
          const sum = worst.markets.reduce((total, { loss }) => total + loss, 0);
          expect(sum).toBeCloseTo(worst.loss, 10);
          const twice = scenarioDamage(reading.scenario, [...book, ...book], 'worst');
          expect(twice.loss).toBeCloseTo(2 * worst.loss, 8);
          const against = book.map(({ market, notional }) => ({ market, notional: -notional }));
          expect(scenarioDamage(reading.scenario, [...book, ...against], 'worst').loss).toBe(0);
        },
      ),
      { seed: 11, numRuns: 80 },
    );
  });

  test('of a position in a market that the scenario does not know is refused', () => {
    expect(() => scenarioDamage(uniformShock(['A'], -0.1), positions, 'end')).toThrow(invalid);
    expect(() =>
      scenarioDamage(uniformShock(['A'], -0.1), [{ market: 'A', notional: Number.NaN }], 'end'),
    ).toThrow(invalid);
  });
});
