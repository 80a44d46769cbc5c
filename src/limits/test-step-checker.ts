import { scheduleFaults } from './brackets.ts';
import { EDGES } from './cut.ts';
import type { GovernanceState } from './governance.ts';
import type { Policy } from './policy.ts';
import type { Announcement, Bracket, MarketLimit, ReasonCode } from './types.ts';

/**
 * The rules of the governor once more, slow and readable: a judge of two consecutive limits of one market, which shares
 * no code with what made them. It knows policy, people and clock, and what the inputs were worth, but not the target.
 */
export interface StepContext {
  readonly policy: Policy;
  readonly governance: GovernanceState;
  /** Epoch milliseconds. */
  readonly decidedAt: number;
  readonly clockWentBack: boolean;
  /** Something that a bound rests on is missing, stale, degraded or rejected, or the market is young. */
  readonly isInDoubt: boolean;
}

type Table = readonly Bracket[];

/** Everything that a step did against the rules, in words; empty for a good one. */
export function stepFaults(before: MarketLimit | null, after: MarketLimit, context: StepContext): string[] {
  const faults = [...shapeFaults(after), ...reasonFaults(after, context)];
  if (before === null) {
    if (after.maintenance !== undefined || after.announced !== undefined)
      faults.push('the first decision has tables of its own for open positions');
    return faults;
  }
  if (freezeHolds(after.symbol, context)) return [...faults, ...freezeFaults(before, after)];
  return [...faults, ...orderFaults(before, after, context), ...positionFaults(before, after, context)];
}

/** What must hold of a limit whatever was before it. */
function shapeFaults(limit: MarketLimit): string[] {
  const faults = scheduleFaults(limit.brackets);
  const { maintenance, announced } = tablesOf(limit);
  const inTurn = [maintenance, ...announced.map((one) => one.brackets)];
  for (const [i, table] of inTurn.entries()) {
    const later = inTurn[i + 1] ?? table;
    const cheaper = capsOf(...inTurn).find((notional) => margin(later, notional) < margin(table, notional));
    if (cheaper !== undefined) faults.push(`a later table asks for less than a sooner one at ${cheaper}`);
    if (later[later.length - 1].maintenanceMarginRatePpm < table[table.length - 1].maintenanceMarginRatePpm)
      faults.push('a later table asks for less than a sooner one beyond every cap');
  }
  const last = lastCap(limit.brackets);
  for (const [name, table] of [
    ['the table for open positions', maintenance] as const,
    ...announced.map((one) => ['an announced table', one.brackets] as const),
  ]) {
    faults.push(...maintenanceFaults(table).map((fault) => `${name}: ${fault}`));
    const dearer = capsOf(table, limit.brackets).find(
      (notional) => notional <= last && margin(table, notional) > margin(limit.brackets, notional),
    );
    if (dearer !== undefined) faults.push(`${name} asks for more than new orders at ${dearer}`);
  }
  if (announced.length > 2) faults.push(`${announced.length} tables are announced`);
  if (announced.some((one, i) => i > 0 && one.effectiveAt <= announced[i - 1].effectiveAt))
    faults.push('announced tables are not soonest first');
  if (limit.governor.publishedMaxLeverage !== limit.brackets[0].maxLeverage)
    faults.push('the record names another leverage than is published');
  return faults;
}

/** The invariants of a table for open positions: those of a schedule, but leverages may repeat and stop above 1. */
function maintenanceFaults(table: Table): string[] {
  const faults: string[] = [];
  for (const [i, bracket] of table.entries()) {
    const floor = i === 0 ? 0 : table[i - 1].notionalCap;
    const rateBefore = i === 0 ? 0 : table[i - 1].maintenanceMarginRatePpm;
    const { maintenanceMarginRatePpm: rate, notionalCap: cap } = bracket;
    if (bracket.bracket !== i + 1 || bracket.notionalFloor !== floor || cap <= floor)
      faults.push(`bracket ${i + 1} does not follow the one before`);
    if (rate <= rateBefore) faults.push(`the rate of bracket ${i + 1} does not rise`);
    if (!Number.isSafeInteger(rate * cap) || !Number.isSafeInteger(bracket.maintenanceAmountMicros))
      faults.push(`bracket ${i + 1} is not exact`);
    if (rate * bracket.maxLeverage > 750_000) faults.push(`the rate of bracket ${i + 1} is too high`);
    if (i > 0 && bracket.maxLeverage > table[i - 1].maxLeverage) faults.push('leverage rises');
    const amount = i === 0 ? 0 : table[i - 1].maintenanceAmountMicros + floor * (rate - rateBefore);
    if (bracket.maintenanceAmountMicros !== amount) faults.push(`the margin jumps before bracket ${i + 1}`);
  }
  return faults;
}

