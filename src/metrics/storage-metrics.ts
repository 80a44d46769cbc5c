import type { MetricMaker } from './governance-metrics.ts';

/** Whether what comes in can be stored. */
export class StorageMetrics {
  readonly #failing: ReturnType<MetricMaker['levels']>;

  constructor({ levels }: MetricMaker) {
    this.#failing = levels(
      'storage_failing',
      '1 while nothing can be stored: writes are refused, reads go on',
      [],
    );
    this.failing(false);
  }

  failing(isFailing: boolean): void {
    this.#failing.set({}, isFailing ? 1 : 0);
  }
}
