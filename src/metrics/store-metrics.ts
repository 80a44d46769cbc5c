import { STORE_REASONS, type StoreReason } from '../control/follow/store-follower.ts';
import { STREAM_REASONS, type StreamReason } from '../control/streams/stream-reasons.ts';
import type { MetricMaker } from './governance-metrics.ts';

/** How this process stands to the others that share its store. */
export class StoreMetrics {
  readonly #leads: (of: Readonly<Record<string, string>>, level: number) => void;
  readonly #term: (of: Readonly<Record<string, string>>, level: number) => void;
  readonly #faults: (label: string, level: number) => void;
  readonly #streamFaults: (label: string, level: number) => void;
  readonly #partitions: (of: Readonly<Record<string, string>>, level: number) => void;
  readonly #allPartitions: (of: Readonly<Record<string, string>>, level: number) => void;

  constructor({ gauge, levels }: MetricMaker) {
    this.#leads = levels('leader', '1 while this process decides', []).set;
    this.#term = levels('leader_term', 'The term in which this process decides; 0 while it does not', []).set;
    this.#faults = gauge(
      'store_fault_active',
      '1 while the store cannot be followed for this reason',
      'reason',
    );
    this.#streamFaults = gauge(
      'stream_fault_active',
      '1 while accounts that come through streams are not taken in here for this reason',
      'reason',
    );
    this.followed(null);
    this.#partitions = levels(
      'account_partitions_kept',
      '1 while this process keeps a partition of the accounts',
      [],
    ).set;
    this.#allPartitions = levels(
      'account_partitions',
      'Partitions of the accounts that come through streams; 0 where none do',
      [],
    ).set;
    this.streamed(null, false, 0);
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

  /** @param reason null while all is well, and where there are no streams. @param partitions of all processes; 0 where there are no streams. */
  streamed(reason: StreamReason | null, keepsPartition: boolean, partitions: number): void {
    this.#partitions({}, keepsPartition ? 1 : 0);
    this.#allPartitions({}, partitions);
    for (const one of STREAM_REASONS) this.#streamFaults(one, one === reason ? 1 : 0);
  }
}
