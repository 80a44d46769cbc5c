import {
  type Consumer,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
  type StreamInfo,
} from '@nats-io/jetstream';
import { headers as natsHeaders } from '@nats-io/transport-node';
import type {
  AppendOptions,
  EventLog,
  Extent,
  Following,
  LogEntry,
  TakeEntries,
  Topic,
} from '../../src/control/ports.ts';
import { shardLost, streamLost } from '../../src/control/ports.ts';
import { asPlimsollError, type PlimsollError } from '../../src/errors.ts';
import type { NatsWay } from './connection.ts';
import { asStreamError, isJetStreamAway, JETSTREAM_ERRORS, jetStreamCode, unavailable } from './failures.ts';

const ID_HEADER = 'Nats-Msg-Id';
/** What the server is told with an entry, and adds to it. */
const OWN_HEADERS = 'Nats-';
/** How long a page waits for entries that are there. */
const PAGE_MILLISECONDS = 2_000;
/** So many entries are handed over at once at most, and as many wait. */
const MOST_AT_ONCE = 1_000;
/** How often a topic that is followed is looked after. */
const LOOK_MILLISECONDS = 1_000;

export const streamOf = (prefix: string, topic: Topic): string => `${prefix}_${topic.replace('.', '_')}`;
export const subjectOf = (prefix: string, topic: Topic): string => `${prefix}.${topic}`;

/** A topic is a stream of its own: its sequences have no gaps, and each may live on another server of a cluster. */
export class NatsLog implements EventLog {
  readonly #way: NatsWay;
  readonly #prefix: string;
  /** When each stream was made: one that was removed and made again is not the one that we know. */
  readonly #made: ReadonlyMap<Topic, string>;

  constructor(way: NatsWay, prefix: string, made: ReadonlyMap<Topic, string>) {
    this.#way = way;
    this.#prefix = prefix;
    this.#made = made;
  }

  append(
    topic: Topic,
    body: Uint8Array,
    { id, expected, headers = {} }: AppendOptions = {},
  ): Promise<number> {
    const own = natsHeaders();
    for (const [name, value] of Object.entries(headers)) own.set(name, value);
    return this.#way.on(async () => {
      try {
        const { seq } = await this.#way.client.publish(subjectOf(this.#prefix, topic), body, {
          headers: own,
          ...(id === undefined ? {} : { msgID: id }),
          expect: {
            streamName: streamOf(this.#prefix, topic),
            ...(expected === undefined ? {} : { lastSequence: expected }),
          },
        });
        return seq;
      } catch (thrown) {
        if (jetStreamCode(thrown) === JETSTREAM_ERRORS.wrongLastSequence) throw shardLost(topic);
        // Nobody listens to the subject: its stream is gone, which is said then, or JetStream is not ready.
        if (isJetStreamAway(thrown)) await this.#info(topic);
        throw thrown;
      }
    });
  }

  read(topic: Topic, after: number, limit: number): Promise<readonly LogEntry[]> {
    return this.#way.on(async () => {
      const { state } = await this.#info(topic);
      const expected = Math.min(limit, state.last_seq - Math.max(after, state.first_seq - 1));
      if (expected <= 0) return [];
      const consumer = await this.#consumer(topic, after);
      const entries: LogEntry[] = [];
      while (entries.length < expected) {
        const messages = await consumer.fetch({
          max_messages: expected - entries.length,
          expires: PAGE_MILLISECONDS,
        });
        const before = entries.length;
        for await (const message of messages) entries.push(entryOf(message));
        if (entries.length === before) throw unavailable(this.#way.where, `${topic} sends nothing`);
      }
      return entries;
    });
  }

  extent(topic: Topic): Promise<Extent> {
    return this.#way.on(async () => {
      const { state } = await this.#info(topic);
      return { first: state.messages === 0 ? state.last_seq + 1 : state.first_seq, last: state.last_seq };
    });
  }

  follow(
    topic: Topic,
    after: number,
    take: TakeEntries,
    onFailure: (error: PlimsollError) => void,
  ): Following {
    const follower = new Follower({
      open: (from) =>
        this.#way.on(async () => (await this.#consumer(topic, from)).consume({ max_messages: MOST_AT_ONCE })),
      look: async () => {
        if (this.#way.failure() === null) await this.#info(topic);
      },
      ...{ after, take, onFailure, where: this.#way.where },
    });
    return follower;
  }

  async forget(topic: Topic, upTo: number): Promise<void> {
    await this.#way.on(async () => {
      const { last } = await this.extent(topic);
      const stream = streamOf(this.#prefix, topic);
      if (upTo > 0) await this.#way.manager.streams.purge(stream, { seq: Math.min(upTo, last) + 1 });
    });
  }

  /** @throws PlimsollError STREAM_LOST. */
  async #info(topic: Topic): Promise<StreamInfo> {
    const info = await this.#way.manager.streams.info(streamOf(this.#prefix, topic));
    if (this.#made.has(topic) && info.created !== this.#made.get(topic))
      throw streamLost(`${this.#way.where}: the stream of ${topic} was removed and made anew`);
    return info;
  }

  #consumer(topic: Topic, after: number): Promise<Consumer> {
    return this.#way.client.consumers.get(streamOf(this.#prefix, topic), {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: after + 1,
    });
  }
}

