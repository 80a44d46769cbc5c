import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parkMiller } from '../park-miller.fixture.ts';
import { alignMarkets } from './aligned-returns.ts';
import { correlationMatrix, measuredReturns } from './correlation-matrix.ts';
import { readEpisode } from './episodes.ts';
import { portfolioLosses } from './portfolio-risk.ts';
import { returnScenarios } from './return-scenarios.ts';
import { reverseHistory, reverseScenarios } from './reverse-history.ts';
import { reverseFactorMove, reverseLikeliestMove } from './reverse-stress.ts';
import { factorShock, scenarioDamage, uniformShock } from './scenarios.ts';
import { GOLDEN_START, goldenBars, relativeDifference, withBars } from './test-portfolio-data.ts';

const invalid = expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) });
const unavailable = { available: false, reason: expect.any(String) };
const NAMES = ['A', 'B', 'C', 'D', 'E'];

const lossOf = (notionals: Float64Array, returns: Float64Array): number =>
  notionals.reduce((sum, notional, m) => sum - notional * returns[m], 0);

describe('the smallest move of all markets', () => {
  test('of a linear book is the damage over the net notional', () => {
    const { fall, rise, smallest } = reverseFactorMove(Float64Array.of(100, -40), 15);
    expect(fall).toMatchObject({ available: true, move: -0.25 });
    expect(rise).toMatchObject(unavailable);
    expect(smallest).toBe(fall);
    expect(reverseFactorMove(Float64Array.of(-100, 40), 15).smallest).toMatchObject({ move: 0.25 });
  });

  test('goes on past the point where a market reached zero', () => {
    // Long 10 at beta 4 is lost at a fall of a quarter; from there only the second market loses.
    const betas = Float64Array.of(4, 1);
    const { fall } = reverseFactorMove(Float64Array.of(10, 20), 20, { betas });
    expect(fall).toMatchObject({ available: true, move: -0.5 });
    // The short gains as long as it can fall, so that the hedge ends where its market is at zero.
    const hedged = reverseFactorMove(Float64Array.of(30, -10), 6, { betas: Float64Array.of(1, 3) });
    expect(hedged.fall).toMatchObject({ available: true, move: expect.closeTo(-16 / 30, 14) });
  });

  test('takes the whole price where the damage is all that is held, and there is none for more', () => {
    expect(reverseFactorMove(Float64Array.of(0.1, 0.2), 0.1 + 0.2).fall).toMatchObject({ move: -1 });
    const { fall, rise, smallest } = reverseFactorMove(Float64Array.of(70, 30), 100.01);
    for (const outcome of [fall, rise, smallest]) expect(outcome).toMatchObject(unavailable);
  });

  test('is looked for within the range that is allowed', () => {
    const short = Float64Array.of(-10);
    expect(reverseFactorMove(short, 25).smallest).toMatchObject(unavailable);
    expect(reverseFactorMove(short, 25, { highest: 3 }).smallest).toMatchObject({ move: 2.5 });
    const long = Float64Array.of(10);
    expect(reverseFactorMove(long, 4, { lowest: -0.3 }).smallest).toMatchObject(unavailable);
    expect(reverseFactorMove(Float64Array.of(10, -10), 1).smallest).toMatchObject(unavailable);
    expect(reverseFactorMove(long, 4, { lowest: 0, highest: 0 }).smallest).toMatchObject(unavailable);
  });

  test('is the smaller of a fall and a rise that both do it, and the fall where they are equal', () => {
    // A fall by x gains x up to a half, where the short market is at zero, and loses 5x − 3 from there; a rise by x loses x.
    const [book, betas] = [Float64Array.of(5, -3), Float64Array.of(1, 2)];
    const small = reverseFactorMove(book, 0.25, { betas });
    expect(small).toMatchObject({ fall: { move: -0.65 }, rise: { move: 0.25 } });
    expect(small.smallest).toBe(small.rise);
    const large = reverseFactorMove(book, 1, { betas });
    expect(large).toMatchObject({ fall: { move: -0.8 }, rise: { move: 1 } });
    expect(large.smallest).toBe(large.fall);
    const equal = reverseFactorMove(book, 0.75, { betas });
    expect(equal).toMatchObject({ fall: { move: -0.75 }, rise: { move: 0.75 } });
    expect(equal.smallest).toBe(equal.fall);
  });

  test('does just the damage, and no smaller one does it', () => {
    const book = fc.record({
      notionals: fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 5 }),
      seed: fc.integer({ min: 1, max: 1e6 }),
      damage: fc.double({ min: 0.1, max: 200, noNaN: true }),
    });
    fc.assert(
      fc.property(book, ({ notionals, seed, damage }) => {
        const { uniform: next } = parkMiller(seed);
        const betas = Float64Array.from(notionals, () => 4 * next() - 0.5);
        const book_ = Float64Array.from(notionals);
        const names = NAMES.slice(0, notionals.length);
        const { fall, rise } = reverseFactorMove(book_, damage, { betas, highest: 2 });
        for (const [found, end] of [
          [fall, -1],
          [rise, 2],
        ] as const) {
          const positions = notionals.map((notional, m) => ({ market: names[m], notional }));
          const damageAt = (move: number): number =>
            scenarioDamage(
              factorShock(names, new Map(names.map((name, m) => [name, betas[m]])), move),
              positions,
              'end',
            ).loss;
          if (found.available) {
            expect(lossOf(book_, found.returns)).toBeCloseTo(damage, 9);
            expect(damageAt(found.move)).toBeCloseTo(damage, 9);
          }
          const limit = found.available ? found.move : end;
          for (let k = 1; k < 60; k++) expect(damageAt((limit * k) / 60)).toBeLessThan(damage + 1e-9);
        }
      }),
      { seed: 21, numRuns: 150 },
    );
  });
});

