import { INTERVENTION_KINDS, type Intervention } from '../accounts/interventions/intervention.ts';
import { ACCOUNT_STATUSES } from '../accounts/interventions/statuses.ts';
import type { AccountSummary } from '../control/reads.ts';
import type { MetricMaker } from './governance-metrics.ts';

/** What the accounts come to, and what they were told. */
export class AccountMetrics {
  readonly #accounts: (status: string, count: number) => void;
  readonly #interventions: (kind: string, by: number) => void;

  constructor({ counter, gauge }: MetricMaker) {
    this.#accounts = gauge('accounts', 'Accounts by the worst status of what they hold', 'status');
    this.#interventions = counter('interventions_total', 'Interventions told, by kind', 'kind');
    for (const status of ACCOUNT_STATUSES) this.#accounts(status, 0);
    for (const kind of INTERVENTION_KINDS) this.#interventions(kind, 0);
  }

  intervened(interventions: readonly Intervention[]): void {
    for (const { kind } of interventions) this.#interventions(kind, 1);
  }

  observe({ byStatus }: AccountSummary): void {
    for (const status of ACCOUNT_STATUSES) this.#accounts(status, byStatus[status]);
  }
}
