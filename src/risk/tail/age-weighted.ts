import type { TailRisk } from './value-at-risk.ts';

/** λ of Boudoukh, Richardson and Whitelaw (1998), who try 0.97 and 0.99. */
export const STANDARD_AGE_DECAY = 0.98;

/**
 * Weights of age-weighted historical simulation (Boudoukh, Richardson and Whitelaw 1998): λᵃ (1 − λ)/(1 − λⁿ) for a loss of age a.
 *
 * @param decay λ in (0, 1]; at 1 all weigh alike. @returns oldest first; their sum is 1.
 */
export function ageWeights(n: number, decay: number): Float64Array {
  const total = decay === 1 ? n : -Math.expm1(n * Math.log(decay)) / (1 - decay);
  return Float64Array.from({ length: n }, (_, i) => decay ** (n - 1 - i) / total);
}

/**
 * VaR and ES of losses that weigh differently. VaR is the largest loss that, with all larger ones, has a share of at least 1 − c;
 * ES the exact weighted mean of the worst share 1 − c, the last loss by its fraction (Rockafellar and Uryasev 2002).
 *
 * @param losses at least one, finite. @param weights not negative, some positive; their sum need not be 1.
 */
export function weightedRisk(losses: Float64Array, weights: Float64Array, confidence: number): TailRisk {
  const order = Uint32Array.from(losses, (_, i) => i).sort((a, b) => losses[b] - losses[a]);
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i];
  const mass = total * (1 - confidence);
  let left = mass;
  let sum = 0;
  let loss = losses[order[0]];
  for (let i = 0; i < order.length; i++) {
    const weight = weights[order[i]];
    if (weight === 0) continue;
    loss = losses[order[i]];
    if (weight >= left) break;
    sum += weight * loss;
    left -= weight;
  }
  // Rounding may leave a grain of the mass after the last loss: that one has all of what is left then.
  return { valueAtRisk: loss, expectedShortfall: Math.max((sum + left * loss) / mass, loss) };
}

/** Kish's effective number of equally weighted losses, (Σw)²/Σw²: what a precision may be claimed from. */
export function effectiveAgeCount(n: number, decay: number): number {
  if (decay === 1) return n;
  const sum = -Math.expm1(n * Math.log(decay)) / (1 - decay);
  const squares = -Math.expm1(2 * n * Math.log(decay)) / (1 - decay * decay);
  return (sum * sum) / squares;
}
