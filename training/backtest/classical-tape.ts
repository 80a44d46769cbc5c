import { DEFAULT_VOLATILITY_EXPONENT } from '../../src/forecast/classical.ts';
import type { TailOfPath } from '../../src/forecast/classical-tail.ts';
import { reasonAgainst, rollingTailsOf, tailsOf } from '../../src/forecast/excursion-history.ts';
import { lookback } from '../../src/forecast/lookback.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
  pathIndex,
  SIDES,
} from '../../src/forecast/predictor.ts';
import { type StressedMarkets, stressedMarkets } from '../../src/forecast/stressed-share.ts';
import type { MarketHistory } from '../../src/risk/bars.ts';
import { excursionsOf } from '../../src/risk/tail/excursions.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import type { CellTape, SampleTape } from './tape.ts';

/** What the classical forecasters say of one market through a span. */
export interface ClassicalTape {
  readonly historical: SampleTape;
  readonly filtered: SampleTape;
  readonly tail: SampleTape;
  /** By refresh of the samples, then path: the worst excursion that was known. */
  readonly worst: Float32Array;
  /** By hour: whether the market could be judged, and was in stress. */
  readonly stress: readonly StressedMarkets[];
}

const REFRESH_HOURS = 24;

/**
 * The forecasts of `src/forecast/classical.ts` through time, by the same tails that move on with a series. The sample is looked at once a day,
 * today's volatility every hour.
 *
 * @param from index of the first bar of the span. @param until after its last one.
 */
export function classicalTape(history: MarketHistory, from: number, until: number): ClassicalTape {
  const { bars } = history;
  const hours = until - from;
  const rows = Math.ceil(hours / REFRESH_HOURS) + 2;
  const row = new Int32Array(hours).fill(-1);
  const scale = new Float32Array(hours).fill(1);
  const cells = (): Float32Array => new Float32Array(rows * CELLS_PER_MARKET);
  const historical = { row, scale: null, valueAtRisk: cells(), expectedShortfall: cells() };
  const filtered = { row, scale, valueAtRisk: cells(), expectedShortfall: cells() };
  const tail = { row, scale, valueAtRisk: cells(), expectedShortfall: cells() };
  const worst = new Float32Array(rows * PATHS_PER_MARKET);
  const stress: StressedMarkets[] = [];
  const known = new WorstSoFar(history);
  let last = -1;
  for (let hour = 0; hour < hours; hour++) {
    const asOf = bars.openTime[from + hour] + bars.intervalMilliseconds;
    const past = lookback(bars, asOf);
    stress.push(stressedMarkets([history], asOf));
    if (reasonAgainst(past, asOf) !== '') continue;
    const raw = tailsOf(past);
    const sample = rollingTailsOf(bars, DEFAULT_VOLATILITY_EXPONENT);
    const scaled = sample.tails(bars, past.from, past.end);
    scale[hour] = sample.scaleToday;
    if (last < 0 || (asOf / HOUR_MILLISECONDS) % REFRESH_HOURS === 0) {
      last++;
      for (let path = 0; path < PATHS_PER_MARKET; path++) {
        writeCells(historical, last, path, raw[path].moments);
        writeCells(filtered, last, path, scaled[path].moments);
        writeCells(tail, last, path, scaled[path].likelihood);
      }
      worst.set(known.by(past.end), last * PATHS_PER_MARKET);
    }
    row[hour] = last;
  }
  return { historical, filtered, tail, worst, stress };
}

/** The worst excursions of all of a market's history, by `pathIndex`. */
class WorstSoFar {
  readonly #history: MarketHistory;
  readonly #worst = new Float32Array(PATHS_PER_MARKET);
  readonly #pair = new Float64Array(SIDES.length);
  #end = 0;

  constructor(history: MarketHistory) {
    this.#history = history;
  }

  /** @param end number of bars that had closed; not below that of an earlier call. */
  by(end: number): Float32Array {
    const { bars } = this.#history;
    for (const [h, hours] of HORIZONS_HOURS.entries())
      for (let origin = Math.max(this.#end - hours, 0); origin < end - hours; origin++) {
        if (!excursionsOf(bars, origin, hours, this.#pair)) continue;
        for (let side = 0; side < SIDES.length; side++) {
          const path = pathIndex(0, side, h);
          this.#worst[path] = Math.max(this.#worst[path], this.#pair[side]);
        }
      }
    this.#end = end;
    return this.#worst;
  }
}

export function writeCells(
  out: CellTape,
  row: number,
  path: number,
  estimate: Pick<TailOfPath, 'valueAtRisk' | 'expectedShortfall'>,
): void {
  const cell = row * CELLS_PER_MARKET + path * CONFIDENCE_COUNT;
  out.valueAtRisk.set(estimate.valueAtRisk, cell);
  out.expectedShortfall.set(estimate.expectedShortfall, cell);
}
