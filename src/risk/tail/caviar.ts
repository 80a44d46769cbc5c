import { quantile } from '../numeric/quantile.ts';
import { simplexMinimise } from '../numeric/simplex.ts';
import { type Unavailable, unavailable } from '../outcome.ts';

/** How VaR answers to the last return: to its size (symmetric), or to rises and falls apart (asymmetric). */
export type CaviarSlope = 'symmetric' | 'asymmetric';

/** A conditional autoregressive value at risk, fitted. */
export interface CaviarFit {
  readonly available: true;
  readonly slope: CaviarSlope;
  /** b₁, b₂, then b₃ (of |r|) or b₃ and b₄ (of rises and of falls). */
  readonly coefficients: Float64Array;
  /** VaR by origin of the sample. */
  readonly valueAtRisk: Float64Array;
  /** VaR at the newest origin. */
  readonly nextValueAtRisk: number;
  /** ES over VaR: 1 + mean[(l − v)⁺ / v] / (1 − c), the ratio that FZ0 likes best if it is always the same. */
  readonly shortfallRatio: number;
  /** Mean pinball loss at the minimum. */
  readonly pinball: number;
}

/** Observations of which VaR starts as the empirical quantile (Engle and Manganelli 2004). */
const STARTING_OBSERVATIONS = 300;
export const LEAST_CAVIAR_LOSSES = 200;
/** b₂ stays below this: VaR must forget. */
const MOST_PERSISTENCE = 0.9999;

/**
 * CAViaR (Engle and Manganelli 2004): vᵢ = b₁ + b₂ vᵢ₋₁ + b₃ |rᵢ| (symmetric absolute value), or with b₃ r⁺ + b₄ r⁻ (asymmetric slope), by the
 * least pinball loss: downhill simplexes from a grid of starts, since the loss has kinks and more than one valley.
 *
 * @param losses by origin, the oldest first; loss i comes after return i and over any horizon.
 * @param returns the return that ended at each origin up to today's: more than there are losses, since those of the last ones are not
 * known yet.
 * @param start coefficients to search from alone, as of a fit to nearly the same losses.
 * @returns unavailable for too few losses, or where VaR would not be positive: it is the measure of its own ES.
 */
export function fitCaviar(
  losses: Float64Array,
  returns: Float64Array,
  confidence: number,
  slope: CaviarSlope,
  start?: Float64Array,
): CaviarFit | Unavailable {
  const n = losses.length;
  if (n < LEAST_CAVIAR_LOSSES)
    return unavailable(`${n} losses are too few; ${LEAST_CAVIAR_LOSSES} are needed`);
  const first = quantile(losses.slice(0, STARTING_OBSERVATIONS), confidence);
  const whole = quantile(losses, confidence);
  if (!(first > 0 && whole > 0)) return unavailable('the quantile of the losses is not positive');
  const rises = returns.map((value) => Math.max(value, 0));
  const falls = returns.map((value) => Math.max(-value, 0));
  let size = 0;
  for (let i = 0; i < n; i++) size += (rises[i] + falls[i]) / n;
  if (!(size > 0)) return unavailable('the returns do not vary');
  const path = new Float64Array(returns.length);
  // In units of the quantile and of the mean size of a return, so that coefficients are of one scale.
  const inUnits = (x: Float64Array): Float64Array =>
    Float64Array.of(
      x[0] * whole,
      x[1],
      (x[2] * whole) / size,
      ((slope === 'symmetric' ? x[2] : x[3]) * whole) / size,
    );
  const objective = (x: Float64Array): number =>
    x[1] < 0 || x[1] > MOST_PERSISTENCE
      ? Number.POSITIVE_INFINITY
      : caviarLoss(losses, rises, falls, inUnits(x), first, confidence, path) / whole;
  const count = slope === 'symmetric' ? 3 : 4;
  const toSearch = (b: Float64Array): Float64Array =>
    Float64Array.of(
      b[0] / whole,
      b[1],
      (b[2] * size) / whole,
      ...(count === 4 ? [(b[3] * size) / whole] : []),
    );
  const places = start === undefined ? startingPoints(objective, count) : [toSearch(start)];
  const starts = places.filter((point) => Number.isFinite(objective(point)));
  if (starts.length === 0) return unavailable('no start has a finite loss');
  const steps = new Float64Array(count).fill(0.05);
  let best = { at: starts[0], value: Number.POSITIVE_INFINITY };
  for (const point of starts) {
    const found = simplexMinimise(objective, point, { steps, tolerance: 1e-9, maximumEvaluations: 3000 });
    if (found.value < best.value) best = found;
  }
  const coefficients = inUnits(best.at);
  const pinball = caviarLoss(losses, rises, falls, coefficients, first, confidence, path);
  const valueAtRisk = path.slice(0, n);
  let excess = 0;
  for (let i = 0; i < n; i++) {
    if (!(valueAtRisk[i] > 0)) return unavailable('the fitted VaR is not positive everywhere');
    excess += Math.max(losses[i] / valueAtRisk[i] - 1, 0);
  }
  const today = path[path.length - 1];
  if (!(today > 0)) return unavailable('the fitted VaR is not positive today');
  return {
    available: true,
    slope,
    coefficients: coefficients.slice(0, count),
    valueAtRisk,
    nextValueAtRisk: today,
    shortfallRatio: 1 + excess / (n * (1 - confidence)),
    pinball,
  };
}

/** How many of the best points of the grid a search starts from. */
const STARTS = 4;

/** In the search's units: VaR 1 in the long run, a mean size of returns of 1. */
function startingPoints(objective: (x: Float64Array) => number, count: number): Float64Array[] {
  const points: Float64Array[] = [];
  for (const persistence of [0, 0.5, 0.8, 0.9, 0.95, 0.98]) {
    for (const share of [0.2, 0.5, 0.9]) {
      for (const tilt of count === 3 ? [1] : [0.4, 1, 1.6]) {
        const reaction = (1 - persistence) * share;
        const point = new Float64Array(count);
        point[0] = (1 - persistence) * (1 - share);
        point[1] = persistence;
        point[2] = reaction * (count === 3 ? 1 : 2 - tilt);
        if (count === 4) point[3] = reaction * tilt;
        points.push(point);
      }
    }
  }
  return points
    .map((point) => ({ point, value: objective(point) }))
    .sort((a, b) => a.value - b.value)
    .slice(0, STARTS)
    .map(({ point }) => point);
}

/** Mean pinball loss; the path of VaR goes into `path`, on to today's origin. */
function caviarLoss(
  losses: Float64Array,
  rises: Float64Array,
  falls: Float64Array,
  coefficients: Float64Array,
  first: number,
  confidence: number,
  path: Float64Array,
): number {
  const [constant, persistence, byRise, byFall] = coefficients;
  const n = losses.length;
  let value = first;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    if (i > 0) value = constant + persistence * value + byRise * rises[i] + byFall * falls[i];
    path[i] = value;
    const difference = losses[i] - value;
    sum += difference >= 0 ? confidence * difference : (confidence - 1) * difference;
  }
  for (let i = n; i < path.length; i++)
    path[i] = value = constant + persistence * value + byRise * rises[i] + byFall * falls[i];
  return sum / n;
}
