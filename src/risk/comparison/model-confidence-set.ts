import { requireConfidence, requireSameLength, requireSeries } from '../numeric/inputs.ts';
import { type Unavailable, unavailable } from '../outcome.ts';
import { type BlockBootstrapOptions, bootstrapMeanDeviations } from './bootstrap-means.ts';

export interface ModelConfidenceSetOptions extends Partial<BlockBootstrapOptions> {
  /** 1 − the size of the test: the set holds the best model with at least this probability. */
  readonly confidence?: number;
  /** T_R, the largest |t| of any pair, or T_max, the largest t of a model against the mean of the set. */
  readonly statistic?: 'range' | 'maximum';
}

/** One step of the elimination. */
export interface Elimination {
  /** Index of the model that leaves, the worst of those left. */
  readonly model: number;
  readonly statistic: number;
  /** Of the hypothesis that all models still in the set are equally good. */
  readonly pValue: number;
}

export interface ModelConfidenceSet {
  readonly available: true;
  /** Indices of the models in the set, ascending. */
  readonly members: readonly number[];
  /** By model: it is in the set at every size up to this. The best one has 1. */
  readonly pValues: Float64Array;
  readonly meanLosses: Float64Array;
  /** From the worst model on; the one that is left is not among them. */
  readonly eliminations: readonly Elimination[];
}

/** A spread of two models' difference below this share of their losses is rounding. */
const ROUNDING = 1e-13;
const LEAST = 10;

/**
 * The model confidence set (Hansen, Lunde and Nason 2011): the models that cannot be told from the best. With d_ij the mean
 * difference of two models' losses and d_i. the mean of model i less that of the set, both divided by their bootstrap
 * standard deviations,
 *
 *   T_R = max |t_ij|, T_max = max t_i.; their distributions under equality come from the centred bootstrap.
 *
 * While models are left, the worst (argmax_i max_j t_ij, or argmax_i t_i.) leaves; its p-value is the largest of the tests' so far.
 *
 * @param losses by model, then by time: scores, lower is better. Equally long, at least 10 observations of at least one model.
 * @param options by default 90 %, T_R, 1,000 stationary resamples with blocks of mean length ⌈n^(1/3)⌉, seed 1.
 * @returns unavailable where two models differ by a constant only: no test can be made of that.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function modelConfidenceSet(
  losses: readonly Float64Array[],
  options: ModelConfidenceSetOptions = {},
): ModelConfidenceSet | Unavailable {
  const { confidence = 0.9, statistic = 'range' } = options;
  requireConfidence(confidence);
  for (const [i, series] of losses.entries()) requireSeries(`losses of model ${i + 1}`, series, LEAST);
  requireSameLength('the losses of the models', ...losses.map((series) => series.length));
  if (losses.length === 0) return unavailable('there is no model');
  const n = losses[0].length;
  const {
    bootstrap = 'stationary',
    blockLength = Math.ceil(Math.cbrt(n)),
    replications = 1000,
    seed = 1,
  } = options;
  const sample: Sample = {
    size: losses.length,
    means: Float64Array.from(losses, (series) => series.reduce((sum, loss) => sum + loss, 0) / n),
    deviations: bootstrapMeanDeviations(losses, { bootstrap, blockLength, replications, seed }),
    replications,
    rounding: ROUNDING * Math.max(...losses.map(largestOf)),
  };
  const judge = statistic === 'range' ? byRange(sample) : byMaximum(sample);
  const left = losses.map((_, i) => i);
  const pValues = new Float64Array(sample.size).fill(1);
  const eliminations: Elimination[] = [];
  let largest = 0;
  while (left.length > 1) {
    const step = judge(left);
    if (step === null) return unavailable('two models differ by a constant only');
    eliminations.push(step);
    largest = Math.max(largest, step.pValue);
    pValues[step.model] = largest;
    left.splice(left.indexOf(step.model), 1);
  }
  const members = losses.map((_, i) => i).filter((i) => pValues[i] >= 1 - confidence);
  return { available: true, members, pValues, meanLosses: sample.means, eliminations };
}

interface Sample {
  readonly size: number;
  readonly means: Float64Array;
  /** Replications × models: bootstrapped means less the means. */
  readonly deviations: Float64Array;
  readonly replications: number;
  readonly rounding: number;
}