describe('the likeliest move', () => {
  const markets = goldenBars(5, 800, 99);
  const history = [
    markets[0],
    withBars(markets[1], (i) => i % 17 !== 5),
    markets[2],
    withBars(markets[3], (i) => i >= 500),
    withBars(markets[4], (i) => i < 600),
  ];
  const { correlation, volatility } = correlationMatrix(measuredReturns(alignMarkets(history)));
  const portfolio = { notionals: Float64Array.of(100, -60, 40, 25, 10), volatility, correlation };

  test('equals SciPy 1.17, far into the tail', () => {
    const move = reverseLikeliestMove(portfolio, 30);
    expect(move.available).toBe(true);
    if (!move.available) return;
    const expected = [
      -0.14324317940728898, -0.18674557930606286, -0.31455025427472083, -0.3868315769275592,
      -0.462761722345706,
    ];
    expect(relativeDifference(move.returns, expected)).toBeLessThan(1e-9);
    const probabilities = [move.distance, move.lossProbability, move.moveProbability];
    const scipy = [15.311842367151865, 3.1866359952605694e-53, 1.1877613976852304e-48];
    for (let i = 0; i < 3; i++) expect(Math.abs(probabilities[i] / scipy[i] - 1)).toBeLessThan(1e-9);
  });

  test('does just the damage, and any other that does it is farther away', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0.1, max: 5, noNaN: true }),
        (seed, damage) => {
          const move = reverseLikeliestMove(portfolio, damage);
          if (!move.available) throw new Error(move.reason);
          expect(lossOf(portfolio.notionals, move.returns)).toBeCloseTo(damage, 10);
          // Another move of equal damage, from Σ times a random vector, has a larger Mahalanobis distance.
          const { uniform: next } = parkMiller(seed);
          const v = Float64Array.from({ length: 5 }, () => 2 * next() - 1);
          const times = (vector: Float64Array): Float64Array =>
            vector.map((_, i) =>
              vector.reduce(
                (sum, entry, j) => sum + volatility[i] * correlation[5 * i + j] * volatility[j] * entry,
                0,
              ),
            );
          const image = times(v);
          const loss = lossOf(portfolio.notionals, image);
          const scale = damage / loss;
          const distance =
            Math.sqrt(v.reduce((sum, entry, i) => sum + entry * image[i], 0)) * Math.abs(scale);
          expect(distance).toBeGreaterThanOrEqual(move.distance - 1e-9);
        },
      ),
      { seed: 22, numRuns: 100 },
    );
  });

  test('is unavailable where a price would fall below zero, and for a book that is no risk', () => {
    expect(reverseLikeliestMove(portfolio, 100)).toMatchObject(unavailable);
    const hedge = {
      notionals: Float64Array.of(1, -1),
      volatility: Float64Array.of(0.1, 0.1),
      correlation: new Float64Array(4).fill(1),
    };
    expect(reverseLikeliestMove(hedge, 0.1)).toMatchObject(unavailable);
    const nothing = { ...hedge, notionals: new Float64Array(2) };
    expect(reverseLikeliestMove(nothing, 0.1)).toMatchObject(unavailable);
  });

  test('is found for the smallest book and the quietest market, and for no hedge however large', () => {
    const one = (notional: number, volatility: number) => ({
      notionals: Float64Array.of(notional),
      volatility: Float64Array.of(volatility),
      correlation: Float64Array.of(1),
    });
    expect(reverseLikeliestMove(one(1e-9, 0.1), 1e-10)).toMatchObject({
      available: true,
      distance: expect.closeTo(1, 9),
    });
    expect(reverseLikeliestMove(one(10, 1e-5), 1)).toMatchObject({
      available: true,
      distance: expect.closeTo(1e4, 6),
    });
    const volatility = Float64Array.of(0.1, 0.3, 0.7);
    const hedge = {
      notionals: Float64Array.of(4e9, -2e9, 2e9 / 7),
      volatility,
      correlation: new Float64Array(9).fill(1),
    };
    expect(reverseLikeliestMove(hedge, 1)).toMatchObject(unavailable);
  });

  test('may take a whole price and no more, whichever market it is', () => {
    const book = (...notionals: number[]) => ({
      notionals: Float64Array.from(notionals),
      volatility: new Float64Array(notionals.length).fill(0.5),
      correlation: Float64Array.from(
        notionals.flatMap((_, i) => notionals.map((__, j) => (i === j ? 1 : 0))),
      ),
    });
    expect(reverseLikeliestMove(book(1), 1)).toMatchObject({ returns: Float64Array.of(-1) });
    expect(reverseLikeliestMove(book(1), 1.5)).toMatchObject(unavailable);
    expect(reverseLikeliestMove(book(2, 1), 6)).toMatchObject(unavailable);
    expect(reverseLikeliestMove(book(1, 2), 6)).toMatchObject(unavailable);
  });

  test('of one market is the damage over its notional', () => {
    const one = {
      notionals: Float64Array.of(-4),
      volatility: Float64Array.of(0.05),
      correlation: Float64Array.of(1),
    };
    const move = reverseLikeliestMove(one, 1);
    expect(move).toMatchObject({ available: true, distance: expect.closeTo(5, 12) });
    if (move.available) {
      expect(move.returns[0]).toBeCloseTo(0.25, 12);
      // One market: both sides of a χ² with one degree are twice one side of a normal.
      expect(move.moveProbability / move.lossProbability).toBeCloseTo(2, 9);
    }
  });
});

