import type { z } from 'zod';
import { isoTime } from '../clock.ts';
import { type Change, statusOf } from '../control/reads.ts';
import { freezeOf, type GovernanceState, isEmergency, overrideOf } from '../limits/governance.ts';
import type { changeSchema } from './governance-schemas.ts';
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

/** A change with its status at a time. */
export function changeShape(change: Change, at: number): z.infer<typeof changeSchema> {
  const { requested, approved, approveBefore, closed } = change;
  const time = (value: number | null | undefined): string | null => (value == null ? null : isoTime(value));
  return {
    id: change.id,
    number: change.number,
    kind: change.kind,
    status: statusOf(change, at),
    symbol: change.symbol,
    maxLeverage: change.maxLeverage,
    mayLoosen: change.mayLoosen,
    reason: requested.reason,
    requestedBy: requested.by,
    requestedAt: isoTime(requested.at),
    approveBefore: time(approveBefore),
    approvedBy: approved?.by ?? null,
    approvedAt: time(approved?.at),
    approvalReason: approved?.reason ?? null,
    expiresAt: isoTime(change.expiresAt),
    closedBy: closed?.by ?? null,
    closedAt: time(closed?.at),
    closingReason: closed?.reason ?? null,
  };
}
