import { HOUR_MILLISECONDS } from '../../units.ts';
import { ewmaVariance, HOURLY_EWMA_DECAY } from '../volatility/ewma.ts';
import {
  type Factor,
  type FactorLink,
  type Life,
  linkToFactor,
  othersThan,
  type ReturnGrid,
} from './factor-link.ts';

export interface NamedLife extends Life {
  readonly market: string;
}

/** The factor's volatility known before each slot, over its root mean square; 1 throughout for one that stands still. */
export function volatilityState({ move }: Factor, intervalMilliseconds: number): Float64Array {
  const state = new Float64Array(move.length).fill(1);
  let squares = 0;
  for (let t = 0; t < move.length; t++) squares += move[t] * move[t];
  if (!(squares > 0)) return state;
  const variance = ewmaVariance(move, HOURLY_EWMA_DECAY ** (intervalMilliseconds / HOUR_MILLISECONDS));
  for (let t = 0; t < move.length; t++)
    state[t] = Math.sqrt(variance[Math.max(t - 1, 0)] / (squares / move.length));
  return state;
}

export interface Residuals {
  /** Each over the state of volatility of its slot. */
  readonly values: Float64Array;
  /** Root mean square of the values. */
  readonly volatility: number;
}

export function standardise({ residuals, residualSlots }: FactorLink, state: Float64Array): Residuals {
  const values = residuals
    .map((residual, i) => (state[residualSlots[i]] > 0 ? residual / state[residualSlots[i]] : 0))
    .filter((_, i) => state[residualSlots[i]] > 0);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] * values[i];
  return { values, volatility: values.length === 0 ? 0 : Math.sqrt(squares / values.length) };
}

/** What all the others together do not explain of a market over its life. */
export function ownResiduals(
  returns: ReturnGrid,
  m: number,
  life: Life,
  everyone: Factor,
  state: Float64Array,
): Residuals {
  return standardise(linkToFactor(returns, m, life, othersThan(returns, m, life, everyone)), state);
}

/** Nearest in residual volatility among the longer lives; itself where none is longer. Names break ties. */
export function nearestDonor(
  lives: readonly NamedLife[],
  residuals: readonly Residuals[],
  m: number,
  own: Residuals,
): { readonly market: string; readonly residuals: Residuals } {
  const length = ({ firstSlot, lastSlot }: Life): number => lastSlot - firstSlot;
  let best: { readonly market: string; readonly residuals: Residuals } | null = null;
  let nearest = Number.POSITIVE_INFINITY;
  for (let d = 0; d < lives.length; d++) {
    const candidate = residuals[d];
    if (d === m || length(lives[d]) <= length(lives[m]) || !(candidate.volatility > 0)) continue;
    const distance = Math.abs(Math.log(candidate.volatility / own.volatility));
    const { market } = lives[d];
    if (distance < nearest || (distance === nearest && best !== null && market < best.market)) {
      nearest = distance;
      best = { market, residuals: candidate };
    }
  }
  return best ?? { market: lives[m].market, residuals: own };
}
