/** Rows of a quantile regression, weights multiplied in, and the pull of those left out. */
export interface PlaneRows {
  /** Regressors row by row, `size` entries each. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly size: number;
  /** Σ ψ x over rows whose side of the plane is known; ψ is p above it and p − 1 below. */
  readonly pull: Float64Array;
}

/** A plane through as many rows as it has coefficients. */
export interface Vertex {
  readonly coefficients: Float64Array;
  readonly basis: Int32Array;
  /** Whether the search was given up there: more rows than coefficients lie on the plane, and none that is let go moves it. */
  readonly isStalled: boolean;
}

/** The share of the sums behind a multiplier that counts as rounding. */
const ROUNDING = 1e-13;
/** A row that a direction moves by less than this share of the lengths of both is parallel to the plane's turn. */
const PARALLEL = 1e-11;
/** A row nearer to the plane than this share of its outcome is on it. */
const ON_IT = 1e-14;
/** Far more turns than any search has needed. */
const MAXIMUM_TURNS = 5000;

/**
 * From vertex to vertex down to the least Σ ρ(y − x'b) − pull'b: of the rows that the plane passes through, the one whose multiplier
 * lies furthest outside [p − 1, p] is let go, and the plane turns about the others to the lowest place of that edge, past as many rows
 * as it takes (Barrodale and Roberts 1974; Koenker and d'Orey 1987).
 *
 * @param basis independent rows to start from. @param patience how many turns may leave the plane where it is.
 * @returns null where the sum falls for ever, as it can where rows are left out, or where rounding has made the rows dependent.
 */
export function descend(
  rows: PlaneRows,
  probability: number,
  basis: Int32Array,
  patience: number,
): Vertex | null {
  const { x, y, size } = rows;
  const n = y.length;
  const through = basis.slice();
  const isThrough = new Uint8Array(n);
  for (const row of through) isThrough[row] = 1;
  const residuals = new Float64Array(n);
  const crossings = { at: new Float64Array(n), jump: new Float64Array(n), row: new Int32Array(n), count: 0 };
  const coefficients = new Float64Array(size);
  const direction = new Float64Array(size);
  let idle = 0;
  for (let turns = 0; turns < MAXIMUM_TURNS && idle <= patience; turns++) {
    const inverse = inverseOf(x, through, size);
    if (inverse === null) return null;
    coefficients.fill(0);
    for (let j = 0; j < size; j++)
      for (let k = 0; k < size; k++) coefficients[k] += inverse[k * size + j] * y[through[j]];
    const leaving = worstMultiplier(rows, probability, { coefficients, inverse, isThrough, residuals });
    if (leaving === null) return { coefficients, basis: through, isStalled: false };
    for (let k = 0; k < size; k++) direction[k] = leaving.side * inverse[k * size + leaving.position];
    findCrossings(rows, residuals, isThrough, direction, crossings);
    const entering = crossingAt(crossings, leaving.excess);
    if (entering < 0) return null;
    if (Math.abs(residuals[entering]) <= ON_IT * Math.abs(y[entering])) idle++;
    isThrough[through[leaving.position]] = 0;
    isThrough[entering] = 1;
    through[leaving.position] = entering;
  }
  return { coefficients, basis: through, isStalled: true };
}

interface Place {
  readonly coefficients: Float64Array;
  readonly inverse: Float64Array;
  readonly isThrough: Uint8Array;
  readonly residuals: Float64Array;
}

/**
 * The row of the basis to let go: `side` −1 to leave it above the plane, 1 below; `excess` is how steeply the sum falls. Fills in the
 * residuals. Null at the minimum.
 */
function worstMultiplier(
  { x, y, size, pull }: PlaneRows,
  probability: number,
  { coefficients, inverse, isThrough, residuals }: Place,
): { readonly position: number; readonly side: number; readonly excess: number } | null {
  const gradient = pull.map((value) => -value);
  const magnitude = pull.map(Math.abs);
  for (let i = 0, at = 0; i < y.length; i++, at += size) {
    if (isThrough[i] === 1) {
      residuals[i] = 0;
      continue;
    }
    let residual = y[i];
    for (let k = 0; k < size; k++) residual -= coefficients[k] * x[at + k];
    residuals[i] = residual;
    const psi = residual >= 0 ? probability : probability - 1;
    for (let k = 0; k < size; k++) {
      const term = psi * x[at + k];
      gradient[k] -= term;
      magnitude[k] += Math.abs(term);
    }
  }
  let worst: { position: number; side: number; excess: number } | null = null;
  for (let j = 0; j < size; j++) {
    let multiplier = 0;
    let rounding = 0;
    for (let k = 0; k < size; k++) {
      multiplier += inverse[k * size + j] * gradient[k];
      rounding += Math.abs(inverse[k * size + j]) * magnitude[k];
    }
    const side = multiplier > probability ? -1 : 1;
    const excess = side < 0 ? multiplier - probability : probability - 1 - multiplier;
    if (excess > ROUNDING * (1 + rounding) && (worst === null || excess > worst.excess))
      worst = { position: j, side, excess };
  }
  return worst;
}

