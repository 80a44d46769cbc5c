import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bracketFor, maxLeverageAt, scheduleFaults } from './brackets.ts';
import { bracketsFromCurve, EDGES, type Step } from './cut.ts';
import { fewestLoss } from './fewest-loss.ts';
import { DEFAULT_POLICY } from './policy.ts';
import { anyLiquidity, anyProfile, targetOf } from './test-targets.ts';

/** Area in the plane of logs between a staircase and the one that some of its steps make; the first starts at 500. */
function lossOf(steps: readonly Step[], kept: readonly Step[]): number {
  return steps.reduce((sum, { leverage, cap }, i) => {
    const floor = i === 0 ? 500 : steps[i - 1].cap;
    const left = kept.find((step) => step.cap >= cap) as Step;
    return sum + Math.log(cap / floor) * Math.log(leverage / left.leverage);
  }, 0);
}

/** Every choice of `count` steps with the last one, the best of them: slow, and hard to get wrong. */
function exhaustive(steps: readonly Step[], count: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let choice = 0; choice < 2 ** (steps.length - 1); choice++) {
    const kept = steps.filter((_, i) => i === steps.length - 1 || (choice >> i) % 2 === 1);
    if (kept.length === count) least = Math.min(least, lossOf(steps, kept));
  }
  return least;
}

/** Drops the step that costs least, again and again. */
function greedy(steps: readonly Step[], count: number): readonly Step[] {
  let kept = [...steps];
  while (kept.length > count) {
    const tries = kept.slice(0, -1).map((dropped) => kept.filter((step) => step !== dropped));
    kept = tries.reduce((best, one) => (lossOf(steps, one) < lossOf(steps, best) ? one : best));
  }
  return kept;
}

const LADDER = DEFAULT_POLICY.leverageLadder;
const anySteps = (most: number): fc.Arbitrary<readonly Step[]> =>
  fc
    .record({
      leverages: fc.subarray(LADDER.slice(0, -1) as number[], { minLength: 1, maxLength: most - 1 }),
      caps: fc.subarray([...EDGES], { minLength: most, maxLength: most }),
    })
    .map(({ leverages, caps }) => [...leverages, 1].map((leverage, i) => ({ leverage, cap: caps[i] })));
const anyCount = fc.integer({ min: 0, max: 99 }).map((hundredths) => hundredths / 100);
const countOf = (share: number, steps: readonly Step[]): number => 1 + Math.floor(share * (steps.length - 1));

describe('the choice of brackets', () => {
  it('loses as little as the best of all choices', () => {
    fc.assert(
      fc.property(anySteps(11), anyCount, (steps, share) => {
        const count = countOf(share, steps);
        const chosen = fewestLoss(steps, count);
        expect(chosen).toHaveLength(count);
        expect(chosen.at(-1)).toEqual(steps.at(-1));
        expect(steps.filter((step) => chosen.includes(step))).toEqual(chosen);
        expect(lossOf(steps, chosen)).toBeCloseTo(exhaustive(steps, count), 10);
      }),
      { seed: 61, numRuns: 300 },
    );
  });

  it('never loses more than dropping the cheapest one by one, and sometimes less', () => {
    let better = 0;
    fc.assert(
      fc.property(anySteps(18), anyCount, (steps, share) => {
        const count = countOf(share, steps);
        const own = lossOf(steps, fewestLoss(steps, count));
        const stepwise = lossOf(steps, greedy(steps, count));
        expect(own).toBeLessThanOrEqual(stepwise + 1e-12);
        if (own < stepwise - 1e-9) better++;
      }),
      { seed: 62, numRuns: 1000 },
    );
    expect(better).toBeGreaterThan(50);
  });

  it('is worth more where there is more room for brackets, at no notional less than one rung', () => {
    fc.assert(
      fc.property(
        anyProfile,
        anyLiquidity,
        fc.integer({ min: 2, max: 17 }),
        (profile, liquidity, maximumBrackets) => {
          const cut = (brackets: number) => {
            const policy = { ...DEFAULT_POLICY, maximumBrackets: brackets };
            return bracketsFromCurve(targetOf(profile, liquidity, policy), policy);
          };
          const few = cut(maximumBrackets);
          const all = cut(LADDER.length);
          expect(scheduleFaults(few)).toEqual([]);
          if (all.length <= maximumBrackets) expect(few).toEqual(all);
          for (const { notionalCap } of few) {
            expect(maxLeverageAt(few, notionalCap)).toBeLessThanOrEqual(maxLeverageAt(all, notionalCap));
            expect(bracketFor(all, notionalCap)).not.toBeNull();
          }
        },
      ),
      { seed: 63, numRuns: 500 },
    );
  });
});
