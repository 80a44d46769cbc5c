import type { GovernanceState } from '../../limits/governance.ts';

export const CHANGE_KINDS = ['override', 'freeze', 'emergency'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** How a change came to its end before its time. */
export type Closing = 'rejected' | 'withdrawn' | 'thawed' | 'ended' | 'replaced';

/** Who did something, and why. */
export interface Signature {
  readonly by: string;
  /** The beginning of the SHA-256 of the key that signed: a person who changes the name is not another person. */
  readonly key: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly reason: string;
}

/** One thing that people decided about limits, from the request to its end. A value: each step makes a new one. */
export interface Change {
  /** 1, 2, 3, … in the order of the requests. */
  readonly number: number;
  /** Kind and number: `override-12`. */
  readonly id: string;
  readonly kind: ChangeKind;
  /** Null for all markets. */
  readonly symbol: string | null;
  /** Of an override; null for the other kinds. */
  readonly maxLeverage: number | null;
  /** An override that may grant more than the bounds do: it waits for a second person. */
  readonly mayLoosen: boolean;
  readonly requested: Signature;
  readonly approved: Signature | null;
  /** An override that waits lapses at this time; null for what needs no approval. Epoch milliseconds. */
  readonly approveBefore: number | null;
  readonly expiresAt: number;
  readonly closed: (Signature & { readonly how: Closing }) | null;
}

export type ChangeStatus = 'pending' | 'lapsed' | 'inForce' | 'expired' | Closing;

/** What a change is at a time (epoch milliseconds): steps that came after it do not count. */
export function statusOf(change: Change, at: number): ChangeStatus {
  const { closed, approved, approveBefore, expiresAt } = change;
  if (closed !== null && closed.at <= at) return closed.how;
  const isApproved = approveBefore === null || (approved !== null && approved.at <= at);
  if (isApproved) return at < expiresAt ? 'inForce' : 'expired';
  return at < Math.min(approveBefore, expiresAt) ? 'pending' : 'lapsed';
}

/** When a change ends if nobody does anything more. Epoch milliseconds. */
export function endOf({ closed, approved, approveBefore, expiresAt }: Change): number {
  if (closed !== null) return closed.at;
  return approveBefore === null || approved !== null ? expiresAt : Math.min(approveBefore, expiresAt);
}

/** What decisions read, as it was at a time. Overrides that wait are in it, and not in force. */
export function governanceOf(changes: readonly Change[], at: number): GovernanceState {
  const open = changes.filter(
    (change) => change.requested.at <= at && ['pending', 'inForce'].includes(statusOf(change, at)),
  );
  const emergency = open.findLast(({ kind }) => kind === 'emergency');
  return {
    freezes: open
      .filter(({ kind }) => kind === 'freeze')
      .map(({ id, symbol, requested, expiresAt }) => ({
        id,
        symbol,
        reason: requested.reason,
        frozenBy: requested.by,
        frozenAt: requested.at,
        expiresAt,
      })),
    overrides: open
      .filter(({ kind }) => kind === 'override')
      .map(({ id, symbol, maxLeverage, mayLoosen, requested, approved, expiresAt }) => {
        const isApproved = approved !== null && approved.at <= at;
        return {
          id,
          symbol: symbol ?? '',
          // A number that is missing grants least.
          maxLeverage: maxLeverage ?? 1,
          mayLoosen,
          reason: requested.reason,
          requestedBy: requested.by,
          requestedAt: requested.at,
          approvedBy: isApproved ? approved.by : null,
          approvedAt: isApproved ? approved.at : null,
          expiresAt,
        };
      }),
    emergency:
      emergency === undefined
        ? null
        : {
            reason: emergency.requested.reason,
            declaredBy: emergency.requested.by,
            declaredAt: emergency.requested.at,
            expiresAt: emergency.expiresAt,
          },
  };
}
