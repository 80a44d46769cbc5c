import { PlimsollError } from '../../errors.ts';
import { requireSameLength, requireWhole, requireWithin } from '../numeric/inputs.ts';
import { type AlignedMarkets, CELL } from './aligned-returns.ts';
import { nearestCorrelation } from './nearest-correlation.ts';

/** Log returns of several markets where they were measured, and only there: entry m · slots + t is that of slot t. */
export interface ReturnPanel {
  readonly markets: readonly string[];
  readonly slots: number;
  /** Open time of each slot, epoch milliseconds. */
  readonly time: Float64Array;
  readonly returns: Float64Array;
  /** 1 where there is a return; where not, `returns` holds 0. */
  readonly known: Uint8Array;
}

/** The returns between bars that both were measured and follow each other in time: nothing carried, nothing filled. */
export function measuredReturns(aligned: AlignedMarkets): ReturnPanel {
  const { markets, slots, time, close, cell, intervalMilliseconds } = aligned;
  const returns = new Float64Array(markets.length * slots);
  const known = new Uint8Array(markets.length * slots);
  for (let m = 0; m < markets.length; m++) {
    for (let t = 1; t < slots; t++) {
      const at = m * slots + t;
      if (cell[at] !== CELL.measured || cell[at - 1] !== CELL.measured) continue;
      if (time[t] - time[t - 1] !== intervalMilliseconds) continue;
      returns[at] = Math.log(close[at] / close[at - 1]);
      known[at] = 1;
    }
  }
  return { markets, slots, time, returns, known };
}

export interface CorrelationOptions {
  /** λ of weights λ^(slots back from the end), in (0, 1]; 1, unless given, weighs all alike. */
  readonly decay?: number;
  /** Pairs of markets with fewer common returns are refused. 30 unless given. */
  readonly leastPairs?: number;
  /** 1 for the slots that count; all unless given. */
  readonly slots?: Uint8Array;
}

export interface CorrelationEstimate {
  readonly markets: readonly string[];
  /** markets × markets, row by row: ones on the diagonal, no eigenvalue below zero. */
  readonly correlation: Float64Array;
  /** Standard deviation of the log return per slot. */
  readonly volatility: Float64Array;
  /** Common returns of the pair that has fewest. */
  readonly fewestPairs: number;
  /** Before the repair: the pairwise matrix of unequal histories may be no correlation matrix at all. */
  readonly smallestEigenvalue: number;
  /** Frobenius distance by which the repair moved it; 0 where nothing had to be. */
  readonly repairDistance: number;
}

/**
 * Correlations of each pair from the returns that both have, sample or exponentially weighted (RiskMetrics 1996, but about
 * the pair's own weighted means), then the nearest matrix that is one of correlations (Higham 2002) where the pairs
 * contradict each other.
 *
 * @throws PlimsollError INPUT_INVALID for a decay outside (0, 1]; DATA_INSUFFICIENT for a pair with too few common returns or a
 * market that did not move in them.
 */
export function correlationMatrix(
  panel: ReturnPanel,
  { decay = 1, leastPairs = 30, slots: kept }: CorrelationOptions = {},
): CorrelationEstimate {
  requireWithin('the decay', decay, Number.MIN_VALUE, 1);
  requireWhole('the least number of pairs', leastPairs, 2);
  const { markets, slots } = panel;
  if (kept !== undefined) requireSameLength('slots and their marks', slots, kept.length);
  const size = markets.length;
  const weights = new Float64Array(slots);
  for (let t = slots - 1, weight = 1; t >= 0; t--, weight *= decay)
    weights[t] = kept === undefined || kept[t] === 1 ? weight : 0;
  const pairwise = new Float64Array(size * size);
  const volatility = new Float64Array(size);
  let fewestPairs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) {
      const pair = moments(panel, i, j, weights);
      fewestPairs = Math.min(fewestPairs, pair.count);
      const names = i === j ? markets[i] : `${markets[i]} and ${markets[j]}`;
      if (pair.count < leastPairs)
        throw insufficient(`${names}: ${pair.count} returns in common are too few`);
      if (!(pair.varianceI > 0 && pair.varianceJ > 0))
        throw insufficient(`${names}: without a move there is no correlation`);
      if (i === j) volatility[i] = Math.sqrt(pair.varianceI);
      const correlation = i === j ? 1 : pair.covariance / Math.sqrt(pair.varianceI * pair.varianceJ);
      pairwise[i * size + j] = pairwise[j * size + i] = Math.max(-1, Math.min(1, correlation));
    }
  }
  const repaired = nearestCorrelation(pairwise, size);
  return {
    markets,
    correlation: repaired.matrix,
    volatility,
    fewestPairs,
    smallestEigenvalue: repaired.smallestEigenvalue,
    repairDistance: repaired.distance,
  };
}

interface PairMoments {
  readonly count: number;
  readonly varianceI: number;
  readonly varianceJ: number;
  readonly covariance: number;
}

/** Weighted moments about the weighted means over the slots that both know: in two passes, which keeps the digits. */
function moments(
  { slots, returns, known }: ReturnPanel,
  i: number,
  j: number,
  weights: Float64Array,
): PairMoments {
  const [a, b] = [i * slots, j * slots];
  let count = 0;
  let total = 0;
  let meanI = 0;
  let meanJ = 0;
  for (let t = 0; t < slots; t++) {
    if (known[a + t] === 0 || known[b + t] === 0 || weights[t] === 0) continue;
    count++;
    total += weights[t];
    meanI += weights[t] * returns[a + t];
    meanJ += weights[t] * returns[b + t];
  }
  if (count === 0) return { count, varianceI: 0, varianceJ: 0, covariance: 0 };
  meanI /= total;
  meanJ /= total;
  let varianceI = 0;
  let varianceJ = 0;
  let covariance = 0;
  for (let t = 0; t < slots; t++) {
    if (known[a + t] === 0 || known[b + t] === 0) continue;
    const x = returns[a + t] - meanI;
    const y = returns[b + t] - meanJ;
    varianceI += weights[t] * x * x;
    varianceJ += weights[t] * y * y;
    covariance += weights[t] * x * y;
  }
  return {
    count,
    varianceI: varianceI / total,
    varianceJ: varianceJ / total,
    covariance: covariance / total,
  };
}

function insufficient(what: string): PlimsollError {
  return new PlimsollError('DATA_INSUFFICIENT', what, {
    remedy: 'Give a longer common history, or leave the market out.',
  });
}