interface FollowerOptions {
  readonly open: (after: number) => Promise<ConsumerMessages>;
  /** Throws where the topic is not what it was. */
  readonly look: () => Promise<void>;
  readonly after: number;
  readonly take: TakeEntries;
  readonly onFailure: (error: PlimsollError) => void;
  readonly where: string;
}

class Follower implements Following {
  readonly #options: FollowerOptions;
  readonly #done: Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #waiting: LogEntry[] = [];
  #taking: Promise<void> | null = null;
  #messages: ConsumerMessages | null = null;
  #isStopped = false;
  #seen: number;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#seen = options.after;
    this.#timer = setInterval(() => void this.#look(), LOOK_MILLISECONDS);
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#messages?.stop();
    await this.#done;
    await this.#taking?.catch(() => undefined);
  }

  async #run(): Promise<void> {
    try {
      this.#messages = await this.#options.open(this.#seen);
      if (this.#isStopped) this.#messages.stop();
      for await (const message of this.#messages) {
        if (this.#isStopped) break;
        // A consumer that was made anew after a lost way may say something twice.
        if (message.seq <= this.#seen) continue;
        this.#seen = message.seq;
        this.#waiting.push(entryOf(message));
        this.#taking ??= this.#take();
        if (this.#waiting.length >= MOST_AT_ONCE) await this.#taking;
      }
      this.#fail(unavailable(this.#options.where, 'the consumer ended'));
    } catch (thrown) {
      this.#fail(asStreamError(this.#options.where, thrown));
    }
  }

  async #take(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && !this.#isStopped) {
        const entries = this.#waiting;
        this.#waiting = [];
        await this.#options.take(entries);
      }
    } catch (thrown) {
      this.#fail(asPlimsollError(thrown));
    } finally {
      this.#taking = null;
    }
  }

  async #look(): Promise<void> {
    try {
      await this.#options.look();
    } catch (thrown) {
      const error = asStreamError(this.#options.where, thrown);
      // What does not answer is waited for; the consumer finds its way back.
      if (error.code !== 'STREAM_UNAVAILABLE') this.#fail(error);
    }
  }

  #fail(error: PlimsollError): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#messages?.stop();
    this.#options.onFailure(error);
  }
}

function entryOf(message: JsMsg): LogEntry {
  const headers: Record<string, string> = {};
  for (const name of message.headers?.keys() ?? [])
    if (!name.startsWith(OWN_HEADERS)) headers[name] = message.headers?.get(name) ?? '';
  return { sequence: message.seq, id: message.headers?.get(ID_HEADER) || null, headers, body: message.data };
}