/** Reasons and record say the same. */
function reasonFaults(limit: MarketLimit, { governance, decidedAt, clockWentBack }: StepContext): string[] {
  const { governor, reasons } = limit;
  const faults: string[] = [];
  const told: readonly (readonly [ReasonCode, boolean])[] = [
    ['GOVERNOR_TIGHTENED', governor.move === 'tighten'],
    ['GOVERNOR_LOOSENED', governor.move === 'loosen'],
    ['GOVERNOR_PACED', governor.paced === true],
    ['GOVERNOR_EMERGENCY', governor.emergency !== undefined],
    ['GOVERNOR_FROZEN', governor.frozen !== undefined],
  ];
  for (const [code, isSo] of told) {
    if (reasons.includes(code) !== isSo) faults.push(`${code} and the record disagree`);
  }
  if (clockWentBack && !reasons.includes('CLOCK_WENT_BACK'))
    faults.push('nobody says that the clock went back');
  const { emergency } = governance;
  const isEmergency = emergency !== null && emergency.expiresAt > decidedAt;
  if (governor.emergency !== undefined && (!isEmergency || governor.emergency.reason !== emergency.reason))
    faults.push('the record names an emergency that is not there');
  return faults;
}

function freezeHolds(symbol: string, { governance, decidedAt }: StepContext): boolean {
  return governance.freezes.some(
    (freeze) =>
      (freeze.symbol ?? symbol) === symbol && (freeze.expiresAt === null || freeze.expiresAt > decidedAt),
  );
}

function freezeFaults(before: MarketLimit, after: MarketLimit): string[] {
  const faults: string[] = [];
  const parts = ({ brackets, maintenance, announced, governor }: MarketLimit): string =>
    JSON.stringify({ brackets, maintenance, announced, since: governor.changedAt, paced: governor.paced });
  if (parts(before) !== parts(after)) faults.push('something moved in a freeze');
  if (after.governor.frozen === undefined) faults.push('the record does not say who froze the market');
  return faults;
}

/** The dial of new orders. */
function orderFaults(before: MarketLimit, after: MarketLimit, context: StepContext): string[] {
  const { policy, decidedAt } = context;
  const { governor } = policy;
  const faults: string[] = [];
  const since = decidedAt - before.governor.changedAt;
  const isSame = JSON.stringify(before.brackets) === JSON.stringify(after.brackets);
  if ((after.governor.move === 'hold') !== isSame) faults.push('the move is not what happened');
  const changedAt = isSame ? before.governor.changedAt : Math.max(decidedAt, latestKnown(before));
  if (after.governor.changedAt !== changedAt) faults.push('the time of the last change is wrong');
  if (after.governor.frozen !== undefined) faults.push('the record names a freeze that is not there');

  if (isLooserSomewhere(before.brackets, after.brackets)) {
    if (context.isInDoubt) faults.push('it loosened in doubt');
    if (context.clockWentBack) faults.push('it loosened with a clock that went back');
    if (since < governor.loosenDelayHours * 3_600_000) faults.push('it loosened before the delay was over');
    faults.push(...loosenedTooFar(before.brackets, after.brackets, policy));
  }
  if (after.governor.emergency === undefined) {
    faults.push(...tightenedTooFar(before.brackets, after.brackets, policy));
    const mustWait = before.governor.paced === true && since < governor.tightenPaceHours * 3_600_000;
    if (mustWait && after.governor.move === 'tighten') faults.push('it went on before the pace was over');
  }
  const holdsBack = after.governor.paced === true || after.reasons.includes('DATA_REJECTED');
  if (after.governor.publishedMaxLeverage > after.governor.targetMaxLeverage && !holdsBack)
    faults.push('it grants more than the bounds allow and nobody says why');
  return faults;
}

