import { computeFeatures, type FeatureTable } from '../src/features/batch.ts';
import { VARIANCE_FLOOR } from '../src/features/spec.ts';
import { HORIZON_COUNT, HORIZONS_HOURS, PATHS_PER_MARKET, SIDES } from '../src/forecast/predictor.ts';
import { shockThresholds } from '../src/forecast/shock-threshold.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { type AdverseExcursions, adverseExcursions } from '../src/risk/tail/excursions.ts';
import { parkinsonVariance } from '../src/risk/volatility/range.ts';

/** Feature rows with what happened afterwards. Every row's longest horizon is complete. */
export interface Dataset {
  readonly features: FeatureTable;
  /** By row and path (side, horizon): realised adverse excursion, clipped at `MAXIMUM_TARGET`. */
  readonly excursions: Float32Array;
  /** By row and path: the excursion called a shock, as of the week; NaN while the market is too young to have one. */
  readonly shockThreshold: Float32Array;
  /** By row and path: 1 where the excursion exceeded the shock threshold, 0 where not. */
  readonly shocks: Uint8Array;
  /** By row and horizon: log of the realised volatility over the horizon, from ranges. */
  readonly logVolatility: Float32Array;
  /** By row and horizon: sum of the squared log returns from close to close. */
  readonly realisedVariance: Float32Array;
}

/** One absurd wick (a single print near zero) must not own the loss: excursions count at most this much. */
export const MAXIMUM_TARGET = 0.9;
/** A threshold of a shock is taken anew this often; it is a quantile of a year and moves slowly. */
const THRESHOLD_HOURS = 168;
/** A market needs this much history before its shocks are called so. */
const LEAST_THRESHOLD_BARS = 720;

/**
 * Features and targets of all markets. Markets too short for a single row are left out by themselves.
 *
 * @param everyHours distance of origins, or several whose origins come together; overlapping horizons make neighbours nearly equal.
 * @param to only bars that closed by this time are looked at, epoch milliseconds.
 */
export function buildDataset(
  markets: readonly MarketHistory[],
  everyHours: number | readonly number[],
  to: number,
): Dataset {
  const longest = HORIZONS_HOURS[HORIZON_COUNT - 1];
  const all = computeFeatures(markets, { everyHours, to: to - (longest - 1) * 3_600_000 });
  const outcomes = markets.map(outcomesOf);
  const features = keepRows(all, (row) =>
    outcomes[all.market[row]].byHorizon.every(({ valid }) => valid[all.barIndex[row]] === 1),
  );
  const { rows } = features;
  const excursions = new Float32Array(rows * PATHS_PER_MARKET);
  const shockThreshold = new Float32Array(rows * PATHS_PER_MARKET);
  const shocks = new Uint8Array(rows * PATHS_PER_MARKET);
  const logVolatility = new Float32Array(rows * HORIZON_COUNT);
  const realisedVariance = new Float32Array(rows * HORIZON_COUNT);
  for (let row = 0; row < rows; row++) {
    const outcome = outcomes[features.market[row]];
    const bar = features.barIndex[row];
    const threshold = outcome.thresholdsAt(bar);
    for (let h = 0; h < HORIZON_COUNT; h++) {
      for (const [s, side] of SIDES.entries()) {
        const path = s * HORIZON_COUNT + h;
        const excursion = Math.min(outcome.byHorizon[h][side][bar], MAXIMUM_TARGET);
        excursions[row * PATHS_PER_MARKET + path] = excursion;
        shockThreshold[row * PATHS_PER_MARKET + path] = threshold?.[path] ?? Number.NaN;
        shocks[row * PATHS_PER_MARKET + path] = threshold !== null && excursion > threshold[path] ? 1 : 0;
      }
      logVolatility[row * HORIZON_COUNT + h] = outcome.logVolatility(bar, HORIZONS_HOURS[h]);
      realisedVariance[row * HORIZON_COUNT + h] = outcome.closeVariance(bar, HORIZONS_HOURS[h]);
    }
  }
  return { features, excursions, shockThreshold, shocks, logVolatility, realisedVariance };
}

interface Outcomes {
  readonly byHorizon: readonly AdverseExcursions[];
  /** Sides × horizons, known at the close of the bar; null while the market is too young. */
  thresholdsAt(bar: number): Float64Array | null;
  logVolatility(bar: number, hours: number): number;
  closeVariance(bar: number, hours: number): number;
}

function outcomesOf({ bars }: MarketHistory): Outcomes {
  const cumulative = new Float64Array(bars.length + 1);
  const variance = parkinsonVariance(bars);
  for (let i = 0; i < bars.length; i++) cumulative[i + 1] = cumulative[i] + Math.min(variance[i], 1);
  const squares = new Float64Array(bars.length + 1);
  for (let i = 1; i < bars.length; i++) {
    const move = Math.log(bars.close[i] / bars.close[i - 1]);
    squares[i + 1] = squares[i] + Math.min(move * move, 1);
  }
  const cache = new Map<number, Float64Array>();
  return {
    byHorizon: HORIZONS_HOURS.map((hours) => adverseExcursions(bars, hours)),
    thresholdsAt: (bar) => {
      const end = Math.floor((bar + 1) / THRESHOLD_HOURS) * THRESHOLD_HOURS;
      if (end < LEAST_THRESHOLD_BARS) return null;
      let threshold = cache.get(end);
      if (threshold === undefined) {
        threshold = new Float64Array(PATHS_PER_MARKET);
        shockThresholds(bars, end, threshold, 0);
        cache.set(end, threshold);
      }
      return threshold;
    },
    logVolatility: (bar, hours) =>
      0.5 * Math.log(cumulative[bar + 1 + hours] - cumulative[bar + 1] + hours * VARIANCE_FLOOR),
    closeVariance: (bar, hours) => squares[bar + 1 + hours] - squares[bar + 1],
  };
}

function keepRows(table: FeatureTable, isKept: (row: number) => boolean): FeatureTable {
  const columns = table.values.length / Math.max(table.rows, 1);
  const market = new Uint16Array(table.rows);
  const barIndex = new Int32Array(table.rows);
  const asOf = new Float64Array(table.rows);
  const values = table.values;
  let rows = 0;
  for (let row = 0; row < table.rows; row++) {
    if (!isKept(row)) continue;
    market[rows] = table.market[row];
    barIndex[rows] = table.barIndex[row];
    asOf[rows] = table.asOf[row];
    // Rows only move towards the front, so that the values need no second copy of their gigabyte.
    values.copyWithin(rows * columns, row * columns, (row + 1) * columns);
    rows++;
  }
  return {
    rows,
    symbols: table.symbols,
    market: market.subarray(0, rows),
    barIndex: barIndex.subarray(0, rows),
    asOf: asOf.subarray(0, rows),
    values: values.subarray(0, rows * columns),
  };
}
