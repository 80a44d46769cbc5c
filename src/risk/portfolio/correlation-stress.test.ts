import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { symmetricEigen } from '../numeric/eigen.ts';
import { quadraticForm } from '../numeric/linear.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { alignMarkets, type MarketBars } from './aligned-returns.ts';
import { correlationMatrix, measuredReturns, type ReturnPanel } from './correlation-matrix.ts';
import { blendedCorrelation, correlationStress, stressedDays } from './correlation-stress.ts';
import { nearestCorrelation } from './nearest-correlation.ts';
import { parametricRisk } from './parametric-risk.ts';
import { goldenBars, relativeDifference, withBars } from './test-portfolio-data.ts';

const insufficient = expect.objectContaining({ code: 'DATA_INSUFFICIENT', remedy: expect.any(String) });
const invalid = expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) });

/** Five markets: B lacks every 17th bar, D is young, E ended. */
function unequalMarkets(seed = 99, hours = 800): MarketBars[] {
  const [a, b, c, d, e] = goldenBars(5, hours, seed);
  return [
    a,
    withBars(b, (i) => i % 17 !== 5),
    c,
    withBars(d, (i) => i >= (5 * hours) / 8),
    withBars(e, (i) => i < (6 * hours) / 8),
  ];
}

const panelOf = (markets: readonly MarketBars[]): ReturnPanel => measuredReturns(alignMarkets(markets));

/** The entries above the diagonal, row by row. */
function upper(matrix: Float64Array, size: number): number[] {
  return Array.from(matrix).filter((_, k) => Math.floor(k / size) < k % size);
}

function expectAll(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(relativeDifference(actual, expected)).toBeLessThan(1e-9);
}

