import { describe, expect, test } from 'vitest';
import { parkMiller } from '../park-miller.fixture.ts';
import { alignMarkets } from './aligned-returns.ts';
import { filterScales } from './filter-scales.ts';
import { correlationBreak, portfolioLosses, portfolioRisk } from './portfolio-risk.ts';
import { givenScenarios, returnScenarios } from './return-scenarios.ts';
import type { Position } from './scenario-losses.ts';
import { goldenBars, goldenReturns } from './test-portfolio-data.ts';

const positionsOf = (notionals: readonly number[]): Position[] =>
  notionals.map((notional, m) => ({ market: 'AB'[m], notional }));

describe('portfolio risk at its edges', () => {
  const options = { confidence: 0.95, measure: 'terminal' } as const;
  const given = givenScenarios(['A', 'B'], goldenReturns(2, 200));

  test('no position is no risk, and no ratio', () => {
    const empty = portfolioRisk(given, [], options);
    expect(empty).toMatchObject({ valueAtRisk: 0, expectedShortfall: 0, positions: [] });
    expect(empty.diversificationRatio).toMatchObject({ available: false, reason: expect.any(String) });
    const cancelled = portfolioRisk(
      given,
      [
        { market: 'A', notional: 5 },
        { market: 'A', notional: -5 },
      ],
      options,
    );
    expect(cancelled).toEqual(empty);
  });

  test('a hedge has a part below zero, in every sense', () => {
    const { positions } = portfolioRisk(given, positionsOf([1000, -200]), options);
    expect(positions[1].component.expectedShortfall).toBeLessThan(0);
    expect(positions[1].incremental.expectedShortfall).toBeLessThan(0);
    expect(positions[1].standalone.expectedShortfall).toBeGreaterThan(0);
  });

  test('equal losses share the tail, so that the order of scenarios decides nothing', () => {
    // Eighths are exact, so that equal losses are equal to the bit.
    const { uniform: next } = parkMiller(7);
    const a = Float64Array.from({ length: 100 }, () => -Math.floor(3 * next()) / 8);
    const b = Float64Array.from(a, (value) => -0.25 - value);
    const parts = (order: readonly number[]): number[] =>
      portfolioRisk(
        givenScenarios(
          ['A', 'B'],
          [a, b].map((values) => Float64Array.from(order, (s) => values[s])),
        ),
        positionsOf([1, 1]),
        options,
      ).positions.map(({ component }) => Number(component.expectedShortfall.toFixed(12)));
    const order = Array.from({ length: 100 }, (_, s) => s);
    expect(parts(order)).toEqual(parts(order.toReversed()));
    // Every scenario loses the same, so that all of them are the tail.
    const mean = -a.reduce((sum, value) => sum + value, 0) / 100;
    expect(parts(order)).toEqual([mean, 0.25 - mean].map((value) => Number(value.toFixed(12))));
  });

  test('a rescaled fall takes no more than the price', () => {
    const crash = givenScenarios(['A'], [Float64Array.from({ length: 40 }, (_, s) => (s === 0 ? -0.6 : 0))]);
    const scales = new Float64Array(40).fill(3);
    const [long] = portfolioLosses(crash, [{ market: 'A', notional: 10 }], { measure: 'terminal', scales });
    const [short] = portfolioLosses(crash, [{ market: 'A', notional: -10 }], { measure: 'terminal', scales });
    expect([long, short]).toEqual([10, -10]);
  });

  test.each([
    ['an unknown market', [{ market: 'Z', notional: 1 }], options],
    ['a notional that is none', [{ market: 'A', notional: Number.NaN }], options],
    ['an infinite notional', [{ market: 'A', notional: Number.POSITIVE_INFINITY }], options],
    ['a confidence of 1', [], { ...options, confidence: 1 }],
    ['a break share below the least', [], { ...options, breakShare: 0.1 }],
    ['scales of another shape', [], { ...options, scales: new Float64Array(3) }],
    ['a scale that is none', [], { ...options, scales: new Float64Array(400).fill(Number.NaN) }],
  ])('%s is refused with a remedy', (_, positions, given_) => {
    expect(() => portfolioRisk(given, positions, given_)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
    );
  });

  test('too few scenarios for the tail are refused, and a market that stood still is not rescaled', () => {
    const insufficient = expect.objectContaining({ code: 'DATA_INSUFFICIENT', remedy: expect.any(String) });
    expect(() => portfolioRisk(given, [], { ...options, confidence: 0.999 })).toThrow(insufficient);
    const still = goldenBars(2, 100);
    for (const prices of ['open', 'high', 'low', 'close'] as const) still[1].bars[prices].fill(5);
    const aligned = alignMarkets(still);
    expect(() => filterScales(aligned, returnScenarios(aligned, 4))).toThrow(insufficient);
  });

  test('a filter takes decays below 1, exponents from 0 to 1 and scenarios of its own history', () => {
    const aligned = alignMarkets(goldenBars(2, 100));
    const scenarios = returnScenarios(aligned, 4);
    const invalid = expect.objectContaining({ code: 'INPUT_INVALID' });
    for (const change of [{ decay: 1 }, { decay: 0 }, { exponent: 1.01 }, { exponent: -0.01 }])
      expect(() => filterScales(aligned, scenarios, change)).toThrow(invalid);
    const other = returnScenarios(alignMarkets(goldenBars(2, 90)), 4);
    expect(() => filterScales(aligned, other)).toThrow(invalid);
  });

  test.each([0.2, 0.5, 1])('a break share of %d', (share) => {
    const { expectedShortfall, addOn } = correlationBreak(60, [50, 40, 10], share);
    expect(expectedShortfall).toBeCloseTo((1 - share) * 60 + share * 100, 12);
    expect(addOn).toBeCloseTo(share * 40, 12);
  });
});
