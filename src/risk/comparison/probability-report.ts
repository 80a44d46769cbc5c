import type { Unavailable } from '../outcome.ts';
import { type BrierDecomposition, binnedBrierDecomposition } from './brier-decomposition.ts';
import { type CalibrationRegression, calibrationRegression } from './calibration-regression.ts';
import { brierSkill, type LogLoss, logLoss, type Measured } from './probabilities.ts';
import { areaUnderRoc, averagePrecision } from './ranking.ts';
import { expectedCalibrationError, type ReliabilityBin, reliabilityCurve } from './reliability.ts';
import { brier } from './scores.ts';

/** How good forecasts of an event's probability were. */
export interface ProbabilityReport {
  readonly n: number;
  readonly events: number;
  readonly baseRate: number;
  readonly brier: number;
  /** Against the share of events up to then, from one half on: what was known at the time. */
  readonly brierSkill: Measured;
  readonly decomposition: BrierDecomposition;
  readonly logLoss: LogLoss;
  readonly calibrationError: number;
  readonly calibration: CalibrationRegression | Unavailable;
  /** Beside the base rate, which alarms at random have. */
  readonly averagePrecision: Measured;
  readonly areaUnderRoc: Measured;
  readonly reliability: readonly ReliabilityBin[];
}

const BINS = 10;

/**
 * @param probabilities in [0, 1], by time. @param outcomes 1 where the event came, 0 where not.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function probabilityReport(probabilities: Float64Array, outcomes: Uint8Array): ProbabilityReport {
  const decomposition = binnedBrierDecomposition(probabilities, outcomes, BINS);
  const events = outcomes.reduce((sum, outcome) => sum + outcome, 0);
  return {
    n: outcomes.length,
    events,
    baseRate: events / outcomes.length,
    brier: brier(probabilities, outcomes),
    brierSkill: brierSkill(probabilities, outcomes, shareUpTo(outcomes)),
    decomposition,
    logLoss: logLoss(probabilities, outcomes),
    calibrationError: expectedCalibrationError(probabilities, outcomes, BINS),
    calibration: calibrationRegression(probabilities, outcomes),
    averagePrecision: averagePrecision(probabilities, outcomes),
    areaUnderRoc: areaUnderRoc(probabilities, outcomes),
    reliability: reliabilityCurve(probabilities, outcomes, BINS),
  };
}

/** Share of events before each time, with one event in two trials to start from (Laplace's rule). */
function shareUpTo(outcomes: Uint8Array): Float64Array {
  let came = 0;
  return Float64Array.from(outcomes, (outcome, t) => {
    const share = (came + 1) / (t + 2);
    came += outcome;
    return share;
  });
}
