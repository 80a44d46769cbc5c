import type { Change, UserPolicy } from '../../src/control/ports.ts';

/**
 * What people were told that it is done: a memory of its own, outside of the service, of every step that was acknowledged. It
 * says with rules of its own what is in force.
 */
export class Ledger {
  /** By number, the newest state that was acknowledged. */
  readonly changes = new Map<number, Change>();
  readonly users = new Map<string, UserPolicy>();
  /** The newest revision that was acknowledged. */
  revision = 0;

  /** The newest time that an acknowledged step was given: nothing that ended by then comes back when a clock does. */
  #latest = 0;

  done(changes: readonly Change[], revision: number): void {
    for (const change of changes) {
      this.changes.set(change.number, change);
      const { requested, approved, closed } = change;
      this.#latest = Math.max(this.#latest, requested.at, approved?.at ?? 0, closed?.at ?? 0);
    }
    this.revision = Math.max(this.revision, revision);
  }

  /** What holds for a decision of a time: closed by nobody, not over, and approved where that is needed. */
  inForce(decidedAt: number): readonly Change[] {
    const at = Math.max(decidedAt, this.#latest);
    return [...this.changes.values()].filter(
      (one) => one.closed === null && one.expiresAt > at && (!one.mayLoosen || hasSecondPerson(one)),
    );
  }

  freezeOf(symbol: string, decidedAt: number): Change | null {
    const found = this.inForce(decidedAt).find(
      (one) => one.kind === 'freeze' && (one.symbol === null || one.symbol === symbol),
    );
    return found ?? null;
  }

  emergencyAt(decidedAt: number): Change | null {
    return this.inForce(decidedAt).find(({ kind }) => kind === 'emergency') ?? null;
  }

  override(id: string): Change | null {
    return [...this.changes.values()].find((one) => one.id === id) ?? null;
  }

  /** Ends that come by themselves in a span of time: a decision has to follow at once. */
  endsBetween(from: number, to: number): readonly number[] {
    return this.inForce(from)
      .map(({ expiresAt }) => expiresAt)
      .filter((end) => end > from && end <= to);
  }
}

/** Another name and another key, and in time. */
export function hasSecondPerson({ requested, approved, approveBefore, expiresAt }: Change): boolean {
  if (approved === null) return false;
  const inTime = approved.at < Math.min(approveBefore ?? Number.POSITIVE_INFINITY, expiresAt);
  return inTime && approved.by !== requested.by && approved.key !== requested.key;
}

/** With fields in one order: what was stored comes back in the order of canonical JSON. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
