import type { Random } from '../../random.ts';
import { shocksOf, simulateGarch } from '../volatility/garch/forecast.ts';
import type { GarchParameters, GarchSpecification } from '../volatility/garch/model.ts';
import type { LossSample } from './loss-sample.ts';
import { historicalRisk, type TailRisk } from './value-at-risk.ts';

/** A price that falls to nothing stays there: no simple return is below this. */
const WORST_RETURN = -0.999999;

/**
 * VaR and ES of the losses on simulated paths of a fitted model.
 *
 * Where the sample's excursions see the extremes within a step, so must the simulated ones: the extreme of a step of which the
 * end is known is drawn from the law of the Brownian bridge, m = ½ (r − √(r² − 2 s² ln U)) in logarithms, U uniform (Karatzas and Shreve
 * 1991, 2.8). Under t errors s² is drawn from what a shock of that size tells of its own variance: (ν − 2 + z²) σ²/χ²_{ν + 1}.
 */
export function simulatedRisk(
  { horizon, target, side, seesWithinSteps }: LossSample,
  fit: {
    readonly specification: GarchSpecification;
    readonly parameters: GarchParameters;
    readonly nextVariance: number;
  },
  confidence: number,
  simulations: number,
  random: Random,
): TailRisk {
  const { specification, parameters } = fit;
  const sign = side === 'long' ? -1 : 1;
  const path = new Float64Array(horizon);
  const sizes = new Float64Array(horizon);
  const draw = shocksOf(specification, parameters, random);
  let step = 0;
  const drawAndKeep = (): number => {
    const z = draw();
    sizes[step++] = z;
    return z;
  };
  const losses = new Float64Array(simulations);
  for (let i = 0; i < simulations; i++) {
    step = 0;
    simulateGarch(specification.model, parameters, fit.nextVariance, drawAndKeep, path);
    let logPrice = 0;
    let worst = 0;
    for (let h = 0; h < horizon; h++) {
      const move = Math.log1p(Math.max(path[h], WORST_RETURN));
      if (target === 'excursion') {
        const extreme = seesWithinSteps
          ? bridgeExtreme(
              sign,
              move,
              stepVariance(path[h], sizes[h], specification, parameters, random),
              random,
            )
          : move;
        worst = Math.max(worst, sign * Math.expm1(logPrice + extreme));
      }
      logPrice += move;
    }
    losses[i] = target === 'excursion' ? worst : sign * Math.expm1(logPrice);
  }
  return historicalRisk(losses, confidence);
}

/** Variance of the diffusion within a step that moved by μ + σ z, given z. */
function stepVariance(
  value: number,
  z: number,
  { distribution }: GarchSpecification,
  { mu, nu }: GarchParameters,
  random: Random,
): number {
  if (z === 0) return 0;
  const variance = ((value - mu) / z) ** 2;
  if (distribution === 'normal') return variance;
  return (variance * (nu - 2 + z * z)) / (2 * random.gamma(0.5 * (nu + 1)));
}

/** The lowest (sign −1) or highest (1) log price within a step that ends at `move`, from 0. */
function bridgeExtreme(sign: number, move: number, variance: number, random: Random): number {
  const spread = Math.sqrt(move * move + 2 * variance * random.exponential());
  return 0.5 * (move + sign * spread);
}
