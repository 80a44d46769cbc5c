import { ACCESS_REFUSALS, type AccessRefusal } from '../control/access/refusals.ts';
import type { MetricMaker } from './governance-metrics.ts';

/** Who was not let in, and why. */
export class AccessMetrics {
  readonly #refusals: (label: string, by: number) => void;

  constructor({ counter }: MetricMaker) {
    this.#refusals = counter('access_refusals_total', 'Requests of somebody who was not let in', 'reason');
    for (const reason of ACCESS_REFUSALS) this.#refusals(reason, 0);
  }

  refused(reason: AccessRefusal): void {
    this.#refusals(reason, 1);
  }
}