describe('correlations equal NumPy 2.4, pair by pair', () => {
  const panel = panelOf(unequalMarkets());

  test('from returns between neighbours in time alone', () => {
    const gap = goldenBars(2, 100).map((market) => withBars(market, (i) => i < 50 || i >= 60));
    const { known, slots } = panelOf(gap);
    expect(slots).toBe(90);
    expect(Array.from(known.keys()).filter((at) => known[at] === 0)).toEqual([0, 50, 90, 140]);
  });

  test('of all slots alike', () => {
    const { correlation, volatility, fewestPairs, repairDistance, smallestEigenvalue } =
      correlationMatrix(panel);
    expectAll(
      upper(correlation, 5),
      [
        0.7535085012327374, 0.7972342033293925, 0.8286998270070308, 0.7741194938396855, 0.871251568390582,
        0.87821825388184, 0.9244007747581812, 0.9336109865370517, 0.9399306513219065, 0.9673340444162776,
      ],
    );
    expectAll(
      volatility,
      [
        0.010088229896365588, 0.01613815155851392, 0.022273708960773932, 0.027088775523906556,
        0.034382441803919014,
      ],
    );
    expect(fewestPairs).toBe(99);
    expect(repairDistance).toBe(0);
    expectAll([smallestEigenvalue], [0.019462547431905376]);
  });

  test('exponentially weighted', () => {
    const { correlation, volatility } = correlationMatrix(panel, { decay: 0.99 });
    expectAll(
      upper(correlation, 5),
      [
        0.7717359270926885, 0.8055771963070939, 0.8220412380048525, 0.7770513493353759, 0.8586381523030436,
        0.8841014900948929, 0.935106620339386, 0.9315815907168548, 0.9473634342797147, 0.9596895463746009,
      ],
    );
    expectAll(
      volatility,
      [
        0.009390336595917044, 0.014735778303693542, 0.02018902923427971, 0.02424210938590426,
        0.03564137885577932,
      ],
    );
  });

  test('of the most volatile days', () => {
    const { stressed, calm, blocks, stressedBlocks, threshold } = stressedDays(panel, { share: 0.3 });
    expect([blocks, stressedBlocks, stressed.fewestPairs]).toEqual([34, 10, 51]);
    expectAll(
      upper(stressed.correlation, 5),
      [
        0.843695436123267, 0.8664357330715294, 0.9055973918108065, 0.8760008364150501, 0.9190051915143944,
        0.9499149275980069, 0.9589730780859974, 0.9558871316701414, 0.9592087968557839, 0.9853607597727974,
      ],
    );
    expectAll([threshold, stressed.volatility[0]], [0.02200641699858668, 0.01292391487064356]);
    expect(stressed.correlation[1]).toBeGreaterThan(calm.correlation[1]);
    expect(stressed.volatility[0]).toBeGreaterThan(calm.volatility[0]);
  });

  test('and of all other days, by days counted out', () => {
    const days = Array.from(panel.time, (time) => Math.floor(time / 86_400_000));
    const squares = new Map<number, number[]>();
    for (let t = 0; t < panel.slots; t++) {
      const known = panel.markets.map((_, m) => m).filter((m) => panel.known[m * panel.slots + t] === 1);
      if (known.length === 0) continue;
      const mean = known.reduce((sum, m) => sum + panel.returns[m * panel.slots + t], 0) / known.length;
      squares.set(days[t], [...(squares.get(days[t]) ?? []), mean * mean]);
    }
    const ranked = [...squares]
      .map(([day, values]) => [day, values.reduce((a, b) => a + b, 0) / values.length] as const)
      .sort(([, a], [, b]) => b - a);
    const wild = new Set(ranked.slice(0, 10).map(([day]) => day));
    const marks = (isWild: boolean) => Uint8Array.from(days, (day) => Number(wild.has(day) === isWild));
    const { stressed, calm } = stressedDays(panel, { share: 0.3 });
    expect(stressed).toEqual(correlationMatrix(panel, { slots: marks(true) }));
    expect(calm).toEqual(correlationMatrix(panel, { slots: marks(false) }));
  });

  test('are refused where fewer pairs than asked for are left of them', () => {
    expect(stressedDays(panel, { share: 0.3, leastPairs: 48 }).calm.fewestPairs).toBe(48);
    expect(() => stressedDays(panel, { share: 0.3, leastPairs: 49 })).toThrow(insufficient);
    const ask = { confidence: 0.975, horizonBars: 24, share: 0.3 };
    const positions = [{ market: 'A', notional: 1 }];
    expect(() => correlationStress(panel, positions, { ...ask, leastPairs: 49 })).toThrow(insufficient);
    expect(() => correlationStress(panel, positions, { ...ask, horizonBars: 0 })).toThrow(invalid);
    expect(() => correlationMatrix(panel, { leastPairs: 1 })).toThrow(invalid);
    for (const blockMilliseconds of [0, -1, Number.NaN])
      expect(() => stressedDays(panel, { share: 0.3, blockMilliseconds })).toThrow(invalid);
  });

  test('measured with weights that decay go into the stress of a portfolio', () => {
    const positions = [100, -60, 40, 25, 10].map((notional, m) => ({ market: 'ABCDE'[m], notional }));
    const riskOf = (decay: number): number =>
      correlationStress(panel, positions, { confidence: 0.975, horizonBars: 24, share: 0.3, decay }).cases[0]
        .expectedShortfall;
    const deviationOf = (decay: number): number => {
      const { correlation, volatility } = correlationMatrix(panel, { decay });
      const exposure = Float64Array.from(positions, ({ notional }, m) => notional * volatility[m]);
      return Math.sqrt(quadraticForm(correlation, exposure));
    };
    expect(Math.abs(riskOf(0.995) / riskOf(1) - 1)).toBeGreaterThan(0.01);
    expect(riskOf(0.995) / riskOf(1)).toBeCloseTo(deviationOf(0.995) / deviationOf(1), 10);
  });

  test('and the stress of a portfolio under all of them', () => {
    const positions = [100, -60, 40, 25, 10].map((notional, m) => ({ market: 'ABCDE'[m], notional }));
    const { cases, worst, sumOfStandalone } = correlationStress(panel, positions, {
      confidence: 0.975,
      horizonBars: 24,
      share: 0.3,
    });
    expectAll(
      cases.map(({ expectedShortfall }) => expectedShortfall),
      [
        22.43919636646207, 22.356024985983876, 29.269004426930817, 22.40062346775984, 22.356267370224526,
        21.67686835181615,
      ],
    );
    expect(cases.map(({ name }) => name)).toEqual([
      'measured',
      'stressed-days',
      'stressed-days-and-volatility',
      'as-one',
      'one-factor',
      'apart',
    ]);
    expect(worst.name).toBe('stressed-days-and-volatility');
    expectAll([sumOfStandalone], [44.541319495253475]);
  });

  test('normal and t figures of a linear portfolio equal SciPy 1.17', () => {
    const { correlation, volatility } = correlationMatrix(panel);
    const portfolio = { notionals: Float64Array.of(100, -60, 40, 25, 10), volatility, correlation };
    const normal = parametricRisk(portfolio, { confidence: 0.99 });
    expectAll(
      [normal.volatility, normal.valueAtRisk, normal.expectedShortfall],
      [1.9592678190286423, 4.557938525473917, 5.221868452741051],
    );
    expectAll(
      normal.componentShortfall,
      [2.4933234653908287, -1.9503216985343625, 2.1900533994651203, 1.6833196734017448, 0.8054936130177184],
    );
    const fat = parametricRisk(portfolio, { confidence: 0.975, degreesOfFreedom: 4.5 });
    expectAll([fat.valueAtRisk, fat.expectedShortfall], [3.882947990189168, 5.431671705792212]);
  });
});

