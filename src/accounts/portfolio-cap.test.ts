import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Exposure, nettingOf, portfolioRoom, portfolioShortfall } from './portfolio-cap.ts';

const RATES = { long: 0.04, short: 0.05, isForecast: true };
const K = 0.5;

function exposure(symbol: string, notional: number, changes: Partial<Exposure> = {}): Exposure {
  return { symbol, notional, shortfall: RATES, nets: true, ...changes };
}

/** Correlations of the given pairs of A, B, C. */
function netting(ab: number, ac = 0, bc = 0) {
  const matrix = Float64Array.of(1, ab, ac, ab, 1, bc, ac, bc, 1);
  return nettingOf({ asOf: 0, markets: ['A', 'B', 'C'], matrix });
}

/** A correlation matrix of three markets from vectors, whatever they are. */
const anyNetting = fc
  .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 9, maxLength: 9 })
  .map((entries) => {
    const rows = [0, 1, 2].map((i) => {
      const row = entries.slice(3 * i, 3 * i + 3);
      const length = Math.hypot(...row);
      return length < 1e-3 ? [0, 1, 2].map((j) => Number(i === j)) : row.map((entry) => entry / length);
    });
    const product = (i: number, j: number) => rows[i].reduce((sum, entry, k) => sum + entry * rows[j][k], 0);
    const at = (i: number, j: number) => Math.max(-1, Math.min(1, product(i, j)));
    return netting(at(0, 1), at(0, 2), at(1, 2));
  });
const anyNotional = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const anyRate = fc.double({ min: 1e-3, max: 1, noNaN: true });
const anyExposure = fc
  .record({
    symbol: fc.constantFrom('A', 'B', 'C', 'D'),
    notional: anyNotional,
    long: anyRate,
    short: anyRate,
    isForecast: fc.boolean(),
    nets: fc.boolean(),
  })
  .map(({ long, short, isForecast, ...rest }): Exposure => {
    return { ...rest, shortfall: { long, short, isForecast } };
  });
const anyPortfolio = fc.uniqueArray(anyExposure, { selector: ({ symbol }) => symbol, maxLength: 4 });
const anyShare = fc.double({ min: 0, max: 1, noNaN: true });

