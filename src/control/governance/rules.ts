import { isoTime } from '../../clock.ts';
import { type ErrorCode, PlimsollError } from '../../errors.ts';
import { assetClassOf } from '../../limits/bounds/asset-class.ts';
import type { GovernancePolicy, Policy } from '../../limits/policy.ts';
import type { LimitBook, MarketLimit } from '../../limits/types.ts';
import { HOUR_MILLISECONDS } from '../../units.ts';
import { ROLE_SCOPES, type Role } from '../access/roles.ts';
import type { AuditDraft } from '../ports.ts';
import type { Change, ChangeKind, Closing, Signature } from './change.ts';
import { statusOf } from './change.ts';

/** Whoever a key belongs to. */
export interface Actor {
  readonly name: string;
  readonly role: Role;
  /** The beginning of the SHA-256 of the key. */
  readonly key: string;
}

/** An end as people give it: a time, or a number of hours from now. */
export interface Until {
  /** Epoch milliseconds. */
  readonly expiresAt?: number | undefined;
  readonly hours?: number | undefined;
}

/** What somebody asks for. */
export type Command =
  | ({
      readonly act: 'override';
      readonly symbol: string;
      readonly maxLeverage: number;
      /** Undefined: whether it is above the leverage in force decides. */
      readonly mayLoosen?: boolean | undefined;
      readonly reason: string;
    } & Until)
  | { readonly act: 'approve'; readonly id: string; readonly reason: string }
  | { readonly act: 'reject' | 'withdraw'; readonly id: string; readonly reason: string }
  | ({ readonly act: 'freeze'; readonly symbol: string | null; readonly reason: string } & Until)
  | { readonly act: 'thaw'; readonly symbol: string | null; readonly reason: string }
  | ({ readonly act: 'declareEmergency'; readonly reason: string } & Until)
  | { readonly act: 'endEmergency'; readonly reason: string };

/** Everything that the rules look at. */
export interface Situation {
  /** All that are not over, oldest first. */
  readonly open: readonly Change[];
  /** The one that a command names, also when it is over; null for commands that name none, and where there is none. */
  readonly named: Change | null;
  readonly nextNumber: number;
  readonly book: LimitBook | null;
  readonly policy: Policy;
  /** What the clock says. Epoch milliseconds. */
  readonly now: number;
  /** The newest time that is recorded: of a change, or of the book. */
  readonly latest: number;
}

export interface Decided {
  /** The change that was made or altered, then those that it ended. */
  readonly changes: readonly [Change, ...Change[]];
  readonly audit: AuditDraft;
}

/** Small steps back are the work of time synchronisation. */
const CLOCK_TOLERANCE_MILLISECONDS = 5_000;
/** Freezes and emergencies take each other's place, so the markets bound them. */
const MOST_OVERRIDES = 1_000;
const LONGEST_REASON = 500;

/**
 * What a command makes of the situation: the changed records and the entry of the audit chain. Nothing is written here.
 *
 * @throws PlimsollError FORBIDDEN, SECOND_PERSON_NEEDED, MARKET_UNKNOWN, NOTHING_PUBLISHED, LEVERAGE_INVALID,
 *   EXPIRY_INVALID, CHANGE_UNKNOWN, CHANGE_EXPIRED, CLOCK_WENT_BACK, CONFLICT, INPUT_INVALID.
 */
export function decide(situation: Situation, actor: Actor, command: Command): Decided {
  requireRole(actor, command);
  const signature: Signature = {
    by: actor.name,
    key: actor.key,
    at: timeOf(situation, command),
    reason: cleanReason(command.reason),
  };
  switch (command.act) {
    case 'override':
      return requestOverride(situation, signature, command);
    case 'approve':
      return approve(situation, signature, command.id);
    case 'reject':
    case 'withdraw':
      return turnDown(situation, signature, command);
    case 'freeze':
      return freeze(situation, signature, command);
    case 'declareEmergency':
      return declareEmergency(situation, signature, command);
    case 'thaw':
      return thaw(situation, signature, command.symbol);
    case 'endEmergency':
      return endEmergency(situation, signature);
  }
}

