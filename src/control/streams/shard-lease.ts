import { setTimeout } from 'node:timers/promises';
import { monotonicMilliseconds } from '../../clock.ts';
import { PlimsollError } from '../../errors.ts';
import type { Broker, Lease } from './event-log.ts';
import type { LeaseTime } from './lease-time.ts';

export interface ShardLeaseOptions {
  readonly broker: Broker;
  /** The same over restarts, and no other process's. */
  readonly worker: string;
  /** Of this run of the process alone. */
  readonly session: string;
  readonly onHeld: (partition: number) => void;
  readonly onLost: () => void;
  /** Is told until when the partition is certainly held. */
  readonly time: LeaseTime;
}

/** So often within the time of a lease it is renewed, or looked for. */
const BEATS = 6;

/**
 * Which partition this process owns: at most one, the first that is free. One that lost its own to another process waits for that
 * one alone, so that what it tells of a partition never becomes another's.
 */
export class ShardLease {
  readonly #options: ShardLeaseOptions;
  #name: Lease;
  #shard: { readonly partition: number; readonly lease: Lease } | null = null;
  /** The one that this process has ever had. */
  #own: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | null = null;
  #isStopped = false;

  private constructor(options: ShardLeaseOptions, name: Lease) {
    this.#options = options;
    this.#name = name;
  }

  /**
   * Takes the worker's name; one of a process that was killed is free after the time of a lease.
   *
   * @throws PlimsollError WORKER_NAME_TAKEN while a process of this name lives.
   */
  static async enter(options: ShardLeaseOptions): Promise<ShardLease> {
    const { leases } = options.broker;
    const name = `worker.${options.worker}`;
    const before = await leases.holder(name);
    const beatMilliseconds = leases.milliseconds / BEATS;
    for (let waited = 0; ; waited += beatMilliseconds) {
      const lease = await leases.take(name, options.session);
      if (lease !== null) return new ShardLease(options, lease);
      const now = await leases.holder(name);
      const lives = now !== null && (before === null || now.beat !== before.beat);
      if (lives || waited > 3 * leases.milliseconds) throw nameTaken(options.worker);
      await setTimeout(beatMilliseconds);
    }
  }

  /** Null while no partition is owned. */
  get partition(): number | null {
    return this.#shard?.partition ?? null;
  }

  start(): void {
    const { milliseconds } = this.#options.broker.leases;
    const beat = (): void => {
      this.#beating ??= this.#beat()
        // The streams do not answer: what is held may still be, and its fence knows.
        .catch(() => undefined)
        .finally(() => {
          this.#beating = null;
        });
    };
    beat();
    this.#timer = setInterval(beat, milliseconds / BEATS);
  }

  /** Looks now whether the partition is still owned. */
  async check(): Promise<void> {
    await this.#beating;
    await this.#beat().catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#beating;
    this.#options.time.over();
    await Promise.allSettled([this.#shard?.lease.release(), this.#name.release()]);
    this.#shard = null;
  }

  async #beat(): Promise<void> {
    if (this.#isStopped) return;
    const { worker, session, broker, onHeld, onLost, time } = this.#options;
    const shard = this.#shard;
    const holder = `${worker} ${session}`;
    if (!(await this.#name.renew())) {
      // It lapsed while the streams were away, or this process stood still; another of its name would be refused.
      this.#name = (await broker.leases.take(`worker.${worker}`, session)) ?? this.#name;
    }
    const { milliseconds } = broker.leases;
    if (shard !== null) {
      const askedAt = monotonicMilliseconds();
      if (await shard.lease.renew()) {
        time.held(askedAt, milliseconds);
        return;
      }
      time.over();
      const again = await broker.leases.take(nameOf(shard.partition), holder);
      this.#shard = again === null ? null : { partition: shard.partition, lease: again };
      if (again === null) onLost();
      else time.held(askedAt, milliseconds);
      return;
    }
    const candidates =
      this.#own === null
        ? Array.from({ length: broker.partitions }, (_, partition) => partition)
        : [this.#own];
    for (const partition of candidates) {
      const askedAt = monotonicMilliseconds();
      const lease = await broker.leases.take(nameOf(partition), holder);
      if (lease === null) continue;
      this.#shard = { partition, lease };
      this.#own = partition;
      time.held(askedAt, milliseconds);
      onHeld(partition);
      return;
    }
  }
}

const nameOf = (partition: number): string => `shard.${partition}`;

function nameTaken(worker: string): PlimsollError {
  return new PlimsollError('WORKER_NAME_TAKEN', `another process that lives has the name ${worker}`, {
    remedy:
      'Give each process a name of its own: PLIMSOLL_WORKER_NAME. Do not copy the folder.id of a data folder.',
  });
}
