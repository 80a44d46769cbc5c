import { HOUR_MILLISECONDS } from '../units.ts';
import { grantsMore } from './brackets.ts';
import { bracketsOf, NOTHING_ALLOWED, type Requirement, requirementOf, type ScheduleTarget } from './cut.ts';
import type { Emergency, Freeze } from './governance.ts';
import { isGainBeyondDeadBand, loosenedOneStep, withMarginsTimes } from './loosen.ts';
import { type MaintenanceStep, nextMaintenance } from './maintenance.ts';
import { isSameTable } from './margin-table.ts';
import type { Policy } from './policy.ts';
import { isWithinFloor, meets, tightened, tightenedToFloor } from './tighten.ts';
import type { Announcement, Bracket, GovernorRecord, LimitBook, Move } from './types.ts';

/** What was in force before, as far as the governor needs it. */
export interface InForce {
  readonly brackets: readonly Bracket[];
  /** Since when, epoch milliseconds. */
  readonly changedAt: number;
  /** Absent for none or for what `MarketLimit` says where it is absent. */
  readonly paced?: boolean | undefined;
  readonly maintenance?: readonly Bracket[] | undefined;
  readonly announced?: readonly Announcement[] | undefined;
}

/** What else a decision is made under. */
export interface Circumstances {
  /** The freeze that holds the market. */
  readonly freeze: Freeze | null;
  /** Null outside of emergency mode. */
  readonly emergency: Emergency | null;
  /** The clock is behind the last decision. */
  readonly clockWentBack: boolean;
}

const ORDINARY: Circumstances = { freeze: null, emergency: null, clockWentBack: false };

export interface GovernedSchedule {
  /** For new orders. */
  readonly brackets: readonly Bracket[];
  /** For open positions, now and later; absent as in `MarketLimit`. */
  readonly maintenance?: readonly Bracket[];
  readonly announced?: readonly Announcement[];
  readonly record: GovernorRecord;
  /** A table for open positions was announced by this decision; one came into force. */
  readonly isAnnounced: boolean;
  readonly isRaised: boolean;
  /** The clock was behind what is known already. */
  readonly clockWentBack: boolean;
}

/**
 * Decides how far a market's schedule may move towards what its bounds allow, at every notional on its own, and what open
 * positions are held to. What is tighter is taken at once, down to the floor of one decision (see `isWithinFloor`); the
 * rest follows after the pace, or at once in an emergency. What is looser is taken only when the last change is long
 * enough ago, when the gain is beyond the dead band, and then by one step at most. A schedule that is not to move stays
 * the same array. Open positions follow by rules of their own: see `nextMaintenance`. Nothing moves in a freeze.
 *
 * Whether to tighten is judged by the target itself and not by how it would be cut: another choice of edges asks for
 * more here and less there, and following that would ratchet. What is published in the end meets the target everywhere,
 * so the same target again finds nothing to tighten.
 *
 * @param target what the bounds allow; null where nobody can say: new orders are held to what they are held to.
 * @param mayLoosen false while the data or the model of the market are in doubt.
 * @param decidedAt epoch milliseconds; earlier than the last change (a clock that jumped back) forbids loosening, and
 *   brings no time forward.
 */
export function govern(
  target: ScheduleTarget | null,
  inForce: InForce | null,
  mayLoosen: boolean,
  policy: Policy,
  decidedAt: number,
  circumstances: Circumstances = ORDINARY,
): GovernedSchedule {
  const requirement = target === null ? null : (requirementOf(target, policy) ?? NOTHING_ALLOWED);
  const wanted = requirement === null ? null : bracketsOf(requirement, policy);
  const latest = Math.max(decidedAt, latestOf(inForce));
  const clockWentBack = circumstances.clockWentBack || latest > decidedAt;
  const situation: Situation = {
    ...{ target, requirement, wanted, policy, decidedAt, latest },
    mayLoosen: mayLoosen && !clockWentBack,
    isEmergency: circumstances.emergency !== null,
  };
  if (inForce === null) return initial(situation, clockWentBack);
  if (circumstances.freeze !== null) return frozen(inForce, circumstances.freeze, situation, clockWentBack);

  const step = nextBrackets(inForce, situation);
  const held = { maintenance: inForce.maintenance ?? inForce.brackets, announced: inForce.announced ?? [] };
  const open = nextMaintenance(held, step.brackets, {
    requirement,
    hardened: situation.mayLoosen ? () => hardenedOf(target, policy) : null,
    policy,
    isEmergency: situation.isEmergency,
    mayHurry: !clockWentBack,
    decidedAt,
    latest,
  });
  const { emergency } = circumstances;
  return {
    brackets: step.brackets,
    ...heldTables(open, step.brackets),
    record: {
      ...recordOf(situation, inForce, step),
      ...(emergency !== null && (step.isBeyondFloor || open.isHurried)
        ? { emergency: { reason: emergency.reason, declaredBy: emergency.declaredBy } }
        : {}),
    },
    isAnnounced: open.isAnnounced,
    isRaised: open.isRaised,
    clockWentBack,
  };
}

/** The earliest time after a book at which a market of it may move by itself: a pace is over, or a table is due. */
export function nextMoveAt({ decidedAt, markets }: LimitBook, { governor }: Policy): number {
  const pace = governor.tightenPaceHours * HOUR_MILLISECONDS;
  let next = Number.POSITIVE_INFINITY;
  const take = (time: number): void => {
    if (time > decidedAt && time < next) next = time;
  };
  for (const { governor: record, announced } of markets) {
    if (record.paced === true) take(record.changedAt + pace);
    if (announced !== undefined) for (const { effectiveAt } of announced) take(effectiveAt);
  }
  return next;
}