function latestKnown(limit: MarketLimit): number {
  const announced = (limit.announced ?? []).map((one) => one.announcedAt);
  return Math.max(limit.governor.changedAt, ...announced);
}

function isLooserSomewhere(before: Table, after: Table): boolean {
  return capsOf(before, after).some((notional) => {
    const [was, is] = [leverage(before, notional), leverage(after, notional)];
    return is > was || (was > 0 && is > 0 && margin(after, notional) < margin(before, notional));
  });
}

function loosenedTooFar(before: Table, after: Table, { governor, leverageLadder }: Policy): string[] {
  const faults: string[] = [];
  const ratio = governor.loosenMaximumRatio;
  const nextEdge = EDGES.find((edge) => edge > lastCap(before)) ?? lastCap(before);
  if (lastCap(after) > Math.max(lastCap(before) * ratio, nextEdge)) faults.push('the last cap rose too far');
  for (const notional of capsOf(before, after)) {
    const [was, is] = [leverage(before, notional), leverage(after, notional)];
    const nextRung = Math.min(...leverageLadder.filter((rung) => rung > was));
    if (is > was && is > was * ratio && is > nextRung) faults.push(`leverage rose too far at ${notional}`);
    if (was > 0 && is > 0 && margin(after, notional) < margin(before, notional) / ratio)
      faults.push(`the margin fell too far at ${notional}`);
  }
  return faults;
}

function tightenedTooFar(before: Table, after: Table, { governor, leverageLadder }: Policy): string[] {
  const faults: string[] = [];
  const ratio = governor.tightenMaximumRatio;
  const [was, is] = [lastCap(before), lastCap(after)];
  // The least of the round edges that is not under the ratio's share; the next smaller edge is always allowed.
  const allowed = EDGES.filter((edge) => edge >= was / ratio || edge === EDGES.findLast((one) => one < was));
  const least = Math.min(was, ...allowed);
  if (is < least) faults.push(`the largest position fell from ${was} to ${is}`);
  for (const notional of [...EDGES, ...capsOf(before, after)]) {
    if (notional > (is < was ? least : was)) continue;
    const [from, to] = [leverage(before, notional), leverage(after, notional)];
    const nextRung = Math.max(...leverageLadder.filter((rung) => rung < from));
    if (to < from && to < from / ratio && to < nextRung)
      faults.push(`leverage fell from ${from} to ${to} at ${notional}`);
  }
  for (const { notionalCap, maintenanceMarginRatePpm: rate } of after) {
    const rateBefore = before.find((bracket) => notionalCap <= bracket.notionalCap);
    const most = rateBefore?.maintenanceMarginRatePpm ?? Number.POSITIVE_INFINITY;
    if (rate > most * ratio && rate > most + 1)
      faults.push(`the rate rose from ${most} to ${rate} at ${notionalCap}`);
  }
  // What reaches beyond the largest position had no rate there; what was accepted is not asked for much more by it.
  if (is > was && margin(after, was) > ratio * margin(before, was))
    faults.push(`the margin rose too far at ${was}`);
  return faults;
}

