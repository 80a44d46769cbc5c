import { leverageDown } from '../accounts/user-limits.ts';

export const STATE_NAMES = ['live', 'holding', 'tightening', 'refusing'] as const;
export type StateName = (typeof STATE_NAMES)[number];

/** The rules for the time without a server. All of them only tighten. */
export interface FallbackRules {
  /** The server is gone when it has said nothing for so long; it says something every 15 seconds. */
  readonly goneSeconds: number;
  /** What was granted is never held for longer than this after the last word, however long the book is valid. */
  readonly longestHoldSeconds: number;
  /** When holding is over, and after each of these again, caps are divided by the step, down to 1x. */
  readonly intervalSeconds: number;
  /** Above 1. */
  readonly step: number;
  /** So long after holding is over everything that adds is refused. */
  readonly refuseAfterSeconds: number;
}

export const DEFAULT_FALLBACK: FallbackRules = {
  goneSeconds: 40,
  longestHoldSeconds: 86_400,
  intervalSeconds: 900,
  step: 2,
  refuseAfterSeconds: 21_600,
};

/** What is known of the server. Epoch milliseconds. */
export interface Contact {
  readonly isConnected: boolean;
  /** Since when it is, or is not. */
  readonly connectionSince: number;
  /** When it last said something that could be understood. */
  readonly lastHeardAt: number;
  readonly validUntil: number;
}

export interface ClientState {
  readonly name: StateName;
  /** Epoch milliseconds. */
  readonly since: number;
  /** Caps are divided by this; 1 while live or holding. */
  readonly divisor: number;
  /** Until when it is so unless something is heard; epoch milliseconds. */
  readonly until: number;
}

/** From here on a divided cap is 1x whatever it was. */
const LARGEST_DIVISOR = 1e6;

/**
 * The state at a time, from what is known alone, so that it is the same whoever asks and needs no timer. Connected and heard of
 * within `goneSeconds`: live. Otherwise holding until the book's validity is over, then tightening, step by step, as the service
 * itself does while it decides no more; refusing only where it is gone as well.
 */
export function stateAt(now: number, contact: Contact, rules: FallbackRules): ClientState {
  const { lastHeardAt, validUntil } = contact;
  const goneAt = lastHeardAt + rules.goneSeconds * 1000;
  const isThere = contact.isConnected && now < goneAt;
  if (isThere && now < validUntil)
    return {
      name: 'live',
      since: contact.connectionSince,
      divisor: 1,
      until: Math.min(goneAt, validUntil),
    };
  const heldUntil = Math.min(validUntil, lastHeardAt + rules.longestHoldSeconds * 1000);
  // A connection that has fallen silent is gone since then.
  const since = contact.isConnected ? goneAt : contact.connectionSince;
  if (now < heldUntil) return { name: 'holding', since, divisor: 1, until: heldUntil };
  const refusedAt = Math.max(heldUntil, goneAt) + rules.refuseAfterSeconds * 1000;
  if (now >= refusedAt)
    return {
      name: 'refusing',
      since: refusedAt,
      divisor: LARGEST_DIVISOR,
      until: Number.POSITIVE_INFINITY,
    };
  const steps = Math.floor((now - heldUntil) / (rules.intervalSeconds * 1000)) + 1;
  return {
    name: 'tightening',
    since: heldUntil,
    divisor: Math.min(rules.step ** steps, LARGEST_DIVISOR),
    until: Math.min(heldUntil + steps * rules.intervalSeconds * 1000, refusedAt),
  };
}

/** A leverage divided, in hundredths rounded down, at least 1; what is refused stays so. */
export function dividedLeverage(leverage: number, divisor: number): number {
  return leverage < 1 || divisor === 1 ? leverage : Math.max(leverageDown(leverage / divisor), 1);
}

/** In words; empty for good rules. */
export function fallbackFaults(rules: FallbackRules): string[] {
  const faults: string[] = [];
  for (const name of [
    'goneSeconds',
    'longestHoldSeconds',
    'intervalSeconds',
    'refuseAfterSeconds',
  ] as const) {
    const least = name === 'refuseAfterSeconds' || name === 'longestHoldSeconds' ? 0 : Number.MIN_VALUE;
    if (!(rules[name] >= least && rules[name] <= 31_536_000))
      faults.push(`fallback.${name} must be from 0 to a year`);
  }
  if (!(rules.step > 1 && Number.isFinite(rules.step))) faults.push('fallback.step must be above 1');
  return faults;
}
