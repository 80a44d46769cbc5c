import { DEFAULT_VOLATILITY_EXPONENT } from '../../src/forecast/classical.ts';
import { extremeTailOfPath, type TailOfPath, tailOfPath } from '../../src/forecast/classical-tail.ts';
import { volatilityPower } from '../../src/forecast/classical-volatility.ts';
import { LOOKBACK_HOURS, MINIMUM_BARS } from '../../src/forecast/lookback.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
  pathIndex,
  SIDE_COUNT,
  SIDES,
} from '../../src/forecast/predictor.ts';
import type { BarSeries } from '../../src/risk/bars.ts';
import { quantileOfSorted } from '../../src/risk/numeric/quantile.ts';
import { adverseExcursions } from '../../src/risk/tail/excursions.ts';
import { parkinsonVariance } from '../../src/risk/volatility/range.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { SortedWindow } from './sorted-window.ts';
import type { SampleTape } from './tape.ts';

/** Whether a market is in stress cannot be said yet; it is not; it is. */
export const STRESS_UNKNOWN = 0;
export const STRESS_CALM = 1;
export const STRESS_ON = 2;

/** What the classical forecasters say of one market through a span. */
export interface ClassicalTape {
  readonly historical: SampleTape;
  readonly filtered: SampleTape;
  readonly tail: SampleTape;
  readonly worst: Float32Array;
  /** By hour: one of the `STRESS_…` above. */
  readonly stress: Uint8Array;
}

const REFRESH_HOURS = 24;
const DAY_HORIZON = HORIZONS_HOURS.indexOf(24);
/** As the market-wide bound has it: beyond this quantile of its year, a day's excursion is stress. */
const STRESS_CONFIDENCE = 0.99;

/**
 * The forecasts of `src/forecast/classical.ts` through time: the same windows of origins, volatilities and tails, but kept sorted from hour to
 * hour instead of sorted anew. The sample is looked at once a day, today's volatility every hour.
 *
 * @param from index of the first bar of the span. @param until after its last one.
 */
export function classicalTape(bars: BarSeries, from: number, until: number): ClassicalTape {
  const scales = volatilityPower(parkinsonVariance(bars), 0, DEFAULT_VOLATILITY_EXPONENT);
  const paths = pathsOf(bars, scales);
  const hours = until - from;
  const rows = Math.ceil(hours / REFRESH_HOURS) + 2;
  const row = new Int32Array(hours).fill(-1);
  const cells = (): Float32Array => new Float32Array(rows * CELLS_PER_MARKET);
  const historical = { row, scale: null, valueAtRisk: cells(), expectedShortfall: cells() };
  const scale = Float32Array.from(scales.subarray(from, until));
  const filtered = { row, scale, valueAtRisk: cells(), expectedShortfall: cells() };
  const tail = { row, scale, valueAtRisk: cells(), expectedShortfall: cells() };
  const worst = new Float32Array(rows * PATHS_PER_MARKET);
  const stress = new Uint8Array(hours);
  let last = -1;
  for (let bar = 0; bar < until; bar++) {
    for (const path of paths) path.advance(bar);
    if (bar < from) continue;
    const hour = bar - from;
    const isRefresh = last < 0 || closeHour(bars, bar) % REFRESH_HOURS === 0 || row[hour - 1] < 0;
    const isKnown = bar + 1 >= MINIMUM_BARS && paths[DAY_HORIZON].raw.length >= MINIMUM_BARS - 24;
    if (isKnown && isRefresh) {
      last++;
      for (let p = 0; p < PATHS_PER_MARKET; p++) {
        writeCells(historical, last, p, paths[p].raw, tailOfPath);
        writeCells(filtered, last, p, paths[p].scaled, tailOfPath);
        writeCells(tail, last, p, paths[p].scaled, extremeTailOfPath);
        worst[last * PATHS_PER_MARKET + p] = paths[p].worst;
      }
    }
    if (isKnown) row[hour] = last;
    if (isKnown) stress[hour] = stressOf(paths, bar);
  }
  return { historical, filtered, tail, worst, stress };
}

