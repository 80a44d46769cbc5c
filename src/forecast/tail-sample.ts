import type { BarSeries } from '../risk/bars.ts';
import { sortedTailInPlace } from '../risk/numeric/quantile.ts';
import { volatilityPower } from './classical-volatility.ts';
import { excursionHistory, volatilityStart, type WindowTail } from './excursion-history.ts';
import { type Lookback, tailsOf } from './lookback.ts';
import { CONFIDENCES, HORIZON_COUNT, HORIZONS_HOURS, pathIndex, SIDE_COUNT, SIDES } from './predictor.ts';

/** The largest losses of every path, in units of a scale, and the scale of today. */
export interface TailSample {
  readonly scaleToday: number;
  /** By `pathIndex` of one market. */
  readonly byPath: readonly {
    readonly count: number;
    /** Ascending, as `sortedTailInPlace` leaves them. */
    readonly largest: Float64Array;
    /** Share of the sample above the shock threshold. */
    readonly shareAboveShock: number;
  }[];
}

export function unscaledSample(tails: readonly WindowTail[]): TailSample {
  return {
    scaleToday: 1,
    // All losses above the threshold are among the largest.
    byPath: tails.map(({ count, largest, threshold }) => ({
      count,
      largest,
      shareAboveShock: countAbove(largest, threshold) / count,
    })),
  };
}

/** By identity, as histories are. The last sample of a series: the forecasters of a decision that scale alike share it. */
const samples = new WeakMap<
  BarSeries,
  { readonly from: number; readonly end: number; readonly exponent: number; readonly sample: TailSample }
>();

export function scaledSample(past: Lookback, exponent: number): TailSample {
  const { bars, from, end } = past;
  const kept = samples.get(bars);
  if (kept?.from === from && kept.end === end && kept.exponent === exponent) return kept.sample;
  const sample = scaledSampleOf(past, exponent);
  samples.set(bars, { from, end, exponent, sample });
  return sample;
}

function scaledSampleOf(past: Lookback, exponent: number): TailSample {
  const scales = scalesOf(past, exponent);
  const scaleToday = scales[scales.length - 1];
  const tails = tailsOf(past);
  const scratch = new Float64Array(past.end - past.from);
  const byPath: TailSample['byPath'][number][] = [];
  for (let h = 0; h < HORIZON_COUNT; h++) {
    for (let side = 0; side < SIDE_COUNT; side++) {
      const path = pathIndex(0, side, h);
      const losses = scaledLosses(past, h, side, scales, scratch);
      const shareAboveShock = countAbove(losses, tails[path].threshold / scaleToday) / losses.length;
      // A copy: the scratch is used again.
      const largest = sortedTailInPlace(losses, CONFIDENCES[0]).slice();
      byPath[path] = { count: losses.length, largest, shareAboveShock };
    }
  }
  return { scaleToday, byPath };
}

function countAbove(losses: Float64Array, x: number): number {
  let count = 0;
  for (let i = 0; i < losses.length; i++) if (losses[i] > x) count++;
  return count;
}

/** Volatility to the power g, by bar of the lookback. */
function scalesOf({ bars, from, end }: Lookback, exponent: number): Float64Array {
  const start = volatilityStart(from);
  const history = excursionHistory(bars, from);
  const variance = history.variance.subarray(start - history.start, end - history.start);
  return volatilityPower(variance, from - start, exponent);
}

/**
 * The excursions of the origins whose horizon is known, divided by the scale of the origin.
 *
 * @returns a view on `out`, which is overwritten.
 */
function scaledLosses(
  { bars, from, end }: Lookback,
  horizon: number,
  side: number,
  scales: Float64Array,
  out: Float64Array,
): Float64Array {
  const history = excursionHistory(bars, from);
  const excursions = history.byHorizon[horizon];
  const { valid } = excursions;
  const losses = excursions[SIDES[side]];
  const offset = from - history.start;
  const origins = end - from - HORIZONS_HOURS[horizon];
  let count = 0;
  for (let i = 0; i < origins; i++)
    if (valid[offset + i] === 1) out[count++] = losses[offset + i] / scales[i];
  return out.subarray(0, count);
}