describe('what history says of a damage', () => {
  const markets = goldenBars(3, 400);
  const aligned = alignMarkets(markets);
  const positions = [
    { market: 'A', notional: 100 },
    { market: 'B', notional: -70 },
    { market: 'C', notional: 50 },
  ];

  test('the mildest path that does it, and the factor that makes the worst do just it', () => {
    const scenarios = returnScenarios(aligned, 12);
    const losses = portfolioLosses(scenarios, positions, { measure: 'terminal' });
    const most = Math.max(...losses);
    for (const share of [0.2, 0.9, 1.5]) {
      const damage = share * most;
      const { mildest, count, worst } = reverseHistory(scenarios, positions, damage);
      expect(count).toBe(losses.filter((loss) => loss >= damage).length);
      if (share < 1)
        expect(mildest).toMatchObject({
          available: true,
          loss: Math.min(...losses.filter((loss) => loss >= damage)),
        });
      else expect(mildest).toMatchObject(unavailable);
      expect(worst).toMatchObject({
        available: true,
        loss: most,
        index: losses.indexOf(most),
        multiplier: expect.closeTo(share, 10),
      });
      if (worst.available)
        expect(lossOf(Float64Array.of(100, -70, 50), worst.returns)).toBeCloseTo(damage, 10);
    }
  });

  test('scaling stops where a price is at zero', () => {
    const crash = [uniformShock(['A'], -0.6), uniformShock(['A'], 0.2)];
    const long = [{ market: 'A', notional: 10 }];
    expect(reverseScenarios(crash, long, 9).worst).toMatchObject({ multiplier: 1.5 });
    expect(reverseScenarios(crash, long, 10.5).worst).toMatchObject(unavailable);
    expect(reverseScenarios(crash, long, 5).mildest).toMatchObject({ available: true, index: 0 });
    expect(reverseScenarios(crash.slice(0, 1), [{ market: 'A', notional: -1 }], 5).worst).toMatchObject(
      unavailable,
    );
  });

  test('episodes and made-up shocks are asked alike', () => {
    const window = { kind: 'instant', from: GOLDEN_START + 3_600_000 * 60, bars: 24 } as const;
    const reading = readEpisode(aligned, { id: 'x', description: '', window });
    if (!reading.available) throw new Error(reading.reason);
    const scenarios = [reading.scenario, uniformShock(['A', 'B', 'C'], -0.2)];
    const { mildest, worst } = reverseScenarios(scenarios, positions, 12);
    expect(mildest).toMatchObject({ available: true, index: 1, loss: expect.closeTo(16, 12) });
    expect(worst).toMatchObject({ index: 1, multiplier: expect.closeTo(0.75, 12) });
  });

  test('what is no damage is refused with a remedy', () => {
    for (const damage of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => reverseFactorMove(Float64Array.of(1), damage)).toThrow(invalid);
      expect(() => reverseScenarios([uniformShock(['A'], -0.1)], [], damage)).toThrow(invalid);
    }
    expect(() => reverseScenarios([], [], 1)).toThrow(invalid);
    expect(() => reverseFactorMove(Float64Array.of(Number.NaN), 1)).toThrow(invalid);
    expect(() => reverseFactorMove(Float64Array.of(1), 1, { betas: Float64Array.of(1, 2) })).toThrow(invalid);
    expect(() => reverseFactorMove(Float64Array.of(1), 1, { betas: Float64Array.of(Number.NaN) })).toThrow(
      invalid,
    );
    for (const lowest of [-2, 0.1, Number.NaN])
      expect(() => reverseFactorMove(Float64Array.of(1), 1, { lowest })).toThrow(invalid);
    for (const highest of [-0.1, Number.POSITIVE_INFINITY, Number.NaN])
      expect(() => reverseFactorMove(Float64Array.of(1), 1, { highest })).toThrow(invalid);
    const portfolio = {
      notionals: Float64Array.of(1),
      volatility: Float64Array.of(0.1),
      correlation: Float64Array.of(1),
    };
    for (const damage of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => reverseLikeliestMove(portfolio, damage)).toThrow(invalid);
  });
});
