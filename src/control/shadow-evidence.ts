import { HORIZON_COUNT, HORIZONS_HOURS } from '../forecast/predictor.ts';

/** Shares of what is put aside that are staked on a step: half the mixture is for small differences that last. */
const STAKES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8] as const;

/** ln of the wealth of each stake. */
interface Chain {
  readonly worse: readonly number[];
  readonly better: readonly number[];
}

interface HorizonEvidence {
  /** One chain for each hour of the horizon, so that the forecasts of a chain do not overlap. */
  readonly chains: readonly Chain[];
  /** What the differences are measured in: the largest bound so far, slowly forgotten. */
  readonly unit: number;
}

/** By horizon. */
export type ShadowEvidence = readonly HorizonEvidence[];

export function noEvidence(): ShadowEvidence {
  const empty = STAKES.map(() => 0);
  return HORIZONS_HOURS.map((hours) => ({
    chains: Array.from({ length: hours }, () => ({ worse: [...empty], better: [...empty] })),
    unit: 0,
  }));
}

/** What one origin adds. */
export interface EvidenceStep {
  readonly horizon: number;
  /** Hours since the epoch of the origin. */
  readonly hour: number;
  /** Pinball loss of the challenger less the champion's: the mean over markets, sides and confidences, each over the champion's VaR. */
  readonly difference: number;
  /** The difference is within ± this, whatever the price does: `largestDifference` in the same mean. */
  readonly bound: number;
}

/** Pinball losses at a confidence c of at least a half differ by at most c times what the VaRs differ by. */
export function largestDifference(one: number, other: number, confidence: number): number {
  return confidence * Math.abs(one - other);
}

/** Of the unit after an origin: what one absurd forecast made of it is halved in a month of hours. */
const UNIT_KEPT = 0.999;

/**
 * Bets on the challenger being worse, and on its being better, by the score of one origin.
 *
 * The difference of two pinball losses is bounded by their forecasts alone, before anything has happened. So a bet of a share λ
 * of the wealth, 1 ± λ difference / unit, never goes broke, and its wealth is a supermartingale while the challenger's expected
 * loss is not above (below) the champion's: testing by betting, Henzi and Ziegel (2022, Valid sequential inference on probability
 * forecast performance, Biometrika 109), Choe and Ramdas (2024, Comparing sequential forecasters, Operations Research 72).
 * All markets of an origin are one step, so that nothing is assumed of how they move together. The unit hardly moves: bets
 * win only where the sum of the differences itself is above 0.
 */
export function withStep(evidence: ShadowEvidence, step: EvidenceStep): ShadowEvidence {
  const { horizon, hour, difference, bound } = step;
  const before = evidence[horizon];
  const unit = Math.max(bound, before.unit * UNIT_KEPT);
  // Forecasts that are the same leave nothing to bet on.
  if (!(unit > 0)) return evidence;
  const at = hour % HORIZONS_HOURS[horizon];
  const chains = [...before.chains];
  const payoff = Math.min(Math.max(difference / unit, -1), 1);
  chains[at] = { worse: grown(chains[at].worse, payoff), better: grown(chains[at].better, -payoff) };
  return evidence.map((own, h) => (h === horizon ? { chains, unit } : own));
}

function grown(wealth: readonly number[], payoff: number): readonly number[] {
  return wealth.map((log, j) => log + Math.log1p(STAKES[j] * payoff));
}

/**
 * The evidence that the challenger is worse, and that it is better: an e-value each, against the hypothesis that it is not. While
 * that holds, the probability that the e-value *ever* reaches 1/δ is at most δ, however often it is looked at (Ville 1939):
 * each chain keeps that bound by itself, so the best of a horizon's chains, divided by their number, keeps it, and so does the
 * best horizon divided by the number of horizons.
 */
export function eValues(evidence: ShadowEvidence): { readonly worse: number; readonly better: number } {
  let worse = Number.NEGATIVE_INFINITY;
  let better = Number.NEGATIVE_INFINITY;
  for (const { chains } of evidence) {
    const penalty = Math.log(chains.length * HORIZON_COUNT);
    for (const chain of chains) {
      worse = Math.max(worse, logMean(chain.worse) - penalty);
      better = Math.max(better, logMean(chain.better) - penalty);
    }
  }
  return { worse: bounded(worse), better: bounded(better) };
}

/** An e-value of 1 says nothing; more than a million says it as well as infinity would. */
const LARGEST_E_VALUE = 1e6;

function bounded(log: number): number {
  return Math.min(Math.exp(Math.min(log, 20)), LARGEST_E_VALUE);
}

function logMean(logs: readonly number[]): number {
  const largest = Math.max(...logs);
  let sum = 0;
  for (const log of logs) sum += Math.exp(log - largest);
  return largest + Math.log(sum / logs.length);
}
