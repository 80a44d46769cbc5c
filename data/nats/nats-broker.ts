import { randomUUID } from 'node:crypto';
import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { nanos } from '@nats-io/transport-node';
import {
  type Broker,
  type EventLog,
  type Leases,
  type Questions,
  streamLost,
  type Topic,
  topicsOf,
} from '../../src/control/ports.ts';
import { PlimsollError } from '../../src/errors.ts';
import { type NatsPlace, NatsWay } from './connection.ts';
import { JETSTREAM_ERRORS, jetStreamCode } from './failures.ts';
import { NatsLeases } from './nats-leases.ts';
import { NatsLog, streamOf, subjectOf } from './nats-log.ts';
import { NatsQuestions } from './nats-questions.ts';

export interface NatsOptions extends NatsPlace {
  /** Begins the name of every stream, subject and bucket. */
  readonly prefix: string;
  /** Null to take what there is. */
  readonly partitions: number | null;
  /** Copies of every entry in a cluster. */
  readonly replicas: number;
  /** For whoever looks at the connections of the server. */
  readonly name: string;
  readonly leaseMilliseconds?: number;
}

/** Raised where a program of before could not read what is written. */
const FORMAT = 1;
const LEASE_MILLISECONDS = 3_000;
const HOUR_MILLISECONDS = 3_600_000;
const DUPLICATE_WINDOW_MILLISECONDS = 120_000;
/** What nobody takes is kept for so long: a shard must have an owner before. What an owner has in its snapshots it forgets itself. */
const KEPT_HOURS = { accounts: 7 * 24, prices: 24, marks: 24 } as const;

/** The broker on NATS JetStream, server 2.9 or newer. */
export class NatsBroker implements Broker {
  readonly log: EventLog;
  readonly leases: Leases;
  readonly questions: Questions;
  readonly partitions: number;
  /** Of these streams and no others, whatever their names. */
  readonly id: string;
  readonly way: NatsWay;

  private constructor(
    way: NatsWay,
    { log, leases, questions }: Pick<Broker, 'log' | 'leases' | 'questions'>,
    { id, partitions }: Layout,
  ) {
    this.way = way;
    this.log = log;
    this.leases = leases;
    this.questions = questions;
    this.partitions = partitions;
    this.id = id;
  }

  /**
   * Makes what is not there yet. Streams that are gone while their layout is there are not made again: what they had was acknowledged.
   *
   * @throws PlimsollError STREAM_UNAVAILABLE, STREAM_REFUSED, STREAM_LOST, CONFIG_INVALID where the partitions are others.
   */
  static async open(options: NatsOptions): Promise<NatsBroker> {
    const way = await NatsWay.open(options, options.name);
    try {
      return await way.on(() => openOn(way, options));
    } catch (thrown) {
      await way.close();
      throw thrown;
    }
    async function openOn(
      on: NatsWay,
      { prefix, replicas, leaseMilliseconds = LEASE_MILLISECONDS }: NatsOptions,
    ) {
      const kvm = new Kvm(on.client);
      const layout = await layOut(on, kvm, options);
      const made = new Map<Topic, string>();
      for (const topic of topicsOf(layout.partitions)) made.set(topic, await madeAt(on, prefix, topic));
      const bucket = await kvm.create(`${prefix}_shards`, {
        ttl: leaseMilliseconds,
        replicas,
        allow_direct: false,
      });
      const log = new NatsLog(on, prefix, made);
      const leases = new NatsLeases(on, bucket, leaseMilliseconds);
      return new NatsBroker(on, { log, leases, questions: new NatsQuestions(on, prefix) }, layout);
    }
  }

  failure(): PlimsollError | null {
    return this.way.failure();
  }

  async close(): Promise<void> {
    await this.way.close();
  }
}

interface Layout {
  readonly id: string;
  readonly partitions: number;
}

/** The layout is written last: where it is, the streams were there. */
async function layOut(
  way: NatsWay,
  kvm: Kvm,
  { prefix, partitions, replicas }: NatsOptions,
): Promise<Layout> {
  const bucket = await kvm.create(`${prefix}_layout`, { replicas, allow_direct: false });
  const known = await bucket.get('layout');
  if (known !== null) return layoutOf(known.string(), prefix, partitions);
  if (partitions === null)
    throw new PlimsollError('CONFIG_INVALID', `natsPrefix: no streams begin with ${prefix}`, {
      remedy: 'Start a process that keeps accounts first, or mend PLIMSOLL_NATS_PREFIX.',
    });
  for (const topic of topicsOf(partitions)) await makeStream(way, prefix, topic, replicas);
  try {
    const layout = { format: FORMAT, id: randomUUID(), partitions };
    await bucket.create('layout', JSON.stringify(layout));
    return layout;
  } catch (thrown) {
    if (jetStreamCode(thrown) !== JETSTREAM_ERRORS.wrongLastSequence) throw thrown;
    const others = await bucket.get('layout');
    return layoutOf(others?.string() ?? '{}', prefix, partitions);
  }
}

function layoutOf(text: string, prefix: string, wanted: number | null): Layout {
  const layout = JSON.parse(text) as Layout & { readonly format: number };
  const { format, partitions } = layout;
  if (format !== FORMAT)
    throw new PlimsollError('CONFIG_INVALID', `the streams of ${prefix} are of format ${format}`, {
      remedy: `Use a program that knows it; this one knows ${FORMAT}.`,
    });
  if (wanted === null || wanted === partitions) return layout;
  throw new PlimsollError(
    'CONFIG_INVALID',
    `accountPartitions: the streams of ${prefix} have ${partitions} partitions, not ${wanted}`,
    {
      remedy: `Set PLIMSOLL_ACCOUNT_PARTITIONS=${partitions}; another number needs another PLIMSOLL_NATS_PREFIX, and all accounts sent again.`,
    },
  );
}

async function makeStream(way: NatsWay, prefix: string, topic: Topic, replicas: number): Promise<void> {
  const family = topic.split('.')[0];
  const hours = KEPT_HOURS[family as keyof typeof KEPT_HOURS] ?? 0;
  try {
    await way.manager.streams.add({
      name: streamOf(prefix, topic),
      subjects: [subjectOf(prefix, topic)],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      num_replicas: replicas,
      max_age: nanos(hours * HOUR_MILLISECONDS),
      duplicate_window: nanos(DUPLICATE_WINDOW_MILLISECONDS),
    });
  } catch (thrown) {
    // Another process makes the same, or an operator has made it as they want it.
    if (jetStreamCode(thrown) !== JETSTREAM_ERRORS.streamNameInUse) throw thrown;
  }
}

async function madeAt(way: NatsWay, prefix: string, topic: Topic): Promise<string> {
  try {
    return (await way.manager.streams.info(streamOf(prefix, topic))).created;
  } catch (thrown) {
    if (jetStreamCode(thrown) !== JETSTREAM_ERRORS.streamNotFound) throw thrown;
    throw streamLost(`${way.where}: the stream ${streamOf(prefix, topic)} is gone`);
  }
}
