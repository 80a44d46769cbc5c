import {
  requireConfidence,
  requireSameLength,
  requireSeries,
  requireWhole,
  requireWithin,
} from '../numeric/inputs.ts';
import { type Unavailable, unavailable } from '../outcome.ts';
import type { TailRisk } from '../tail/value-at-risk.ts';
import {
  type AdjustedRisk,
  type Calibrator,
  conformityScore,
  type MultiplierRange,
  requireForecast,
  requireLoss,
  requireRange,
  requireScalable,
  scaledWithin,
  shifted,
  unadjusted,
  WIDE_RANGE,
} from './adjustment.ts';
import {
  EMPTY_WINDOW,
  leastConformalSample,
  type ScoreWindow,
  weightedConformalIndex,
  withScore,
} from './score-window.ts';

/** `additive`: score = loss − VaR, VaR is raised by a sum. `multiplicative`: score = loss / VaR, VaR is multiplied. */
export type ConformalForm = 'additive' | 'multiplicative';

export interface ConformalAdjustment {
  readonly available: true;
  /** The sum, in the losses' unit, or the factor. */
  readonly adjustment: number;
  /** (Σ w)² / Σ w²: the number of equally weighted scores that would be as certain. */
  readonly effectiveSampleSize: number;
}

/**
 * Split conformal adjustment of a VaR, one-sided conformalised quantile regression: with the scores sᵢ of n losses that the
 * predictor has not been fitted on, the adjustment is the ⌈(n + 1) c⌉-th smallest. Where the n scores and the next one are
 * exchangeable, the next loss exceeds the adjusted VaR with probability of at most 1 − c, and without ties of at least
 * 1 − c − 1 / (n + 1). Source: Romano, Patterson and Candès (2019); the multiplicative form takes loss / VaR as the score.
 *
 * With a decay ρ below 1 a score that is k steps old has weight ρᵏ and the next one weight 1 (Barber, Candès, Ramdas and
 * Tibshirani 2023): the guarantee then loses no more than Σ ŵᵢ d_TV, ŵ the normalised weights and d_TV how far each old
 * loss is from being exchangeable with the next one. Not an assumption: a drift that the weights forget costs little.
 *
 * @param loss by time, oldest first, in the unit of VaR.
 * @param valueAtRisk the predictor's, made before each loss was known.
 * @param confidence c in (0, 1), for example 0.99.
 * @returns unavailable where the scores cannot bear the level: fewer than 1 / (1 − c) − 1 of them (99 at 99 %), or less
 * weight than that.
 * @throws PlimsollError INPUT_INVALID for lengths that differ, a number that is not finite, or a VaR of 0 or less in the
 * multiplicative form; DATA_INSUFFICIENT for none at all.
 */
export function conformalAdjustment(
  loss: Float64Array,
  valueAtRisk: Float64Array,
  confidence: number,
  form: ConformalForm,
  decay = 1,
): ConformalAdjustment | Unavailable {
  requireConfidence(confidence);
  requireDecay(decay);
  requireSeries('loss', loss, 1);
  requireSeries('VaR', valueAtRisk, 1);
  requireSameLength('losses and VaR', loss.length, valueAtRisk.length);
  const n = loss.length;
  const scores = new Float64Array(n);
  for (let t = 0; t < n; t++) {
    if (form === 'multiplicative') requireScalable(valueAtRisk[t], valueAtRisk[t]);
    scores[t] = scoreOf(loss[t], valueAtRisk[t], form);
  }
  const order = Uint32Array.from(scores, (_, t) => t).sort((a, b) => scores[a] - scores[b]);
  const total = decayedTotal(n, decay);
  const index = weightedConformalIndex(n, (i) => decay ** (n - order[i]), total, 1 - confidence);
  if (index < 0) return tooFew(n, total, confidence);
  const adjustment = scores[order[index]];
  return { available: true, adjustment, effectiveSampleSize: total ** 2 / decayedTotal(n, decay ** 2) };
}

