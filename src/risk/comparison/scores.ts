/**
 * Scores of forecasts against what happened; lower is better. Losses, VaR and ES are positive for losses, as everywhere
 * in Plimsoll; α = 1 − confidence. Arrays are by observation and equally long.
 */

/** Pinball loss of one quantile: with loss l and VaR v, max(c (l − v), (c − 1)(l − v)) (Koenker and Bassett 1978). */
export function pinball(loss: number, valueAtRisk: number, confidence: number): number {
  const difference = loss - valueAtRisk;
  return difference >= 0 ? confidence * difference : (confidence - 1) * difference;
}

/** Mean pinball loss; 0 for no observation. */
export function meanPinball(losses: Float64Array, valuesAtRisk: Float64Array, confidence: number): number {
  let sum = 0;
  for (let i = 0; i < losses.length; i++) sum += pinball(losses[i], valuesAtRisk[i], confidence);
  return losses.length === 0 ? 0 : sum / losses.length;
}

/** Least ES that anything is divided by: a millionth of the price. Below it a forecast says "no risk" and earns no more. */
export const MINIMUM_SHORTFALL = 1e-6;

/**
 * FZ0, the joint score of VaR and ES that is homogeneous of degree zero (Fissler and Ziegel 2016; Patton, Ziegel and Chen
 * 2019), with signs turned: 1{l ≥ v}(l − v)/(α e) + v/e + ln e − 1.
 *
 * @param expectedShortfall e ≥ v.
 */
export function fz0(
  loss: number,
  valueAtRisk: number,
  expectedShortfall: number,
  confidence: number,
): number {
  const shortfall = Math.max(expectedShortfall, MINIMUM_SHORTFALL);
  const excess = loss >= valueAtRisk ? (loss - valueAtRisk) / ((1 - confidence) * shortfall) : 0;
  return excess + valueAtRisk / shortfall + Math.log(shortfall) - 1;
}

/** Mean FZ0; 0 for no observation. */
export function meanFz0(
  losses: Float64Array,
  valuesAtRisk: Float64Array,
  expectedShortfalls: Float64Array,
  confidence: number,
): number {
  let sum = 0;
  for (let i = 0; i < losses.length; i++) {
    sum += fz0(losses[i], valuesAtRisk[i], expectedShortfalls[i], confidence);
  }
  return losses.length === 0 ? 0 : sum / losses.length;
}

/** How many losses lie above their VaR. A loss equal to it is absorbed, as the limits mean it. */
export function countExceedances(losses: Float64Array, valuesAtRisk: Float64Array): number {
  let count = 0;
  for (let i = 0; i < losses.length; i++) if (losses[i] > valuesAtRisk[i]) count++;
  return count;
}

/** Share of the losses above their VaR; 0 for no observation. */
export function exceedanceRate(losses: Float64Array, valuesAtRisk: Float64Array): number {
  return losses.length === 0 ? 0 : countExceedances(losses, valuesAtRisk) / losses.length;
}

/** Brier score (1950): mean of (p − outcome)², outcomes 0 or 1; 0 for no observation. */
export function brier(probabilities: Float64Array, outcomes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) sum += (probabilities[i] - outcomes[i]) ** 2;
  return probabilities.length === 0 ? 0 : sum / probabilities.length;
}