/** Where rows meet the plane as it turns, how much steeper the sum becomes there, and which rows they are. */
interface Crossings {
  readonly at: Float64Array;
  readonly jump: Float64Array;
  readonly row: Int32Array;
  count: number;
}

function findCrossings(
  { x, y, size }: PlaneRows,
  residuals: Float64Array,
  isThrough: Uint8Array,
  direction: Float64Array,
  crossings: Crossings,
): void {
  let length = 0;
  for (let k = 0; k < size; k++) length += Math.abs(direction[k]);
  crossings.count = 0;
  for (let i = 0, at = 0; i < y.length; i++, at += size) {
    let move = 0;
    for (let k = 0; k < size; k++) move += direction[k] * x[at + k];
    const residual = residuals[i];
    if (residual >= 0 ? move <= 0 : move >= 0) continue;
    if (isThrough[i] === 1) continue;
    let reach = 0;
    for (let k = 0; k < size; k++) reach = Math.max(reach, Math.abs(x[at + k]));
    if (Math.abs(move) <= PARALLEL * reach * length) continue;
    crossings.at[crossings.count] = residual / move;
    crossings.jump[crossings.count] = Math.abs(move);
    crossings.row[crossings.count++] = i;
  }
}

/** The row of the first crossing by which the jumps have summed to `excess`, by selection; −1 where they never do. */
function crossingAt({ at, jump, row, count }: Crossings, excess: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += jump[i];
  if (total < excess) return -1;
  let low = 0;
  let high = count - 1;
  let needed = excess;
  while (low < high) {
    const pivot = middleOf(at[low], at[(low + high) >>> 1], at[high]);
    let i = low;
    let j = high;
    while (i <= j) {
      while (at[i] < pivot) i++;
      while (at[j] > pivot) j--;
      if (i > j) break;
      swap(at, i, j);
      swap(jump, i, j);
      swap(row, i++, j--);
    }
    // Up to j none is above the pivot; from i on none is below; any between equal it.
    let before = 0;
    for (let k = low; k <= j; k++) before += jump[k];
    if (before >= needed) high = j;
    else if (j + 1 < i && before + jump[j + 1] >= needed) return row[j + 1];
    else {
      for (let k = j + 1; k < i; k++) before += jump[k];
      needed -= before;
      low = i;
    }
  }
  return row[Math.min(low, count - 1)];
}

function swap(values: Float64Array | Int32Array, i: number, j: number): void {
  const value = values[i];
  values[i] = values[j];
  values[j] = value;
}

function middleOf(a: number, b: number, c: number): number {
  if (a < b) return b < c ? b : a < c ? c : a;
  return a < c ? a : b < c ? c : b;
}

/** Inverse of the square matrix of some rows, by Gauss and Jordan with partial pivoting; null where it has none. */
function inverseOf(x: Float64Array, rows: Int32Array, size: number): Float64Array | null {
  const matrix = new Float64Array(size * size);
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    inverse[i * size + i] = 1;
    for (let k = 0; k < size; k++) matrix[i * size + k] = x[rows[i] * size + k];
  }
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let i = column + 1; i < size; i++)
      if (Math.abs(matrix[i * size + column]) > Math.abs(matrix[pivot * size + column])) pivot = i;
    const head = matrix[pivot * size + column];
    if (!(Math.abs(head) > 0)) return null;
    for (let k = 0; k < size; k++) {
      const [a, b] = [pivot * size + k, column * size + k];
      [matrix[a], matrix[b]] = [matrix[b], matrix[a] / head];
      [inverse[a], inverse[b]] = [inverse[b], inverse[a] / head];
    }
    for (let i = 0; i < size; i++) {
      const factor = matrix[i * size + column];
      if (i === column || factor === 0) continue;
      for (let k = 0; k < size; k++) {
        matrix[i * size + k] -= factor * matrix[column * size + k];
        inverse[i * size + k] -= factor * inverse[column * size + k];
      }
    }
  }
  return inverse;
}