function requireRole({ name, role }: Actor, { act }: Command): void {
  if (act === 'approve' || act === 'reject') {
    if (role === 'approver') return;
    throw refusal(
      'SECOND_PERSON_NEEDED',
      `${name} has the role ${role}, and only an approver may ${act}`,
      APPROVER_REMEDY,
    );
  }
  if (!ROLE_SCOPES[role].has('governance:change'))
    throw refusal(
      'FORBIDDEN',
      `the key of ${name} has the role ${role}, which changes no limits`,
      'Use the key of an operator.',
    );
}

export const APPROVER_REMEDY =
  'Configure a key of another person with the role approver (PLIMSOLL_KEYS=NAME:approver:SHA256 beside the keys that there are, see docs/governance.md) and approve with it.';

/** Acts that only ever hold or tighten; a clock that is wrong must not keep anybody from them. */
const CAREFUL: ReadonlySet<Command['act']> = new Set(['freeze', 'declareEmergency', 'reject']);

/** The time that a step gets: never before one that is recorded. */
function timeOf({ now, latest, book }: Situation, command: Command): number {
  if (now < latest - CLOCK_TOLERANCE_MILLISECONDS && !CAREFUL.has(command.act)) {
    const isTightening = command.act === 'override' && !loosens(book, command);
    if (!isTightening)
      throw refusal(
        'CLOCK_WENT_BACK',
        `the clock says ${isoTime(now)}, and ${isoTime(latest)} is recorded already`,
        'Set the clock of the machine; until then only freezes and what tightens are taken.',
      );
  }
  return Math.max(now, latest);
}

function cleanReason(text: string): string {
  const reason = text.trim();
  const isGood = /[\p{L}\p{N}]/u.test(reason) && !/\p{Cc}/u.test(reason) && reason.length <= LONGEST_REASON;
  if (isGood) return reason;
  throw refusal(
    'INPUT_INVALID',
    'a reason in words is needed, which the audit keeps',
    `Say in one line of at most ${LONGEST_REASON} characters why.`,
  );
}

function requestOverride(
  situation: Situation,
  signature: Signature,
  command: Command & { readonly act: 'override' },
): Decided {
  const { policy } = situation;
  const market = requireMarket(situation.book, command.symbol);
  requireLeverage(command.symbol, command.maxLeverage, policy);
  requireRoom(situation);
  const mayLoosen = loosens(situation.book, command);
  const lapses = signature.at + policy.governance.approvalHours * HOUR_MILLISECONDS;
  const change = newChange(situation, 'override', {
    symbol: command.symbol,
    maxLeverage: command.maxLeverage,
    mayLoosen,
    requested: signature,
    approveBefore: mayLoosen ? lapses : null,
    expiresAt: endAt(command, signature.at, 'maximumOverrideHours', policy.governance),
  });
  const inForce = market.brackets[0].maxLeverage;
  return { changes: [change], audit: entry('override', signature, [change], { leverageInForce: inForce }) };
}

/** Whether an override may grant more than the bounds do: as asked, or because it is above what is in force. */
function loosens(book: LimitBook | null, command: Command & { readonly act: 'override' }): boolean {
  if (command.mayLoosen !== undefined) return command.mayLoosen;
  const market = book?.markets.find(({ symbol }) => symbol === command.symbol);
  return market === undefined || command.maxLeverage > market.brackets[0].maxLeverage;
}

function approve(situation: Situation, signature: Signature, id: string): Decided {
  const change = requireNamed(situation, id);
  const { requested } = change;
  if (change.approveBefore === null || change.approved !== null)
    throw refusal('CONFLICT', `${id} does not wait for an approval`, 'List what waits: GET /v1/changes.');
  if (signature.by === requested.by || signature.key === requested.key)
    throw refusal(
      'SECOND_PERSON_NEEDED',
      `${id} was asked for by ${requested.by}, who cannot approve it as well`,
      APPROVER_REMEDY,
    );
  requireOpen(change, signature.at);
  // The policy may have been made stricter since it was asked for.
  const { symbol } = requireMarket(situation.book, change.symbol ?? '');
  requireLeverage(symbol, change.maxLeverage ?? Number.NaN, situation.policy);
  const approved = { ...change, approved: signature };
  return { changes: [approved], audit: entry('approval', signature, [approved]) };
}

