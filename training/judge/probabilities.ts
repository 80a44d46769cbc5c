import {
  CONFIDENCES,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
  SIDES,
} from '../../src/forecast/predictor.ts';
import { qlike } from '../../src/risk/comparison/volatility-scores.ts';
import type { ShockScore, VarianceScore } from './judgement.ts';
import type { ForecastTable, OutcomeTable } from './tables.ts';

/** What is known without any forecast: a shock is beyond the 95 % quantile of the last year. */
const CLIMATOLOGY = 1 - CONFIDENCES[0];
/** Probabilities are held this far from 0 and 1, where the log loss has no bound. */
const LEAST_PROBABILITY = 1e-6;
/** A day without a single move has no variance to forecast; QLIKE has no value there. */
const LEAST_VARIANCE = 1e-12;

/** How good the probabilities of a shock are, by forecaster that gives any, over rows with a threshold. */
export function shockScores(
  { excursions, shockThreshold }: OutcomeTable,
  forecasts: readonly ForecastTable[],
  rows: Uint32Array,
): readonly ShockScore[] {
  const scores: ShockScore[] = [];
  for (const { forecaster, shockProbability } of forecasts) {
    if (shockProbability === null) continue;
    for (let path = 0; path < PATHS_PER_MARKET; path++) {
      let [count, brier, climate, logLoss, sum, shocks] = [0, 0, 0, 0, 0, 0];
      for (const row of rows) {
        const at = row * PATHS_PER_MARKET + path;
        const probability = shockProbability[at];
        if (!Number.isFinite(probability) || Number.isNaN(shockThreshold[at])) continue;
        const came = excursions[at] > shockThreshold[at] ? 1 : 0;
        const held = Math.min(Math.max(probability, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY);
        count++;
        brier += (probability - came) ** 2;
        climate += (CLIMATOLOGY - came) ** 2;
        logLoss -= Math.log(came === 1 ? held : 1 - held);
        sum += probability;
        shocks += came;
      }
      if (count === 0) continue;
      scores.push({
        forecaster,
        side: SIDES[Math.floor(path / HORIZON_COUNT)],
        horizonHours: HORIZONS_HOURS[path % HORIZON_COUNT],
        observations: count,
        brier: brier / count,
        skill: climate > 0 ? 1 - brier / climate : 0,
        logLoss: logLoss / count,
        meanProbability: sum / count,
        frequency: shocks / count,
      });
    }
  }
  return scores;
}

/** QLIKE by forecaster that forecasts variances, and horizon; each row counts the same. */
export function varianceScores(
  { realisedVariance }: OutcomeTable,
  forecasts: readonly ForecastTable[],
  rows: Uint32Array,
): readonly VarianceScore[] {
  const scores: VarianceScore[] = [];
  for (const { forecaster, variance } of forecasts) {
    if (variance === null) continue;
    for (let h = 0; h < HORIZON_COUNT; h++) {
      let [count, sum] = [0, 0];
      for (const row of rows) {
        const [realised, forecast] = [
          realisedVariance[row * HORIZON_COUNT + h],
          variance[row * HORIZON_COUNT + h],
        ];
        if (!(realised > LEAST_VARIANCE && forecast > 0)) continue;
        sum += qlike(realised, forecast);
        count++;
      }
      if (count > 0)
        scores.push({ forecaster, horizonHours: HORIZONS_HOURS[h], observations: count, qlike: sum / count });
    }
  }
  return scores;
}
