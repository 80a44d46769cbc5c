import { requireConfidence, requireWhole, requireWithin } from '../numeric/inputs.ts';
import { multiplierAt } from './adaptive.ts';
import {
  type AdjustedRisk,
  type Calibrator,
  conformityScore,
  learntError,
  type MultiplierRange,
  requireLoss,
  requireRange,
  requireScalable,
  scaledWithin,
  unadjusted,
  WIDE_RANGE,
} from './adjustment.ts';
import { EMPTY_WINDOW, leastConformalSample, type ScoreWindow, withScore } from './score-window.ts';

export interface DtaciOptions {
  readonly confidence: number;
  /** The γ of the experts, each in (0, 1]. Default: the paper's, 0.001 doubled up to 0.128. */
  readonly rates?: readonly number[];
  /** |I|: over how many steps the regret is to be small; sets η and σ as the paper does. Default 500. */
  readonly regretSteps?: number;
  /** η at least 0, instead of the paper's. */
  readonly learningRate?: number;
  /** σ in [0, 1], instead of the paper's 1 / (2 |I|). */
  readonly mixing?: number;
  /** Scores kept. Default 500, or ten times as many as the level needs where that is more. */
  readonly window?: number;
  readonly range?: MultiplierRange;
}

export interface DtaciState {
  /** αₜ of each expert. */
  readonly levels: readonly number[];
  /** Weight of each expert; their sum is 1. */
  readonly weights: readonly number[];
  readonly window: ScoreWindow;
}

export const DTACI_RATES: readonly number[] = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128];

/**
 * The paper's η for k experts: √(3 / |I|) √((ln(k |I|) + 2) / ((1 − α)² α³ + α² (1 − α)³)), the best for losses of the size
 * that a calibrated expert has (Gibbs and Candès 2024, section 2.2).
 */
export function dtaciLearningRate(experts: number, regretSteps: number, target: number): number {
  const spread = (1 - target) ** 2 * target ** 3 + target ** 2 * (1 - target) ** 3;
  return Math.sqrt(3 / regretSteps) * Math.sqrt((Math.log(experts * regretSteps) + 2) / spread);
}

/**
 * DtACI, adaptive conformal inference without a γ to choose (Gibbs and Candès 2022, 2024). Expert i runs αⁱₜ with its own γᵢ
 * and its own exceedances, and is weighed by the pinball loss of αⁱₜ against βₜ, the exceedance probability at which VaR
 * would have been the loss itself:
 *
 *   wⁱ ← (1 − σ) wⁱ exp(−η ℓ(βₜ, αⁱₜ)) / Σ + σ / k,   ℓ(β, α') = α (β − α') − min(0, β − α').
 *
 * The output is the deterministic variant: VaR at the weighted mean of the αⁱₜ, through the scores loss / VaR of a trailing
 * window.
 *
 * What is proven: each expert keeps the bound of `adaptive.ts` on its own exceedances, and the weighted pinball loss is
 * close to that of the best expert on every interval of |I| steps. The exceedances of the mean itself have no bound that
 * holds for any losses while η and σ are fixed; where one is needed, put `quantileTracking` behind it with `inSequence`.
 *
 * @throws PlimsollError INPUT_INVALID for options out of range.
 */
export function dtaci(options: DtaciOptions): Calibrator<DtaciState> {
  const { confidence, rates = DTACI_RATES, regretSteps = 500, range = WIDE_RANGE } = options;
  requireConfidence(confidence);
  requireWhole('the number of experts', rates.length, 1);
  for (const rate of rates) requireWithin('an expert’s rate', rate, Number.MIN_VALUE, 1);
  requireWhole('the steps of the regret', regretSteps, 1);
  requireRange(range);
  const experts = rates.length;
  const target = 1 - confidence;
  const learningRate = options.learningRate ?? dtaciLearningRate(experts, regretSteps, target);
  requireWithin('the learning rate', learningRate, 0, Number.MAX_VALUE);
  const mixing = options.mixing ?? 1 / (2 * regretSteps);
  requireWithin('the mixing', mixing, 0, 1);
  const least = leastConformalSample(target);
  const capacity = options.window ?? Math.max(500, 10 * least);
  requireWhole('the window', capacity, least);

  const adjusted = (
    { levels, weights, window }: DtaciState,
    valueAtRisk: number,
    expectedShortfall: number,
  ): AdjustedRisk => {
    requireScalable(valueAtRisk, expectedShortfall);
    if (window.scores.length < least) return unadjusted(valueAtRisk, expectedShortfall);
    let level = 0;
    for (let i = 0; i < experts; i++) level += weights[i] * levels[i];
    return scaledWithin(valueAtRisk, expectedShortfall, multiplierAt(window, level), range);
  };

  const learn = ({ levels, weights, window }: DtaciState, score: number): Omit<DtaciState, 'window'> => {
    const beta = coveredLevel(window, score);
    const nextLevels = new Array<number>(experts);
    const losses = new Array<number>(experts);
    let leastLoss = Number.POSITIVE_INFINITY;
    for (let i = 0; i < experts; i++) {
      const own = scaledWithin(1, 1, multiplierAt(window, levels[i]), range);
      nextLevels[i] = levels[i] - rates[i] * learntError(own.status, score > own.valueAtRisk, target);
      const distance = beta - levels[i];
      losses[i] = target * distance - Math.min(distance, 0);
      if (losses[i] < leastLoss) leastLoss = losses[i];
    }
    const nextWeights = new Array<number>(experts);
    let sum = 0;
    for (let i = 0; i < experts; i++) {
      // Losses count from the least one: a common factor of the weights cancels, and their sum cannot become 0.
      nextWeights[i] = weights[i] * Math.exp(-learningRate * (losses[i] - leastLoss));
      sum += nextWeights[i];
    }
    for (let i = 0; i < experts; i++)
      nextWeights[i] = sum > 0 ? ((1 - mixing) * nextWeights[i]) / sum + mixing / experts : 1 / experts;
    return { levels: nextLevels, weights: nextWeights };
  };

  return {
    initial: () => ({
      levels: rates.map(() => target),
      weights: rates.map(() => 1 / experts),
      window: EMPTY_WINDOW,
    }),
    adjusted,
    observe: (state, loss, { valueAtRisk, expectedShortfall }) => {
      requireScalable(valueAtRisk, expectedShortfall);
      requireLoss(loss);
      const score = conformityScore(loss, valueAtRisk);
      const learnt = state.window.scores.length < least ? state : learn(state, score);
      return {
        levels: learnt.levels,
        weights: learnt.weights,
        window: withScore(state.window, score, capacity),
      };
    },
  };
}

/**
 * βₜ: the exceedance probability at which the window's quantile would just have covered the score, 1 − r / (n + 1) with r
 * scores below it; 0 where it is above them all, because then any positive probability is exceeded.
 */
export function coveredLevel({ scores }: ScoreWindow, score: number): number {
  let low = 0;
  let high = scores.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (scores[middle] < score) low = middle + 1;
    else high = middle;
  }
  return low === scores.length ? 0 : 1 - low / (scores.length + 1);
}
