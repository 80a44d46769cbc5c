import { HOUR_MILLISECONDS } from '../units.ts';
import { largestNotionalOf } from './brackets.ts';
import type { Requirement } from './cut.ts';
import { asksForMore, heldMarginMicros, lastRateOf, lowerOf, withTailOf } from './margin-table.ts';
import type { Policy } from './policy.ts';
import { tightened } from './tighten.ts';
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
  /** Makes the same with margins raised by the dead band; null while nothing may be taken back. */
  readonly hardened: (() => Requirement | null) | null;
  readonly policy: Policy;
  readonly isEmergency: boolean;
  /** Whether notice that was given may be cut short in an emergency. */
  readonly mayHurry: boolean;
  readonly decidedAt: number;
  /** The latest time that is known of, not before `decidedAt`: where a clock went back, notice counts from here. */
  readonly latest: number;
}

/** So many tables wait at most: a storm that grows by the hour would announce one an hour. */
const MOST_ANNOUNCED = 2;

/** A table between two has whole rates, in favour of positions: what it is short by no more than this is not short. */
const SLACK_PPM = 1;

/**
 * The dial of open positions: down at once with what new orders are held to, up only after notice.
 *
 * 1. What is held and what is announced come down to `brackets` wherever they ask for more.
 * 2. What is announced is withdrawn when positions have the margins that are needed again. Where it asks for more than one
 *    step of loosening above what is needed, it comes down to that and the dead band on top of it. Neither in doubt.
 * 3. In an emergency what is left of a notice is at most the shorter notice.
 * 4. What is due comes into force.
 * 5. Where positions would still have less than is needed once everything announced is in force, `brackets` is announced
 *    with notice of its own, and not before what waits already. When too much waits it takes the place of the last one,
 *    whose notice so grows. In an emergency the notice is the shorter one, and what would come later is dropped, because
 *    it asks for less.
 *
 * Whether anything is needed is judged by maintenance margins alone, so nothing that raises initial margins only
 * (crowding, the market as a whole, caps) moves what open positions are held to.
 */
export function nextMaintenance(
  before: HeldTables,
  brackets: readonly Bracket[],
  rules: MaintenanceRules,
): MaintenanceStep {
  const { requirement, decidedAt } = rules;
  const kept = asNeeded(lowered(before, brackets), brackets, rules);
  const hastened = hurried(kept.announced, rules);
  const due = withDue({ ...kept, announced: hastened }, decidedAt);
  const last = due.announced.at(-1)?.brackets ?? due.maintenance;
  const isAnnounced = requirement !== null && isShort(last, brackets, requirement);
  const announced = isAnnounced
    ? withOneMore(due.announced, withTailOf(brackets, last), rules)
    : due.announced;
  // Where the policy asks for no notice, what is announced is due.
  const after = withDue({ ...due, announced }, decidedAt);
  const { emergencyNoticeHours, maintenanceNoticeHours } = rules.policy.governor;
  const isShortNotice = rules.isEmergency && emergencyNoticeHours < maintenanceNoticeHours;
  return {
    ...after,
    isAnnounced,
    isRaised: after.maintenance !== kept.maintenance,
    isHurried: hastened !== kept.announced || (isAnnounced && isShortNotice),
  };
}

/** What is held and what is announced, nowhere above a table; without what then asks for no more than what comes before it. */
function lowered({ maintenance, announced }: HeldTables, table: readonly Bracket[]): HeldTables {
  const held = lowerOf(maintenance, table);
  const kept: Announcement[] = [];
  for (const one of announced) {
    const before = kept.at(-1)?.brackets ?? held;
    // The order of the tables must hold for larger positions than any cap too: a later decision may have caps there.
    const brackets = lowerOf(one.brackets, table, lastRateOf(before));
    if (asksForMore(brackets, before)) kept.push(brackets === one.brackets ? one : { ...one, brackets });
  }
  return { maintenance: held, announced: kept };
}

function asNeeded(
  { maintenance, announced }: HeldTables,
  brackets: readonly Bracket[],
  { requirement, hardened, policy }: MaintenanceRules,
): HeldTables {
  if (requirement === null || hardened === null || announced.length === 0) return { maintenance, announced };
  if (!isShort(maintenance, brackets, requirement)) return { maintenance, announced: [] };
  const last = announced[announced.length - 1].brackets;
  const isExcessiveOver = (table: readonly Bracket[], { points }: Requirement): boolean =>
    points.some(({ notional, marginMicros }) => {
      const needed = Math.max(marginMicros, heldMarginMicros(table, notional));
      return heldMarginMicros(last, notional) > policy.governor.loosenMaximumRatio * needed;
    });
  // With the dead band, and cut into brackets, what is needed is nowhere less: mostly that need not be made.
  const raised = isExcessiveOver(maintenance, requirement) ? hardened() : null;
  if (raised === null) return { maintenance, announced };
  // Cut as new orders were when they tightened: only what is needed can differ much.
  const needed = withTailOf(tightened(maintenance, raised, policy), maintenance);
  return isExcessiveOver(needed, raised)
    ? lowered({ maintenance, announced }, needed)
    : { maintenance, announced };
}

function withDue({ maintenance, announced }: HeldTables, decidedAt: number): HeldTables {
  const due = announced.findLastIndex(({ effectiveAt }) => effectiveAt <= decidedAt);
  return due < 0
    ? { maintenance, announced }
    : { maintenance: announced[due].brackets, announced: announced.slice(due + 1) };
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

/** No notice that is left longer than one that is given now in an emergency. The same array where none is. */
function hurried(
  announced: readonly Announcement[],
  { policy: { governor }, latest, isEmergency, mayHurry }: MaintenanceRules,
): readonly Announcement[] {
  const soonest = latest + governor.emergencyNoticeHours * HOUR_MILLISECONDS;
  const isSoon = announced.every(({ effectiveAt }) => effectiveAt <= soonest);
  if (!isEmergency || !mayHurry || isSoon) return announced;
  const inTime = announced.filter(({ effectiveAt }) => effectiveAt < soonest);
  // Of those that would now come at the same time the last one asks for most.
  return [...inTime, { ...announced[announced.length - 1], effectiveAt: soonest }];
}

function withOneMore(
  announced: readonly Announcement[],
  brackets: readonly Bracket[],
  { policy: { governor }, isEmergency, latest }: MaintenanceRules,
): readonly Announcement[] {
  const hours = isEmergency ? governor.emergencyNoticeHours : governor.maintenanceNoticeHours;
  const soonest = latest + hours * HOUR_MILLISECONDS;
  const effectiveAt = isEmergency ? soonest : Math.max(soonest, announced.at(-1)?.effectiveAt ?? soonest);
  const earlier = announced.filter((one) => one.effectiveAt < effectiveAt).slice(0, MOST_ANNOUNCED - 1);
  return [...earlier, { announcedAt: latest, brackets, effectiveAt }];
}
