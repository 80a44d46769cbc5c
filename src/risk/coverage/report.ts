import { PlimsollError } from '../../errors.ts';
import { meanFz0, meanPinball } from '../comparison/scores.ts';
import type { TestOutcome, TestResult } from '../outcome.ts';
import { dynamicQuantile } from './dynamic-quantile.ts';
import { christoffersenIndependence, conditionalCoverage, countHits, kupiec } from './hits.ts';
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
  readonly exceedances: number;
  readonly exceedanceRate: number;
  readonly kupiec: TestResult;
  readonly christoffersenIndependence: TestOutcome;
  readonly conditionalCoverage: TestOutcome;
  readonly dynamicQuantile: TestOutcome;
  readonly trafficLight: TrafficLight;
  readonly acerbiSzekely: AcerbiSzekely;
  readonly mcNeilFrey: TestOutcome;
  readonly pinball: number;
  readonly fz0: number;
}

const SEED = 1;

/**
 * Judges forecasts by everything that is usually asked. Simulated p-values are seeded: the same forecasts have the same
 * report. Losses over overlapping horizons are not independent; give one in each horizon, or read no p-value.
 *
 * @throws PlimsollError INPUT_INVALID for no observation, lengths that differ, a number that is none, or ES below VaR.
 */
export function coverageReport(
  forecasts: JudgedForecasts,
  { simulations = SIMULATIONS }: { readonly simulations?: number } = {},
): CoverageReport {
  requireUsable(forecasts);
  const { loss, valueAtRisk, expectedShortfall, confidence } = forecasts;
  const n = loss.length;
  const hits = Uint8Array.from(loss, (value, t) => (value > valueAtRisk[t] ? 1 : 0));
  const exceedances = countHits(hits);
  return {
    n,
    confidence,
    exceedances,
    exceedanceRate: exceedances / n,
    kupiec: kupiec(exceedances, n, confidence),
    christoffersenIndependence: christoffersenIndependence(hits),
    conditionalCoverage: conditionalCoverage(hits, confidence),
    dynamicQuantile: dynamicQuantile(hits, valueAtRisk, confidence),
    trafficLight: trafficLight(exceedances, n, confidence),
    acerbiSzekely: acerbiSzekely(forecasts, SEED, simulations),
    mcNeilFrey: mcNeilFrey(forecasts, SEED, simulations),
    pinball: meanPinball(loss, valueAtRisk, confidence),
    fz0: meanFz0(loss, valueAtRisk, expectedShortfall, confidence),
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