function turnDown(
  situation: Situation,
  signature: Signature,
  { act, id }: { readonly act: 'reject' | 'withdraw'; readonly id: string },
): Decided {
  const change = requireNamed(situation, id);
  if (change.kind !== 'override')
    throw refusal('CONFLICT', `${id} is no override`, 'A freeze is thawed, an emergency is ended.');
  requireOpen(change, signature.at);
  if (act === 'reject' && statusOf(change, signature.at) !== 'pending')
    throw refusal('CONFLICT', `${id} is in force already`, 'Withdraw it.');
  const closed = closedAs(change, act === 'reject' ? 'rejected' : 'withdrawn', signature);
  return {
    changes: [closed],
    audit: entry(act === 'reject' ? 'rejection' : 'withdrawal', signature, [closed]),
  };
}

/** A freeze takes the place of one of the same scope. */
function freeze(
  situation: Situation,
  signature: Signature,
  command: Command & { readonly act: 'freeze' },
): Decided {
  const { symbol } = command;
  if (symbol !== null) requireMarket(situation.book, symbol);
  const change = newChange(situation, 'freeze', {
    symbol,
    requested: signature,
    expiresAt: endAt(command, signature.at, 'maximumFreezeHours', situation.policy.governance),
  });
  const replaced = freezesOf(situation, symbol, signature.at).map((old) =>
    closedAs(old, 'replaced', signature),
  );
  return { changes: [change, ...replaced], audit: entry('freeze', signature, [change, ...replaced]) };
}

function thaw(situation: Situation, signature: Signature, symbol: string | null): Decided {
  const [found, ...others] = freezesOf(situation, symbol, signature.at).map((old) =>
    closedAs(old, 'thawed', signature),
  );
  if (found !== undefined)
    return { changes: [found, ...others], audit: entry('thaw', signature, [found, ...others]) };
  const isFrozenWithAll = symbol !== null && freezesOf(situation, null, signature.at).length > 0;
  if (isFrozenWithAll)
    throw refusal('CONFLICT', `${symbol} is frozen with all markets`, 'Thaw all: leave the market out.');
  throw refusal('NOT_FOUND', `no freeze of ${symbol ?? 'all markets'} is in force`, 'See GET /v1/changes.');
}

/** A declaration takes the place of the one before. */
function declareEmergency(
  situation: Situation,
  signature: Signature,
  command: Command & { readonly act: 'declareEmergency' },
): Decided {
  const change = newChange(situation, 'emergency', {
    requested: signature,
    expiresAt: endAt(command, signature.at, 'maximumEmergencyHours', situation.policy.governance),
  });
  const replaced = emergenciesOf(situation, signature.at).map((old) => closedAs(old, 'replaced', signature));
  return { changes: [change, ...replaced], audit: entry('emergency', signature, [change, ...replaced]) };
}

function endEmergency(situation: Situation, signature: Signature): Decided {
  const [found, ...others] = emergenciesOf(situation, signature.at).map((old) =>
    closedAs(old, 'ended', signature),
  );
  if (found === undefined)
    throw refusal('NOT_FOUND', 'no emergency is in force', 'See GET /v1/changes for what is.');
  return { changes: [found, ...others], audit: entry('emergency-end', signature, [found, ...others]) };
}

function freezesOf({ open }: Situation, symbol: string | null, at: number): readonly Change[] {
  return open.filter(
    (one) => one.kind === 'freeze' && one.symbol === symbol && statusOf(one, at) === 'inForce',
  );
}

function emergenciesOf({ open }: Situation, at: number): readonly Change[] {
  return open.filter((one) => one.kind === 'emergency' && statusOf(one, at) === 'inForce');
}

