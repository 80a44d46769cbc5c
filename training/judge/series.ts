import { CONFIDENCES, cellIndex, HORIZON_COUNT, PATHS_PER_MARKET } from '../../src/forecast/predictor.ts';
import { fz0, pinball } from '../../src/risk/comparison/scores.ts';
import type { ForecastTable, OutcomeTable } from './tables.ts';

/** A position in the grid of sides, horizons and confidences. */
export interface CellPosition {
  readonly side: number;
  readonly horizon: number;
  readonly confidence: number;
}

/** Of some rows, in their order. */
export interface ScoreSeries {
  readonly pinball: Float64Array;
  readonly fz0: Float64Array;
  /** 1 where the excursion exceeded VaR. */
  readonly hits: Uint8Array;
  /** Excursion over ES where it exceeded VaR, else 0. */
  readonly overShortfall: Float64Array;
}

/** What a forecaster scores in one cell on some rows. */
export function scoreSeries(
  { excursions }: OutcomeTable,
  { valueAtRisk, expectedShortfall }: ForecastTable,
  rows: Uint32Array,
  { side, horizon, confidence }: CellPosition,
): ScoreSeries {
  const n = rows.length;
  const series: ScoreSeries = {
    pinball: new Float64Array(n),
    fz0: new Float64Array(n),
    hits: new Uint8Array(n),
    overShortfall: new Float64Array(n),
  };
  const level = CONFIDENCES[confidence];
  for (let i = 0; i < n; i++) {
    const loss = excursions[rows[i] * PATHS_PER_MARKET + side * HORIZON_COUNT + horizon];
    const cell = cellIndex(rows[i], side, horizon, confidence);
    const value = valueAtRisk[cell];
    series.pinball[i] = pinball(loss, value, level);
    series.fz0[i] = fz0(loss, value, expectedShortfall[cell], level);
    if (loss > value) {
      series.hits[i] = 1;
      series.overShortfall[i] = loss / expectedShortfall[cell];
    }
  }
  return series;
}

/** By market: the rows that every forecaster has a finite answer for, ascending; and how many have not. */
export function judgedRows(
  outcomes: OutcomeTable,
  forecasts: readonly ForecastTable[],
): { readonly byMarket: readonly Uint32Array[]; readonly leftOut: number } {
  const byMarket = outcomes.symbols.map((): number[] => []);
  let leftOut = 0;
  for (let row = 0; row < outcomes.rows; row++) {
    const from = cellIndex(row, 0, 0, 0);
    const to = cellIndex(row + 1, 0, 0, 0);
    const isAnswered = forecasts.every(({ valueAtRisk, expectedShortfall }) => {
      for (let cell = from; cell < to; cell++)
        if (!Number.isFinite(valueAtRisk[cell]) || !Number.isFinite(expectedShortfall[cell])) return false;
      return true;
    });
    if (isAnswered) byMarket[outcomes.market[row]].push(row);
    else leftOut++;
  }
  return { byMarket: byMarket.map((rows) => Uint32Array.from(rows)), leftOut };
}

/** Means over the markets that are there, by time: one number for each origin at which any is. */
export function meanByTime(
  asOf: Float64Array,
  byMarket: readonly { readonly rows: Uint32Array; readonly values: Float64Array }[],
): Float64Array {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const { rows, values } of byMarket) {
    for (let i = 0; i < rows.length; i++) {
      const time = asOf[rows[i]];
      const own = sums.get(time);
      if (own === undefined) sums.set(time, { sum: values[i], count: 1 });
      else {
        own.sum += values[i];
        own.count++;
      }
    }
  }
  const times = [...sums.keys()].sort((a, b) => a - b);
  return Float64Array.from(times, (time) => {
    const own = sums.get(time);
    return own === undefined ? 0 : own.sum / own.count;
  });
}

/** Origins that a horizon spans, at least 1: outcomes of origins closer than this overlap. */
export function stepsOf(horizonHours: number, stepHours: number): number {
  return Math.max(Math.ceil(horizonHours / stepHours), 1);
}
