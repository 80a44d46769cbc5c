import type { DecisionInputs } from '../../../src/limits/decision-inputs.ts';
import type { Policy } from '../../../src/limits/policy.ts';
import type { LimitBook } from '../../../src/limits/types.ts';
import type { Ledger } from '../ledger.ts';
import type { MarketMemory } from './memory.ts';

/** One thing that must always hold. */
export interface Invariant<Seen> {
  /** For traces: `frozen-means-still`. */
  readonly name: string;
  /** What must hold, as a sentence. */
  readonly sentence: string;
  /** How it does not hold, in words; empty where it does. */
  faults(seen: Seen): readonly string[];
}

/** A published book beside the one before, and everything that an outsider knows of how it came to be. */
export interface PublishedStep {
  readonly before: LimitBook | null;
  readonly book: LimitBook;
  /** What it was decided from, as the store has it. */
  readonly inputs: DecisionInputs;
  /** The markets that the guard decided, by the audit; null where all were decided. */
  readonly guarded: ReadonlySet<string> | null;
  readonly policy: Policy;
  readonly ledger: Ledger;
  /** Close of the newest stored bar that can be believed at the time of the decision; null for a market without one. */
  readonly newestCloses: ReadonlyMap<string, number | null>;
  /** The same at the latest time that any clock has said: what was known once stays known. */
  readonly knownCloses: ReadonlyMap<string, number | null>;
  /** What the books before have said, by market. */
  readonly memory: ReadonlyMap<string, MarketMemory>;
}

export type StepInvariant = Invariant<PublishedStep>;

export interface Violation {
  readonly invariant: string;
  readonly fault: string;
}

export function violationsOf<Seen>(invariants: readonly Invariant<Seen>[], seen: Seen): Violation[] {
  return invariants.flatMap(({ name, faults }) => faults(seen).map((fault) => ({ invariant: name, fault })));
}