/** A forecast with an adjustment of `conformalAdjustment` applied; ES moves with VaR. */
export function applyConformal(forecast: TailRisk, adjustment: number, form: ConformalForm): AdjustedRisk {
  const { valueAtRisk, expectedShortfall } = forecast;
  if (form === 'additive') {
    requireForecast(valueAtRisk, expectedShortfall);
    return shifted(valueAtRisk, expectedShortfall, adjustment, 'adjusted');
  }
  requireScalable(valueAtRisk, expectedShortfall);
  return scaledWithin(valueAtRisk, expectedShortfall, adjustment, ANY_MULTIPLIER);
}

export interface SplitConformalOptions {
  readonly confidence: number;
  readonly form?: ConformalForm;
  /** Scores kept; at least those that the level needs. Default: ten times as many. */
  readonly window?: number;
  /** ρ in (0, 1]. Default 1: all scores of the window weigh the same. */
  readonly decay?: number;
  /** Of the multiplicative form. */
  readonly range?: MultiplierRange;
}

export interface SplitConformalState {
  readonly window: ScoreWindow;
}

/**
 * The same along a stream: each forecast is adjusted by the scores of the trailing window. What it promises, it promises
 * for exchangeable scores only; on a drifting stream take one of the adaptive adjusters. Until there are scores enough the
 * forecast stays as it is.
 *
 * @throws PlimsollError INPUT_INVALID for options out of range, or a window or decay that can never bear the level.
 */
export function splitConformal(options: SplitConformalOptions): Calibrator<SplitConformalState> {
  const { confidence, form = 'multiplicative', decay = 1, range = WIDE_RANGE } = options;
  requireConfidence(confidence);
  requireDecay(decay);
  requireRange(range);
  const level = 1 - confidence;
  const least = leastConformalSample(level);
  const capacity = options.window ?? 10 * least;
  requireWhole('the window', capacity, least);
  requireWithin('the weight that the window can hold', decayedTotal(capacity, decay), least, capacity);
  const check = form === 'additive' ? requireForecast : requireScalable;
  return {
    initial: () => ({ window: EMPTY_WINDOW }),
    adjusted: ({ window: { scores, arrivals, seen } }, valueAtRisk, expectedShortfall) => {
      check(valueAtRisk, expectedShortfall);
      const n = scores.length;
      const weightOf = decay === 1 ? () => 1 : (i: number) => decay ** (seen + 1 - arrivals[i]);
      const index = weightedConformalIndex(n, weightOf, decayedTotal(n, decay), level);
      if (index < 0 || n === 0) return unadjusted(valueAtRisk, expectedShortfall);
      return form === 'additive'
        ? shifted(valueAtRisk, expectedShortfall, scores[index], 'adjusted')
        : scaledWithin(valueAtRisk, expectedShortfall, scores[index], range);
    },
    observe: ({ window }, loss, { valueAtRisk, expectedShortfall }) => {
      check(valueAtRisk, expectedShortfall);
      requireLoss(loss);
      return { window: withScore(window, scoreOf(loss, valueAtRisk, form), capacity) };
    },
  };
}

const ANY_MULTIPLIER: MultiplierRange = { least: 0, greatest: Number.MAX_VALUE };

function scoreOf(loss: number, valueAtRisk: number, form: ConformalForm): number {
  if (form === 'multiplicative') return conformityScore(loss, valueAtRisk);
  const difference = loss - valueAtRisk;
  return Math.min(Math.max(difference, -Number.MAX_VALUE), Number.MAX_VALUE) + 0;
}

/** ρ + ρ² + … + ρⁿ. */
function decayedTotal(n: number, decay: number): number {
  return decay === 1 ? n : (decay * (1 - decay ** n)) / (1 - decay);
}

function requireDecay(decay: number): void {
  requireWithin('the decay', decay, Number.MIN_VALUE, 1);
}

function tooFew(n: number, total: number, confidence: number): Unavailable {
  const needed = leastConformalSample(1 - confidence);
  return unavailable(
    n < needed
      ? `${n} scores are too few for a confidence of ${confidence}: at least ${needed} are needed`
      : `the decay leaves the scores the weight of ${total.toFixed(1)}, and a confidence of ${confidence} needs ${needed}`,
  );
}
