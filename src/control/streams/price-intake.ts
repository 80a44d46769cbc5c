import type { PlimsollError } from '../../errors.ts';
import type { MarkPrice } from '../guard/prices.ts';
import type { EventLog, Following, LogEntry } from './event-log.ts';

const POSITION = 'prices';
/** Marks are appended in entries of at most so many. */
const MOST_MARKS = 2_000;
/** The newest entries of the marks, among which one says how far prices were judged. */
const LOOKED_AT = 100;

export interface PriceIntakeOptions {
  readonly log: EventLog;
  /** Judges lines of prices, NDJSON. @returns those that are believed. */
  readonly judge: (text: string) => readonly MarkPrice[];
  readonly onFailure: (error: PlimsollError) => void;
}

/**
 * Prices of the stream, judged where decisions are made; what is believed goes to the marks, which every partition takes in. How far
 * prices were judged stands in the marks themselves, so that another process goes on from there.
 */
export class PriceIntake {
  readonly #options: PriceIntakeOptions;
  #judged: number | null = null;
  #following: Following | null = null;
  #wanted = false;
  #last: Promise<void> = Promise.resolve();

  constructor(options: PriceIntakeOptions) {
    this.#options = options;
  }

  /** Prices are judged here, or no longer. */
  set(isJudging: boolean): Promise<void> {
    this.#wanted = isJudging;
    this.#last = this.#last.then(() => this.#settle()).catch((error) => this.#options.onFailure(error));
    return this.#last;
  }

  /** Durable when it returns; partitions take them in soon after. */
  async mark(prices: readonly MarkPrice[]): Promise<void> {
    const { log } = this.#options;
    const headers: Record<string, string> = this.#judged === null ? {} : { [POSITION]: String(this.#judged) };
    for (let from = 0; from < prices.length; from += MOST_MARKS) {
      const lines = prices.slice(from, from + MOST_MARKS).map((price) => JSON.stringify(price));
      await log.append('marks', new TextEncoder().encode(lines.join('\n')), { headers });
    }
  }

  async #settle(): Promise<void> {
    if (this.#wanted === (this.#following !== null)) return;
    if (!this.#wanted) {
      const following = this.#following;
      this.#following = null;
      await following?.stop();
      return;
    }
    const { log, onFailure } = this.#options;
    this.#judged = await this.#judgedBefore();
    this.#following = log.follow('prices', this.#judged, (entries) => this.#take(entries), onFailure);
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
    const believed = entries.flatMap(({ body }) => this.#options.judge(new TextDecoder().decode(body)));
    this.#judged = entries[entries.length - 1].sequence;
    await this.mark(believed);
  }
}
