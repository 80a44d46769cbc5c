import {
  CELLS_PER_MARKET,
  CONFIDENCES,
  cellIndex,
  HORIZON_COUNT,
  PATHS_PER_MARKET,
} from '../../src/forecast/predictor.ts';
import { fz0, MINIMUM_SHORTFALL, pinball } from '../../src/risk/comparison/scores.ts';
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
      series.overShortfall[i] = loss / Math.max(expectedShortfall[cell], MINIMUM_SHORTFALL);
    }
  }
  return series;
}

/** A forecaster that answered a smaller share of the rows would cost the others too many of theirs. */
const LEAST_ANSWERED = 0.5;

export interface JudgedRows {
  /** By market: the rows that every one of the forecasters has a finite answer for, ascending. */
  readonly byMarket: readonly Uint32Array[];
  readonly leftOut: number;
  /** Those that answered at least half of the rows; the others are not judged. In the order given. */
  readonly forecasts: readonly ForecastTable[];
  /** By forecaster, also those that are not judged: rows without an answer, if there are any. */
  readonly unanswered: Readonly<Record<string, number>>;
}

export function judgedRows(outcomes: OutcomeTable, forecasts: readonly ForecastTable[]): JudgedRows {
  const answers = forecasts.map((table) => answeredRows(table, outcomes.rows));
  const missing = answers.map((own) => outcomes.rows - own.reduce((sum, answered) => sum + answered, 0));
  const isJudged = missing.map((count) => count <= (1 - LEAST_ANSWERED) * outcomes.rows);
  const judged = answers.filter((_, f) => isJudged[f]);
  const byMarket = outcomes.symbols.map((): number[] => []);
  let leftOut = 0;
  for (let row = 0; row < outcomes.rows; row++) {
    if (judged.every((own) => own[row] === 1)) byMarket[outcomes.market[row]].push(row);
    else leftOut++;
  }
  return {
    byMarket: byMarket.map((rows) => Uint32Array.from(rows)),
    leftOut,
    forecasts: forecasts.filter((_, f) => isJudged[f]),
    unanswered: Object.fromEntries(
      forecasts.flatMap(({ forecaster }, f) => (missing[f] === 0 ? [] : [[forecaster, missing[f]]])),
    ),
  };
}

/** By row: 1 where VaR and ES of every cell are finite. */
function answeredRows({ valueAtRisk, expectedShortfall }: ForecastTable, rows: number): Uint8Array {
  const answered = new Uint8Array(rows).fill(1);
  for (let row = 0; row < rows; row++) {
    const to = (row + 1) * CELLS_PER_MARKET;
    for (let cell = row * CELLS_PER_MARKET; cell < to; cell++)
      if (!Number.isFinite(valueAtRisk[cell]) || !Number.isFinite(expectedShortfall[cell])) {
        answered[row] = 0;
        break;
      }
  }
  return answered;
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

/** 0 for none. */
export function meanOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / Math.max(values.length, 1);
}
