import type { z } from 'zod';
import { isoTime } from '../clock.ts';
import {
  type Acted,
  type Actor,
  APPROVER_REMEDY,
  type Command,
  changeShape,
  type GovernanceAccess,
  type Impact,
  statusOf,
} from '../control/reads.ts';
import { freezeOf, type GovernanceState, isEmergency, overrideOf } from '../limits/governance.ts';
import type { AccountImpact } from '../limits/impact.ts';
import { formatWhole } from '../units.ts';
import type { Keyring } from './auth.ts';
import type { actedSchema, changeSchema, changesSchema, impactSchema } from './governance-schemas.ts';
import type { explainSchema } from './schemas.ts';

/** What people hold a market to at a time, for `explain`. */
export function governanceShape(
  state: GovernanceState,
  symbol: string,
  at: number,
): z.infer<typeof explainSchema>['governance'] {
  const freeze = freezeOf(state, symbol, at);
  const override = overrideOf(state, symbol, at);
  const emergency = isEmergency(state, at) ? state.emergency : null;
  return {
    freeze:
      freeze === null
        ? null
        : {
            id: freeze.id,
            allMarkets: freeze.symbol === null,
            reason: freeze.reason,
            by: freeze.frozenBy,
            since: isoTime(freeze.frozenAt),
            expiresAt: freeze.expiresAt === null ? null : isoTime(freeze.expiresAt),
          },
    override:
      override === null
        ? null
        : {
            id: override.id,
            maxLeverage: override.maxLeverage,
            mayLoosen: override.mayLoosen,
            reason: override.reason,
            by: override.requestedBy,
            approvedBy: override.approvedBy,
            since: isoTime(override.approvedAt ?? override.requestedAt),
            expiresAt: isoTime(override.expiresAt),
          },
    emergency:
      emergency === null
        ? null
        : {
            reason: emergency.reason,
            by: emergency.declaredBy,
            since: isoTime(emergency.declaredAt),
            expiresAt: isoTime(emergency.expiresAt),
          },
  };
}

/** What a change would do, in the units of the boundary. */
export function impactShape({ market, accounts }: Impact): z.infer<typeof impactSchema> {
  const range = ({ notionalFloor, notionalCap }: { notionalFloor: number; notionalCap: number }) => ({
    notionalFloor: formatWhole(notionalFloor),
    notionalCap: formatWhole(notionalCap),
  });
  return {
    market: market.available
      ? {
          ...market,
          losing: market.losing.map(range),
          ranges: market.ranges.map((one) => ({ ...one, ...range(one) })),
        }
      : market,
    accounts: accounts.available ? { ...accounts, ...accountImpactShape(accounts) } : accounts,
  };
}

/** What becomes of accounts, in the units of the boundary. */
export function accountImpactShape(impact: AccountImpact) {
  return {
    ...impact,
    notionalToReduce: formatWhole(impact.notionalToReduce),
    liquidatedNotional: formatWhole(impact.liquidatedNotional),
    hit: impact.hit.map((one) => ({ ...one, notionalToReduce: formatWhole(one.notionalToReduce) })),
  };
}

/** A page of changes, with everything that waits. */
export async function changesShape(
  governance: GovernanceAccess,
  before: number,
  limit: number,
): Promise<z.infer<typeof changesSchema>> {
  const page = await governance.page(before, limit);
  const at = governance.time();
  const openAs = (status: string) => governance.open().filter((change) => statusOf(change, at) === status);
  const pending = openAs('pending');
  const impacts = await governance.impacts(pending);
  return {
    revision: governance.revision(),
    total: page.length,
    pending: pending.map((change) => ({
      ...changeShape(change, at),
      impact: shapeOrNull(impacts.get(change.id)),
    })),
    inForce: openAs('inForce').map((change) => changeShape(change, at)),
    announced: (await governance.announced()).map(({ announcedAt, effectiveAt, impact, ...rest }) => ({
      ...rest,
      announcedAt: isoTime(announcedAt),
      effectiveAt: isoTime(effectiveAt),
      impact: impactShape(impact),
    })),
    changes: page.map((change) => changeShape(change, at)),
    nextBefore: page.length < limit ? null : (page.at(-1)?.number ?? null),
  };
}

/** The answer to a step: what was made, what it took the place of, what is still needed, what it does. */
export async function actedShape(
  acted: Acted,
  governance: GovernanceAccess,
  keyring: Keyring,
  actor: Actor,
): Promise<z.infer<typeof actedSchema>> {
  const at = governance.time();
  const waiting = acted.changes.filter((change) => statusOf(change, at) === 'pending');
  const impact = (await governance.impacts(waiting)).get(acted.changes[0].id);
  const [change, ...ended] = acted.changes.map((one) => changeShape(one, at));
  const needs = needsOf(change, keyring, actor);
  return { revision: acted.revision, change, ended, needs, preview: false, impact: shapeOrNull(impact) };
}

/** The answer to a trial. */
export async function triedShape(
  command: Command,
  governance: GovernanceAccess,
  keyring: Keyring,
  actor: Actor,
): Promise<z.infer<typeof actedSchema>> {
  const tried = await governance.tried(actor, command);
  const at = governance.time();
  const [change, ...ended] = tried.changes.map((one) => changeShape(one, at));
  const needs = needsOf(change, keyring, actor);
  const impact = shapeOrNull(tried.impact);
  return { revision: governance.revision(), change, ended, needs, preview: true, impact };
}

function shapeOrNull(impact: Impact | null | undefined): z.infer<typeof impactSchema> | null {
  return impact == null ? null : impactShape(impact);
}

function needsOf(
  { id, status }: z.infer<typeof changeSchema>,
  keyring: Keyring,
  actor: Actor,
): string | null {
  if (status !== 'pending') return null;
  if (!keyring.hasApproverBeside(actor)) return `${NOBODY_APPROVES} ${APPROVER_REMEDY}`;
  return `The approval of another person, whose key has the role approver: POST /v1/approvals/${id}, plimsoll approve ${id}.`;
}

const NOBODY_APPROVES = 'Nobody can approve it: no other key has the role approver.';
