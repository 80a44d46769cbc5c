import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { folderId } from '../data/folder-id.ts';
import type { BookBucket } from '../data/nats/book-bucket.ts';
import type { NatsBroker, NatsOptions } from '../data/nats/nats-broker.ts';
import type { AccountStreams } from './account-worker.ts';
import type { Config } from './config.ts';
import type { AccountAnswerer } from './control/accounts/account-access.ts';
import type { WorkerAccounts } from './control/accounts/worker-accounts.ts';
import type { ShardState } from './control/accounts/worker-messages.ts';
import type { MarkPrice } from './control/guard/prices.ts';
import { streamLost } from './control/streams/failures.ts';
import { LeaseTime } from './control/streams/lease-time.ts';
import { PartitionAsker } from './control/streams/partition-asker.ts';
import {
  PartitionedAccounts,
  type PartitionedAccountsOptions,
} from './control/streams/partitioned-accounts.ts';
import { PriceIntake } from './control/streams/price-intake.ts';
import { ShardLease } from './control/streams/shard-lease.ts';
import type { StreamReason } from './control/streams/stream-reasons.ts';
import { asPlimsollError, PlimsollError } from './errors.ts';
import { bookTexts } from './http/book-texts.ts';
import { limitsHeadShape } from './http/shapes.ts';
import type { LimitBook } from './limits/types.ts';

const RETRY_MILLISECONDS = 1_000;

/** What a process does on NATS: it owns a partition of the accounts, asks whoever owns the others, judges prices where it decides, and shows the limits there. */
export class Streams {
  /** For the thread of the accounts, which has a connection of its own. */
  readonly workerData: AccountStreams;
  readonly #broker: NatsBroker;
  readonly #bucket: BookBucket;
  readonly #logger: Logger;
  readonly #time: LeaseTime;
  #lease: ShardLease | null = null;
  #prices: PriceIntake | null = null;
  #thread: WorkerAccounts | null = null;
  #state: ShardState['state'] | null = null;
  #partition: number | null = null;
  readonly #firstHeld = Promise.withResolvers<void>();
  readonly #firstKept = Promise.withResolvers<void>();
  #toShow: LimitBook | null = null;
  #showing: Promise<void> | null = null;
  #isStopped = false;

  private constructor(
    broker: NatsBroker,
    bucket: BookBucket,
    workerData: AccountStreams,
    time: LeaseTime,
    logger: Logger,
  ) {
    this.#time = time;
    this.#broker = broker;
    this.#bucket = bucket;
    this.workerData = workerData;
    this.#logger = logger;
  }

