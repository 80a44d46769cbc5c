import type { DriftReference } from '../models/manifest.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from '../src/features/spec.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCES,
  cellIndex,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
  pathIndex,
  SIDE_COUNT,
} from '../src/forecast/predictor.ts';
import { pinball } from '../src/risk/comparison/scores.ts';
import { binOf, stabilityOfCounts } from '../src/risk/drift/binned.ts';
import { referenceBins } from '../src/risk/drift/psi.ts';
import { DAY_MILLISECONDS } from '../src/units.ts';

/** Live values are compared with the training span a month at a time. */
export const DRIFT_WINDOW_DAYS = 30;
const BINS = 10;
/** A month further from the span than this share of its own months is unusual. */
const USUAL_SHARE = 0.95;
/** With fewer months nothing is usual: the largest of those that there are is taken. */
const LEAST_SHARE_MONTHS = 20;
/** Residuals and scores are in units of these confidences' VaR: the tail itself, and few enough zeros. */
const RESIDUAL_CONFIDENCE = CONFIDENCES.indexOf(0.95);
const SCORE_CONFIDENCE = CONFIDENCES.indexOf(0.99);
/** A millionth of the price: a VaR of nothing is no unit. */
const LEAST_VALUE_AT_RISK = 1e-6;

/** Deciles of so many are as good as those of millions, and a column is sorted in milliseconds. */
const MOST_ROWS = 200_000;
const GOLDEN_SHARE = (Math.sqrt(5) - 1) / 2;

/** Forecasts that the model made for times that it had not seen, with what happened. */
export interface ReferenceForecasts {
  /** By row: origin, epoch milliseconds. */
  readonly asOf: Float64Array;
  /** By row and cell. */
  readonly valueAtRisk: Float64Array;
  /** By row and path. */
  readonly excursions: Float64Array;
}

/**
 * What live values are compared with to find drift, as it is kept in the manifest: bins of every feature and of the residuals
 * A / VaR over the training span, the mean score, and how far single months of the span were from the whole of it. A month is
 * never like years; only one that is further than such months usually were has drifted.
 *
 * @param features row-major, `FEATURE_COUNT` per row. @param asOf by row: origin, epoch milliseconds.
 * @param forecasts out of fold; null where the recipe was not tried, and then there is nothing on residuals and scores.
 */
export function driftReference(
  features: Float64Array,
  rows: number,
  asOf: Float64Array,
  forecasts: ReferenceForecasts | null,
): DriftReference {
  const taken = sampledRows(rows);
  const months = monthsOf(
    Float64Array.from(taken, (row) => asOf[row]),
    taken.length,
  );
  const column = new Float64Array(taken.length);
  const byFeature = FEATURE_NAMES.map((name, f) => {
    for (const [i, row] of taken.entries()) column[i] = features[row * FEATURE_COUNT + f];
    return { name, ...histogram(column, months) };
  });
  return {
    windowDays: DRIFT_WINDOW_DAYS,
    features: byFeature,
    residuals: forecasts === null ? [] : residualsOf(forecasts),
    scores: forecasts === null ? [] : scoresOf(forecasts),
  };
}

/** All rows, or of many an even part that no period of markets or hours lines up with. */
function sampledRows(rows: number): Uint32Array {
  const kept = Math.min(rows, MOST_ROWS);
  return Uint32Array.from({ length: kept }, (_, i) => {
    const within = rows === kept ? 0 : ((i + 1) * GOLDEN_SHARE) % 1;
    return Math.min(Math.floor(((i + within) * rows) / kept), rows - 1);
  });
}

