import { PlimsollError } from '../../src/errors.ts';
import {
  CONFIDENCES,
  cellIndex,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
  SIDES,
} from '../../src/forecast/predictor.ts';
import { clusteredCoverage } from '../../src/risk/coverage/clustered.ts';
import { rejectionsByChance } from '../../src/risk/coverage/rejections-by-chance.ts';
import { automaticLags } from '../../src/risk/numeric/long-run-variance.ts';
import type { Cell, Judgement } from './judgement.ts';
import { judgedRows, stepsOf } from './series.ts';
import type { ForecastTable, OutcomeTable } from './tables.ts';

/** One forecaster over all markets together; plain data, numbers or null. */
export interface PoolJudgement {
  readonly forecaster: string;
  /** By side, horizon and confidence. */
  readonly coverage: readonly PooledCoverage[];
  /** Of the tests of coverage market by market: how many of them right forecasts hold. */
  readonly chance: readonly CoverageByChance[];
}

export interface PooledCoverage extends Cell {
  readonly observations: number;
  readonly exceedances: number;
  readonly exceedanceRate: number;
  /** Independent observations that say as much: exceedances of one time are one cluster, overlapping horizons depend on each other. */
  readonly effectiveObservations: number;
  readonly insideBinomial: boolean;
  /** Null where so few observations expect less than one exceedance. */
  readonly kupiecPValue: number | null;
}

export interface CoverageByChance {
  /** Of the cells; those of several confidences together are one group more. */
  readonly confidences: readonly number[];
  readonly cells: number;
  /** Share of cells that hold a test at 5 %, which this share of right forecasters has at least. */
  readonly level: number;
  readonly leastShare: number;
  /** The same if cells were independent, which they are not. */
  readonly leastShareIndependent: number;
}

/** Size of each test. */
const SIGNIFICANCE = 0.05;
/** One market has too few exceedances beyond these to be tested alone. */
const CONFIDENCES_BY_MARKET: readonly number[] = [0.95, 0.99];

/**
 * Exceedances of all markets together, each origin a cluster, and how many tests of single markets chance alone rejects, given how
 * the exceedances of this forecaster depend on each other.
 *
 * @param judgement of the same tables: its rows and markets are looked at.
 * @param level of the bounds by chance.
 * @throws PlimsollError NOT_FOUND where there is no such forecaster.
 */
export function judgePool(
  outcomes: OutcomeTable,
  forecasts: readonly ForecastTable[],
  judgement: Judgement,
  forecaster: string,
  level = 0.95,
): PoolJudgement {
  const table = forecasts.find((one) => one.forecaster === forecaster);
  if (table === undefined) {
    throw new PlimsollError('NOT_FOUND', `there is no forecaster ${forecaster}`, {
      remedy: `Choose one of ${forecasts.map((one) => one.forecaster).join(', ')}.`,
    });
  }
  const symbols = new Set(judgement.cells.map(({ symbol }) => symbol));
  const rows = judgedRows(outcomes, forecasts).byMarket.filter((_, m) => symbols.has(outcomes.symbols[m]));
  const { stepHours } = judgement.span;
  const grid = timesOf(outcomes, rows);
  const coverage: PooledCoverage[] = [];
  const series = new Map<number, Float64Array[]>(CONFIDENCES_BY_MARKET.map((confidence) => [confidence, []]));
  for (const [side, name] of SIDES.entries()) {
    for (const [horizon, horizonHours] of HORIZONS_HOURS.entries()) {
      const horizonSteps = stepsOf(horizonHours, stepHours);
      const lags = Math.max(horizonSteps - 1, automaticLags(grid.counts.length));
      let mostEffective = Number.POSITIVE_INFINITY;
      for (const [c, confidence] of CONFIDENCES.entries()) {
        const exceedances = new Float64Array(grid.counts.length);
        for (const [m, own] of rows.entries()) {
          const deviations = new Float64Array(grid.counts.length);
          const count = markHits(
            outcomes,
            table,
            own,
            grid.places[m],
            { side, horizon, confidence: c },
            deviations,
          );
          for (let t = 0; t < exceedances.length; t++) exceedances[t] += deviations[t];
          const rate = count / own.length;
          for (const place of grid.places[m]) deviations[place] -= rate;
          series.get(confidence)?.push(deviations);
        }
        const found = clusteredCoverage(exceedances, grid.counts, confidence, {
          horizonSteps,
          lags,
          mostEffective,
        });
        mostEffective = found.effectiveObservations;
        const { withinInterval, pValue, ...rest } = found;
        coverage.push({
          side: name,
          horizonHours,
          confidence,
          ...rest,
          insideBinomial: withinInterval,
          kupiecPValue: pValue,
        });
      }
    }
  }
  const longest = stepsOf(HORIZONS_HOURS[HORIZON_COUNT - 1], stepHours);
  const blockLength = Math.max(2 * longest, Math.ceil(Math.cbrt(grid.counts.length)));
  const groups = [...CONFIDENCES_BY_MARKET.map((one) => [one]), [...CONFIDENCES_BY_MARKET]];
  const chance = groups.map((confidences): CoverageByChance => {
    const own = confidences.flatMap((confidence) => series.get(confidence) ?? []);
    const { tests, most, mostIndependent } = rejectionsByChance(own, {
      significance: SIGNIFICANCE,
      confidence: level,
      blockLength,
    });
    return {
      confidences,
      cells: tests,
      level,
      leastShare: 1 - most / tests,
      leastShareIndependent: 1 - mostIndependent / tests,
    };
  });
  return { forecaster, coverage, chance };
}

/** Writes 1 at the place in time of each row where the loss exceeded VaR; returns how many there are. */
function markHits(
  { excursions }: OutcomeTable,
  { valueAtRisk }: ForecastTable,
  rows: Uint32Array,
  places: Uint32Array,
  { side, horizon, confidence }: { side: number; horizon: number; confidence: number },
  hits: Float64Array,
): number {
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const loss = excursions[rows[i] * PATHS_PER_MARKET + side * HORIZON_COUNT + horizon];
    if (!(loss > valueAtRisk[cellIndex(rows[i], side, horizon, confidence)])) continue;
    hits[places[i]] = 1;
    count++;
  }
  return count;
}

/** The distinct times of some rows: by market the place in time of each row, and by time how many rows there are. */
function timesOf(
  { asOf }: OutcomeTable,
  byMarket: readonly Uint32Array[],
): { readonly places: readonly Uint32Array[]; readonly counts: Float64Array } {
  const times = [...new Set(byMarket.flatMap((rows) => [...rows].map((row) => asOf[row])))].sort(
    (a, b) => a - b,
  );
  const placeOf = new Map(times.map((time, place) => [time, place]));
  const places = byMarket.map((rows) => Uint32Array.from(rows, (row) => placeOf.get(asOf[row]) ?? 0));
  const counts = new Float64Array(times.length);
  for (const own of places) for (const place of own) counts[place]++;
  return { places, counts };
}
