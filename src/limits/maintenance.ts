import { HOUR_MILLISECONDS } from '../units.ts';
import { largestNotionalOf } from './brackets.ts';
import type { Requirement } from './cut.ts';
import type { GovernorPolicy } from './governor-policy.ts';
import { asksForMore, heldMarginMicros, lowerOf, withTailOf } from './margin-table.ts';
import type { Announcement, Bracket } from './types.ts';

/** What open positions are held to, now and announced. */
export interface HeldTables {
  readonly maintenance: readonly Bracket[];
  /** Soonest first; each asks for at least what the one before asks for. */
  readonly announced: readonly Announcement[];
}

export interface MaintenanceStep extends HeldTables {
  /** A table was announced. */
  readonly isAnnounced: boolean;
  /** An announced table came into force. */
  readonly isRaised: boolean;
  /** A notice was given that is shorter than the usual one, or one was cut short. */
  readonly isHurried: boolean;
}

export interface MaintenanceRules {
  /** What the bounds ask for now; null where nobody can say. */
  readonly requirement: Requirement | null;
  /** The same with margins raised by the dead band; null while nothing may be taken back. */
  readonly hardened: Requirement | null;
  readonly governor: GovernorPolicy;
  readonly isEmergency: boolean;
  /** Whether notice that was given may be cut short in an emergency. */
  readonly mayHurry: boolean;
  readonly decidedAt: number;
  /** The latest time that is known of, not before `decidedAt`: where a clock went back, notice counts from here. */
  readonly latest: number;
}

/** So many tables wait at most: a storm that grows by the hour does not make a book of them. */
export const MOST_ANNOUNCED = 4;

/** Corners that are not whole are rounded in favour of positions: what is short by no more than this is not short. */
const SLACK_PPM = 1;

/**
 * The dial of open positions: down at once with what new orders are held to, up only after notice.
 *
 * 1. What is held and what is announced come down to `brackets` wherever they ask for more.
 * 2. What is announced is withdrawn when positions already have the margins that are needed, dead band included.
 * 3. Where positions would still have less than is needed once everything announced is in force, `brackets` is announced
 *    with notice of its own: after what waits already, and not before it. When too much waits it takes the place of the
 *    last one, whose notice so grows.
 * 4. In an emergency notice is the shorter one, also what is left of a notice that runs; what would come later and asks
 *    for less is dropped.
 * 5. What is due comes into force.
 *
 * Whether anything is needed is judged by maintenance margins alone, so nothing that raises initial margins only
 * (crowding, the market as a whole, caps) moves what open positions are held to.
 */
export function nextMaintenance(
  before: HeldTables,
  brackets: readonly Bracket[],
  rules: MaintenanceRules,
): MaintenanceStep {
  const { requirement, hardened, decidedAt } = rules;
  const held = lowerOf(before.maintenance, brackets);
  let announced: readonly Announcement[] = before.announced.map((one) => ({
    ...one,
    brackets: lowerOf(one.brackets, brackets),
  }));
  if (hardened !== null && announced.length > 0 && !isShort(held, brackets, hardened)) announced = [];
  const kept = announced;
  if (rules.isEmergency && rules.mayHurry) announced = hurried(announced, rules);
  let isHurried = announced !== kept;
  const last = announced.at(-1)?.brackets ?? held;
  const isAnnounced = requirement !== null && isShort(last, brackets, requirement);
  if (isAnnounced) {
    announced = withOneMore(announced, withTailOf(brackets, last), rules);
    isHurried ||=
      rules.isEmergency && rules.governor.emergencyNoticeHours < rules.governor.maintenanceNoticeHours;
  }
  announced = withoutRepeats(held, announced);
  const due = announced.findLast(({ effectiveAt }) => effectiveAt <= decidedAt);
  return {
    maintenance: due?.brackets ?? held,
    announced: due === undefined ? announced : announced.slice(announced.indexOf(due) + 1),
    isAnnounced,
    isRaised: due !== undefined,
    isHurried,
  };
}

/** Whether positions have less margin under a table than is needed, as far as `brackets` asks for it. */
function isShort(table: readonly Bracket[], brackets: readonly Bracket[], { points }: Requirement): boolean {
  if (table === brackets) return false;
  const last = largestNotionalOf(brackets);
  return points.some(({ notional, marginMicros }) => {
    if (notional > last) return false;
    const asked = Math.min(marginMicros, heldMarginMicros(brackets, notional));
    return asked - heldMarginMicros(table, notional) > SLACK_PPM * notional;
  });
}

/** Every notice at most as long as one that is given now, in an emergency. The same array where it is already. */
function hurried(
  announced: readonly Announcement[],
  { governor, latest }: MaintenanceRules,
): readonly Announcement[] {
  const soonest = latest + governor.emergencyNoticeHours * HOUR_MILLISECONDS;
  if (announced.every(({ effectiveAt }) => effectiveAt <= soonest)) return announced;
  return announced.map((one) => ({ ...one, effectiveAt: Math.min(one.effectiveAt, soonest) }));
}

function withOneMore(
  announced: readonly Announcement[],
  brackets: readonly Bracket[],
  { governor, isEmergency, latest }: MaintenanceRules,
): readonly Announcement[] {
  const hours = isEmergency ? governor.emergencyNoticeHours : governor.maintenanceNoticeHours;
  const soonest = latest + hours * HOUR_MILLISECONDS;
  const effectiveAt = isEmergency ? soonest : Math.max(soonest, announced.at(-1)?.effectiveAt ?? soonest);
  const earlier = announced.length === MOST_ANNOUNCED ? announced.slice(0, -1) : announced;
  return [...earlier, { brackets, effectiveAt, announcedAt: latest }];
}

/** Without tables that ask for no more than the one before, and without those that a harsher one comes no later than. */
function withoutRepeats(
  held: readonly Bracket[],
  announced: readonly Announcement[],
): readonly Announcement[] {
  const inTime = announced.filter(
    ({ effectiveAt }, i) => !announced.slice(i + 1).some((later) => later.effectiveAt <= effectiveAt),
  );
  const kept: Announcement[] = [];
  for (const one of inTime) {
    const before = kept.at(-1)?.brackets ?? held;
    if (asksForMore(one.brackets, before, Number.POSITIVE_INFINITY, SLACK_PPM)) kept.push(one);
  }
  return kept;
}
