import { asPlimsollError, type PlimsollError } from '../../errors.ts';
import type { MarkPrice } from '../guard/prices.ts';
import type { EventLog, Following, LogEntry } from './event-log.ts';

const POSITION = 'prices';
/** Marks are appended in entries of at most so many. */
const MOST_MARKS = 2_000;
/** The newest entries of the marks, among which one says how far prices were judged. */
const LOOKED_AT = 100;

/** More than that do not wait for a broker that is away: of each market the newest is left then. */
const MOST_UNSENT = 100_000;
const RETRY_MILLISECONDS = 1_000;

export interface PriceIntakeOptions {
  readonly log: EventLog;
  /** Judges lines of prices, NDJSON. @returns those that are believed. */
  readonly judge: (text: string) => readonly MarkPrice[];
  /** Told whenever it is tried again. */
  readonly onFailure: (error: PlimsollError) => void;
}

/**
 * Prices of the stream, judged where decisions are made; what is believed goes to the marks, which every partition takes in. How far
 * prices were judged stands in the marks themselves, so that another process goes on from there. A price is judged once: what could
 * not be appended is kept, and appended before anything else.
 */
export class PriceIntake {
  readonly #options: PriceIntakeOptions;
  #judged: number | null = null;
  #unsent: MarkPrice[] = [];
  #following: Following | null = null;
  #wanted = false;
  #last: Promise<void> = Promise.resolve();
  #sending: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;

  constructor(options: PriceIntakeOptions) {
    this.#options = options;
  }

  /** Prices are judged here, or no longer. */
  set(isJudging: boolean): Promise<void> {
    this.#wanted = isJudging;
    clearTimeout(this.#retry);
    this.#last = this.#last.then(() => this.#settle()).catch((error) => this.#failed(asPlimsollError(error)));
    return this.#last;
  }

  /** Durable when it returns; partitions take them in soon after. What fails is tried again while prices are judged here. */
  async mark(prices: readonly MarkPrice[]): Promise<void> {
    this.#keep(prices);
    try {
      await this.#send();
    } catch (thrown) {
      this.#failed(asPlimsollError(thrown));
      throw thrown;
    }
  }

  #keep(prices: readonly MarkPrice[]): void {
    this.#unsent.push(...prices);
    if (this.#unsent.length <= MOST_UNSENT) return;
    this.#unsent = [...new Map(this.#unsent.map((price) => [price.symbol, price])).values()];
  }

  /** One after the other, so that marks keep their order. */
  #send(): Promise<void> {
    const sent = this.#sending.catch(() => undefined).then(() => this.#sendAll());
    this.#sending = sent;
    return sent;
  }

  async #sendAll(): Promise<void> {
    const { log } = this.#options;
    while (this.#unsent.length > 0) {
      const some = this.#unsent.slice(0, MOST_MARKS);
      const isLast = some.length === this.#unsent.length;
      // What is judged is told with the last of what was believed of it.
      const headers: Record<string, string> =
        this.#judged === null || !isLast ? {} : { [POSITION]: String(this.#judged) };
      const lines = some.map((price) => JSON.stringify(price)).join('\n');
      await log.append('marks', new TextEncoder().encode(lines), { headers });
      this.#unsent = this.#unsent.slice(some.length);
    }
  }

  async #settle(): Promise<void> {
    if (this.#wanted === (this.#following !== null)) return;
    if (!this.#wanted) {
      const following = this.#following;
      this.#following = null;
      await following?.stop();
      // Whoever judges next goes on from what is told; it may judge again what was not.
      this.#judged = null;
      this.#unsent = [];
      return;
    }
    const { log } = this.#options;
    await this.#send();
    this.#judged ??= await this.#judgedBefore();
    this.#following = log.follow(
      'prices',
      this.#judged,
      (entries) => this.#take(entries),
      (error) => this.#failed(error),
    );
  }

  #failed(error: PlimsollError): void {
    if (!this.#wanted) return;
    this.#options.onFailure(error);
    const following = this.#following;
    this.#following = null;
    void following?.stop();
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.set(this.#wanted), RETRY_MILLISECONDS);
  }

  async #judgedBefore(): Promise<number> {
    const { log } = this.#options;
    const { last } = await log.extent('marks');
    const newest = await log.read('marks', Math.max(0, last - LOOKED_AT), LOOKED_AT);
    const told = newest.findLast(({ headers }) => POSITION in headers);
    if (told !== undefined) return Number(told.headers[POSITION]);
    return (await log.extent('prices')).first - 1;
  }

  async #take(entries: readonly LogEntry[]): Promise<void> {
    for (const { body, sequence } of entries) {
      this.#keep(this.#options.judge(new TextDecoder().decode(body)));
      this.#judged = sequence;
    }
    await this.#send();
  }
}
