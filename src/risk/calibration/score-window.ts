/**
 * The most recent conformity scores of one stream, sorted, each with its arrival. Plain data. Adding a score copies the
 * window and moves what lies between the oldest score's place and the new one's; then any quantile is a look-up.
 */
export interface ScoreWindow {
  /** Ascending. */
  readonly scores: readonly number[];
  /** The step at which the score of the same index came: 1 for the first ever. */
  readonly arrivals: readonly number[];
  /** Scores ever seen. */
  readonly seen: number;
}

/** Rounding in (n + 1)(1 − α) must not turn a whole number into the next one. */
const COUNT_NOISE = 1e-9;

export const EMPTY_WINDOW: ScoreWindow = { scores: [], arrivals: [], seen: 0 };

/** The window with one more score, and without the oldest where it would hold more than `capacity`. */
export function withScore(window: ScoreWindow, score: number, capacity: number): ScoreWindow {
  const scores = window.scores.slice();
  const arrivals = window.arrivals.slice();
  const seen = window.seen + 1;
  let hole = scores.length;
  if (scores.length < capacity) {
    scores.push(score);
    arrivals.push(seen);
  } else {
    hole = arrivals.indexOf(seen - capacity);
  }
  // The entries between the hole and the new score's place move by one; all others stay where the copy put them.
  while (hole > 0 && scores[hole - 1] > score) {
    scores[hole] = scores[hole - 1];
    arrivals[hole] = arrivals[hole - 1];
    hole--;
  }
  while (hole + 1 < scores.length && scores[hole + 1] <= score) {
    scores[hole] = scores[hole + 1];
    arrivals[hole] = arrivals[hole + 1];
    hole++;
  }
  scores[hole] = score;
  arrivals[hole] = seen;
  return { scores, arrivals, seen };
}

/**
 * Rank, from 1, of the score that a new one exceeds with probability of at most α when all are exchangeable:
 * k = ⌈(n + 1)(1 − α)⌉ (Vovk, Gammerman and Shafer 2005; Romano, Patterson and Candès 2019). Above n there is no such score.
 *
 * @param level α in [0, 1).
 */
export function conformalRank(n: number, level: number): number {
  return Math.max(Math.ceil((n + 1) * (1 - level) - COUNT_NOISE), 1);
}

/** Least n at which `conformalRank` is not above n: 99 at α = 1 %. */
export function leastConformalSample(level: number): number {
  return Math.ceil(1 / level - 1 - COUNT_NOISE / level);
}

/**
 * Index of the weighted conformal quantile among ascending scores (Barber, Candès, Ramdas and Tibshirani 2023): the lowest
 * one above which lies at most a share α of the weight, where the new score counts as infinite with weight 1. With all
 * weights 1 this is `conformalRank` − 1. Only the scores above it are visited.
 *
 * @param weightOf weight of the score with this index, in [0, 1].
 * @param total sum of all weights, without the 1 of the new score.
 * @returns −1 where α is less than the new score's own share 1 / (total + 1): there is no such score.
 */
export function weightedConformalIndex(
  n: number,
  weightOf: (index: number) => number,
  total: number,
  level: number,
): number {
  const allowed = level * (total + 1) + COUNT_NOISE;
  let above = 1;
  if (above > allowed) return -1;
  let index = n - 1;
  while (index > 0) {
    above += weightOf(index);
    if (above > allowed) break;
    index--;
  }
  return index;
}
