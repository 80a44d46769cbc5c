import { type Unavailable, unavailable } from '../outcome.ts';
import { PROBABILITY_CLIP, requireClip } from './probabilities.ts';
import { type SortedProbabilities, sortProbabilities } from './sorted-probabilities.ts';

export interface CalibrationRegression {
  readonly available: true;
  /** 0 where forecasts are right on average; above it where they are too low. */
  readonly intercept: number;
  /** 1 where forecasts are spread rightly; below it where they are too extreme. */
  readonly slope: number;
  readonly interceptStandardError: number;
  readonly slopeStandardError: number;
  /** How many probabilities were moved into [clip, 1 − clip], where their logit is finite. */
  readonly clipped: number;
}

const MAXIMUM_ITERATIONS = 100;
/** Share of the standard errors below which a step is the last: what it leaves is about its square. */
const TOLERANCE = 1e-10;

/**
 * Calibration intercept a and slope b (Cox 1958): the logistic regression ln P/(1 − P) = a + b ln p/(1 − p) of what came
 * on what was forecast, by maximum likelihood with Newton's steps. Standard errors from the information matrix.
 *
 * @param clip in (0, ½).
 * @returns unavailable where no finite a and b are the best: forecasts that do not differ, or that part the outcomes wholly.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function calibrationRegression(
  probabilities: Float64Array,
  outcomes: Uint8Array,
  clip = PROBABILITY_CLIP,
): CalibrationRegression | Unavailable {
  requireClip(clip);
  const sorted = sortProbabilities(probabilities, outcomes);
  if (sorted.totalEvents === 0 || sorted.totalEvents === sorted.total)
    return unavailable('the event came always or never');
  const held = sorted.values.map((p) => Math.min(Math.max(p, clip), 1 - clip));
  if (held[0] === held[held.length - 1]) return unavailable('all forecasts are the same');
  if (isSeparated(sorted, held)) return unavailable('the forecasts part the outcomes wholly');
  let clipped = 0;
  for (let g = 0; g < held.length; g++) if (held[g] !== sorted.values[g]) clipped += sorted.counts[g];
  const logits = held.map((p) => Math.log(p) - Math.log1p(-p));
  // Off their mean the logits are nearly uncorrelated with the constant, and the steps lose no digits.
  let mean = 0;
  for (let g = 0; g < logits.length; g++) mean += (sorted.counts[g] * logits[g]) / sorted.total;
  const centred = logits.map((x) => x - mean);
  const fit = newton(sorted, centred);
  if (fit === null) return unavailable('the likelihood has no clear maximum');
  const { level, slope, information } = fit;
  const variance = information.slope;
  return {
    available: true,
    intercept: level - slope * mean,
    slope,
    interceptStandardError: Math.sqrt(
      information.level - 2 * mean * information.both + mean * mean * variance,
    ),
    slopeStandardError: Math.sqrt(variance),
    clipped,
  };
}

/** Whether some probability has all events on one side and all the rest on the other, ties at it on either. */
function isSeparated({ counts, events }: SortedProbabilities, held: Float64Array): boolean {
  let [lowestEvent, highestEvent, lowestOther, highestOther] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let g = 0; g < counts.length; g++) {
    if (events[g] > 0) {
      lowestEvent = Math.min(lowestEvent, held[g]);
      highestEvent = held[g];
    }
    if (counts[g] > events[g]) {
      lowestOther = Math.min(lowestOther, held[g]);
      highestOther = held[g];
    }
  }
  return lowestEvent >= highestOther || highestEvent <= lowestOther;
}

interface Fit {
  readonly level: number;
  readonly slope: number;
  /** Entries of the inverse information matrix: the variances of both and their covariance. */
  readonly information: { readonly level: number; readonly slope: number; readonly both: number };
}

function newton({ counts, events }: SortedProbabilities, x: Float64Array): Fit | null {
  const logLikelihood = (level: number, slope: number): number => {
    let sum = 0;
    for (let g = 0; g < x.length; g++) {
      const eta = level + slope * x[g];
      sum += events[g] * eta - counts[g] * (Math.max(eta, 0) + Math.log1p(Math.exp(-Math.abs(eta))));
    }
    return sum;
  };
  let [level, slope] = [0, 0];
  let value = logLikelihood(level, slope);
  for (let iteration = 0; iteration < MAXIMUM_ITERATIONS; iteration++) {
    let [score0, score1, h00, h01, h11] = [0, 0, 0, 0, 0];
    for (let g = 0; g < x.length; g++) {
      const p = 1 / (1 + Math.exp(-(level + slope * x[g])));
      const residual = events[g] - counts[g] * p;
      const weight = counts[g] * p * (1 - p);
      score0 += residual;
      score1 += residual * x[g];
      h00 += weight;
      h01 += weight * x[g];
      h11 += weight * x[g] * x[g];
    }
    const determinant = h00 * h11 - h01 * h01;
    if (!(determinant > 0)) return null;
    const information = { level: h11 / determinant, slope: h00 / determinant, both: -h01 / determinant };
    const step0 = information.level * score0 + information.both * score1;
    const step1 = information.both * score0 + information.slope * score1;
    const isDone =
      Math.abs(step0) <= TOLERANCE * Math.sqrt(information.level) &&
      Math.abs(step1) <= TOLERANCE * Math.sqrt(information.slope);
    if (isDone) return { level: level + step0, slope: slope + step1, information };
    // The log likelihood is concave, but a whole step may go beyond its top.
    let share = 1;
    let next = logLikelihood(level + step0, slope + step1);
    const slack = 1e-13 * Math.abs(value);
    while (!(next >= value - slack) && share > 1e-10) {
      share /= 2;
      next = logLikelihood(level + share * step0, slope + share * step1);
    }
    level += share * step0;
    slope += share * step1;
    value = next;
  }
  return null;
}
