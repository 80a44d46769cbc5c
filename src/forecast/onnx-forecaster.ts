import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { PlimsollError } from '../errors.ts';
import { FEATURE_COUNT } from '../features/spec.ts';
import { LEVELS_PER_PATH } from './network-output.ts';
import {
  CELLS_PER_MARKET,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
  SIDE_COUNT,
} from './predictor.ts';
import { boundRow, type ForecastArrays, type RowForecaster } from './row-forecaster.ts';

/**
 * What an ONNX file must have: one input, rows × features as `features/spec.ts` names them, float32, and two outputs of floats whose
 * numbers are in this order, last axis fastest, as shares of the entry price: quantiles by side, horizon and level, ES by side, horizon and confidence.
 */
export const ONNX_INPUT = 'features';
export const ONNX_QUANTILES = 'quantiles';
export const ONNX_SHORTFALLS = 'expected_shortfall';

const QUANTILES = PATHS_PER_MARKET * LEVELS_PER_PATH;
const SHAPES = `${ONNX_INPUT} float32 [N, ${FEATURE_COUNT}]; ${ONNX_QUANTILES} [N, ${SIDE_COUNT}, ${HORIZON_COUNT}, ${LEVELS_PER_PATH}] and ${ONNX_SHORTFALLS} [N, ${SIDE_COUNT}, ${HORIZON_COUNT}, ${CELLS_PER_MARKET / PATHS_PER_MARKET}]`;

/**
 * A model from elsewhere as an ONNX file, run by ONNX Runtime on WebAssembly in one thread: it reaches neither files nor network, and what it does
 * wrong stays in its own memory.
 */
export class OnnxForecaster implements RowForecaster {
  readonly #session: InferenceSession;
  readonly #runtime: Runtime;

  private constructor(session: InferenceSession, runtime: Runtime) {
    this.#session = session;
    this.#runtime = runtime;
  }

  /**
   * @throws PlimsollError DEPENDENCY_MISSING without the package onnxruntime-web, INPUT_INVALID for a file that is no such model.
   */
  static async load(file: Uint8Array): Promise<OnnxForecaster> {
    const runtime = await onnxRuntime();
    const session = await runtime.InferenceSession.create(file, { executionProviders: ['wasm'] }).catch(
      (cause: unknown) => {
        throw invalid(`it cannot be loaded: ${messageOf(cause)}`, cause);
      },
    );
    const fault = faultOf(session);
    if (fault !== null) {
      await session.release();
      throw invalid(fault);
    }
    return new OnnxForecaster(session, runtime);
  }

  /** @throws PlimsollError INPUT_INVALID where a run fails, or answers with too few numbers. */
  async forecast(features: Float64Array, rows: number, out: ForecastArrays): Promise<void> {
    out.variance.fill(Number.NaN);
    if (rows === 0) return;
    const inputs = new this.#runtime.Tensor('float32', Float32Array.from(features), [rows, FEATURE_COUNT]);
    const answer = await this.#session.run({ [ONNX_INPUT]: inputs }).catch((cause: unknown) => {
      throw invalid(`a run fails: ${messageOf(cause)}`, cause);
    });
    out.quantiles.set(numbersOf(answer, ONNX_QUANTILES, rows * QUANTILES));
    out.expectedShortfall.set(numbersOf(answer, ONNX_SHORTFALLS, rows * CELLS_PER_MARKET));
    for (let row = 0; row < rows; row++) {
      const quantiles = out.quantiles.subarray(row * QUANTILES, (row + 1) * QUANTILES);
      const cells = [row * CELLS_PER_MARKET, (row + 1) * CELLS_PER_MARKET] as const;
      const isForecast =
        quantiles.every((value) => value > 0 && value < Number.POSITIVE_INFINITY) &&
        out.expectedShortfall.subarray(...cells).every((value) => Number.isFinite(value));
      if (isForecast) boundRow(row, out);
      else {
        quantiles.fill(Number.NaN);
        out.valueAtRisk.fill(Number.NaN, ...cells);
        out.expectedShortfall.fill(Number.NaN, ...cells);
      }
    }
  }

  dispose(): void {
    void this.#session.release();
  }
}

type Runtime = typeof import('onnxruntime-web');

async function onnxRuntime(): Promise<Runtime> {
  const runtime = await import('onnxruntime-web').catch((cause: unknown) => {
    throw new PlimsollError('DEPENDENCY_MISSING', 'an ONNX file needs the package onnxruntime-web', {
      remedy: 'Install it beside Plimsoll: npm install onnxruntime-web',
      details: { package: 'onnxruntime-web' },
      cause,
    });
  });
  // More threads would need memory that is shared, and the sums would come out in another order.
  runtime.env.wasm.numThreads = 1;
  runtime.env.logLevel = 'error';
  return runtime;
}

/** What is wrong with the names and types of a model; null where nothing is. */
function faultOf({ inputMetadata, outputNames }: InferenceSession): string | null {
  const [input] = inputMetadata;
  if (inputMetadata.length !== 1 || input.name !== ONNX_INPUT)
    return `its inputs are ${inputMetadata.map(({ name }) => name).join(', ')}, not ${ONNX_INPUT} alone`;
  if (!input.isTensor || input.type !== 'float32') return `its input ${ONNX_INPUT} is not float32`;
  const columns = input.shape.at(-1);
  if (input.shape.length !== 2 || (typeof columns === 'number' && columns !== FEATURE_COUNT))
    return `its input ${ONNX_INPUT} has the shape [${input.shape.join(', ')}]`;
  if (typeof input.shape[0] === 'number')
    return `its input ${ONNX_INPUT} takes ${input.shape[0]} rows, not any number of them`;
  const missing = [ONNX_QUANTILES, ONNX_SHORTFALLS].filter((name) => !outputNames.includes(name));
  return missing.length === 0 ? null : `it has no output ${missing.join(' and ')}`;
}

function numbersOf(
  answer: InferenceSession.OnnxValueMapType,
  name: string,
  count: number,
): Float32Array | Float64Array {
  const value = answer[name] as Tensor;
  const data = value.data as unknown;
  if (!(data instanceof Float32Array || data instanceof Float64Array))
    throw invalid(`its output ${name} is ${value.type}, not float`);
  if (data.length !== count)
    throw invalid(`its output ${name} has ${data.length} numbers where ${count} are needed`);
  return data;
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function invalid(what: string, cause?: unknown): PlimsollError {
  return new PlimsollError('INPUT_INVALID', `the ONNX model does not fit: ${what}`, {
    remedy: `Give it ${SHAPES}: sides long, short; horizons ${HORIZONS_HOURS.join(', ')} h; docs/model.md has the levels.`,
    cause,
  });
}
