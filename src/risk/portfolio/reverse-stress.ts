import { chiSquareSurvival } from '../numeric/chi-square.ts';
import { requireSameLength, requireSeries, requireWithin } from '../numeric/inputs.ts';
import { normalSurvival } from '../numeric/normal.ts';
import { type Unavailable, unavailable } from '../outcome.ts';
import { covarianceTimesNotionals, type LinearPortfolio } from './parametric-risk.ts';
import { movedBy, requireDamage, smallestMultiple } from './smallest-multiple.ts';

/**
 * Reverse stress tests: not what a move costs but what it takes to lose a stated amount (the damage D above 0, quote asset).
 * No price falls below zero: the return of a market is at least −1, whatever its beta.
 */

/** A move of the factor that does just the damage. */
export interface FactorMove {
  readonly available: true;
  /** Simple return of the factor, nearest to 0 of those that do it. */
  readonly move: number;
  /** Simple return of each market, max(β · move, −1). */
  readonly returns: Float64Array;
}

export interface UniformReverseStress {
  readonly fall: FactorMove | Unavailable;
  readonly rise: FactorMove | Unavailable;
  /** The smaller of the two; a fall where both are equally small. */
  readonly smallest: FactorMove | Unavailable;
}

export interface FactorMoveOptions {
  /** By market; all 1 unless given. */
  readonly betas?: Float64Array;
  /** How far a fall may go, in [−1, 0]. −1 unless given. */
  readonly lowest?: number;
  /** How far a rise may go, at least 0. 1, a doubling, unless given. */
  readonly highest?: number;
}

/**
 * The smallest move of all markets together that loses D. The loss −Σ wᵢ max(βᵢ x, −1) is linear in x between the points
 * where a market reaches zero, hence solved exactly, piece by piece from 0 outwards.
 *
 * @param notionals signed, one per market.
 * @throws PlimsollError INPUT_INVALID for numbers that are none, unequal lengths, a range without 0 or a damage not above 0.
 */
export function reverseFactorMove(
  notionals: Float64Array,
  damage: number,
  { betas, lowest = -1, highest = 1 }: FactorMoveOptions = {},
): UniformReverseStress {
  requireDamage(damage);
  requireSeries('notionals', notionals, 1);
  requireWithin('the lowest move', lowest, -1, 0);
  requireWithin('the highest move', highest, 0, Number.MAX_VALUE);
  const direction = betas ?? new Float64Array(notionals.length).fill(1);
  requireSameLength('notionals and betas', notionals.length, direction.length);
  requireSeries('betas', direction, 1);
  const along = (sign: 1 | -1, limit: number): FactorMove | Unavailable => {
    const signed = direction.map((beta) => sign * beta);
    const size = smallestMultiple(notionals, signed, damage, limit);
    if (size === null) return unavailable(`no ${sign < 0 ? 'fall' : 'rise'} of up to ${limit} loses as much`);
    return { available: true, move: sign * size, returns: movedBy(signed, size) };
  };
  const fall = along(-1, -lowest);
  const rise = along(1, highest);
  if (!fall.available && !rise.available)
    return { fall, rise, smallest: unavailable('no move within the range loses as much') };
  const isFall = fall.available && (!rise.available || -fall.move <= rise.move);
  return { fall, rise, smallest: isFall ? fall : rise };
}

/** The most likely move that does the damage. */
export interface LikeliestMove {
  readonly available: true;
  /** Simple return of each market. */
  readonly returns: Float64Array;
  /** Mahalanobis distance √(x'Σ⁻¹x) = D / √(w'Σw): how many standard deviations of the portfolio the damage is. */
  readonly distance: number;
  /** P(loss ≥ D) if returns are normal with mean 0: 1 − Φ(distance). */
  readonly lossProbability: number;
  /** P(χ² > distance²) with one degree per market: how often normal returns are at least as unlikely as this move. */
  readonly moveProbability: number;
}

/**
 * Of all moves that lose D the one nearest to no move in the Mahalanobis sense, which for elliptical returns is the likeliest
 * (Breuer, Jandačka, Rheinberger and Summer 2009): x = −D Σw / (w'Σw), in closed form, also where Σ has no inverse.
 * The probabilities are those of normal returns, hence optimistic for markets with fat tails.
 *
 * @returns unavailable for a portfolio without risk, and where the move would take a price below zero.
 * @throws PlimsollError INPUT_INVALID as `parametricRisk`, and for a damage not above 0.
 */
export function reverseLikeliestMove(
  portfolio: LinearPortfolio,
  damage: number,
): LikeliestMove | Unavailable {
  requireDamage(damage);
  const slope = covarianceTimesNotionals(portfolio);
  let variance = 0;
  for (let i = 0; i < slope.length; i++) variance += portfolio.notionals[i] * slope[i];
  // Of a perfect hedge only rounding is left.
  const gross = portfolio.notionals.reduce((sum, w, i) => sum + Math.abs(w) * portfolio.volatility[i], 0);
  if (!(variance > 1e-14 * gross * gross)) return unavailable('the portfolio has no variance');
  const returns = slope.map((entry) => (-damage * entry) / variance);
  const below = returns.findIndex((value) => value < -1);
  if (below >= 0)
    return unavailable(`it would take market ${below + 1} to fall by ${-returns[below]} of its price`);
  const distance = damage / Math.sqrt(variance);
  return {
    available: true,
    returns,
    distance,
    lossProbability: normalSurvival(distance),
    moveProbability: chiSquareSurvival(distance * distance, returns.length),
  };
}
