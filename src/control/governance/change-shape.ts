import { isoTime } from '../../clock.ts';
import { type Change, statusOf } from './change.ts';

/** A change with its status at a time. */
export function changeShape(change: Change, at: number) {
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