  /**
   * Makes the streams where there are none, and takes this process's name where it keeps accounts.
   *
   * @throws PlimsollError STREAM_UNAVAILABLE, STREAM_REFUSED, STREAM_LOST, WORKER_NAME_TAKEN, CONFIG_INVALID.
   */
  static async open(config: Config, url: string, keepsAccounts: boolean, logger: Logger): Promise<Streams> {
    const {
      dataDir,
      natsPrefix: prefix,
      natsCredentials: credentials,
      natsReplicas: replicas,
      role,
    } = config;
    const worker = config.workerName ?? folderId(dataDir);
    const nats: NatsOptions = {
      ...{ url, credentials, prefix, replicas, partitions: config.accountPartitions },
      name: `${role} ${worker}`,
    };
    // Only those pay for the library whose accounts come through it.
    const [brokers, books] = await Promise.all([
      import('../data/nats/nats-broker.ts'),
      import('../data/nats/book-bucket.ts'),
    ]);
    const broker = await brokers.NatsBroker.open(nats);
    try {
      const folder = join(dataDir, 'shards');
      if (keepsAccounts) requireKnownStreams(folder, prefix, broker.id);
      const session = randomUUID();
      const time = new LeaseTime();
      const bucket = await books.BookBucket.open(broker.way, prefix, replicas);
      const streams = new Streams(
        broker,
        bucket,
        { nats, worker, session, leaseTime: time.memory, folder: join(folder, prefix) },
        time,
        logger,
      );
      if (keepsAccounts)
        streams.#lease = await ShardLease.enter({
          ...{ broker, worker, session, time },
          onHeld: (partition) => streams.#held(partition),
          onLost: () => streams.#lost(),
        });
      return streams;
    } catch (thrown) {
      await broker.close();
      throw thrown;
    }
  }

  /**
   * The accounts as the rest of the service asks for them: of all partitions, whoever keeps them; marks go through their stream.
   *
   * @param answerer what is kept here.
   */
  answererOver(
    answerer: AccountAnswerer,
    { clock, askSystem }: Pick<PartitionedAccountsOptions, 'clock' | 'askSystem'>,
  ): AccountAnswerer {
    const own: AccountAnswerer = {
      setTerms: (terms, version) => answerer.setTerms(terms, version),
      ask: async (kind, request) => {
        if (kind !== 'mark') return answerer.ask(kind, request);
        await this.#prices?.mark((request as unknown as { readonly prices: readonly MarkPrice[] }).prices);
        return null as never;
      },
    };
    return new PartitionedAccounts({
      ...{ own, clock, askSystem },
      partitions: this.#broker.partitions,
      asker: new PartitionAsker(this.#broker.questions),
      ownPartition: () => (this.#isOwn ? this.#partition : null),
      isCertain: () => this.#isCertain,
    });
  }

  /** Whether all accounts are kept here, so that what is not known here is nowhere. */
  get keepsAll(): boolean {
    return this.#broker.partitions === 1 && this.#isOwn && this.#isCertain;
  }

  get #isOwn(): boolean {
    return this.#state !== null && this.#state !== 'taken';
  }

  /** Without the streams nobody can be asked, and what is known is answered. */
  get #isCertain(): boolean {
    return this.#time.isHeld || this.#broker.failure() !== null;
  }

  /** Begins to look for a partition, which that thread then keeps. */
  keepAccounts(thread: WorkerAccounts): void {
    this.#thread = thread;
    this.#lease?.start();
  }

  /**
   * Comes back once the accounts are kept here, however long it takes to read them.
   *
   * @throws PlimsollError LOCKED where another process still owns them after so long, STREAM_LOST.
   */
  async alone(milliseconds: number): Promise<void> {
    const late = setTimeout(milliseconds, 'late' as const, { ref: false });
    if ((await Promise.race([this.#firstHeld.promise, late])) !== 'late') return this.#firstKept.promise;
    throw new PlimsollError(
      'LOCKED',
      `another process keeps the accounts of ${this.workerData.nats.prefix}`,
      {
        remedy:
          'Stop it first, or start this one with PLIMSOLL_ROLE=accounts on the same database: then it takes over.',
      },
    );
  }

  /** Names what interventions are numbered in; a partition once one is kept. */
  source(): string {
    return `${this.workerData.nats.prefix} ${this.#partition ?? 'none'}`;
  }

  judgePrices(judge: (text: string) => readonly MarkPrice[]): void {
    this.#prices = new PriceIntake({
      ...{ log: this.#broker.log, judge },
      onFailure: (err) => this.#logger.error({ err }, 'prices of the stream are not taken in'),
    });
  }

  /** Prices of the stream are judged by the process that decides. */
  async leads(isLeading: boolean): Promise<void> {
    await this.#prices?.set(isLeading);
  }

  /** Null also for a process that waits for a partition: that is nothing to mend. */
  reason(): StreamReason | null {
    if (this.#broker.failure() !== null || this.#state === 'away') return 'STREAMS_UNAVAILABLE';
    return this.#state === 'lost' ? 'STREAM_LOST' : null;
  }

  /** Of the accounts, over all processes. */
  get partitions(): number {
    return this.#broker.partitions;
  }

  /** Whether a partition of the accounts is kept here. */
  get keeps(): boolean {
    return this.#state === 'kept';
  }

  onShard({ partition, state, failure }: ShardState): void {
    this.#state = state;
    // Whoever waits for nothing hears of no failure.
    this.#firstKept.promise.catch(() => undefined);
    if (state === 'lost' && failure !== null) this.#firstKept.reject(streamLost(failure.message));
    else this.#firstKept.resolve();
    if (state === 'kept') this.#logger.info({ partition }, 'the accounts of this partition are kept here');
    else
      this.#logger.error({ partition, state, failure }, 'the accounts of this partition are not kept here');
    // The journal was written by another: whoever has the lease by now is told of it.
    if (state === 'taken') void this.#lookAgain(partition);
  }

  /** A thread that starts anew knows nothing of what this process holds. One that died for want of NATS is not hurried. */
  async onThreadLost(): Promise<void> {
    this.#state = 'away';
    await setTimeout(RETRY_MILLISECONDS);
    const partition = this.#lease?.partition ?? null;
    if (partition !== null && !this.#isStopped) this.#hold(partition);
  }

  /** Shows a book to whoever lives on NATS, and tries until it is there or a later one is. */
  show(book: LimitBook): void {
    this.#toShow = book;
    this.#showing ??= this.#showAll().finally(() => {
      this.#showing = null;
    });
  }

  /** Judges no more prices. The partition stays until its snapshot is written. */
  async stopTaking(): Promise<void> {
    await this.#prices?.set(false);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#showing;
    await this.#lease?.stop();
    await this.#broker.close();
  }

  #held(partition: number): void {
    this.#partition = partition;
    this.#firstHeld.resolve();
    this.#hold(partition);
  }

  #hold(partition: number): void {
    this.#thread?.ask('hold', { partition }).catch((err) => {
      this.#logger.error(
        { err, partition },
        'the thread of the accounts could not be told to keep a partition',
      );
    });
  }

  #lost(): void {
    this.#thread?.ask('lose', {}).catch(() => undefined);
  }

  async #lookAgain(partition: number): Promise<void> {
    await setTimeout(RETRY_MILLISECONDS);
    await this.#lease?.check();
    if (this.#state === 'taken' && this.#lease?.partition === partition && !this.#isStopped)
      this.#hold(partition);
  }

  async #showAll(): Promise<void> {
    while (this.#toShow !== null && !this.#isStopped) {
      const book = this.#toShow;
      try {
        await this.#bucket.publish(bucketBook(book));
        if (this.#toShow === book) this.#toShow = null;
      } catch (thrown) {
        this.#logger.warn(
          { err: asPlimsollError(thrown), version: book.version },
          'the limits are not on NATS yet',
        );
        await setTimeout(RETRY_MILLISECONDS);
      }
    }
  }
}

function bucketBook(book: LimitBook) {
  const { brackets } = bookTexts(book, false);
  const symbols = book.markets.map(({ symbol }) => symbol);
  return {
    version: book.version,
    head: JSON.stringify({ ...limitsHeadShape(book, false), markets: symbols }),
    markets: symbols.map((symbol, i) => ({ symbol, text: brackets[i] })),
  };
}

/** A folder that has kept a partition of other streams under this name: those are gone, with what they had. */
function requireKnownStreams(folder: string, prefix: string, id: string): void {
  mkdirSync(join(folder, prefix), { recursive: true });
  const path = join(folder, prefix, 'streams.id');
  try {
    writeFileSync(path, `${id}\n`, { flag: 'wx', flush: true });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
  }
  if (readFileSync(path, 'utf8').trim() === id) return;
  throw streamLost(
    `the streams of ${prefix} are not those that ${path} knows: they were removed and made anew`,
  );
}

/** What interventions are numbered in: the accounts of the folder, or those of the partition that is kept. */
export function sourceOf({ dataDir }: Config, streams: Streams | null): () => string {
  if (streams !== null) return () => streams.source();
  const source = folderId(dataDir);
  return () => source;
}