/** Tests whether the models left are equally good and names the worst; null where a difference has no variance. */
type Judge = (left: readonly number[]) => Elimination | null;

function byRange({ size, means, deviations, replications, rounding }: Sample): Judge {
  const spreads = pairSpreads(deviations, size, replications);
  return (left) => {
    const inverse = new Float64Array(left.length * left.length);
    let statistic = Number.NEGATIVE_INFINITY;
    let model = left[0];
    for (let a = 0; a < left.length; a++) {
      for (let b = 0; b < left.length; b++) {
        if (a === b) continue;
        const difference = means[left[a]] - means[left[b]];
        const factor = inverseSpread(spreads[left[a] * size + left[b]], difference, rounding);
        if (factor === null) return null;
        inverse[a * left.length + b] = factor;
        if (difference * factor > statistic) {
          statistic = difference * factor;
          model = left[a];
        }
      }
    }
    let asLarge = 0;
    for (let row = 0; row < deviations.length; row += size) {
      let largest = 0;
      for (let a = 1; a < left.length; a++) {
        const own = deviations[row + left[a]];
        for (let b = 0; b < a; b++) {
          const t = Math.abs(own - deviations[row + left[b]]) * inverse[a * left.length + b];
          if (t > largest) largest = t;
        }
      }
      if (largest >= statistic) asLarge++;
    }
    return { model, statistic, pValue: asLarge / replications };
  };
}

function byMaximum({ size, means, deviations, replications, rounding }: Sample): Judge {
  return (left) => {
    const count = left.length;
    const centred = new Float64Array(replications * count);
    const inverse = new Float64Array(count);
    for (let r = 0; r < replications; r++) {
      let mean = 0;
      for (let a = 0; a < count; a++) mean += deviations[r * size + left[a]] / count;
      for (let a = 0; a < count; a++) {
        const value = deviations[r * size + left[a]] - mean;
        centred[r * count + a] = value;
        inverse[a] += value * value;
      }
    }
    let meanOfSet = 0;
    for (let a = 0; a < count; a++) meanOfSet += means[left[a]] / count;
    let statistic = Number.NEGATIVE_INFINITY;
    let model = left[0];
    for (let a = 0; a < count; a++) {
      const difference = means[left[a]] - meanOfSet;
      const factor = inverseSpread(Math.sqrt(inverse[a] / replications), difference, rounding);
      if (factor === null) return null;
      inverse[a] = factor;
      if (difference * factor > statistic) {
        statistic = difference * factor;
        model = left[a];
      }
    }
    let asLarge = 0;
    for (let r = 0; r < replications; r++) {
      let largest = Number.NEGATIVE_INFINITY;
      for (let a = 0; a < count; a++) largest = Math.max(largest, centred[r * count + a] * inverse[a]);
      if (largest >= statistic) asLarge++;
    }
    return { model, statistic, pValue: asLarge / replications };
  };
}

/** 1/spread; 0 for a difference that is none, so that equal models stay together; null for one that never varies. */
function inverseSpread(spread: number, difference: number, rounding: number): number | null {
  if (spread > rounding) return 1 / spread;
  return Math.abs(difference) <= rounding ? 0 : null;
}

/** Bootstrap standard deviation of the mean difference of every pair, about the sample's. */
function pairSpreads(deviations: Float64Array, size: number, replications: number): Float64Array {
  const spreads = new Float64Array(size * size);
  for (let row = 0; row < deviations.length; row += size)
    for (let i = 1; i < size; i++)
      for (let j = 0; j < i; j++) spreads[i * size + j] += (deviations[row + i] - deviations[row + j]) ** 2;
  for (let i = 1; i < size; i++) {
    for (let j = 0; j < i; j++) {
      const spread = Math.sqrt(spreads[i * size + j] / replications);
      spreads[i * size + j] = spread;
      spreads[j * size + i] = spread;
    }
  }
  return spreads;
}

function largestOf(values: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest;
}