describe('the expected shortfall of a portfolio', () => {
  it.each([
    ['nothing is 0', [], 0, 0],
    ['one long market is its own ES', [exposure('A', 1000)], 0.7, 40],
    ['one short market is its own ES on that side', [exposure('A', -1000)], 0.7, 50],
    ['two that move as one add up', [exposure('A', 1000), exposure('B', 500)], 1, 60],
  ])('%s', (_, portfolio, correlation, expected) => {
    for (const share of [0, K, 1])
      expect(portfolioShortfall(portfolio, netting(correlation), share).expectedShortfall).toBeCloseTo(
        expected,
        9,
      );
  });

  it('of two markets is √(x² + y² + 2 ρ x y) as measured, and the worst of both stresses otherwise', () => {
    const sameSide = [exposure('A', 1000), exposure('B', 500)];
    const [x, y, rho] = [40, 20, 0.6];
    expect(portfolioShortfall(sameSide, netting(rho), 0).expectedShortfall).toBeCloseTo(
      Math.sqrt(x * x + y * y + 2 * rho * x * y),
      9,
    );
    const asOne = K + (1 - K) * rho;
    expect(portfolioShortfall(sameSide, netting(rho), K)).toMatchObject({
      expectedShortfall: expect.closeTo(Math.sqrt(x * x + y * y + 2 * asOne * x * y), 9),
      worst: 'asOne',
      sumOfStandalone: 60,
      isNetted: true,
    });
    const hedge = [exposure('A', 1000), exposure('B', -800)];
    const apart = (1 - K) * rho;
    expect(portfolioShortfall(hedge, netting(rho), K)).toMatchObject({
      expectedShortfall: expect.closeTo(Math.sqrt(40 ** 2 + 40 ** 2 - 2 * apart * 40 * 40), 9),
      worst: 'apart',
    });
  });

  it('of a perfect hedge is 0 as measured, and not once hedges may fail', () => {
    const hedge = [exposure('A', 1000), exposure('B', -800)];
    expect(portfolioShortfall(hedge, netting(1), 0).expectedShortfall).toBeCloseTo(0, 6);
    expect(portfolioShortfall(hedge, netting(1), K).expectedShortfall).toBeCloseTo(40, 9);
  });

  it.each([
    ['nothing is known of correlations', null, {}],
    ['a market is not among them', netting(1), { symbol: 'D' }],
    ['a forecast is missing', netting(1), { shortfall: { ...RATES, isForecast: false } }],
  ])('is the sum, and says so, where %s', (_, known, changes) => {
    const hedge = [exposure('A', 1000), exposure('B', -800, changes)];
    expect(portfolioShortfall(hedge, known, K)).toMatchObject({
      expectedShortfall: expect.closeTo(80, 9),
      isNetted: false,
    });
  });

  it('nets nothing with what has a margin of its own', () => {
    const hedge = [exposure('A', 1000), exposure('B', -800, { nets: false })];
    expect(portfolioShortfall(hedge, netting(1), 0)).toMatchObject({
      expectedShortfall: expect.closeTo(80, 9),
      isNetted: true,
    });
  });

  it('is never below 0 nor above the sum, and no lower without correlations or under more stress of nothing', () => {
    fc.assert(
      fc.property(anyPortfolio, anyNetting, anyShare, (portfolio, known, share) => {
        const { expectedShortfall, sumOfStandalone } = portfolioShortfall(portfolio, known, share);
        const noise = 1e-9 * Math.max(sumOfStandalone, 1);
        expect(expectedShortfall).toBeGreaterThanOrEqual(0);
        expect(expectedShortfall).toBeLessThanOrEqual(sumOfStandalone + noise);
        expect(portfolioShortfall(portfolio, null, share).expectedShortfall).toBeCloseTo(sumOfStandalone, 3);
        const measured = portfolioShortfall(portfolio, known, 0).expectedShortfall;
        expect(expectedShortfall).toBeGreaterThanOrEqual(measured - noise);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('is not raised by a hedge as measured, up to the one with the least risk', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), anyShare, (rho, part) => {
        const alone = portfolioShortfall([exposure('A', 1000)], netting(rho), 0).expectedShortfall;
        const best = (rho * 40) / RATES.short;
        const hedged = [exposure('A', 1000), exposure('B', -best * part)];
        expect(portfolioShortfall(hedged, netting(rho), 0).expectedShortfall).toBeLessThanOrEqual(
          alone + 1e-9,
        );
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});

describe('the room of a portfolio', () => {
  const question = {
    symbol: 'A',
    side: 'long' as const,
    shortfall: RATES,
    nets: true,
    others: [] as Exposure[],
    allowedShortfall: 1000,
    equity: 1000,
  };

  it('for one market is what its own ES leaves, whatever is known of correlations', () => {
    for (const known of [null, netting(0.3)])
      expect(portfolioRoom(question, known, K)).toEqual({ notional: 25_000, leverage: 25, isNetted: true });
    const short = portfolioRoom({ ...question, side: 'short' }, null, K);
    expect(short.notional).toBeCloseTo(20_000, 6);
  });

  it('beside a position that moves as one is what that leaves', () => {
    const others = [exposure('B', 10_000)];
    const room = portfolioRoom({ ...question, others }, netting(1), K);
    expect(room.notional).toBeCloseTo(15_000, 6);
    expect(room.leverage).toBeCloseTo(15, 9);
  });

  it('for a hedge reaches beyond what the market alone would get, but its leverage does not', () => {
    const others = [exposure('B', -10_000)];
    const room = portfolioRoom({ ...question, others }, netting(0.9), 0);
    // y = ρ x + √(L² − (1 − ρ²) x²), with x = 500 and L = 1000.
    expect(room.notional).toBeCloseTo((0.9 * 500 + Math.sqrt(1e6 - 0.19 * 500 ** 2)) / 0.04, 6);
    expect(room.leverage).toBeCloseTo(25, 9);
  });

  it('leaves only what lowers the risk where the others are beyond what is allowed, at leverage 1', () => {
    const others = [exposure('B', -100_000)];
    const hedge = portfolioRoom({ ...question, others }, netting(0.9), K);
    // 5000 short, of which half the correlation hedges in the worst case.
    expect(hedge.notional).toBeCloseTo((0.45 * 5000) / 0.04, 6);
    expect(hedge.leverage).toBe(1);
    expect(portfolioRoom({ ...question, others, side: 'short' }, netting(0.9), K).notional).toBe(0);
    expect(portfolioRoom({ ...question, others }, null, K)).toMatchObject({ notional: 0, isNetted: false });
  });

  it('replaces what is held of the same market', () => {
    const others = [exposure('A', 9000), exposure('B', 10_000)];
    expect(portfolioRoom({ ...question, others }, netting(1), K).notional).toBeCloseTo(15_000, 6);
  });

  const anyQuestion = fc.record({
    symbol: fc.constantFrom('A', 'D'),
    side: fc.constantFrom('long' as const, 'short' as const),
    shortfall: fc.record({ long: anyRate, short: anyRate, isForecast: fc.boolean() }),
    nets: fc.boolean(),
    others: anyPortfolio,
    equity: fc.double({ min: 1, max: 1e6, noNaN: true }),
  });

  it('is exactly what fits: at it the ES is allowed, and a little more is not', () => {
    fc.assert(
      fc.property(anyQuestion, anyNetting, anyShare, (given, known, share) => {
        const asked = { ...given, allowedShortfall: given.equity };
        const { notional } = portfolioRoom(asked, known, share);
        const rest = given.nets
          ? given.others.filter((other) => !(other.nets && other.symbol === given.symbol))
          : given.others;
        const at = (size: number) => {
          const signed = given.side === 'long' ? size : -size;
          const own = {
            symbol: given.symbol,
            notional: signed,
            shortfall: given.shortfall,
            nets: given.nets,
          };
          return portfolioShortfall([...rest, own], known, share).expectedShortfall;
        };
        const slack = 1e-6 * Math.max(given.equity, at(notional));
        if (at(0) <= given.equity) expect(at(notional)).toBeLessThanOrEqual(given.equity + slack);
        else expect(at(notional)).toBeLessThanOrEqual(at(0) + slack);
        const more = notional * 1.01 + 1;
        if (at(notional) <= given.equity + slack && notional < 1e13)
          expect(at(more)).toBeGreaterThan(given.equity - slack);
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  it('never falls with more equity, in notional or in leverage, and never rises with a larger ES of anything', () => {
    fc.assert(
      fc.property(
        anyQuestion,
        anyNetting,
        anyShare,
        fc.double({ min: 1, max: 10, noNaN: true }),
        (given, known, share, factor) => {
          const room = (changes: Partial<typeof given>) => {
            const asked = { ...given, ...changes };
            return portfolioRoom({ ...asked, allowedShortfall: asked.equity }, known, share);
          };
          const now = room({});
          const richer = room({ equity: given.equity * factor });
          expect(richer.notional).toBeGreaterThanOrEqual(now.notional * (1 - 1e-9) - 1e-6);
          const granted = (leverage: number) => Math.max(leverage, 1);
          expect(granted(richer.leverage)).toBeGreaterThanOrEqual(granted(now.leverage) * (1 - 1e-9));
          const { long, short, isForecast } = given.shortfall;
          const riskier = room({ shortfall: { long: long * factor, short: short * factor, isForecast } });
          expect(riskier.notional).toBeLessThanOrEqual(now.notional * (1 + 1e-9) + 1e-6);
          const unnetted = portfolioRoom({ ...given, allowedShortfall: given.equity }, null, share);
          expect(unnetted.notional).toBeLessThanOrEqual(now.notional * (1 + 1e-9) + 1e-6);
        },
      ),
      { seed: 4, numRuns: 500 },
    );
  });
});
