import { HOUR_MILLISECONDS } from '../units.ts';
import type { TrackPoint } from './track-point.ts';

/** How far back the tracks of all markets are kept in memory. */
const KEPT_HOURS = 7 * 24;
/** Of a window. */
const STEP_HOURS = 2;
const POINTS = KEPT_HOURS / STEP_HOURS;
const DAY_POINTS = 24 / STEP_HOURS;

/** One market within a window; parallel to its times. Null where no decision of that time is known. */
export interface MarketWindow {
  readonly leverage: readonly (number | null)[];
  readonly closes: readonly (number | null)[];
  readonly dayAgoMaxLeverage: number | null;
  readonly dayAgoClose: number | null;
}

/** The last days of all markets, in steps. */
export interface TrackWindow {
  /** Epoch milliseconds, oldest first. A value belongs to the newest bar that closed by its time and within the step before it. */
  readonly times: readonly number[];
  of(symbol: string): MarketWindow;
  /** Close of the bar that a market's newest decision used; null where it is not known. */
  closeOf(symbol: string, asOf: number): number | null;
}

/** The last week of every market in memory: a ring of hours each. Read from the store when it is first asked for. */
export class MarketTrack {
  readonly #since: (asOf: number) => Promise<readonly TrackPoint[]>;
  readonly #rings = new Map<string, Ring>();
  #isFilled = false;
  #filling: Promise<void> | undefined;
  /** What was published while the store is read. */
  #missed: TrackPoint[] = [];

  /** @param since see `trackSince` of the state store. */
  constructor(since: (asOf: number) => Promise<readonly TrackPoint[]>) {
    this.#since = since;
  }

  /** Whether it can be looked at. */
  get isFilled(): boolean {
    return this.#isFilled;
  }

  /**
   * Fills it, where that was not done before.
   *
   * @param asOf close of the newest bar, epoch milliseconds. @throws what the store throws; the next call tries again.
   */
  async fill(asOf: number): Promise<void> {
    if (this.#isFilled) return;
    this.#filling ??= this.#fill(asOf).finally(() => {
      this.#filling = undefined;
    });
    await this.#filling;
  }

  /** Points of a book that is in the store already. */
  published(points: readonly TrackPoint[]): void {
    if (this.#isFilled) this.#take(points);
    else if (this.#filling !== undefined) this.#missed.push(...points);
  }

  /** The week up to a time, epoch milliseconds. */
  window(asOf: number): TrackWindow {
    const end = hourOf(asOf);
    const hours = Array.from({ length: POINTS }, (_, i) => end - (POINTS - 1 - i) * STEP_HOURS);
    return {
      times: hours.map((hour) => hour * HOUR_MILLISECONDS),
      of: (symbol) => {
        const ring = this.#rings.get(symbol);
        const values = (column: Column): (number | null)[] =>
          hours.map((hour) => ring?.newest(column, hour, STEP_HOURS) ?? null);
        const [leverage, closes] = [values('leverage'), values('close')];
        const dayAgo = POINTS - 1 - DAY_POINTS;
        return { leverage, closes, dayAgoMaxLeverage: leverage[dayAgo], dayAgoClose: closes[dayAgo] };
      },
      closeOf: (symbol, closedAt) => this.#rings.get(symbol)?.newest('close', hourOf(closedAt), 1) ?? null,
    };
  }

  async #fill(asOf: number): Promise<void> {
    this.#missed = [];
    this.#take(await this.#since(asOf - KEPT_HOURS * HOUR_MILLISECONDS));
    this.#take(this.#missed);
    this.#missed = [];
    this.#isFilled = true;
  }

  /** Older versions first: a decision takes the place of an earlier one from the same bars. */
  #take(points: readonly TrackPoint[]): void {
    let newest = Number.NEGATIVE_INFINITY;
    for (const { symbol, asOf, maxLeverage, close } of points) {
      let ring = this.#rings.get(symbol);
      if (ring === undefined) {
        ring = new Ring();
        this.#rings.set(symbol, ring);
      }
      const hour = hourOf(asOf);
      ring.set(hour, maxLeverage, close);
      newest = Math.max(newest, hour);
    }
    for (const [symbol, ring] of this.#rings)
      if (ring.newestHour <= newest - KEPT_HOURS) this.#rings.delete(symbol);
  }
}

type Column = 'leverage' | 'close';

/** Hours of one market, each in the place of the one a week before. NaN where nothing is known. */
class Ring {
  newestHour = Number.NEGATIVE_INFINITY;
  readonly #columns = {
    leverage: new Float64Array(KEPT_HOURS).fill(Number.NaN),
    close: new Float64Array(KEPT_HOURS).fill(Number.NaN),
  };

  set(hour: number, leverage: number, close: number | null): void {
    if (hour <= this.newestHour - KEPT_HOURS) return;
    for (let skipped = Math.max(this.newestHour + 1, hour - KEPT_HOURS + 1); skipped <= hour; skipped++) {
      this.#columns.leverage[skipped % KEPT_HOURS] = Number.NaN;
      this.#columns.close[skipped % KEPT_HOURS] = Number.NaN;
    }
    this.newestHour = Math.max(this.newestHour, hour);
    this.#columns.leverage[hour % KEPT_HOURS] = leverage;
    // A decision between bars reads none, and the bar before it is the same.
    if (close !== null) this.#columns.close[hour % KEPT_HOURS] = close;
  }

  /** The newest of so many hours up to one; null where none is known. */
  newest(column: Column, upTo: number, hours: number): number | null {
    for (let hour = upTo; hour > upTo - hours; hour--) {
      if (hour > this.newestHour || hour <= this.newestHour - KEPT_HOURS) continue;
      const value = this.#columns[column][hour % KEPT_HOURS];
      if (!Number.isNaN(value)) return value;
    }
    return null;
  }
}

/** The hour that a time ends or falls into, counted from the epoch. */
function hourOf(time: number): number {
  return Math.ceil(time / HOUR_MILLISECONDS);
}