interface Situation {
  readonly target: ScheduleTarget | null;
  readonly requirement: Requirement | null;
  /** The requirement as a schedule; null where there is none. */
  readonly wanted: readonly Bracket[] | null;
  readonly policy: Policy;
  readonly decidedAt: number;
  /** The latest time that is known of. */
  readonly latest: number;
  readonly mayLoosen: boolean;
  readonly isEmergency: boolean;
}

interface Step {
  readonly brackets: readonly Bracket[];
  readonly move: Move;
  readonly changedAt: number;
  readonly isPaced: boolean;
  /** It went where only an emergency may. */
  readonly isBeyondFloor: boolean;
}

function latestOf(inForce: InForce | null): number {
  if (inForce === null) return Number.NEGATIVE_INFINITY;
  return Math.max(inForce.changedAt, ...(inForce.announced ?? []).map(({ announcedAt }) => announcedAt));
}

/** The first schedule of a market. Nothing is in force that could be held, so a freeze does not hold it. */
function initial(situation: Situation, clockWentBack: boolean): GovernedSchedule {
  const { wanted, policy, decidedAt } = situation;
  const brackets = wanted ?? bracketsOf(NOTHING_ALLOWED, policy);
  const step = {
    brackets,
    move: 'initial',
    changedAt: decidedAt,
    isPaced: false,
    isBeyondFloor: false,
  } as const;
  const record = recordOf(situation, null, step);
  return { brackets, record, isAnnounced: false, isRaised: false, clockWentBack };
}

/** Everything as it was, whatever the bounds ask for; the record says what that is. */
function frozen(
  inForce: InForce,
  { id, reason, frozenBy, frozenAt }: Freeze,
  situation: Situation,
  clockWentBack: boolean,
): GovernedSchedule {
  const { brackets, maintenance, announced } = inForce;
  return {
    brackets,
    ...(maintenance === undefined ? {} : { maintenance }),
    ...(announced === undefined ? {} : { announced }),
    record: { ...recordOf(situation, inForce, held(inForce)), frozen: { id, reason, frozenBy, frozenAt } },
    isAnnounced: false,
    isRaised: false,
    clockWentBack,
  };
}

function nextBrackets(inForce: InForce, situation: Situation): Step {
  const { target, requirement, wanted, policy, decidedAt } = situation;
  if (target === null || requirement === null || wanted === null) return held(inForce);
  const before = inForce.brackets;
  if (!meets(before, requirement)) return tighter(inForce, requirement, situation);
  const isTime = decidedAt - inForce.changedAt >= policy.governor.loosenDelayHours * HOUR_MILLISECONDS;
  if (!situation.mayLoosen || !isTime || !isGainBeyondDeadBand(target, requirement, before, policy)) {
    return held(inForce);
  }
  const loosened = loosenedOneStep(before, wanted, policy);
  // Another choice of edges asks for more at some notionals: not beyond the floor of one decision.
  if (!grantsMore(loosened, before) || !isWithinFloor(before, loosened, policy)) return held(inForce);
  return changed(loosened, 'loosen', situation);
}

function tighter(inForce: InForce, requirement: Requirement, situation: Situation): Step {
  const { policy, decidedAt, isEmergency } = situation;
  const before = inForce.brackets;
  const pace = policy.governor.tightenPaceHours * HOUR_MILLISECONDS;
  const mustWait = inForce.paced === true && decidedAt - inForce.changedAt < pace;
  if (mustWait && !isEmergency) return held(inForce);
  const whole = tightened(before, requirement, policy);
  const isWithin = isWithinFloor(before, whole, policy);
  if (isEmergency || isWithin) {
    return { ...changed(whole, 'tighten', situation), isBeyondFloor: mustWait || !isWithin };
  }
  const brackets = tightenedToFloor(before, whole, requirement, policy);
  return { ...changed(brackets, 'tighten', situation), isPaced: !meets(brackets, requirement) };
}

function held({ brackets, changedAt, paced }: InForce): Step {
  return { brackets, move: 'hold', changedAt, isPaced: paced === true, isBeyondFloor: false };
}

function changed(brackets: readonly Bracket[], move: Move, { latest }: Situation): Step {
  return { brackets, move, changedAt: latest, isPaced: false, isBeyondFloor: false };
}

function recordOf(
  { wanted, policy }: Situation,
  inForce: InForce | null,
  { brackets, move, changedAt, isPaced }: Step,
): GovernorRecord {
  return {
    changedAt,
    looseningAllowedAt: changedAt + policy.governor.loosenDelayHours * HOUR_MILLISECONDS,
    move,
    ...(isPaced ? { paced: true } : {}),
    previousMaxLeverage: inForce?.brackets[0].maxLeverage ?? null,
    publishedMaxLeverage: brackets[0].maxLeverage,
    targetMaxLeverage: (wanted ?? brackets)[0].maxLeverage,
  };
}

function hardenedOf(target: ScheduleTarget | null, policy: Policy): Requirement | null {
  return target === null
    ? null
    : requirementOf(withMarginsTimes(policy.governor.deadBandRatio, target), policy);
}

function heldTables(
  { maintenance, announced }: MaintenanceStep,
  brackets: readonly Bracket[],
): Pick<GovernedSchedule, 'maintenance' | 'announced'> {
  return {
    ...(isSameTable(maintenance, brackets) ? {} : { maintenance }),
    ...(announced.length === 0 ? {} : { announced }),
  };
}
