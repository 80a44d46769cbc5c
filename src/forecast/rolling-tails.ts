import { type BarSeries, sliceBars } from '../risk/bars.ts';
import { tailSize } from '../risk/numeric/quantile.ts';
import { RollingLargest } from '../risk/numeric/rolling-largest.ts';
import { type AdverseExcursions, adverseExcursions } from '../risk/tail/excursions.ts';
import { extremeTailOfPath, tailOfPath } from './classical-tail.ts';
import { MOST_NEW_BARS, VolatilityPower } from './classical-volatility.ts';
import {
  CONFIDENCES,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
  pathIndex,
  SIDES,
} from './predictor.ts';
import { RecentExcursions } from './recent-excursions.ts';
import { SampleTail } from './sample-tail.ts';
import { TailNumbers } from './tail-numbers.ts';

/** How VaR and ES at all confidences follow from the largest losses of a sample; see `SampleTail`. */
export type TailEstimate = 'moments' | 'likelihood';

/** Of a sample so much is kept sorted: what the tail needs, and what may leave it before it has to be sought again. */
const KEPT_SHARE = 0.25;
const LEAST_KEPT = 64;
/** Where a rank is asked for that is not kept, so many times as many are from then on: it will be asked for again. */
const ROOM = 1.3;
/** The tail of a window that fills grows by one value in twenty. */
const COPY_ROOM = 1.1;

/** For whole samples: they are large, and each is kept in part only. */
let scratch = new Float64Array(0);

/**
 * The tails of the adverse excursions of all origins of a window, by path, for a window that moves on with a series: what
 * leaves and what comes is looked at, and nothing else. Excursions may be divided by the volatility at their origin.
 *
 * What it answers depends on the window alone, to the bit, however it came there.
 */
export class RollingTails {
  readonly #exponent: number;
  #scales: VolatilityPower | null = null;
  #from = 0;
  #end = 0;
  readonly #samples = Array.from({ length: PATHS_PER_MARKET }, () => new RollingLargest());
  readonly #tails = Array.from({ length: PATHS_PER_MARKET }, () => new SampleTail(new Float64Array(0), 0));
  /** What the tails are in. */
  readonly #copies = Array.from({ length: PATHS_PER_MARKET }, () => new Float64Array(0));
  /** Of each path's tail: its size, least value and threshold, in one piece of memory each. */
  readonly #counts = new Int32Array(PATHS_PER_MARKET);
  readonly #least = new Float64Array(PATHS_PER_MARKET);
  readonly #thresholds = new Float64Array(PATHS_PER_MARKET);
  readonly #numbers: Partial<Record<TailEstimate, TailNumbers>> = {};
  readonly #recent: RecentExcursions;

  /**
   * @param exponent g of `VolatilityPower`; 0 for excursions as they are. @param recent shared by all windows of a series.
   */
  constructor(exponent: number, recent = new RecentExcursions()) {
    this.#exponent = exponent;
    this.#recent = recent;
  }

