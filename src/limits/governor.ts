import { ladderDown } from '../units.ts';
import { grantsMore, largestNotionalOf, maintenanceMarginMicros } from './brackets.ts';
import {
  bracketsFromCurve,
  type CoverPoint,
  cutBrackets,
  EDGES,
  type ScheduleTarget,
  type Step,
} from './cut.ts';
import type { Policy } from './policy.ts';
import type { Bracket, GovernorRecord, Move } from './types.ts';

const HOUR_MILLISECONDS = 3_600_000;

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
 * band, and then by one step at most. A schedule that is not to move stays the same array. What is published is
 * nowhere looser than the target, so the same target again finds nothing to tighten.
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
  const wanted = bracketsFromCurve(target, policy);
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
  const mustTighten = grantsMore(before, wanted);
  const loosens =
    mayLoosen &&
    decidedAt - inForce.changedAt >= delay &&
    grantsMore(wanted, before, policy.governor.deadBandRatio);
  if (!mustTighten && !loosens) return settle(before, 'hold', inForce.changedAt);

  const governed = tightest(wanted, before, loosens ? oneStep(policy) : NO_STEP, policy);
  const loosened = grantsMore(governed, before);
  if (!mustTighten && !loosened) return settle(before, 'hold', inForce.changedAt);
  // A clock that jumped back must not bring the next loosening forward.
  return settle(governed, mustTighten ? 'tighten' : 'loosen', Math.max(decidedAt, inForce.changedAt));
}

/** How far a loosening may go from what is in force. */
interface LooseningStep {
  leverage(inForce: number): number;
  marginMicros(inForce: number): number;
  /** Of the largest position; to an edge. */
  notional(inForce: number): number;
}

const NO_STEP: LooseningStep = {
  leverage: (inForce) => inForce,
  marginMicros: (inForce) => inForce,
  notional: (inForce) => inForce,
};

/**
 * One step: by the policy's ratio, or to the next rung of the ladder and the next bracket edge where those are wider
 * apart than the ratio. Otherwise a schedule could never leave a wide rung.
 */
function oneStep({ leverageLadder, governor }: Policy): LooseningStep {
  const ratio = governor.loosenMaximumRatio;
  return {
    leverage: (inForce) => {
      const nextRung = leverageLadder.findLast((rung) => rung > inForce) ?? inForce;
      return ladderDown(Math.max(inForce * ratio, nextRung), leverageLadder);
    },
    marginMicros: (inForce) => Math.ceil(inForce / ratio),
    notional: (inForce) =>
      Math.max(
        EDGES.find((edge) => edge > inForce) ?? inForce,
        EDGES.findLast((edge) => edge <= inForce * ratio) ?? inForce,
      ),
  };
}

/** At every notional the tighter of the wanted schedule and of what one step makes of the one in force. */
function tightest(
  wanted: readonly Bracket[],
  before: readonly Bracket[],
  step: LooseningStep,
  policy: Policy,
): readonly Bracket[] {
  const inForceUpTo = largestNotionalOf(before);
  const last = Math.min(largestNotionalOf(wanted), step.notional(inForceUpTo));
  const caps = [...new Set([...wanted, ...before].map((bracket) => bracket.notionalCap)).add(last)]
    .filter((cap) => cap <= last)
    .sort((a, b) => a - b);
  const steps: Step[] = [];
  const points: CoverPoint[] = [];
  let inWanted = 0;
  let inBefore = 0;
  for (const cap of caps) {
    while (wanted[inWanted].notionalCap < cap) inWanted++;
    while (inBefore < before.length && before[inBefore].notionalCap < cap) inBefore++;
    let leverage = wanted[inWanted].maxLeverage;
    let marginMicros = maintenanceMarginMicros(wanted[inWanted], cap);
    if (inBefore < before.length) {
      leverage = Math.min(leverage, step.leverage(before[inBefore].maxLeverage));
      marginMicros = Math.max(
        marginMicros,
        step.marginMicros(maintenanceMarginMicros(before[inBefore], cap)),
      );
    }
    // Positions that were refused until now start with the least, and every schedule ends in it.
    if (inBefore === before.length || cap === last) leverage = 1;
    if (steps.length > 0 && steps[steps.length - 1].leverage === leverage) steps.pop();
    steps.push({ leverage, cap });
    points.push({ notional: cap, marginMicros, isEdge: true });
  }
  return cutBrackets(steps, points, policy.maximumBrackets);
}