/** The dial of open positions: what is asked of a position at any time to come, as promised before and now. */
function positionFaults(before: MarketLimit, after: MarketLimit, context: StepContext): string[] {
  const { policy, decidedAt, governance, clockWentBack, isInDoubt } = context;
  const faults: string[] = [];
  const [promised, now] = [tablesOf(before), tablesOf(after)];
  const hours =
    after.governor.emergency === undefined
      ? policy.governor.maintenanceNoticeHours
      : policy.governor.emergencyNoticeHours;
  const fromNow = Math.max(decidedAt, latestKnown(before)) + hours * 3_600_000;
  const times = [decidedAt, ...promised.announced, ...now.announced].map((one) =>
    typeof one === 'number' ? one : one.effectiveAt,
  );
  const tables = [promised, now].flatMap(({ maintenance, announced }) => [
    maintenance,
    ...announced.map((one) => one.brackets),
  ]);
  const caps = [...new Set(tables.flatMap((table) => table.map((bracket) => bracket.notionalCap)))];
  for (const time of times.filter((at) => at >= decidedAt && at < fromNow)) {
    const [was, is] = [tableAt(promised, time), tableAt(now, time)];
    const raised = caps.find((notional) => margin(is, notional) > margin(was, notional));
    if (raised !== undefined)
      faults.push(
        `positions of ${raised} are asked for more in ${(time - decidedAt) / 3_600_000} h, without notice`,
      );
  }
  if (now.announced.some((one) => one.effectiveAt <= decidedAt)) faults.push('an announced table is overdue');

  // Down only where new orders went down: no lower than the highest convex margin below both. What is due may still be
  // withdrawn, but not in doubt. Larger positions than any new one go by the last bracket of whatever table it is.
  const due = tableAt(promised, decidedAt);
  const held = isInDoubt || clockWentBack ? due : promised.maintenance;
  faults.push(...tooLow(now.maintenance, held, after.brackets, 'positions are let off'));
  if ((isInDoubt || clockWentBack) && promised.announced.length > 0) {
    const [was, is] = [tableAt(promised, Infinity), tableAt(now, Infinity)];
    faults.push(...tooLow(is, was, after.brackets, 'an announcement was withdrawn in doubt'));
  }
  const isNewlyAnnounced = now.announced.some(
    (one) => !promised.announced.some((old) => old.announcedAt === one.announcedAt),
  );
  if (isNewlyAnnounced && !after.reasons.includes('MAINTENANCE_ANNOUNCED'))
    faults.push('an announcement has no reason');
  if (governance.emergency === null && after.governor.emergency !== undefined)
    faults.push('no emergency was declared');
  return faults;
}

function tooLow(table: Table, was: Table, brackets: Table, what: string): string[] {
  const asked = (notional: number): number =>
    Math.min(
      margin(was, notional),
      notional <= lastCap(brackets) ? margin(brackets, notional) : Number.POSITIVE_INFINITY,
    );
  const caps = [0, ...capsOf(was, brackets)];
  // Larger positions than any cap are not asked for more either, so no rate is above the last one.
  const steepest = was[was.length - 1].maintenanceMarginRatePpm;
  const points = caps.map((notional) => ({
    notional,
    asked: Math.min(
      ...caps.filter((cap) => cap <= notional).map((cap) => asked(cap) + steepest * (notional - cap)),
    ),
  }));
  const faults: string[] = [];
  for (const { notional, asked } of points) {
    // The lowest chord over the point: a convex margin cannot be higher.
    let convex = asked;
    for (const left of points) {
      for (const right of points) {
        if (!(left.notional < notional && notional < right.notional)) continue;
        const share = (notional - left.notional) / (right.notional - left.notional);
        convex = Math.min(convex, left.asked + share * (right.asked - left.asked));
      }
    }
    if (notional <= lastCap(brackets) && margin(table, notional) < convex - notional - 1)
      faults.push(`${what} at ${notional}`);
  }
  return faults;
}

interface Tables {
  readonly maintenance: Table;
  readonly announced: readonly Announcement[];
}

function tablesOf({ brackets, maintenance, announced }: MarketLimit): Tables {
  return { maintenance: maintenance ?? brackets, announced: announced ?? [] };
}

function tableAt({ maintenance, announced }: Tables, time: number): Table {
  return announced.findLast((one) => one.effectiveAt <= time)?.brackets ?? maintenance;
}

/** Micros; above the last cap the last bracket counts on. */
function margin(table: Table, notional: number): number {
  const bracket = table.find(({ notionalCap }) => notional <= notionalCap) ?? table[table.length - 1];
  return notional * bracket.maintenanceMarginRatePpm - bracket.maintenanceAmountMicros;
}

function leverage(table: Table, notional: number): number {
  return table.find(({ notionalCap }) => notional <= notionalCap)?.maxLeverage ?? 0;
}

function lastCap(table: Table): number {
  return table[table.length - 1].notionalCap;
}

function capsOf(...tables: readonly Table[]): readonly number[] {
  return [...new Set(tables.flatMap((table) => table.map(({ notionalCap }) => notionalCap)))].sort(
    (a, b) => a - b,
  );
}