describe('the nearest correlation matrix', () => {
  test.each([
    [
      'that NumPy finds by the same projections',
      4,
      [1, 0.9, -0.8, 0.2, 0.9, 1, 0.7, -0.6, -0.8, 0.7, 1, 0.5, 0.2, -0.6, 0.5, 1],
      [
        0.5238994389400061, -0.45533032149839403, -0.02327579754127089, 0.3283322686761299,
        -0.35923495941834205, 0.27935579543454153,
      ],
    ],
    [
      "of Higham's paper: 0.7607 and 0.1573",
      3,
      [1, 1, 0, 1, 1, 1, 0, 1, 1],
      [0.7606898534022543, 0.15729810613828502, 0.7606898534022538],
    ],
  ])('is the one %s', (_, size, matrix, expected) => {
    const repaired = nearestCorrelation(Float64Array.from(matrix), size);
    expectAll(upper(repaired.matrix, size), expected);
    expect(repaired.smallestEigenvalue).toBeLessThan(0);
    expect(repaired.distance).toBeGreaterThan(0);
    expect(repaired.iterations).toBeGreaterThan(0);
    expect(repaired.iterations).toBeLessThan(60);
  });

  test('is one of correlations, no farther than clipping alone, and itself where it is one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 1e6 }), (size, seed) => {
        const { uniform: next } = parkMiller(seed);
        const matrix = new Float64Array(size * size);
        for (let i = 0; i < size; i++)
          for (let j = 0; j <= i; j++)
            matrix[i * size + j] = matrix[j * size + i] = i === j ? 1 : 2 * next() - 1;
        const repaired = nearestCorrelation(matrix, size);
        expectCorrelations(repaired.matrix, size);
        const again = nearestCorrelation(repaired.matrix, size);
        expect(again.distance).toBe(0);
        expect(repaired.distance).toBeLessThanOrEqual(distance(clipped(matrix, size), matrix) + 1e-9);
      }),
      { seed: 3, numRuns: 60 },
    );
  });
});

/** The slow and rough twin: clip the eigenvalues and scale the diagonal back to one. */
function clipped(matrix: Float64Array, size: number): Float64Array {
  const { values, vectors } = symmetricEigen(matrix, size);
  const raw = matrix.map((_, k) => {
    const [i, j] = [Math.floor(k / size), k % size];
    return values.reduce(
      (sum, value, v) => sum + Math.max(value, 0) * vectors[i * size + v] * vectors[j * size + v],
      0,
    );
  });
  return raw.map((entry, k) => {
    const [i, j] = [Math.floor(k / size), k % size];
    return entry / Math.sqrt(raw[i * size + i] * raw[j * size + j]);
  });
}

function distance(a: Float64Array, b: Float64Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0));
}

function expectCorrelations(matrix: Float64Array, size: number): void {
  const { values } = symmetricEigen(matrix, size);
  expect(values[size - 1]).toBeGreaterThan(-1e-12 * size);
  for (let i = 0; i < size; i++) expect(matrix[i * size + i]).toBe(1);
  for (const entry of matrix) expect(Math.abs(entry)).toBeLessThanOrEqual(1);
}

