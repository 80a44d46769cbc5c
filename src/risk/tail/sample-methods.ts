import {
  automaticBlockLength,
  type BootstrapPlan,
  bootstrapInterval,
  type Interval,
} from '../numeric/block-bootstrap.ts';
import { type Unavailable, unavailable } from '../outcome.ts';
import { ageWeights, effectiveAgeCount, weightedRisk } from './age-weighted.ts';
import { cornishFisherRisk } from './cornish-fisher.ts';
import type { MethodOutcome, RiskQuestion } from './estimates.ts';
import { extremeValueInterval, extremeValueRisk } from './extreme-value.ts';
import { lossScales } from './filters.ts';
import { historicalRisk } from './value-at-risk.ts';

/** Methods that read VaR off the losses themselves, as they were or filtered. Their intervals come from resampled blocks of origins. */

export function historical(question: RiskQuestion): MethodOutcome {
  const { sample, confidence } = question;
  const interval = intervalOf(
    question,
    sample.losses,
    (losses) => historicalRisk(losses, confidence).valueAtRisk,
  );
  return { available: true, ...historicalRisk(sample.losses, confidence), parameters: {}, interval };
}

export function ageWeighted(question: RiskQuestion): MethodOutcome {
  const { sample, confidence, options } = question;
  const { losses } = sample;
  const decay = options.ageDecay;
  const weights = ageWeights(losses.length, decay);
  const drawn = new Float64Array(losses.length);
  const interval = intervalOf(question, losses, (resampled, places) => {
    for (let i = 0; i < places.length; i++) drawn[i] = weights[places[i]];
    return weightedRisk(resampled, drawn, confidence).valueAtRisk;
  });
  const effective = effectiveAgeCount(losses.length, decay);
  return {
    available: true,
    ...weightedRisk(losses, weights, confidence),
    parameters: { decay, effectiveCount: effective },
    interval,
  };
}

/** Filtered historical simulation of any loss: divided by the volatility known at its origin, multiplied by today's. */
export function filtered(question: RiskQuestion): MethodOutcome {
  const { sample, confidence, options } = question;
  const scales = lossScales(sample, options);
  if (!scales.available) return scales;
  const unit = historicalRisk(scales.standardised, confidence);
  const interval = intervalOf(
    question,
    scales.standardised,
    (losses) => scales.today * historicalRisk(losses, confidence).valueAtRisk,
  );
  return {
    available: true,
    valueAtRisk: scales.today * unit.valueAtRisk,
    expectedShortfall: scales.today * unit.expectedShortfall,
    parameters: { ...scales.parameters, exponent: options.exponent },
    interval,
  };
}

/** Peaks over a threshold, of losses as they were or of filtered ones (McNeil and Frey 2000). */
export function extremeValue(question: RiskQuestion): MethodOutcome {
  const { sample, confidence, options } = question;
  const scales = options.isConditional ? lossScales(sample, options) : null;
  if (scales !== null && !scales.available) return scales;
  const losses = scales?.standardised ?? sample.losses;
  const today = scales?.today ?? 1;
  const risk = extremeValueRisk(losses, confidence, options.tailShare);
  if (!risk.available) return risk;
  const profile = extremeValueInterval(risk, losses.length, confidence);
  // The threshold of the whole sample's choice stays; what is resampled is the tail above it.
  const share = risk.exceedances / losses.length;
  const interval = intervalOf(question, losses, (resampled) => {
    const again = extremeValueRisk(resampled, confidence, share);
    return again.available ? today * again.valueAtRisk : null;
  });
  return {
    available: true,
    valueAtRisk: today * risk.valueAtRisk,
    expectedShortfall: today * risk.expectedShortfall,
    parameters: {
      ...(scales?.parameters ?? {}),
      threshold: risk.threshold,
      exceedances: risk.exceedances,
      shape: risk.tail.shape,
      scale: risk.tail.scale,
      shapeStandardError: risk.tail.standardErrors.shape,
      scaleStandardError: risk.tail.standardErrors.scale,
      profileLow: today * profile.low,
      profileHigh: today * profile.high,
    },
    interval,
  };
}

export function cornishFisher(question: RiskQuestion): MethodOutcome {
  const { sample, confidence } = question;
  const risk = cornishFisherRisk(sample.losses, confidence);
  if (!risk.available) return risk;
  const interval = intervalOf(question, sample.losses, (losses) => {
    const again = cornishFisherRisk(losses, confidence);
    return again.available ? again.valueAtRisk : null;
  });
  const { valueAtRisk, expectedShortfall, mean, deviation, skewness, excessKurtosis } = risk;
  const parameters = { mean, deviation, skewness, excessKurtosis };
  return { available: true, valueAtRisk, expectedShortfall, parameters, interval };
}

/**
 * Interval of VaR by resampled blocks of origins: as long as the correlogram of the exceedances asks for, of which a quantile is made, and
 * never shorter than the horizon, over which losses overlap.
 */
function intervalOf(
  { sample: { horizon }, confidence, options: { bootstrap, seed } }: RiskQuestion,
  losses: Float64Array,
  statistic: (resampled: Float64Array, places: Uint32Array) => number | null,
): Interval | Unavailable {
  if (bootstrap === null) return unavailable('no interval was asked for');
  if (losses.length < 3 * horizon)
    return unavailable('there are fewer than three horizons of losses to resample');
  const level = historicalRisk(losses, confidence).valueAtRisk;
  const exceeded = losses.map((loss) => (loss > level ? 1 : 0));
  const blockLength = Math.max(automaticBlockLength(exceeded), horizon);
  const plan: BootstrapPlan = { ...bootstrap, seed, blockLength };
  const resampled = new Float64Array(losses.length);
  const interval = bootstrapInterval(losses.length, plan, (places) => {
    for (let i = 0; i < places.length; i++) resampled[i] = losses[places[i]];
    return statistic(resampled, places);
  });
  return interval ?? unavailable('most resamples have no estimate');
}
