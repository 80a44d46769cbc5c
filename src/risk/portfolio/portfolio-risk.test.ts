import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adverseExcursions } from '../tail/excursions.ts';
import { filteredRisk, historicalRisk } from '../tail/value-at-risk.ts';
import { ewmaVariance, HOURLY_EWMA_DECAY } from '../volatility/ewma.ts';
import { logReturns } from '../volatility/range.ts';
import { alignMarkets } from './aligned-returns.ts';
import { filterScales } from './filter-scales.ts';
import {
  type PortfolioRiskOptions,
  portfolioLosses,
  portfolioRisk,
  type RiskPart,
} from './portfolio-risk.ts';
import { givenScenarios, type ReturnScenarios, returnScenarios } from './return-scenarios.ts';
import type { LossMeasure, Position } from './scenario-losses.ts';
import { goldenBars, goldenReturns, relativeDifference } from './test-portfolio-data.ts';

const NAMES = ['A', 'B', 'C', 'D', 'E', 'F'];
const MEASURES: readonly LossMeasure[] = ['terminal', 'path-closes', 'path-extremes'];

const positionsOf = (notionals: readonly number[]): Position[] =>
  notionals.map((notional, m) => ({ market: NAMES[m], notional }));

function expectAll(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-9): void {
  expect(relativeDifference(actual, expected)).toBeLessThan(tolerance);
}

describe('portfolio risk equals NumPy 2.4', () => {
  const shares = (risk: { positions: readonly object[] }, name: string, of: keyof RiskPart): number[] =>
    risk.positions.map((position) => (position as Record<string, RiskPart>)[name][of]);
  const positions = positionsOf([100, -60, 40, 25]);

  test.each([
    [
      1000,
      0.99,
      [5.332173117767353, 6.225383269729737, 0.45824706246114033, 7.697348918813351],
      {
        component: [
          [3.4757097405787962, -1.9750326659298696, 2.3112794665772927, 1.5202165765411342],
          [3.344817200929307, -2.0629060326884066, 2.888251191664604, 2.0552209098242322],
        ],
        standalone: [
          [3.29621824546541, 2.6074729330999187, 2.66981295681792, 1.9418113386695324],
          [3.987297433795079, 3.5895982429858284, 3.3452935915669855, 2.6630222467999074],
        ],
        incremental: [
          [2.813929736502807, -1.5214184112732365, 2.3535714876521228, 1.7183833685886043],
          [2.8720629355032297, -2.6014315257321234, 2.541844354848306, 1.9049724933304706],
        ],
      },
    ],
    [
      500,
      0.975,
      [3.0737515999473364, 5.062577197759307, 0.4678803849136688, 6.2141093913192424],
      {
        component: [
          [1.8186241883421064, -1.411075744469803, 1.633768058705704, 1.0324350973693293],
          [2.986401360419764, -2.1506937412844462, 2.469109000095123, 1.757760578528866],
        ],
        standalone: [
          [2.0833303629634092, 1.3715838970991663, 1.8546426489644856, 1.1394173900407805],
          [3.2651554782712617, 2.289632361311108, 2.956151268633897, 2.309299057342716],
        ],
        incremental: [
          [1.600961715453283, -1.899016907918742, 1.2896460503603513, 1.0291816317961437],
          [2.286070947403307, -2.473550885794289, 2.22610582845309, 1.6492425805846427],
        ],
      },
    ],
  ])('of %i joint returns at %d, parts and all', (scenarios, confidence, whole, parts) => {
    const risk = portfolioRisk(givenScenarios(NAMES.slice(0, 4), goldenReturns(4, scenarios)), positions, {
      confidence,
      measure: 'terminal',
    });
    const ratio = risk.diversificationRatio.available ? risk.diversificationRatio.value : 0;
    expectAll(
      [risk.valueAtRisk, risk.expectedShortfall, ratio, risk.correlationBreak.expectedShortfall],
      whole,
    );
    for (const [name, [valueAtRisk, expectedShortfall]] of Object.entries(parts)) {
      expectAll(shares(risk, name, 'valueAtRisk'), valueAtRisk);
      expectAll(shares(risk, name, 'expectedShortfall'), expectedShortfall);
    }
    for (const { notional, component, marginal } of risk.positions) {
      expect(marginal.expectedShortfall * notional).toBeCloseTo(component.expectedShortfall, 12);
      expect(marginal.valueAtRisk * notional).toBeCloseTo(component.valueAtRisk, 12);
    }
    expect(risk).toMatchObject({ grossNotional: 225, netNotional: 105, scenarios });
  });

  const aligned = alignMarkets(goldenBars(3, 600));
  const paths = returnScenarios(aligned, 24);

  test.each([
    ['terminal', 0, 71.21300004141742, 76.41836250278908],
    ['terminal', 1, 76.19766980076841, 80.28269938060589],
    ['terminal', 0.5, 73.03344310948255, 78.14919196385885],
    ['path-closes', 0, 81.24602351217713, 84.780915249823],
    ['path-closes', 1, 83.79047613455342, 87.48183317951131],
    ['path-closes', 0.5, 82.51010611513979, 86.12246569268174],
    ['path-extremes', 0, 98.73982535306605, 101.65798840968313],
    ['path-extremes', 1, 102.2624940770695, 104.80772133612486],
    ['path-extremes', 0.5, 100.71414152615635, 103.0712180860296],
  ] as const)(
    'of paths of 24 bars, %s, rescaled by exponent %d',
    (measure, exponent, valueAtRisk, shortfall) => {
      expect(paths.scenarios).toBe(576);
      const scales = filterScales(aligned, paths, { exponent });
      const risk = portfolioRisk(paths, positionsOf([1000, -400, 250]), {
        confidence: 0.99,
        measure,
        scales,
      });
      expectAll([risk.valueAtRisk, risk.expectedShortfall], [valueAtRisk, shortfall]);
    },
  );
});

