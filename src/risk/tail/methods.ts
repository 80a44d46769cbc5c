import { PlimsollError } from '../../errors.ts';
import type { Interval } from '../numeric/block-bootstrap.ts';
import { requireConfidence, requireSeries, requireWithin } from '../numeric/inputs.ts';
import { type Unavailable, unavailable } from '../outcome.ts';
import { caviar } from './caviar-method.ts';
import { type MethodOutcome, type RiskOptions, type RiskQuestion, STANDARD_OPTIONS } from './estimates.ts';
import { effectiveCount, type LossSample } from './loss-sample.ts';
import type { RiskMethod } from './method-names.ts';
import { ewma, garch } from './model-methods.ts';
import { ageWeighted, cornishFisher, extremeValue, filtered, historical } from './sample-methods.ts';
import type { TailRisk } from './value-at-risk.ts';

/** Every method by its name: one question, one kind of answer. */
const METHODS = {
  historical,
  'age-weighted': ageWeighted,
  ewma,
  filtered,
  garch: (question: RiskQuestion) => garch(question, 'garch'),
  'gjr-garch': (question: RiskQuestion) => garch(question, 'gjr'),
  egarch: (question: RiskQuestion) => garch(question, 'egarch'),
  evt: extremeValue,
  'cornish-fisher': cornishFisher,
  caviar: (question: RiskQuestion) => caviar(question, 'symmetric'),
  'caviar-asymmetric': (question: RiskQuestion) => caviar(question, 'asymmetric'),
} as const satisfies Record<RiskMethod, (question: RiskQuestion) => MethodOutcome>;

/** VaR and ES of the next horizon, by one method. */
export interface RiskEstimate extends TailRisk {
  readonly available: true;
  readonly method: RiskMethod;
  readonly confidence: number;
  /** Losses looked at; of horizons that overlap, only `effectiveCount` are independent. */
  readonly n: number;
  readonly effectiveCount: number;
  readonly parameters: Readonly<Record<string, number | string>>;
  /** Of VaR. */
  readonly interval: Interval | Unavailable;
}

/** With fewer losses nothing is said of any tail. */
const LEAST_LOSSES = 20;
/** Of the largest return: fourth powers, as moments have them, are doubles then, and so is one over it. */
const [LEAST_SIZE, MOST_SIZE] = [1e-60, 1e60];

/**
 * VaR and ES by any method, of terminal losses or of excursions, at any horizon.
 *
 * @param sample from `lossesOfReturns` or `lossesOfBars`.
 * @returns unavailable, with the reason, where the method has no answer for this sample; what is available is finite, with ES ≥ VaR.
 * @throws PlimsollError INPUT_INVALID for a confidence outside (0, 1) or options out of range, DATA_INSUFFICIENT for fewer than 20
 * losses.
 */
export function estimateRisk(
  method: RiskMethod,
  sample: LossSample,
  confidence: number,
  options: Partial<RiskOptions> = {},
): RiskEstimate | Unavailable {
  requireConfidence(confidence);
  requireSeries('losses', sample.losses, LEAST_LOSSES);
  const whole = { ...STANDARD_OPTIONS, ...options };
  requireWithin('the age decay', whole.ageDecay, 1e-3, 1);
  if (whole.tailShare !== 'automatic') requireWithin('the share of the tail', whole.tailShare, 0.001, 0.5);
  if (varies(sample.losses) === false)
    return unavailable('all losses are alike: there is no risk to estimate');
  const largest = sample.returns.reduce((size, value) => Math.max(size, Math.abs(value)), 0);
  if (largest > MOST_SIZE || (largest > 0 && largest < LEAST_SIZE))
    return unavailable(`the largest return is ${largest}: powers of it leave the range of a double`);
  const outcome = METHODS[method]({ sample, confidence, options: whole });
  if (!outcome.available) return outcome;
  const { valueAtRisk, expectedShortfall, parameters, interval } = outcome;
  if (!Number.isFinite(valueAtRisk + expectedShortfall))
    throw new PlimsollError('INTERNAL', `${method} gave a number that is none`);
  return {
    available: true,
    method,
    confidence,
    n: sample.losses.length,
    effectiveCount: effectiveCount(sample),
    valueAtRisk,
    expectedShortfall: Math.max(expectedShortfall, valueAtRisk),
    parameters,
    interval,
  };
}

function varies(losses: Float64Array): boolean {
  return losses.some((loss) => loss !== losses[0]);
}
