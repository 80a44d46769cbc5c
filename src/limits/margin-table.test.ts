import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestNotionalOf, mostConservativeBrackets, scheduleFaults } from './brackets.ts';
import { bracketsFromCurve, makeBracket } from './cut.ts';
import {
  asksForMore,
  heldMarginMicros,
  isSameTable,
  lastRateOf,
  lowerOf,
  withTailOf,
} from './margin-table.ts';
import { EXAMPLE_POLICY } from './test-inputs.ts';
import { anyTarget, targetOf } from './test-targets.ts';
import type { Bracket } from './types.ts';

const anyTable = anyTarget.map((target) => bracketsFromCurve(target, EXAMPLE_POLICY));

describe('asking for more', () => {
  /** One notional after the other: every cap of both, and the end. */
  const slowly = (a: readonly Bracket[], b: readonly Bracket[], upTo: number): boolean =>
    [...a, ...b]
      .map(({ notionalCap }) => Math.min(notionalCap, upTo))
      .some((notional) => heldMarginMicros(a, notional) > heldMarginMicros(b, notional));

  it('is told as by looking at every cap of both tables, and where one ends before the other', () => {
    const found = new Set<boolean>();
    fc.assert(
      fc.property(anyTable, anyTable, fc.integer({ min: 1, max: 2e9 }), (a, b, upTo) => {
        // Tables made of both are near the first one, so that the answer hangs on a single cap.
        for (const other of [b, lowerOf(a, b), withTailOf(b, lowerOf(a, b))]) {
          for (const end of [upTo, largestNotionalOf(other), Number.POSITIVE_INFINITY]) {
            const isMore = slowly(a, other, end);
            found.add(isMore);
            expect(asksForMore(a, other, end)).toBe(isMore);
            expect(asksForMore(other, a, end)).toBe(slowly(other, a, end));
          }
        }
      }),
      { seed: 12, numRuns: 1000 },
    );
    expect(found.size).toBe(2);
  });
});

describe('a table between two', () => {
  /** Tables that often cross. */
  const alike = fc
    .record({
      hourly: fc.double({ min: 0.01, max: 0.05, noNaN: true }),
      growth: fc.double({ min: 1, max: 3, noNaN: true }),
      hourlyVolume: fc.double({ min: 1e7, max: 1e9, noNaN: true }),
    })
    .map(({ hourly, growth, hourlyVolume }) => {
      const valueAtRiskByHorizon = Float64Array.from([0, 1, 2, 3], (h) => hourly * growth ** h);
      const profile = { valueAtRiskByHorizon, marginCallShortfall: 2 * hourly, shortfallSide: 0 };
      return targetOf(profile, { hourlyVolume, dailyVolatility: 0.03 }, EXAMPLE_POLICY);
    })
    .map((target) => bracketsFromCurve(target, EXAMPLE_POLICY));

  it('asks nowhere for more than either, and covers whatever convex margin both cover', () => {
    let covered = 0;
    fc.assert(
      fc.property(anyTable, anyTable, anyTable, (held, brackets, any) => {
        const lower = lowerOf(held, brackets);
        expect(asksForMore(lower, held)).toBe(false);
        expect(asksForMore(lower, brackets, largestNotionalOf(brackets))).toBe(false);
        const below = lowerOf(lowerOf(any, held), brackets);
        if (!asksForMore(below, held) && !asksForMore(below, brackets)) {
          covered++;
          expect(asksForMore(below, lower)).toBe(false);
        }
      }),
      { seed: 2, numRuns: 2000 },
    );
    expect(covered).toBeGreaterThan(500);
  });

  it('keeps the order of what is held and what is announced, for positions beyond every cap too', () => {
    let unlike = 0;
    fc.assert(
      fc.property(alike, alike, alike, (any, announced, brackets) => {
        const before = lowerOf(any, announced);
        const later = withTailOf(announced, before);
        const held = lowerOf(before, brackets);
        const after = lowerOf(later, brackets, lastRateOf(held));
        if (held !== before && after !== later && !isSameTable(held, after)) unlike++;
        expect(asksForMore(held, after)).toBe(false);
        expect(lastRateOf(after)).toBeGreaterThanOrEqual(lastRateOf(held));
        expect(asksForMore(after, later)).toBe(false);
        expect(lastRateOf(after)).toBeLessThanOrEqual(lastRateOf(later));
        expect(asksForMore(after, brackets, largestNotionalOf(brackets))).toBe(false);
      }),
      { seed: 6, numRuns: 2000 },
    );
    expect(unlike).toBeGreaterThan(500);
  });

  it('has the two whole rates around a slope that is not whole', () => {
    const first = makeBracket(undefined, 10, 1001, 10);
    const held = [first, makeBracket(first, 1, 3000, 20)];
    const brackets = [makeBracket(undefined, 1, 3000, 14)];
    // From 10,010 at 1,001 to 42,000 at 3,000 are 16.003 a unit. The line of 16 touches the one end, that of 17 the other.
    expect(
      lowerOf(held, brackets).map(({ notionalCap, maintenanceMarginRatePpm: rate }) => [notionalCap, rate]),
    ).toEqual([
      [1001, 10],
      [2994, 16],
      [3000, 17],
    ]);
  });

  it('is one of the two where that one is the lower, to the bit', () => {
    fc.assert(
      fc.property(anyTable, (table) => {
        expect(lowerOf(table, table)).toBe(table);
        expect(lowerOf(table, mostConservativeBrackets())).toBe(table);
        expect(scheduleFaults(lowerOf(table, table))).toEqual([]);
      }),
      { seed: 3, numRuns: 200 },
    );
  });
});