function residualsOf({ asOf, valueAtRisk, excursions }: ReferenceForecasts): DriftReference['residuals'] {
  return HORIZONS_HOURS.map((horizonHours, h) => {
    const values: number[] = [];
    const times: number[] = [];
    for (let row = 0; row < asOf.length; row++) {
      for (let side = 0; side < SIDE_COUNT; side++) {
        const value = valueAtRisk[row * CELLS_PER_MARKET + cellIndex(0, side, h, RESIDUAL_CONFIDENCE)];
        const realised = excursions[row * PATHS_PER_MARKET + pathIndex(0, side, h)];
        if (Number.isNaN(value) || Number.isNaN(realised)) continue;
        values.push(residual(realised, value));
        times.push(asOf[row]);
      }
    }
    const months = monthsOf(Float64Array.from(times), times.length);
    return { horizonHours, ...histogram(Float64Array.from(values), months) };
  });
}

/** An adverse excursion in units of its VaR at 95 %. Finite. */
export function residual(realised: number, valueAtRisk: number): number {
  return realised / Math.max(valueAtRisk, LEAST_VALUE_AT_RISK);
}

function scoresOf({ asOf, valueAtRisk, excursions }: ReferenceForecasts): DriftReference['scores'] {
  const confidence = CONFIDENCES[SCORE_CONFIDENCE];
  const months = monthsOf(asOf, asOf.length);
  return Array.from({ length: HORIZON_COUNT }, (_, h) => {
    const sums = new Map<number, { sum: number; count: number }>();
    let sum = 0;
    let count = 0;
    for (let row = 0; row < asOf.length; row++) {
      for (let side = 0; side < SIDE_COUNT; side++) {
        const value = valueAtRisk[row * CELLS_PER_MARKET + cellIndex(0, side, h, SCORE_CONFIDENCE)];
        const realised = excursions[row * PATHS_PER_MARKET + pathIndex(0, side, h)];
        if (Number.isNaN(value) || Number.isNaN(realised)) continue;
        const loss = pinball(realised, value, confidence) / Math.max(value, LEAST_VALUE_AT_RISK);
        const month = sums.get(months[row]) ?? { sum: 0, count: 0 };
        month.sum += loss;
        month.count++;
        sums.set(months[row], month);
        sum += loss;
        count++;
      }
    }
    const mean = count === 0 ? 0 : sum / count;
    const ratios = [...sums.values()].map((month) => (mean > 0 ? month.sum / month.count / mean : 1));
    return { horizonHours: HORIZONS_HOURS[h], mean, usual: Math.max(usualOf(ratios), 1) };
  });
}

/** Bins at the deciles, and the index that a month of the span usually stays below. */
function histogram(
  values: Float64Array,
  months: Int32Array,
): { readonly edges: number[]; readonly counts: number[]; readonly usual: number } {
  const bins = values.length < BINS ? null : referenceBins(values, BINS);
  // A feature that never moves, such as funding without funding data, cannot drift within its bins.
  if (bins === null || !bins.available) return { edges: [], counts: [values.length], usual: 0 };
  const edges = [...bins.edges];
  const byMonth = new Map<number, Uint32Array>();
  for (let i = 0; i < values.length; i++) {
    const counts = byMonth.get(months[i]) ?? new Uint32Array(edges.length + 1);
    counts[binOf(edges, values[i])]++;
    byMonth.set(months[i], counts);
  }
  const indices = [...byMonth.values()].map((counts) => stabilityOfCounts(bins.counts, counts));
  return { edges, counts: [...bins.counts], usual: usualOf(indices) };
}

function usualOf(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  const share = sorted.length < LEAST_SHARE_MONTHS ? 1 : USUAL_SHARE;
  return sorted[Math.min(Math.ceil(share * sorted.length), sorted.length) - 1];
}

/** By row: which window of the span it is in. The last, shorter one counts with the one before. */
function monthsOf(asOf: Float64Array, rows: number): Int32Array {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows; row++) {
    first = Math.min(first, asOf[row]);
    last = Math.max(last, asOf[row]);
  }
  const length = DRIFT_WINDOW_DAYS * DAY_MILLISECONDS;
  const whole = Math.max(Math.floor((last - first) / length), 1);
  return Int32Array.from({ length: rows }, (_, row) =>
    Math.min(Math.floor((asOf[row] - first) / length), whole - 1),
  );
}
