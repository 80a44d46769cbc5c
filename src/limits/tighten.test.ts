import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grantsMore, scheduleFaults } from './brackets.ts';
import { bracketsFromCurve, makeBracket, NOTHING_ALLOWED, requirementOf } from './cut.ts';
import { EXAMPLE_POLICY } from './test-inputs.ts';
import { anyTarget } from './test-targets.ts';
import { isWithinFloor, tightened, tightenedToFloor } from './tighten.ts';
import type { Bracket } from './types.ts';

const withRatio = (tightenMaximumRatio: number) => ({
  ...EXAMPLE_POLICY,
  governor: { ...EXAMPLE_POLICY.governor, tightenMaximumRatio },
});

describe('a schedule on its way to a tighter one', () => {
  it('stays within the floor of one decision, and is nowhere looser than it was', () => {
    fc.assert(
      fc.property(anyTarget, anyTarget, fc.constantFrom(1.1, 1.25, 1.5, 2, 4), (first, next, ratio) => {
        const policy = withRatio(ratio);
        const before = bracketsFromCurve(first, policy);
        const requirement = requirementOf(next, policy) ?? NOTHING_ALLOWED;
        const wanted = tightened(before, requirement, policy);
        if (isWithinFloor(before, wanted, policy)) return;
        const after = tightenedToFloor(before, wanted, requirement, policy);
        expect(scheduleFaults(after)).toEqual([]);
        expect(isWithinFloor(before, after, policy)).toBe(true);
        expect(grantsMore(after, before)).toBe(false);
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  it('leaves a bracket that is split room to rise, where the one before is a part per million below it', () => {
    const policy = withRatio(1.5);
    const before = [
      [15, 25e6, 22776],
      [8, 50e6, 22777],
      [1, 60e6, 22778],
    ].reduce<Bracket[]>(
      (table, [leverage, cap, rate]) => table.concat(makeBracket(table.at(-1), leverage, cap, rate)),
      [],
    );
    const wanted = [makeBracket(undefined, 1, 50e6, 500_000)];
    const edges = [25e6, 40e6, 50e6];
    const points = edges.map((notional) => ({ notional, marginMicros: notional * 500_000, isEdge: true }));
    const requirement = { edges, points, leverageAt: () => 1 };
    const after = tightenedToFloor(before, wanted, requirement, policy);
    expect(after.map(({ notionalCap }) => notionalCap)).toEqual(edges);
    expect(after.map(({ maintenanceMarginRatePpm }) => maintenanceMarginRatePpm)).toEqual([
      34163, 34164, 34165,
    ]);
    expect(isWithinFloor(before, after, policy)).toBe(true);
  });
});
