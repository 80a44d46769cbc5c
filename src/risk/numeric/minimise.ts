/** Minimisers without constraints; bounds are the caller's business, by its choice of variables. */

export interface Minimum {
  readonly at: Float64Array;
  readonly value: number;
  readonly evaluations: number;
  /** Whether the gradient, or the simplex, became as small as asked for. */
  readonly converged: boolean;
}

/**
 * A function with its gradient.
 *
 * @returns the value at x, not finite where the function is not defined; the gradient goes into `gradient`.
 */
export type Differentiable = (x: Float64Array, gradient: Float64Array) => number;

export interface DescentOptions {
  /** The largest entry of the gradient, relative to 1 + |value|, at which the search ends. */
  readonly gradientTolerance?: number;
  readonly maximumIterations?: number;
}

/** Armijo's and Wolfe's constants. */
const SUFFICIENT_DECREASE = 1e-4;
const CURVATURE = 0.9;
const MAXIMUM_TRIALS = 40;
const ROUNDING = 1e-15;

/**
 * Quasi-Newton search of Broyden, Fletcher, Goldfarb and Shanno with a bracketing line search for Wolfe's conditions
 * (Nocedal and Wright 2006, algorithms 6.1 and 3.5). Where the function is not finite a step is shortened.
 */
export function minimise(
  f: Differentiable,
  start: Float64Array,
  { gradientTolerance = 1e-9, maximumIterations = 300 }: DescentOptions = {},
): Minimum {
  const size = start.length;
  let x: Float64Array = start.slice();
  let gradient: Float64Array = new Float64Array(size);
  let value = f(x, gradient);
  let evaluations = 1;
  const inverse = identity(size);
  const isFlat = (): boolean => largest(gradient) <= gradientTolerance * (1 + Math.abs(value));
  for (let iteration = 0; iteration < maximumIterations && !isFlat(); iteration++) {
    let direction = descent(inverse, gradient);
    let slope = dot(direction, gradient);
    if (!(slope < 0)) {
      reset(inverse, size);
      direction = descent(inverse, gradient);
      slope = dot(direction, gradient);
    }
    const first = iteration === 0 ? Math.min(1, 1 / Math.max(largest(gradient), 1e-300)) : 1;
    const search = lineSearch(f, x, value, direction, slope, first);
    evaluations += search.evaluations;
    if (!(search.value < value)) break;
    const step = subtract(search.x, x);
    const change = subtract(search.gradient, gradient);
    if (iteration === 0) scaleTo(inverse, size, step, change);
    update(inverse, size, step, change);
    x = search.x;
    value = search.value;
    gradient = search.gradient;
  }
  return { at: x, value, evaluations, converged: isFlat() };
}

interface Trial {
  readonly x: Float64Array;
  readonly gradient: Float64Array;
  readonly value: number;
  readonly evaluations: number;
}

/** Shrinks and stretches a bracket until the step satisfies Wolfe's conditions; else gives the best one seen. */
function lineSearch(
  f: Differentiable,
  from: Float64Array,
  value: number,
  direction: Float64Array,
  slope: number,
  first: number,
): Trial {
  let low = 0;
  let lowValue = value;
  let high = Number.POSITIVE_INFINITY;
  let step = first;
  let best: Trial = { x: from, gradient: new Float64Array(from.length), value, evaluations: 0 };
  let trial = 0;
  // A decrease that the value's own rounding would hide is not worth another trial.
  const least = (-ROUNDING * Math.abs(value)) / slope;
  while (trial < MAXIMUM_TRIALS && step > least) {
    trial++;
    const x = from.map((entry, i) => entry + step * direction[i]);
    const gradient = new Float64Array(from.length);
    const at = f(x, gradient);
    if (at < best.value) best = { x, gradient, value: at, evaluations: trial };
    const isLow = Number.isFinite(at) && at <= value + SUFFICIENT_DECREASE * step * slope && at <= lowValue;
    if (!isLow) high = step;
    else {
      const here = dot(gradient, direction);
      if (Math.abs(here) <= -CURVATURE * slope) return { x, gradient, value: at, evaluations: trial };
      if (here >= 0) high = step;
      else {
        low = step;
        lowValue = at;
      }
    }
    if (high === Number.POSITIVE_INFINITY) step *= 2;
    else if (!isLow && Number.isFinite(at) && low === 0) step = parabolic(step, value, slope, at);
    else step = 0.5 * (low + high);
    // Of low: an infinite high is no bracket that has closed.
    if (high - low <= 1e-16 * low) break;
  }
  return { ...best, evaluations: trial };
}

/** The lowest point of the parabola through the start, its slope and one trial, not too near to either end. */
function parabolic(step: number, value: number, slope: number, at: number): number {
  const lowest = (-slope * step * step) / (2 * (at - value - slope * step));
  return Math.min(Math.max(lowest, 0.1 * step), 0.5 * step);
}

/** H ← (I − ρ s yᵀ) H (I − ρ y sᵀ) + ρ s sᵀ, ρ = 1/(yᵀs); left as it is where the curvature is not positive. */
function update(inverse: Float64Array, size: number, step: Float64Array, change: Float64Array): void {
  const curvature = dot(step, change);
  if (!(curvature > 1e-14 * Math.sqrt(dot(step, step) * dot(change, change)))) return;
  const turned = new Float64Array(size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) turned[i] += inverse[i * size + j] * change[j];
  const factor = (1 + dot(change, turned) / curvature) / curvature;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      inverse[i * size + j] +=
        factor * step[i] * step[j] - (turned[i] * step[j] + step[i] * turned[j]) / curvature;
    }
  }
}

/** Before its first update the inverse Hessian takes the size that the first step shows (Nocedal and Wright, 6.20). */
function scaleTo(inverse: Float64Array, size: number, step: Float64Array, change: Float64Array): void {
  const factor = dot(step, change) / dot(change, change);
  if (!(factor > 0 && Number.isFinite(factor))) return;
  for (let i = 0; i < size; i++) inverse[i * size + i] = factor;
}

function descent(inverse: Float64Array, gradient: Float64Array): Float64Array {
  const size = gradient.length;
  const direction = new Float64Array(size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) direction[i] -= inverse[i * size + j] * gradient[j];
  return direction;
}

function identity(size: number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) matrix[i * size + i] = 1;
  return matrix;
}

function reset(inverse: Float64Array, size: number): void {
  inverse.set(identity(size));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function subtract(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((entry, i) => entry - b[i]);
}

function largest(values: Float64Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
}