describe('stressed correlations', () => {
  const matrix = Float64Array.of(1, 0.6, -0.3, 0.6, 1, -0.4, -0.3, -0.4, 1);

  test.each([
    ['as-one', [0.72, -0.51, -0.58]],
    ['one-factor', [0.6334632137437599, -0.37604850053828925, -0.45526263897717845]],
    ['apart', [0.42, -0.21, -0.28]],
  ] as const)('blended %s equal NumPy', (target, expected) => {
    expectAll(upper(blendedCorrelation(matrix, 3, 0.3, target), 3), expected);
  });

  test('stay correlation matrices for every share, and tighten monotonically', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom('as-one', 'one-factor', 'apart'),
        (seed, a, b, target) => {
          const { correlation } = correlationMatrix(panelOf(unequalMarkets(seed, 320)));
          const [less, more] = [Math.min(a, b), Math.max(a, b)].map((share) =>
            blendedCorrelation(correlation, 5, share, target),
          );
          expectCorrelations(less, 5);
          expectCorrelations(more, 5);
          expect(blendedCorrelation(correlation, 5, 0, target)).toEqual(correlation);
          if (target !== 'as-one') return;
          const ones = new Float64Array(5).fill(1);
          expect(quadraticForm(more, ones)).toBeGreaterThanOrEqual(quadraticForm(less, ones) - 1e-9);
        },
      ),
      { seed: 4, numRuns: 40 },
    );
  });

  test('hurt one-sided books when they tighten and hedged ones when they come apart', () => {
    const panel = panelOf(unequalMarkets());
    const shortfall = (notionals: readonly number[]): Record<string, number> => {
      const positions = notionals.map((notional, m) => ({ market: 'ABCDE'[m], notional }));
      const { cases, sumOfStandalone } = correlationStress(panel, positions, {
        confidence: 0.99,
        horizonBars: 1,
      });
      // The days' own volatilities are not bound by those of the whole.
      for (const { name, expectedShortfall } of cases)
        if (name !== 'stressed-days-and-volatility')
          expect(expectedShortfall).toBeLessThanOrEqual(sumOfStandalone + 1e-12);
      return Object.fromEntries(cases.map(({ name, expectedShortfall }) => [name, expectedShortfall]));
    };
    const long = shortfall([1, 1, 1, 1, 1]);
    expect(long['as-one']).toBeGreaterThan(long.measured);
    expect(long.apart).toBeLessThan(long.measured);
    const hedged = shortfall([0, 1, -0.8, 0, 0]);
    expect(hedged.apart).toBeGreaterThan(hedged.measured);
    expect(hedged['as-one']).toBeLessThan(hedged.measured);
  });

  test('a single market is its own correlation', () => {
    const panel = panelOf(goldenBars(1, 800));
    const { cases, sumOfStandalone } = correlationStress(panel, [{ market: 'A', notional: -7 }], {
      confidence: 0.99,
      horizonBars: 4,
    });
    expectAll([cases[0].expectedShortfall], [sumOfStandalone]);
  });

  test('parametric parts add up, whatever the distribution, and nothing held is nothing at risk', () => {
    const volatility = Float64Array.of(0.02, 0.03, 0.05);
    for (const degreesOfFreedom of [3, 30]) {
      const risk = parametricRisk(
        { notionals: Float64Array.of(5, -4, 2), volatility, correlation: matrix },
        { confidence: 0.975, degreesOfFreedom },
      );
      const sum = risk.componentShortfall.reduce((total, value) => total + value, 0);
      expectAll([sum], [risk.expectedShortfall]);
      expect(risk.valueAtRisk).toBeLessThan(risk.expectedShortfall);
    }
    const none = parametricRisk(
      { notionals: new Float64Array(3), volatility, correlation: matrix },
      { confidence: 0.975 },
    );
    expect(none).toMatchObject({ volatility: 0, valueAtRisk: 0, expectedShortfall: 0 });
    expect(Array.from(none.componentShortfall)).toEqual([0, 0, 0]);
  });
});

describe('what has no correlation is refused with a remedy', () => {
  test('no time in common, a market that stood still, too short a history', () => {
    const [a, b, c] = goldenBars(3, 400);
    const apart = [a, withBars(b, (i) => i < 200), withBars(c, (i) => i >= 200)];
    expect(() => correlationMatrix(panelOf(apart))).toThrow(insufficient);
    const still = withBars(b, () => true);
    for (const prices of ['open', 'high', 'low', 'close'] as const) still.bars[prices].fill(5);
    expect(() => correlationMatrix(panelOf([a, still]))).toThrow(insufficient);
    expect(() => correlationMatrix(panelOf(goldenBars(2, 20)))).toThrow(insufficient);
    expect(() => stressedDays(panelOf(goldenBars(2, 100)))).toThrow(insufficient);
  });

  test('shares, decays, matrices and numbers that are none', () => {
    const panel = panelOf(goldenBars(2, 400));
    expect(() => correlationMatrix(panel, { decay: 0 })).toThrow(invalid);
    expect(() => correlationMatrix(panel, { slots: new Uint8Array(3) })).toThrow(invalid);
    expect(() => stressedDays(panel, { share: 1 })).toThrow(invalid);
    expect(() => blendedCorrelation(Float64Array.of(1), 1, 1.5, 'apart')).toThrow(invalid);
    for (const matrix of [
      [1, 2, 2, 1],
      [1, 0.5, 0.4, 1],
      [0.9, 0, 0, 1],
      [1, Number.NaN, Number.NaN, 1],
      [1, 0, 0],
    ])
      expect(() => nearestCorrelation(Float64Array.from(matrix), 2)).toThrow(invalid);
    const portfolio = {
      notionals: Float64Array.of(1),
      volatility: Float64Array.of(0.1),
      correlation: Float64Array.of(1),
    };
    expect(() => parametricRisk(portfolio, { confidence: 0 })).toThrow(invalid);
    expect(() => parametricRisk(portfolio, { confidence: 0.9, degreesOfFreedom: 2 })).toThrow(invalid);
    expect(() =>
      parametricRisk({ ...portfolio, volatility: Float64Array.of(-1) }, { confidence: 0.9 }),
    ).toThrow(invalid);
    expect(() =>
      parametricRisk({ ...portfolio, notionals: Float64Array.of(Number.NaN) }, { confidence: 0.9 }),
    ).toThrow(invalid);
  });
});