/** The slow twin: every loss from its definition, scenario by scenario. */
function plainLosses(
  { markets, scenarios, steps, slots, close, high, low, entry }: ReturnScenarios,
  notionals: readonly number[],
  measure: LossMeasure,
): number[] {
  return Array.from({ length: scenarios }, (_, s) => {
    const lossAfter = (k: number): number =>
      markets.reduce((total, _market, m) => {
        const at = m * slots + entry[s];
        const prices = measure !== 'path-extremes' ? close : notionals[m] > 0 ? low : high;
        return total - notionals[m] * (prices[at + k] / close[at] - 1);
      }, 0);
    if (measure === 'terminal') return lossAfter(steps);
    return Math.max(0, ...Array.from({ length: steps }, (_, k) => lossAfter(k + 1)));
  });
}

/** The slow twin of component ES: sort, take the worst, the last by its fraction. */
function plainComponents(losses: readonly number[], own: readonly number[], confidence: number): number {
  const mass = Math.max(losses.length * (1 - confidence), 1);
  const order = losses.map((_, s) => s).sort((a, b) => losses[b] - losses[a]);
  let left = mass;
  let sum = 0;
  for (const s of order) {
    const weight = Math.min(left, 1);
    if (weight <= 0) break;
    sum += weight * own[s];
    left -= weight;
  }
  return sum / mass;
}

const books = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  notionals: fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 3, maxLength: 3 }),
  confidence: fc.constantFrom(0.9, 0.95, 0.975, 0.99),
  measure: fc.constantFrom(...MEASURES),
  steps: fc.integer({ min: 1, max: 12 }),
});

const pathsOf = (seed: number, steps: number, markets = 3): ReturnScenarios =>
  returnScenarios(alignMarkets(goldenBars(markets, 150, seed)), steps);

describe('the fast kernels equal their slow twins', () => {
  test('losses and component ES', () => {
    fc.assert(
      fc.property(books, ({ seed, notionals, confidence, measure, steps }) => {
        const scenarios = pathsOf(seed, steps);
        const losses = plainLosses(scenarios, notionals, measure);
        const positions = positionsOf(notionals);
        expectAll(portfolioLosses(scenarios, positions, { measure }), losses, 1e-8);
        if (measure !== 'terminal') return;
        for (const { market, component } of portfolioRisk(scenarios, positions, { confidence, measure })
          .positions) {
          const alone = notionals.map((notional, m) => (NAMES[m] === market ? notional : 0));
          const own = plainLosses(scenarios, alone, measure);
          expect(component.expectedShortfall).toBeCloseTo(plainComponents(losses, own, confidence), 7);
        }
      }),
      { seed: 1, numRuns: 60 },
    );
  });
});

