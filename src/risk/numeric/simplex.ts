import type { Minimum } from './minimise.ts';

export interface SimplexOptions {
  /** Edge of the first simplex, by variable. */
  readonly steps: Float64Array;
  /** The spread of the values over the simplex, relative to 1 + |value|, at which the search ends. */
  readonly tolerance?: number;
  readonly maximumEvaluations?: number;
}

/**
 * Downhill simplex of Nelder and Mead (1965) with the coefficients of Gao and Han (2012), for functions with kinks. After
 * it has collapsed it is set up again around the best point, until that no longer helps: a collapsed simplex may lie.
 *
 * @param f not finite where it is not defined; finite at the start.
 */
export function simplexMinimise(
  f: (x: Float64Array) => number,
  start: Float64Array,
  { steps, tolerance = 1e-12, maximumEvaluations = 20_000 }: SimplexOptions,
): Minimum {
  let best = run(f, start, steps, tolerance, maximumEvaluations);
  let evaluations = best.evaluations;
  while (evaluations < maximumEvaluations) {
    const smaller = steps.map((step) => 0.25 * step);
    const again = run(f, best.at, smaller, tolerance, maximumEvaluations - evaluations);
    evaluations += again.evaluations;
    const gain = best.value - again.value;
    if (again.value <= best.value) best = again;
    if (!(gain > tolerance * (1 + Math.abs(best.value)))) break;
  }
  return { ...best, evaluations };
}

interface Vertex {
  x: Float64Array;
  value: number;
}

function run(
  f: (x: Float64Array) => number,
  start: Float64Array,
  steps: Float64Array,
  tolerance: number,
  maximumEvaluations: number,
): Minimum {
  const size = start.length;
  const [expand, contract, shrink] = [1 + 2 / size, 0.75 - 1 / (2 * size), 1 - 1 / size];
  let evaluations = 0;
  const at = (x: Float64Array): Vertex => {
    evaluations++;
    const value = f(x);
    return { x, value: Number.isFinite(value) ? value : Number.MAX_VALUE };
  };
  const vertices = [at(start.slice())];
  for (let i = 0; i < size; i++) {
    const x = start.slice();
    x[i] += steps[i];
    vertices.push(at(x));
  }
  const centre = new Float64Array(size);
  const towards = (factor: number): Vertex =>
    at(centre.map((entry, i) => entry + factor * (entry - vertices[size].x[i])));
  let converged = false;
  while (evaluations < maximumEvaluations) {
    vertices.sort((a, b) => a.value - b.value);
    const [lowest] = vertices;
    const worst = vertices[size];
    converged = worst.value - lowest.value <= tolerance * (1 + Math.abs(lowest.value));
    if (converged) break;
    centre.fill(0);
    for (let v = 0; v < size; v++) for (let i = 0; i < size; i++) centre[i] += vertices[v].x[i] / size;
    const reflected = towards(1);
    if (reflected.value < lowest.value) {
      const expanded = towards(expand);
      vertices[size] = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < vertices[size - 1].value) vertices[size] = reflected;
    else {
      const contracted = towards(reflected.value < worst.value ? contract : -contract);
      if (contracted.value < Math.min(reflected.value, worst.value)) vertices[size] = contracted;
      else shrinkTowards(vertices, size === 1 ? 0.5 : shrink, at);
    }
  }
  vertices.sort((a, b) => a.value - b.value);
  return { at: vertices[0].x, value: vertices[0].value, evaluations, converged };
}

function shrinkTowards(vertices: Vertex[], factor: number, at: (x: Float64Array) => Vertex): void {
  const [{ x: lowest }] = vertices;
  for (let v = 1; v < vertices.length; v++)
    vertices[v] = at(vertices[v].x.map((entry, i) => lowest[i] + factor * (entry - lowest[i])));
}
