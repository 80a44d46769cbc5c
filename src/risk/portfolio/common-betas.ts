import { requireSameLength } from '../numeric/inputs.ts';
import type { CommonReturns } from './common-correlations.ts';

/**
 * How far each market moves with the mean of all: the slope of its log returns on the mean return of the markets that are
 * known at the same time, β = Σ (rₜ − r̄)(fₜ − f̄) / Σ (fₜ − f̄)² over the slots where the market is known. A market is part of the
 * mean, with the weight of one among all.
 *
 * @returns a beta a market; 0 where the mean does not move while the market is known.
 */
export function commonBetas({ markets, slots, returns, known }: CommonReturns): Float64Array {
  requireSameLength('returns and slots', returns.length, markets.length * slots);
  requireSameLength('returns and their marks', returns.length, known.length);
  const factor = meanReturns(markets.length, slots, returns, known);
  return Float64Array.from(markets, (_, m) => {
    const from = m * slots;
    let [count, sumReturn, sumFactor] = [0, 0, 0];
    for (let t = 0; t < slots; t++) {
      if (known[from + t] === 0) continue;
      count++;
      sumReturn += returns[from + t];
      sumFactor += factor[t];
    }
    let [together, own] = [0, 0];
    for (let t = 0; t < slots; t++) {
      if (known[from + t] === 0) continue;
      const moved = factor[t] - sumFactor / count;
      together += (returns[from + t] - sumReturn / count) * moved;
      own += moved * moved;
    }
    return own > 0 ? together / own : 0;
  });
}

function meanReturns(markets: number, slots: number, returns: Float64Array, known: Uint8Array): Float64Array {
  return Float64Array.from({ length: slots }, (_, t) => {
    let [count, sum] = [0, 0];
    for (let m = 0; m < markets; m++) {
      if (known[m * slots + t] === 0) continue;
      count++;
      sum += returns[m * slots + t];
    }
    return count === 0 ? 0 : sum / count;
  });
}
