/** Long columns of numbers, one for each regressor: sums over them, and what is put together from them. */

/** Σ a b. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Σ w a b. */
export function weightedDot(a: Float64Array, b: Float64Array, weights: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i] * a[i] * b[i];
  return sum;
}

/** Adds a multiple of a column to `values`. */
export function addScaled(values: Float64Array, column: Float64Array, share: number): void {
  for (let i = 0; i < values.length; i++) values[i] += share * column[i];
}

/** Σ b x by row of the columns x, into `values`. */
export function combine(
  columns: readonly Float64Array[],
  coefficients: Float64Array,
  values: Float64Array,
): void {
  values.fill(0);
  for (let j = 0; j < columns.length; j++) addScaled(values, columns[j], coefficients[j]);
}

/** Some entries of a column. */
export function entriesOf(values: Float64Array, rows: Int32Array): Float64Array {
  const taken = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) taken[i] = values[rows[i]];
  return taken;
}
