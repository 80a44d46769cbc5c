import { entriesOf } from '../numeric/columns.ts';
import { refusal, requireSameLength, requireSeries } from '../numeric/inputs.ts';
import { bestPlane, planeProblem } from './quantile-band.ts';

/** A linear quantile regression, fitted. */
export interface QuantileRegression {
  /** b, one for each column. */
  readonly coefficients: Float64Array;
  /** Σ w ρ(y − x'b), the least there is. */
  readonly loss: number;
  /** The rows that the plane passes through, one for each column; none where all rows lie on one plane. */
  readonly rows: Int32Array;
}

/**
 * Linear quantile regression (Koenker and Bassett 1978): the b with the least Σ w ρ(y − x'b), ρ(u) = u (p − 1{u < 0}). It is exact,
 * a vertex of the linear programme. Of many rows only those near the plane of a sample take part; the others pull by the side
 * on which they lie, which is checked at the end, and mended (Portnoy and Koenker 1997, section 5).
 *
 * Where several vertices are as good it is one of them, and for the same input always the same one.
 *
 * @param columns the regressors, each of n entries; a constant is a column of ones.
 * @param probability p in (0, 1): 0.99 for the VaR of losses at 99 %.
 * @param weights if given, none negative.
 * @param start coefficients near the minimum, if they are known: they only save time.
 * @returns null where the columns depend on each other or are more than the rows of positive weight.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT for series that are none, for unequal lengths and for a bad probability.
 */
export function fitQuantileRegression(
  columns: readonly Float64Array[],
  outcome: Float64Array,
  probability: number,
  weights?: Float64Array,
  start?: Float64Array,
): QuantileRegression | null {
  requireUsable(columns, outcome, probability, weights, start);
  const size = columns.length;
  // Rows of no weight are left out; all columns are in units of their largest entry.
  const rows = rowsOfWeight(outcome.length, weights);
  if (rows.length < size) return null;
  const kept = (values: Float64Array): Float64Array =>
    rows.length === values.length ? values : entriesOf(values, rows);
  const units = new Float64Array(size);
  const scaled = columns.map((column, j) => {
    const own = kept(column);
    units[j] = largestOf(own) || 1;
    return own.map((value) => value / units[j]);
  });
  const problem = planeProblem(scaled, kept(outcome), probability);
  const known = start?.map((value, j) => value * units[j]);
  const found = bestPlane(problem, weights === undefined ? undefined : kept(weights), known);
  if (found === null) return null;
  const coefficients = found.coefficients.map((value, j) => value / units[j]);
  const loss = pinballSum(columns, outcome, probability, coefficients, weights);
  return { coefficients, loss, rows: found.basis.map((i) => rows[i]) };
}

/** The rows of positive weight. */
function rowsOfWeight(n: number, weights: Float64Array | undefined): Int32Array {
  const rows = Int32Array.from({ length: n }, (_, i) => i);
  return weights === undefined ? rows : rows.filter((i) => weights[i] > 0);
}

function largestOf(values: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest;
}

function pinballSum(
  columns: readonly Float64Array[],
  outcome: Float64Array,
  probability: number,
  coefficients: Float64Array,
  weights: Float64Array | undefined,
): number {
  const residuals = outcome.slice();
  for (let j = 0; j < columns.length; j++)
    for (let i = 0; i < residuals.length; i++) residuals[i] -= coefficients[j] * columns[j][i];
  let sum = 0;
  for (let i = 0; i < residuals.length; i++) {
    const loss = residuals[i] * (residuals[i] >= 0 ? probability : probability - 1);
    sum += weights === undefined ? loss : weights[i] * loss;
  }
  return sum;
}

function requireUsable(
  columns: readonly Float64Array[],
  outcome: Float64Array,
  probability: number,
  weights: Float64Array | undefined,
  start: Float64Array | undefined,
): void {
  if (!(probability > 0 && probability < 1))
    throw refusal(`the probability is ${probability}`, 'Give a number between 0 and 1.');
  if (columns.length === 0) throw refusal('there is no regressor', 'Give at least a column of ones.');
  requireSameLength('regressors and outcomes', outcome.length, ...columns.map((column) => column.length));
  requireSeries('the outcomes', outcome, 1);
  for (let j = 0; j < columns.length; j++) requireSeries(`regressor ${j + 1}`, columns[j], 1);
  if (start !== undefined) {
    requireSameLength('regressors and starting coefficients', columns.length, start.length);
    requireSeries('the starting coefficients', start, 1);
  }
  if (weights === undefined) return;
  requireSameLength('outcomes and weights', outcome.length, weights.length);
  requireSeries('the weights', weights, 1);
  if (weights.some((weight) => weight < 0)) throw refusal('a weight is negative', 'Give none below 0.');
}
