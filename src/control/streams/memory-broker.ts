import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import { PlimsollError } from '../../errors.ts';
import type {
  AppendOptions,
  Broker,
  EventLog,
  Extent,
  Following,
  Leases,
  LogEntry,
  TakeEntries,
  Topic,
} from './event-log.ts';
import { nobodyAnswers, shardLost } from './failures.ts';
import type { AnswerQuestion, Questions } from './questions.ts';

const PAGE = 500;

interface Kept {
  readonly entries: LogEntry[];
  readonly ids: Map<string, number>;
  first: number;
}

/** The readable reference of the port, without durability: processes that share an object are its processes. */
export class MemoryBroker implements Broker {
  readonly log: EventLog = {
    append: async (topic, body, options) => this.#append(topic, body, options),
    read: async (topic, after, limit) =>
      this.#kept(topic)
        .entries.filter(({ sequence }) => sequence > after)
        .slice(0, limit),
    extent: async (topic) => this.#extent(topic),
    follow: (topic, after, take, onFailure) => this.#follow(topic, after, take, onFailure),
    forget: async (topic, upTo) => {
      const kept = this.#kept(topic);
      const last = this.#extent(topic).last;
      kept.first = Math.min(Math.max(kept.first, upTo + 1), last + 1);
      while (kept.entries.length > 0 && kept.entries[0].sequence < kept.first) kept.entries.shift();
    },
  };
  readonly questions: Questions = {
    answer: async (partition, answer) => {
      const answering = this.#answering(partition);
      answering.add(answer);
      return { stop: async () => void answering.delete(answer) };
    },
    ask: async (partition, question, milliseconds) => {
      const asked = [...this.#answering(partition)].map(async (answer) => {
        const answered = await answer(question.slice());
        return answered ?? Promise.reject(nobodyAnswers(partition));
      });
      const late = setTimeout(milliseconds, null, { ref: false });
      const answer = await Promise.race([Promise.any(asked).catch(() => null), late]);
      if (answer === null) throw nobodyAnswers(partition);
      return answer.slice();
    },
  };
  readonly leases: Leases;
  readonly partitions: number;
  readonly #topics = new Map<Topic, Kept>();
  readonly #held = new Map<string, { readonly holder: string; beat: number; until: number }>();
  readonly #answerers = new Map<number, Set<AnswerQuestion>>();
  #beats = 0;

  constructor(partitions: number, clock: Clock, leaseMilliseconds: number) {
    this.partitions = partitions;
    const holderOf = (name: string) => {
      const held = this.#held.get(name);
      return held !== undefined && clock.now() < held.until ? held : null;
    };
    this.leases = {
      milliseconds: leaseMilliseconds,
      holder: async (name) => {
        const held = holderOf(name);
        return held === null ? null : { ...held };
      },
      take: async (name, holder) => {
        if (holderOf(name) !== null) return null;
        const own = { holder, beat: ++this.#beats, until: clock.now() + leaseMilliseconds };
        this.#held.set(name, own);
        const isOwn = (): boolean => holderOf(name) === own;
        return {
          renew: async () => {
            if (!isOwn()) return false;
            own.beat = ++this.#beats;
            own.until = clock.now() + leaseMilliseconds;
            return true;
          },
          release: async () => {
            if (isOwn()) this.#held.delete(name);
          },
        };
      },
    };
  }

  failure(): PlimsollError | null {
    return null;
  }

  async close(): Promise<void> {}

  #append(topic: Topic, body: Uint8Array, { id, expected, headers = {} }: AppendOptions = {}): number {
    const kept = this.#kept(topic);
    const known = id === undefined ? undefined : kept.ids.get(id);
    if (known !== undefined) return known;
    const { last } = this.#extent(topic);
    if (expected !== undefined && expected !== last) throw shardLost(topic);
    const sequence = last + 1;
    kept.entries.push({ sequence, id: id ?? null, headers: { ...headers }, body: body.slice() });
    if (id !== undefined) kept.ids.set(id, sequence);
    return sequence;
  }

  #extent(topic: Topic): Extent {
    const { entries, first } = this.#kept(topic);
    return { first, last: entries.at(-1)?.sequence ?? first - 1 };
  }

  #follow(
    topic: Topic,
    after: number,
    take: TakeEntries,
    onFailure: (error: PlimsollError) => void,
  ): Following {
    let isStopped = false;
    const run = async (): Promise<void> => {
      let seen = after;
      while (!isStopped) {
        const entries = await this.log.read(topic, seen, PAGE);
        if (entries.length > 0) await take(entries);
        else await setTimeout(1);
        seen = entries.at(-1)?.sequence ?? seen;
      }
    };
    const running = run().catch(onFailure);
    return {
      stop: () => {
        isStopped = true;
        return running;
      },
    };
  }

  #answering(partition: number): Set<AnswerQuestion> {
    const answering = this.#answerers.get(partition) ?? new Set();
    this.#answerers.set(partition, answering);
    return answering;
  }

  #kept(topic: Topic): Kept {
    const [family, number] = topic.split('.');
    if (number !== undefined && Number(number) >= this.partitions)
      throw new PlimsollError('INTERNAL', `there is no topic ${family}.${number}`);
    const kept = this.#topics.get(topic) ?? { entries: [], ids: new Map(), first: 1 };
    this.#topics.set(topic, kept);
    return kept;
  }
}
