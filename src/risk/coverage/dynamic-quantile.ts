import { chiSquareSurvival } from '../numeric/chi-square.ts';
import { type TestOutcome, unavailable } from '../outcome.ts';

const LAGS = 4;
/** A constant, the lagged hits and the VaR of the day. */
const REGRESSORS = LAGS + 2;
/** Below this share of its own variance a regressor counts as explained by those before it. */
const COLLINEAR = 1e-10;

/**
 * The dynamic quantile test (Engle and Manganelli 2004): hits less their expected rate must not be predictable from a
 * constant, the four hits before and today's VaR. DQ = y'X (X'X)⁻¹ X'y / (p (1 − p)), chi-square with as many degrees of
 * freedom as there are independent regressors: six, or five where VaR never moves.
 *
 * @param hits by time, 1 where the loss exceeded VaR. @param valueAtRisk by time, equally long.
 */
export function dynamicQuantile(
  hits: Uint8Array,
  valueAtRisk: Float64Array,
  confidence: number,
): TestOutcome {
  const p = 1 - confidence;
  const rows = hits.length - LAGS;
  if (rows < 2 * REGRESSORS)
    return unavailable(`${hits.length} observations are too few; ${2 * REGRESSORS + LAGS} are needed`);
  const scale = meanOf(valueAtRisk);
  if (!(scale > 0)) return unavailable('VaR is not positive on average');
  const gram = new Float64Array(REGRESSORS * REGRESSORS);
  const moment = new Float64Array(REGRESSORS);
  const x = new Float64Array(REGRESSORS);
  x[0] = 1;
  let recent = 0;
  for (let t = 0; t < LAGS; t++) recent += hits[t];
  for (let t = LAGS; t < hits.length; t++) {
    // In units of its mean, so that the equations are of one scale.
    const value = valueAtRisk[t] / scale;
    const y = hits[t] - p;
    if (recent === 0) addWithoutHits(gram, moment, value, y);
    else {
      for (let lag = 1; lag <= LAGS; lag++) x[lag] = hits[t - lag];
      x[LAGS + 1] = value;
      for (let i = 0; i < REGRESSORS; i++) {
        moment[i] += x[i] * y;
        for (let j = 0; j <= i; j++) gram[i * REGRESSORS + j] += x[i] * x[j];
      }
    }
    recent += hits[t] - hits[t - LAGS];
  }
  const { explained, rank } = projectedSquare(gram, moment);
  if (rank < 2) return unavailable('neither hits nor VaR move: there is nothing to predict from');
  const statistic = explained / (p * (1 - p));
  return { available: true, statistic, pValue: chiSquareSurvival(statistic, rank) };
}

/** A row whose lagged hits are all 0, as nearly all are: only the constant and VaR have something to add. */
function addWithoutHits(gram: Float64Array, moment: Float64Array, value: number, y: number): void {
  const last = REGRESSORS - 1;
  moment[0] += y;
  moment[last] += value * y;
  gram[0] += 1;
  gram[last * REGRESSORS] += value;
  gram[last * REGRESSORS + last] += value * value;
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/**
 * m'G⁻¹m by a Cholesky factor that leaves out regressors which those before them explain; `gram` holds the lower triangle
 * and is overwritten.
 */
function projectedSquare(gram: Float64Array, moment: Float64Array): { explained: number; rank: number } {
  const size = moment.length;
  const z = new Float64Array(size);
  let explained = 0;
  let rank = 0;
  for (let i = 0; i < size; i++) {
    const own = gram[i * size + i];
    for (let j = 0; j < i; j++) {
      let sum = gram[i * size + j];
      for (let k = 0; k < j; k++) sum -= gram[i * size + k] * gram[j * size + k];
      gram[i * size + j] = gram[j * size + j] === 0 ? 0 : sum / gram[j * size + j];
    }
    let left = own;
    let residual = moment[i];
    for (let k = 0; k < i; k++) {
      left -= gram[i * size + k] ** 2;
      residual -= gram[i * size + k] * z[k];
    }
    if (left <= COLLINEAR * own) {
      gram[i * size + i] = 0;
      continue;
    }
    gram[i * size + i] = Math.sqrt(left);
    z[i] = residual / gram[i * size + i];
    explained += z[i] ** 2;
    rank++;
  }
  return { explained, rank };
}