  /**
   * Of the origins from one bar on whose horizon ends before another, by `pathIndex`; they hold until the window moves on.
   *
   * @param bars of one lineage in all calls. @param from index in the series. @param end number of bars that had closed.
   */
  tails(bars: BarSeries, from: number, end: number): readonly SampleTail[] {
    if (from !== this.#from || end !== this.#end) {
      const isNear = from >= this.#from && end >= this.#end && end - this.#end <= MOST_NEW_BARS;
      if (isNear && this.#end > this.#from) this.#move(bars, from, end);
      else this.#start(bars, from, end);
    }
    return this.#tails;
  }

  /** `SampleTail.threshold` of all paths, of the window that was last asked for. */
  get thresholds(): Float64Array {
    return this.#thresholds;
  }

  /** What follows from the tails of the window that was last asked for; see `TailNumbers`. */
  numbers(estimate: TailEstimate): Float64Array {
    this.#numbers[estimate] ??= new TailNumbers();
    const numbers = this.#numbers[estimate];
    for (let path = 0; path < PATHS_PER_MARKET; path++) {
      if (numbers.stale[path] === 0 || this.#counts[path] === 0) continue;
      const { largest, count } = this.#tails[path];
      numbers.set(
        path,
        estimate === 'moments' ? tailOfPath(largest, count) : extremeTailOfPath(largest, count),
      );
    }
    return numbers.values;
  }

  /** By what the excursions of an origin are divided that lies on the newest bar of the window. */
  get scaleToday(): number {
    return this.#scaleOf(this.#end - 1);
  }

  /** Share of a path's sample above x. Of the window that was last asked for. */
  shareAbove(bars: BarSeries, path: number, x: number): number {
    const sample = this.#samples[path];
    let above = sample.countAbove(x);
    if (above === null) {
      const losses = this.#losses(this.#excursions(bars, path % HORIZON_COUNT), path);
      above = 0;
      for (let i = 0; i < losses.length; i++) if (losses[i] > x) above++;
      sample.refill(losses, Math.ceil(ROOM * above));
    }
    return above / sample.count;
  }

  #start(bars: BarSeries, from: number, end: number): void {
    this.#from = from;
    this.#end = end;
    this.#scales = this.#exponent === 0 || end === from ? null : new VolatilityPower(from, this.#exponent);
    this.#scales?.advance(bars, end);
    for (let h = 0; h < HORIZON_COUNT; h++) {
      const excursions = this.#excursions(bars, h);
      for (let side = 0; side < SIDES.length; side++) {
        const path = pathIndex(0, side, h);
        this.#fill(path, this.#losses(excursions, path));
        this.#renew(bars, path);
      }
    }
  }

  #move(bars: BarSeries, from: number, end: number): void {
    const before = { from: this.#from, end: this.#end };
    this.#scales?.advance(bars, end);
    this.#from = from;
    this.#end = end;
    for (let h = 0; h < HORIZON_COUNT; h++) {
      const hours = HORIZONS_HOURS[h];
      const known = before.end - hours;
      for (let i = before.from; i < Math.min(from, known); i++) this.#passed(bars, i, h, false);
      for (let i = Math.max(known, from, 0); i < end - hours; i++) this.#passed(bars, i, h, true);
    }
    for (let path = 0; path < PATHS_PER_MARKET; path++) this.#renew(bars, path);
  }

  /** An origin comes or leaves. */
  #passed(bars: BarSeries, origin: number, horizon: number, isNew: boolean): void {
    const place = this.#recent.placeOf(bars, origin, horizon, isNew);
    if (place < 0) return;
    const scale = this.#scaleOf(origin);
    for (let side = 0; side < SIDES.length; side++) {
      const sample = this.#samples[pathIndex(0, side, horizon)];
      const loss = this.#recent.excursion(place, side) / scale;
      if (isNew) sample.add(loss);
      else sample.remove(loss);
    }
  }

  /** The tail of a path stays the same object where nothing in it has changed. */
  #renew(bars: BarSeries, path: number): void {
    const sample = this.#samples[path];
    const { count } = sample;
    const before = this.#counts[path];
    if (count === before && count > 0 && !sample.hasChangedFrom(this.#least[path])) return;
    if (count === 0) {
      if (before > 0) this.#take(path, new SampleTail(new Float64Array(0), 0));
      return;
    }
    const size = tailSize(count, CONFIDENCES[0]);
    let largest = sample.largest(size);
    if (largest === null) {
      this.#refill(bars, path);
      largest = sample.largest(size);
    }
    this.#take(path, new SampleTail(this.#copied(path, largest ?? new Float64Array(0)), count));
  }

  /** The sample goes on. The memory of a path stays: one array an hour and path is what a collector is woken up for. */
  #copied(path: number, largest: Float64Array): Float64Array {
    if (largest.length > this.#copies[path].length)
      this.#copies[path] = new Float64Array(Math.ceil(COPY_ROOM * largest.length));
    this.#copies[path].set(largest);
    return this.#copies[path].subarray(0, largest.length);
  }

  #take(path: number, tail: SampleTail): void {
    this.#tails[path] = tail;
    this.#counts[path] = tail.count;
    this.#least[path] = tail.count === 0 ? 0 : tail.largest[0];
    this.#thresholds[path] = tail.threshold;
    for (const numbers of [this.#numbers.moments, this.#numbers.likelihood])
      if (numbers !== undefined) numbers.stale[path] = 1;
  }

  #refill(bars: BarSeries, path: number): void {
    this.#fill(path, this.#losses(this.#excursions(bars, path % HORIZON_COUNT), path));
  }

  #fill(path: number, losses: Float64Array): void {
    this.#samples[path].refill(losses, Math.max(Math.ceil(KEPT_SHARE * losses.length), LEAST_KEPT));
  }

  #excursions(bars: BarSeries, horizon: number): AdverseExcursions {
    return adverseExcursions(sliceBars(bars, this.#from, this.#end), HORIZONS_HOURS[horizon]);
  }

  /** The whole sample of a path, in the order of time, in memory that the next call overwrites. */
  #losses({ valid, length, ...excursions }: AdverseExcursions, path: number): Float64Array {
    const losses = excursions[SIDES[Math.floor(path / HORIZON_COUNT)]];
    if (scratch.length < length) scratch = new Float64Array(length);
    let count = 0;
    for (let i = 0; i < length; i++)
      if (valid[i] === 1) scratch[count++] = losses[i] / this.#scaleOf(this.#from + i);
    return scratch.subarray(0, count);
  }

  #scaleOf(bar: number): number {
    return this.#scales?.at(bar) ?? 1;
  }
}
