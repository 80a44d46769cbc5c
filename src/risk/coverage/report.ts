import { PlimsollError } from '../../errors.ts';
import { meanFz0, meanPinball } from '../comparison/scores.ts';
import { requireWhole } from '../numeric/inputs.ts';
import { automaticLags } from '../numeric/long-run-variance.ts';
import type { TestOutcome, TestResult, Unavailable } from '../outcome.ts';
import { type DurationIndependence, discreteDurationIndependence, durationIndependence } from './duration.ts';
import { dynamicQuantile } from './dynamic-quantile.ts';
import {
  christoffersenIndependence,
  conditionalCoverage,
  countHits,
  dependentCoverage,
  kupiec,
} from './hits.ts';
import { type ConditionalCalibration, conditionalCalibration } from './identification.ts';
import {
  type ShortfallIntercept,
  type ShortfallRegression,
  shortfallIntercept,
  shortfallRegression,
} from './shortfall-regression.ts';
import {
  type AcerbiSzekely,
  acerbiSzekely,
  type JudgedForecasts,
  mcNeilFrey,
  SIMULATIONS,
} from './shortfall-tests.ts';
import { type TrafficLight, trafficLight } from './traffic-light.ts';

/** How well forecasts of VaR and ES have held. */
export interface CoverageReport {
  readonly n: number;
  readonly confidence: number;
  /** Rows that a loss is over. Above 1, tests that need independent losses look at every such row only. */
  readonly horizonSteps: number;
  /** Rows that those tests looked at. */
  readonly independentRows: number;
  readonly exceedances: number;
  readonly exceedanceRate: number;
  readonly kupiec: TestResult;
  /** Of all rows, with a variance that allows for overlap and for clusters. */
  readonly dependentCoverage: TestOutcome;
  readonly christoffersenIndependence: TestOutcome;
  readonly conditionalCoverage: TestOutcome;
  /** Between exceedances, in continuous time as usual, which takes frequent exceedances for too regular. */
  readonly duration: DurationIndependence | Unavailable;
  /** The same in whole steps, which is right for frequent ones too. */
  readonly discreteDuration: DurationIndependence | Unavailable;
  readonly dynamicQuantile: TestOutcome;
  readonly trafficLight: TrafficLight;
  readonly acerbiSzekely: AcerbiSzekely;
  readonly mcNeilFrey: TestOutcome;
  readonly shortfallRegression: {
    readonly strict: ShortfallRegression | Unavailable;
    readonly intercept: ShortfallIntercept | Unavailable;
  };
  readonly conditionalCalibration: ConditionalCalibration | Unavailable;
  readonly pinball: number;
  readonly fz0: number;
}

const SEED = 1;

export interface CoverageOptions {
  /** Samples behind simulated p-values; 0 for none of them. */
  readonly simulations?: number;
  /** Rows that a loss is over: 24 for losses over a day, given every hour. */
  readonly horizonSteps?: number;
}

/**
 * Judges forecasts by everything that is usually asked. Simulated p-values are seeded: the same forecasts have the same
 * report.
 *
 * Losses over horizons that overlap are not independent. Scores and rates look at all of them; tests that need independent losses at the first row
 * of every horizon, and the others allow for the overlap in their variances (Newey and West 1987).
 *
 * @throws PlimsollError INPUT_INVALID for no observation, lengths that differ, a number that is none, or ES below VaR.
 */
export function coverageReport(
  forecasts: JudgedForecasts,
  { simulations = SIMULATIONS, horizonSteps = 1 }: CoverageOptions = {},
): CoverageReport {
  requireUsable(forecasts);
  requireWhole('the horizon in rows', horizonSteps, 1);
  const { loss, valueAtRisk, expectedShortfall, confidence } = forecasts;
  const n = loss.length;
  const hits = hitsOf(forecasts);
  const exceedances = countHits(hits);
  const apart = horizonSteps === 1 ? forecasts : everyRow(forecasts, horizonSteps);
  const hitsApart = horizonSteps === 1 ? hits : hitsOf(apart);
  const rows = hitsApart.length;
  const overlap = horizonSteps === 1 ? {} : { lags: horizonSteps - 1 };
  return {
    n,
    confidence,
    horizonSteps,
    independentRows: rows,
    exceedances,
    exceedanceRate: exceedances / n,
    kupiec: kupiec(countHits(hitsApart), rows, confidence),
    dependentCoverage: dependentCoverage(hits, confidence, Math.max(horizonSteps - 1, automaticLags(n))),
    christoffersenIndependence: christoffersenIndependence(hitsApart),
    conditionalCoverage: conditionalCoverage(hitsApart, confidence),
    duration: durationIndependence(hitsApart),
    discreteDuration: discreteDurationIndependence(hitsApart),
    dynamicQuantile: dynamicQuantile(hitsApart, apart.valueAtRisk, confidence),
    trafficLight: trafficLight(countHits(hitsApart), rows, confidence),
    acerbiSzekely: acerbiSzekely(apart, SEED, simulations),
    mcNeilFrey: mcNeilFrey(apart, SEED, simulations),
    shortfallRegression: {
      strict: shortfallRegression(forecasts, overlap),
      intercept: shortfallIntercept(forecasts, overlap),
    },
    conditionalCalibration: conditionalCalibration(forecasts, overlap),
    pinball: meanPinball(loss, valueAtRisk, confidence),
    fz0: meanFz0(loss, valueAtRisk, expectedShortfall, confidence),
  };
}

function hitsOf({ loss, valueAtRisk }: JudgedForecasts): Uint8Array {
  const hits = new Uint8Array(loss.length);
  for (let t = 0; t < loss.length; t++) hits[t] = loss[t] > valueAtRisk[t] ? 1 : 0;
  return hits;
}

function everyRow(
  { loss, valueAtRisk, expectedShortfall, confidence }: JudgedForecasts,
  steps: number,
): JudgedForecasts {
  const thinned = (values: Float64Array): Float64Array => values.filter((_, t) => t % steps === 0);
  return {
    loss: thinned(loss),
    valueAtRisk: thinned(valueAtRisk),
    expectedShortfall: thinned(expectedShortfall),
    confidence,
  };
}

function requireUsable({ loss, valueAtRisk, expectedShortfall, confidence }: JudgedForecasts): void {
  const refuse = (what: string, remedy: string): PlimsollError =>
    new PlimsollError('INPUT_INVALID', what, { remedy });
  if (!(confidence > 0 && confidence < 1))
    throw refuse('the confidence is not between 0 and 1', 'Give 0.99 for 99 %.');
  if (loss.length === 0) throw refuse('there is no observation', 'Give at least one row.');
  if (valueAtRisk.length !== loss.length || expectedShortfall.length !== loss.length)
    throw refuse('losses and forecasts are not equally many', 'Give one VaR and one ES for each loss.');
  for (let t = 0; t < loss.length; t++) {
    if (!Number.isFinite(loss[t] + valueAtRisk[t] + expectedShortfall[t]))
      throw refuse(`observation ${t + 1} holds a number that is none`, 'Leave it out, or mend it.');
    if (expectedShortfall[t] < valueAtRisk[t])
      throw refuse(
        `observation ${t + 1} has an ES below its VaR`,
        'ES is the mean of the losses beyond VaR.',
      );
  }
}
