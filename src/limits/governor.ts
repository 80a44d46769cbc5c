import { HOUR_MILLISECONDS, ladderDown } from '../units.ts';
import {
  bracketFor,
  grantsMore,
  largestNotionalOf,
  maintenanceMarginMicros,
  maxLeverageAt,
  mostConservativeBrackets,
} from './brackets.ts';
import {
  bracketsFromCurve,
  bracketsOf,
  cutBrackets,
  EDGES,
  type Requirement,
  requirementOf,
  type ScheduleTarget,
  stepsAlong,
} from './cut.ts';
import type { Policy } from './policy.ts';
import type { Bracket, GovernorRecord, Move } from './types.ts';

/** What was in force before, as far as the governor needs it. */
export interface InForce {
  readonly brackets: readonly Bracket[];
  /** Since when, epoch milliseconds. */
  readonly changedAt: number;
}

export interface GovernedSchedule {
  readonly brackets: readonly Bracket[];
  readonly record: GovernorRecord;
}

/**
 * Decides how far a market's schedule may move towards what its bounds allow. At every notional on its own: what is
 * tighter is taken at once; what is looser only when the last change is long enough ago, when the gain is beyond the dead
 * band, and then by one step at most. A schedule that is not to move stays the same array.
 *
 * Whether to tighten is judged by the target itself and not by how it would be cut: another choice of edges asks for
 * more here and less there, and following that would ratchet. What is published meets the target everywhere, so the
 * same target again finds nothing to tighten.
 *
 * @param mayLoosen false while the data or the model of the market are in doubt.
 * @param decidedAt epoch milliseconds; earlier than the last change (a clock that jumped back) forbids loosening.
 */
export function govern(
  target: ScheduleTarget,
  inForce: InForce | null,
  mayLoosen: boolean,
  policy: Policy,
  decidedAt: number,
): GovernedSchedule {
  const requirement = requirementOf(target, policy);
  const wanted = requirement === null ? mostConservativeBrackets() : bracketsOf(requirement, policy);
  const delay = policy.governor.loosenDelayHours * HOUR_MILLISECONDS;
  const settle = (brackets: readonly Bracket[], move: Move, changedAt: number): GovernedSchedule => ({
    brackets,
    record: {
      move,
      previousMaxLeverage: inForce?.brackets[0].maxLeverage ?? null,
      targetMaxLeverage: wanted[0].maxLeverage,
      publishedMaxLeverage: brackets[0].maxLeverage,
      changedAt,
      looseningAllowedAt: changedAt + delay,
    },
  });
  if (inForce === null) return settle(wanted, 'initial', decidedAt);

  const before = inForce.brackets;
  // A clock that jumped back must not bring the next loosening forward.
  const changedAt = Math.max(decidedAt, inForce.changedAt);
  if (requirement === null) {
    const tightens = grantsMore(before, wanted);
    return tightens ? settle(wanted, 'tighten', changedAt) : settle(before, 'hold', inForce.changedAt);
  }
  if (!meets(before, requirement)) {
    return settle(tightened(before, requirement, policy), 'tighten', changedAt);
  }
  const isTime = decidedAt - inForce.changedAt >= delay;
  if (!mayLoosen || !isTime || !isGainBeyondDeadBand(target, requirement, before, policy)) {
    return settle(before, 'hold', inForce.changedAt);
  }
  const loosened = loosenedOneStep(before, wanted, policy);
  return grantsMore(loosened, before)
    ? settle(loosened, 'loosen', changedAt)
    : settle(before, 'hold', inForce.changedAt);
}

/** Whether a schedule grants nowhere more than a requirement allows. */
function meets(brackets: readonly Bracket[], requirement: Requirement): boolean {
  const last = largestNotionalOf(brackets);
  if (last > requirement.edges[requirement.edges.length - 1]) return false;
  for (const { maxLeverage, notionalCap } of brackets) {
    if (maxLeverage > requirement.leverageAt(notionalCap)) return false;
  }
  for (const { notional, marginMicros } of requirement.points) {
    if (notional > last) break;
    if (marginAt(brackets, notional) < marginMicros) return false;
  }
  return true;
}

/** The schedule in force, at every notional as tight as the requirement asks for and nowhere looser than it was. */
function tightened(
  before: readonly Bracket[],
  { edges, points, leverageAt }: Requirement,
  policy: Policy,
): readonly Bracket[] {
  const last = Math.min(largestNotionalOf(before), edges[edges.length - 1]);
  const allowed = (notional: number): number =>
    Math.min(leverageAt(notional), maxLeverageAt(before, notional));
  const steps = stepsAlong(
    edges.filter((edge) => edge <= last),
    allowed,
    policy.leverageLadder,
  );
  const covered = points
    .filter(({ notional }) => notional <= last)
    .map((point) => ({
      ...point,
      marginMicros: Math.max(point.marginMicros, marginAt(before, point.notional)),
    }));
  return cutBrackets(steps, covered, policy.maximumBrackets);
}

/**
 * Whether the target grants so much more than the schedule in force that it is worth a change. Leverage moves in rungs
 * and edges in jumps, so their own change says nothing about how large a gain is: they count if they would still be
 * there with the target's margins raised by the dead band. Maintenance margins are compared with the least that the
 * brackets in force need, because other edges alone move them as well.
 */
function isGainBeyondDeadBand(
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

function withMarginsTimes(ratio: number, { curve, maximumLeverage, largestNotional }: ScheduleTarget) {
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
function loosenedOneStep(
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

/** Maintenance margin in micros; 0 above the last cap, where there is no position to ask it of. */
function marginAt(brackets: readonly Bracket[], notional: number): number {
  const bracket = bracketFor(brackets, notional);
  return bracket === null ? 0 : maintenanceMarginMicros(bracket, notional);
}