describe('each position', () => {
  test('has the risk of it alone, and the difference that leaving it out makes', () => {
    fc.assert(
      fc.property(books, ({ seed, notionals, confidence, measure, steps }) => {
        // A rise that is never lost again: on its path the long loses nothing, and not less than nothing.
        const markets = goldenBars(3, 150, seed);
        const rise = markets[2].bars;
        for (const name of ['open', 'high', 'low', 'close'] as const)
          for (let t = 0; t < rise.length; t++) rise[name][t] = 100 * 1.01 ** t;
        const scenarios = returnScenarios(alignMarkets(markets), steps);
        const options = { confidence, measure };
        const positions = positionsOf(notionals);
        const whole = portfolioRisk(scenarios, positions, options);
        for (const { market, standalone, incremental } of whole.positions) {
          const [alone, rest] = [true, false].map((isAlone) =>
            portfolioRisk(
              scenarios,
              positions.filter((position) => (position.market === market) === isAlone),
              options,
            ),
          );
          for (const of of ['valueAtRisk', 'expectedShortfall'] as const) {
            expect(standalone[of]).toBeCloseTo(alone[of], 8);
            expect(incremental[of]).toBeCloseTo(whole[of] - rest[of], 8);
          }
        }
      }),
      { seed: 7, numRuns: 40 },
    );
  });
});

describe('laws', () => {
  const whole = (
    scenarios: ReturnScenarios,
    notionals: readonly number[],
    options: PortfolioRiskOptions,
  ): [number, number] => {
    const { valueAtRisk, expectedShortfall } = portfolioRisk(scenarios, positionsOf(notionals), options);
    return [valueAtRisk, expectedShortfall];
  };

  test('components add up to the whole, VaR is not above ES, and no share of the offset makes ES smaller', () => {
    fc.assert(
      fc.property(books, ({ seed, notionals, confidence, measure, steps }) => {
        const risk = portfolioRisk(pathsOf(seed, steps), positionsOf(notionals), { confidence, measure });
        const sum = (of: keyof RiskPart): number =>
          risk.positions.reduce((total, { component }) => total + component[of], 0);
        expect(sum('valueAtRisk')).toBeCloseTo(risk.valueAtRisk, 9);
        expect(sum('expectedShortfall')).toBeCloseTo(risk.expectedShortfall, 9);
        expect(risk.valueAtRisk).toBeLessThanOrEqual(risk.expectedShortfall);
        const { addOn, sumOfStandalone, expectedShortfall } = risk.correlationBreak;
        expect(addOn).toBeGreaterThanOrEqual(0);
        expect(expectedShortfall).toBeLessThanOrEqual(sumOfStandalone + 1e-9);
        if (risk.diversificationRatio.available)
          expect(risk.diversificationRatio.value).toBeLessThanOrEqual(1 + 1e-12);
      }),
      { seed: 2, numRuns: 80 },
    );
  });

  test('ES is sub-additive, and its component is never above what it is alone', () => {
    fc.assert(
      fc.property(books, books, ({ seed, notionals, confidence, measure, steps }, other) => {
        const scenarios = pathsOf(seed, steps);
        const options = { confidence, measure };
        const both = notionals.map((notional, m) => notional + other.notionals[m]);
        const [, a] = whole(scenarios, notionals, options);
        const [, b] = whole(scenarios, other.notionals, options);
        const [, joint] = whole(scenarios, both, options);
        expect(joint).toBeLessThanOrEqual(a + b + 1e-9);
        const { positions } = portfolioRisk(scenarios, positionsOf(notionals), options);
        for (const { component, standalone } of positions)
          expect(component.expectedShortfall).toBeLessThanOrEqual(standalone.expectedShortfall + 1e-9);
      }),
      { seed: 3, numRuns: 80 },
    );
  });

  test('twice the positions is twice the risk, and a cancelling pair or another order changes nothing', () => {
    fc.assert(
      fc.property(books, ({ seed, notionals, confidence, measure, steps }) => {
        const scenarios = pathsOf(seed, steps);
        const options = { confidence, measure };
        const once = whole(scenarios, notionals, options);
        expectAll(
          whole(
            scenarios,
            notionals.map((notional) => 2.5 * notional),
            options,
          ),
          once.map((value) => 2.5 * value),
        );
        const padded = [
          { market: 'B', notional: 777 },
          ...positionsOf(notionals),
          { market: 'B', notional: -777 },
        ];
        expect(portfolioRisk(scenarios, padded, options)).toEqual(
          portfolioRisk(scenarios, positionsOf(notionals), options),
        );
        const turned = returnScenarios(alignMarkets(goldenBars(3, 150, seed).reverse()), steps);
        const { valueAtRisk, expectedShortfall, positions } = portfolioRisk(
          turned,
          positionsOf(notionals),
          options,
        );
        expectAll([valueAtRisk, expectedShortfall], once);
        const before = portfolioRisk(scenarios, positionsOf(notionals), options).positions;
        for (const { market, component } of positions) {
          const same = before.find((position) => position.market === market)?.component;
          expect(component.expectedShortfall).toBeCloseTo(same?.expectedShortfall ?? Number.NaN, 8);
          expect(component.valueAtRisk).toBeCloseTo(same?.valueAtRisk ?? Number.NaN, 8);
        }
      }),
      { seed: 4, numRuns: 60 },
    );
  });

  test('what surely pays lowers VaR and ES by just that', () => {
    const scenarios = 400;
    const returns = [...goldenReturns(2, scenarios), new Float64Array(scenarios).fill(0.01)];
    const given = givenScenarios(NAMES.slice(0, 3), returns);
    const options = { confidence: 0.975, measure: 'terminal' } as const;
    const [v, e] = whole(given, [50, 70, 0], options);
    const [surelyV, surelyE] = whole(given, [50, 70, 300], options);
    expect(surelyV).toBeCloseTo(v - 3, 10);
    expect(surelyE).toBeCloseTo(e - 3, 10);
  });

  test('both rise with the confidence', () => {
    fc.assert(
      fc.property(books, ({ seed, notionals, measure, steps }) => {
        const scenarios = pathsOf(seed, steps);
        let [v, e] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
        for (const confidence of [0.5, 0.8, 0.9, 0.95, 0.975, 0.99]) {
          const [nextV, nextE] = whole(scenarios, notionals, { confidence, measure });
          expect(nextV).toBeGreaterThanOrEqual(v);
          expect(nextE).toBeGreaterThanOrEqual(e - 1e-12 * Math.abs(e));
          [v, e] = [nextV, nextE];
        }
      }),
      { seed: 5, numRuns: 30 },
    );
  });

  test('the true worst on the path lies between closes and extremes, and the end is no worse than the closes', () => {
    fc.assert(
      fc.property(books, ({ seed, notionals, steps }) => {
        const scenarios = pathsOf(seed, steps);
        const [end, closes, extremes] = MEASURES.map((measure) =>
          portfolioLosses(scenarios, positionsOf(notionals), { measure }),
        );
        for (let s = 0; s < end.length; s++) {
          expect(end[s]).toBeLessThanOrEqual(closes[s]);
          expect(closes[s]).toBeLessThanOrEqual(extremes[s] + 1e-9);
        }
      }),
      { seed: 6, numRuns: 30 },
    );
  });
});

