import { type Unavailable, unavailable } from '../outcome.ts';
import {
  fitGeneralisedPareto,
  type GeneralisedPareto,
  LEAST_EXCESSES,
  paretoGrowth,
  profileInterval,
} from './generalised-pareto.ts';
import type { TailRisk } from './value-at-risk.ts';

/** How the threshold is chosen: the share of the losses above it, or by how the shape settles. */
export type ThresholdChoice = number | 'automatic';

/** A peaks-over-threshold estimate. */
export interface ExtremeValueRisk extends TailRisk {
  readonly available: true;
  /** u, an observed loss. */
  readonly threshold: number;
  /** Losses above u. */
  readonly exceedances: number;
  readonly tail: GeneralisedPareto;
  /** What the losses above u exceed it by. */
  readonly excesses: Float64Array;
}

/** The tenth that McNeil and Frey (2000) take. */
export const STANDARD_TAIL_SHARE = 0.1;

/**
 * VaR and ES by peaks over a threshold u (McNeil and Frey 2000): VaR = u + (β/ξ)[((n/N)(1 − c))^(−ξ) − 1] and
 * ES = (VaR + β − ξ u)/(1 − ξ), with ξ and β by maximum likelihood from the N losses above u.
 *
 * @param losses finite; positive numbers are losses. @param confidence c, at or beyond that of the threshold.
 * @returns unavailable where the tail does not fit, lies below the threshold, or has no mean.
 */
export function extremeValueRisk(
  losses: Float64Array,
  confidence: number,
  choice: ThresholdChoice = STANDARD_TAIL_SHARE,
): ExtremeValueRisk | Unavailable {
  const n = losses.length;
  const falling = losses.slice().sort().reverse();
  const count = choice === 'automatic' ? settledCount(falling) : Math.floor(choice * n);
  if (count < LEAST_EXCESSES || count >= n)
    return unavailable(
      `${Math.max(count, 0)} losses above the threshold are too few; ${LEAST_EXCESSES} are needed`,
    );
  const threshold = falling[count];
  const excesses = excessesOver(falling, threshold);
  const ratio = excesses.length / n / (1 - confidence);
  if (!(ratio > 1)) return unavailable('the confidence lies below the threshold of the tail');
  const tail = fitGeneralisedPareto(excesses);
  if (!tail.available) return tail;
  if (tail.shape >= 1)
    return unavailable(`the tail is so heavy (ξ ${tail.shape.toFixed(2)}) that it has no mean`);
  const valueAtRisk = threshold + tail.scale * paretoGrowth(tail.shape, ratio);
  return {
    available: true,
    valueAtRisk,
    expectedShortfall: (valueAtRisk + tail.scale - tail.shape * threshold) / (1 - tail.shape),
    threshold,
    exceedances: excesses.length,
    tail,
    excesses,
  };
}

/** 95 % interval of the VaR by the profile of the likelihood, as if losses were independent. @param n of the whole sample. */
export function extremeValueInterval(
  { threshold, excesses, tail }: ExtremeValueRisk,
  n: number,
  confidence: number,
): { readonly low: number; readonly high: number } {
  const { low, high } = profileInterval(excesses, tail, excesses.length / n / (1 - confidence));
  return { low: threshold + low, high: threshold + high };
}

/** Losses strictly above the threshold, less it. @param falling the losses, largest first. */
function excessesOver(falling: Float64Array, threshold: number): Float64Array {
  let count = 0;
  while (count < falling.length && falling[count] > threshold) count++;
  return falling.slice(0, count).map((loss) => loss - threshold);
}

/** Candidates lie between these shares of the losses. */
const [LEAST_SHARE, MOST_SHARE] = [0.02, 0.15];
const CANDIDATES = 40;
const LEAST_COUNT = 30;

/**
 * Reiss and Thomas (2007, 6.3): the number of losses k after which the shape has been steadiest, the one with the least
 * (1/k) Σ √i |ξᵢ − median(ξ₁ … ξₖ)|, here over an even grid of k.
 */
function settledCount(falling: Float64Array): number {
  const n = falling.length;
  const first = Math.max(Math.floor(LEAST_SHARE * n), LEAST_COUNT);
  const last = Math.floor(MOST_SHARE * n);
  const step = Math.max((last - first) / (CANDIDATES - 1), 1);
  const tried: { count: number; shape: number }[] = [];
  let best = { count: 0, unrest: Number.POSITIVE_INFINITY };
  for (let at = first; at <= last; at += step) {
    const count = Math.floor(at);
    const fit = fitGeneralisedPareto(excessesOver(falling, falling[count]));
    if (!fit.available) continue;
    tried.push({ count, shape: fit.shape });
    const shapes = tried.map(({ shape }) => shape).sort((a, b) => a - b);
    const median = shapes[shapes.length >> 1];
    const unrest =
      tried.reduce((sum, { count: k, shape }) => sum + Math.sqrt(k) * Math.abs(shape - median), 0) /
      tried.length;
    // The first few have had no time to settle.
    if (tried.length >= CANDIDATES / 4 && unrest <= best.unrest) best = { count, unrest };
  }
  return best.count;
}