function newChange(
  { nextNumber }: Situation,
  kind: ChangeKind,
  facts: Pick<Change, 'requested' | 'expiresAt'> & Partial<Change>,
): Change {
  const nothing = { symbol: null, maxLeverage: null, mayLoosen: false, approved: null, approveBefore: null };
  return { number: nextNumber, id: `${kind}-${nextNumber}`, kind, ...nothing, closed: null, ...facts };
}

function closedAs(change: Change, how: Closing, signature: Signature): Change {
  return { ...change, closed: { ...signature, how } };
}

function requireMarket(book: LimitBook | null, symbol: string): MarketLimit {
  if (book === null)
    throw refusal('NOTHING_PUBLISHED', 'no limits have been decided yet', 'Try again in a few seconds.');
  const market = book.markets.find((candidate) => candidate.symbol === symbol);
  if (market !== undefined) return market;
  throw refusal('MARKET_UNKNOWN', `there is no market ${symbol}`, 'List the markets: GET /v1/markets.');
}

function requireLeverage(symbol: string, leverage: number, policy: Policy): void {
  const highest = Math.min(assetClassOf(symbol, policy).maximumLeverage, policy.maximumLeverage);
  const allowed = policy.leverageLadder.filter((rung) => rung <= highest);
  if (allowed.includes(leverage)) return;
  const why =
    leverage > highest
      ? `above the ${highest}x that the policy allows ${symbol} at most`
      : 'not on the ladder';
  throw refusal(
    'LEVERAGE_INVALID',
    `a leverage of ${leverage} is ${why}`,
    `Give one of ${allowed.join(', ')}.`,
  );
}

function requireRoom({ open }: Situation): void {
  const overrides = open.filter(({ kind }) => kind === 'override').length;
  if (overrides >= MOST_OVERRIDES)
    throw refusal(
      'CONFLICT',
      `${overrides} overrides are open already`,
      'Withdraw or reject some; for what lasts there is the policy.',
    );
}

function requireNamed({ named }: Situation, id: string): Change {
  if (named !== null) return named;
  throw refusal('CHANGE_UNKNOWN', `there is no change ${id}`, 'List the changes: GET /v1/changes.');
}

function requireOpen(change: Change, at: number): void {
  const status = statusOf(change, at);
  if (status === 'pending' || status === 'inForce') return;
  if (change.closed !== null)
    throw refusal('CONFLICT', `${change.id} is ${status}, by ${change.closed.by}`, 'Ask for a new one.');
  throw refusal('CHANGE_EXPIRED', `the time of ${change.id} is over`, 'Ask for a new one.');
}

function endAt(
  { expiresAt, hours }: Until,
  at: number,
  most: keyof GovernancePolicy & `maximum${string}`,
  policy: GovernancePolicy,
): number {
  const longest = policy[most];
  const remedy = `Give a time after now and within ${longest} hours (policy.governance.${most}).`;
  if (expiresAt !== undefined && hours !== undefined)
    throw refusal(
      'EXPIRY_INVALID',
      'both a time and a number of hours are given',
      `${remedy} Only one of them.`,
    );
  if (expiresAt === undefined && hours === undefined && most !== 'maximumFreezeHours')
    throw refusal('EXPIRY_INVALID', 'it must have an end', remedy);
  const end = expiresAt ?? at + (hours ?? longest) * HOUR_MILLISECONDS;
  if (!(end > at)) throw refusal('EXPIRY_INVALID', 'it would be over before it began', remedy);
  if (end > at + longest * HOUR_MILLISECONDS)
    throw refusal('EXPIRY_INVALID', `it would last longer than ${longest} hours`, remedy);
  return Math.floor(end);
}

function entry(
  kind: AuditDraft['kind'],
  { by, at, reason }: Signature,
  changes: readonly Change[],
  facts: Readonly<Record<string, unknown>> = {},
): AuditDraft {
  return { at, kind, actor: by, subject: changes[0].id, reason, details: { ...facts, changes } };
}

function refusal(code: ErrorCode, message: string, remedy: string): PlimsollError {
  return new PlimsollError(code, message, { remedy });
}
