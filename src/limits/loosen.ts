import { ladderDown } from '../units.ts';
import { largestNotionalOf, maxLeverageAt } from './brackets.ts';
import {
  bracketsFromCurve,
  cutBrackets,
  EDGES,
  type Requirement,
  type ScheduleTarget,
  stepsAlong,
} from './cut.ts';
import type { Policy } from './policy.ts';
import { marginAt } from './tighten.ts';
import type { Bracket } from './types.ts';

/**
 * Whether the target grants so much more than the schedule in force that it is worth a change. Leverage moves in rungs
 * and edges in jumps, so their own change says nothing about how large a gain is: they count if they would still be
 * there with the target's margins raised by the dead band. Maintenance margins are compared with the least that the
 * brackets in force need, because other edges alone move them as well.
 */
export function isGainBeyondDeadBand(
  target: ScheduleTarget,
  requirement: Requirement,
  before: readonly Bracket[],
  policy: Policy,
): boolean {
  const ratio = policy.governor.deadBandRatio;
  const hardened = bracketsFromCurve(withMarginsTimes(ratio, target), policy);
  for (const { notionalCap } of [...hardened, ...before]) {
    if (maxLeverageAt(hardened, notionalCap) > maxLeverageAt(before, notionalCap)) return true;
  }
  const sameEdges = before.map(({ notionalCap }) => ({ leverage: 1, cap: notionalCap }));
  const least = cutBrackets(sameEdges, requirement.points, policy.maximumBrackets);
  return before.some(
    ({ notionalCap }) => marginAt(before, notionalCap) > ratio * marginAt(least, notionalCap),
  );
}

/** A target that asks for `ratio` times the margins. */
export function withMarginsTimes(
  ratio: number,
  { curve, maximumLeverage, largestNotional }: ScheduleTarget,
): ScheduleTarget {
  return {
    curve: {
      maintenance: (notional: number) => ratio * curve.maintenance(notional),
      initial: (notional: number) => ratio * curve.initial(notional),
      kinks: curve.kinks,
    },
    maximumLeverage,
    largestNotional: largestNotional / ratio,
  };
}

/**
 * At every notional the tighter of the wanted schedule and of what one step makes of the one in force. One step is the
 * policy's ratio, or the next rung of the ladder and the next bracket edge where those are wider apart: otherwise a
 * schedule could never leave a wide rung.
 */
export function loosenedOneStep(
  before: readonly Bracket[],
  wanted: readonly Bracket[],
  policy: Policy,
): readonly Bracket[] {
  const ladder = policy.leverageLadder;
  const ratio = policy.governor.loosenMaximumRatio;
  const lastBefore = largestNotionalOf(before);
  const nextEdge = EDGES.find((edge) => edge > lastBefore) ?? lastBefore;
  const stepEdge = EDGES.findLast((edge) => edge <= lastBefore * ratio) ?? lastBefore;
  const last = Math.min(largestNotionalOf(wanted), Math.max(nextEdge, stepEdge));
  const edges = [...new Set([...wanted, ...before].map((bracket) => bracket.notionalCap)).add(last)]
    .filter((cap) => cap <= last)
    .sort((a, b) => a - b);
  const stepUp = (leverage: number): number => {
    // Positions that were refused until now start with the least.
    if (leverage === 0) return 1;
    const nextRung = ladder.findLast((rung) => rung > leverage) ?? leverage;
    return ladderDown(Math.max(leverage * ratio, nextRung), ladder);
  };
  const allowed = (notional: number): number =>
    Math.min(maxLeverageAt(wanted, notional), stepUp(maxLeverageAt(before, notional)));
  const points = edges.map((notional) => ({
    notional,
    marginMicros: Math.max(marginAt(wanted, notional), Math.ceil(marginAt(before, notional) / ratio)),
    isEdge: true,
  }));
  return cutBrackets(stepsAlong(edges, allowed, ladder), points, policy.maximumBrackets);
}
