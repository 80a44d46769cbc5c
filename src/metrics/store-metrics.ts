import { STORE_REASONS, type StoreReason } from '../control/follow/store-follower.ts';
import type { MetricMaker } from './governance-metrics.ts';

/** How this process stands to the others that share its store. */
export class StoreMetrics {
  readonly #leads: (of: Readonly<Record<string, string>>, level: number) => void;
  readonly #term: (of: Readonly<Record<string, string>>, level: number) => void;
  readonly #faults: (label: string, level: number) => void;

  constructor({ gauge, levels }: MetricMaker) {
    this.#leads = levels('leader', '1 while this process decides', []).set;
    this.#term = levels('leader_term', 'The term in which this process decides; 0 while it does not', []).set;
    this.#faults = gauge(
      'store_fault_active',
      '1 while the store cannot be followed for this reason',
      'reason',
    );
    this.followed(null);
    this.led(null);
  }

  /** @param term null while another process leads. */
  led(term: number | null): void {
    this.#leads({}, term === null ? 0 : 1);
    this.#term({}, term ?? 0);
  }

  /** @param reason null while all is well. */
  followed(reason: StoreReason | null): void {
    for (const one of STORE_REASONS) this.#faults(one, one === reason ? 1 : 0);
  }
}