function closeHour({ openTime, intervalMilliseconds }: BarSeries, bar: number): number {
  return (openTime[bar] + intervalMilliseconds) / HOUR_MILLISECONDS;
}

/** One side and horizon: the excursions of the origins of the last year whose horizon is over. */
class Path {
  readonly raw = new SortedWindow(LOOKBACK_HOURS + 1);
  readonly scaled = new SortedWindow(LOOKBACK_HOURS + 1);
  worst = 0;
  readonly #losses: Float64Array;
  readonly #valid: Uint8Array;
  readonly #scales: Float64Array;
  readonly #horizonBars: number;

  constructor(losses: Float64Array, valid: Uint8Array, scales: Float64Array, horizonBars: number) {
    this.#losses = losses;
    this.#valid = valid;
    this.#scales = scales;
    this.#horizonBars = horizonBars;
  }

  /** What the close of a bar adds, and what it makes older than a year. */
  advance(bar: number): void {
    const coming = bar - this.#horizonBars;
    if (coming >= 0 && this.#valid[coming] === 1) {
      const loss = this.#losses[coming];
      this.raw.add(loss);
      this.scaled.add(loss / this.#scales[coming]);
      this.worst = Math.max(this.worst, loss);
    }
    const leaving = bar - LOOKBACK_HOURS;
    if (leaving >= 0 && this.#valid[leaving] === 1) {
      this.raw.remove(this.#losses[leaving]);
      this.scaled.remove(this.#losses[leaving] / this.#scales[leaving]);
    }
  }

  /** The excursion that the bar ended; NaN where its path has a gap. */
  endedBy(bar: number): number {
    const origin = bar - this.#horizonBars;
    return origin >= 0 && this.#valid[origin] === 1 ? this.#losses[origin] : Number.NaN;
  }
}

/** By `pathIndex` of one market. */
function pathsOf(bars: BarSeries, scales: Float64Array): readonly Path[] {
  const byHorizon = HORIZONS_HOURS.map((hours) => adverseExcursions(bars, hours));
  const paths: Path[] = [];
  for (let side = 0; side < SIDE_COUNT; side++)
    for (let h = 0; h < HORIZON_COUNT; h++)
      paths[pathIndex(0, side, h)] = new Path(
        byHorizon[h][SIDES[side]],
        byHorizon[h].valid,
        scales,
        HORIZONS_HOURS[h],
      );
  return paths;
}

function writeCells(
  out: { readonly valueAtRisk: Float32Array; readonly expectedShortfall: Float32Array },
  row: number,
  path: number,
  window: SortedWindow,
  tailOf: (largest: Float64Array, count: number) => TailOfPath,
): void {
  const estimate = tailOf(largestOf(window), window.length);
  const cell = row * CELLS_PER_MARKET + path * CONFIDENCE_COUNT;
  out.valueAtRisk.set(estimate.valueAtRisk, cell);
  out.expectedShortfall.set(estimate.expectedShortfall, cell);
}

/** As many as `sortedTailInPlace` leaves for the lowest confidence. */
function largestOf(window: SortedWindow): Float64Array {
  const n = window.length;
  const lowest = CONFIDENCES[0];
  const first = Math.max(Math.min(Math.floor((n - 1) * lowest), Math.floor(n * lowest) - 1), 0);
  return window.largest(n - first);
}

function stressOf(paths: readonly Path[], bar: number): number {
  let isBeyond = false;
  for (let side = 0; side < SIDE_COUNT; side++) {
    const path = paths[pathIndex(0, side, DAY_HORIZON)];
    const ended = path.endedBy(bar);
    if (Number.isNaN(ended)) return STRESS_UNKNOWN;
    const n = path.raw.length;
    if (ended > quantileOfSorted(largestOf(path.raw), n, STRESS_CONFIDENCE)) isBeyond = true;
  }
  return isBeyond ? STRESS_ON : STRESS_CALM;
}
