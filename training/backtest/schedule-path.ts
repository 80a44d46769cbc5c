import type { Bracket } from '../../src/limits/types.ts';

/**
 * What one market's table was through a span, whoever made it: a policy, an exchange, a rule. Everything that a backtest measures is measured on
 * this, so that all are measured alike.
 */
export interface SchedulePath {
  readonly symbol: string;
  /** All tables that were in force, in the order of their first hour. */
  readonly schedules: readonly (readonly Bracket[])[];
  /** By hour of the market's bars: which of them new positions are held to; −1 where there was none. */
  readonly opening: Int32Array;
  /** The same of open positions. */
  readonly maintenance: Int32Array;
  /** Hours between the announcement and the effect of each rise of the maintenance margin of open positions. */
  readonly noticeHours: readonly number[];
}

/** Collects a path hour by hour; the same array of brackets is the same table. */
export class PathRecorder {
  readonly #symbol: string;
  readonly #schedules: (readonly Bracket[])[] = [];
  readonly #opening: Int32Array;
  readonly #maintenance: Int32Array;
  readonly #noticeHours: number[] = [];

  constructor(symbol: string, hours: number) {
    this.#symbol = symbol;
    this.#opening = new Int32Array(hours).fill(-1);
    this.#maintenance = new Int32Array(hours).fill(-1);
  }

  /** @param opening null where nobody may open a position any more. */
  record(hour: number, opening: readonly Bracket[] | null, maintenance: readonly Bracket[]): void {
    if (opening !== null) this.#opening[hour] = this.#indexOf(opening);
    this.#maintenance[hour] = maintenance === opening ? this.#opening[hour] : this.#indexOf(maintenance);
  }

  notice(hours: number): void {
    this.#noticeHours.push(hours);
  }

  path(): SchedulePath {
    return {
      symbol: this.#symbol,
      schedules: this.#schedules,
      opening: this.#opening,
      maintenance: this.#maintenance,
      noticeHours: this.#noticeHours,
    };
  }

  /** Tables in force are the newest ones. */
  #indexOf(schedule: readonly Bracket[]): number {
    const known = this.#schedules.lastIndexOf(schedule);
    return known >= 0 ? known : this.#schedules.push(schedule) - 1;
  }
}
