/** What the service found when it verified its chains itself, at its start and once a day. */
export interface OwnVerification {
  /** Epoch milliseconds; null for not since the start. */
  readonly heldAt: number | null;
  /** Since the start. */
  readonly failures: number;
}

/** @param metrics the text of `/metrics`. @returns null where it does not say. */
export function ownVerificationOf(metrics: string): OwnVerification | null {
  const heldAt = sampleOf(metrics, 'plimsoll_audit_verified_timestamp_seconds');
  const failures = sampleOf(metrics, 'plimsoll_audit_verification_failures_total');
  if (heldAt === null || failures === null) return null;
  return { heldAt: heldAt === 0 ? null : heldAt * 1000, failures };
}

function sampleOf(metrics: string, name: string): number | null {
  const digits = new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1];
  const value = Number(digits);
  return digits === undefined || !Number.isFinite(value) ? null : value;
}
