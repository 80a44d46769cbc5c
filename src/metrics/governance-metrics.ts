import { type GovernanceState, isEmergency, overrideOf } from '../limits/governance.ts';

export const ACTS = [
  'override',
  'approve',
  'reject',
  'withdraw',
  'freeze',
  'thaw',
  'declareEmergency',
  'endEmergency',
] as const;

type Count = (label: string, by: number) => void;
type Level = (label: string, value: number) => void;

export interface Levels {
  set(labels: Readonly<Record<string, string>>, value: number): void;
  /** Ends every series. */
  reset(): void;
}

/** Makes metrics in the registry of all. */
export interface MetricMaker {
  counter(name: string, help: string, label: string): Count;
  gauge(name: string, help: string, label: string): Level;
  levels(name: string, help: string, labels: readonly string[]): Levels;
}

/** What people do about limits, and what of it is in force. */
export class GovernanceMetrics {
  readonly #steps: Count;
  readonly #refusals: Count;
  readonly #inForce: Level;

  constructor({ counter, gauge }: MetricMaker) {
    this.#steps = counter('governance_steps_total', 'What people changed about limits', 'act');
    this.#refusals = counter('governance_refusals_total', 'What people tried and the rules forbade', 'act');
    this.#inForce = gauge(
      'governance_in_force',
      'Frozen scopes, markets with an override, overrides that wait for an approval, emergency mode (0 or 1)',
      'kind',
    );
    for (const act of ACTS) {
      this.#steps(act, 0);
      this.#refusals(act, 0);
    }
    for (const kind of ['freeze', 'override', 'pending', 'emergency']) this.#inForce(kind, 0);
  }

  acted(act: string): void {
    this.#steps(act, 1);
  }

  refused(act: string): void {
    this.#refusals(act, 1);
  }

  /** @param at epoch milliseconds. */
  observe(state: GovernanceState, at: number): void {
    const { freezes, overrides } = state;
    const symbols = new Set(overrides.map(({ symbol }) => symbol));
    const overridden = [...symbols].filter((symbol) => overrideOf(state, symbol, at) !== null);
    const pending = overrides.filter(({ mayLoosen, approvedBy }) => mayLoosen && approvedBy === null);
    const frozen = freezes.filter(({ expiresAt }) => expiresAt === null || expiresAt > at);
    this.#inForce('freeze', frozen.length);
    this.#inForce('override', overridden.length);
    this.#inForce('pending', pending.length);
    this.#inForce('emergency', isEmergency(state, at) ? 1 : 0);
  }
}
