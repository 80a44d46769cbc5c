import { INTERVENTION_KINDS, type Intervention } from '../accounts/interventions/intervention.ts';
import { ACCOUNT_STATUSES } from '../accounts/interventions/statuses.ts';
import type { AccountSummary } from '../control/reads.ts';
import type { MetricMaker } from './governance-metrics.ts';

/** What the accounts come to, and what they were told. */
export class AccountMetrics {
  readonly #accounts: (status: string, count: number) => void;
  readonly #interventions: (kind: string, by: number) => void;
  readonly #deliveries: (result: string, by: number) => void;
  readonly #leverage: (level: number) => void;

  constructor({ counter, gauge, levels }: MetricMaker) {
    const system = levels(
      'system_leverage_ratio',
      'Marked notional of all accounts over their marked equity, as the last decision saw it',
      [],
    );
    this.#leverage = (level) => system.set({}, level);
    this.#accounts = gauge('accounts', 'Accounts by the worst status of what they hold', 'status');
    this.#interventions = counter('interventions_total', 'Interventions told, by kind', 'kind');
    this.#deliveries = counter(
      'webhook_deliveries_total',
      'Calls of webhooks, by what became of them',
      'result',
    );
    for (const result of ['delivered', 'failed', 'buried']) this.#deliveries(result, 0);
    for (const status of ACCOUNT_STATUSES) this.#accounts(status, 0);
    for (const kind of INTERVENTION_KINDS) this.#interventions(kind, 0);
  }

  /** Of all accounts together. */
  systemSeen(leverage: number): void {
    this.#leverage(leverage);
  }

  intervened(interventions: readonly Intervention[]): void {
    for (const { kind } of interventions) this.#interventions(kind, 1);
  }

  delivery(result: 'delivered' | 'failed' | 'buried'): void {
    this.#deliveries(result, 1);
  }

  observe({ byStatus }: AccountSummary): void {
    for (const status of ACCOUNT_STATUSES) this.#accounts(status, byStatus[status]);
  }
}