describe('one market alone', () => {
  const [{ bars, market }] = goldenBars(1, 400);
  const aligned = alignMarkets([{ market, bars }]);

  test.each([1, 24])('is what the univariate functions say of it, over %i bars', (h) => {
    const scenarios = returnScenarios(aligned, h);
    const excursions = adverseExcursions(bars, h);
    for (const [side, notional] of [
      ['long', 1],
      ['short', -1],
    ] as const) {
      const options = { confidence: 0.99, measure: 'path-extremes' } as const;
      const risk = portfolioRisk(scenarios, [{ market, notional }], options);
      const alone = historicalRisk(excursions[side], 0.99);
      expectAll([risk.valueAtRisk, risk.expectedShortfall], [alone.valueAtRisk, alone.expectedShortfall]);
      expect(risk.diversificationRatio).toEqual({ available: true, value: 1 });
      expect(risk.correlationBreak.addOn).toBe(0);
      expect(risk.positions[0].incremental.expectedShortfall).toBe(risk.expectedShortfall);
      const sigma = ewmaVariance(logReturns(bars), HOURLY_EWMA_DECAY).map(Math.sqrt);
      const filtered = filteredRisk(
        excursions[side],
        sigma.subarray(0, excursions.length),
        sigma[bars.length - 1],
        0.99,
      );
      const scaled = portfolioRisk(scenarios, [{ market, notional }], {
        ...options,
        scales: filterScales(aligned, scenarios),
      });
      expectAll(
        [scaled.valueAtRisk, scaled.expectedShortfall],
        [filtered.valueAtRisk, filtered.expectedShortfall],
      );
    }
  });
});
