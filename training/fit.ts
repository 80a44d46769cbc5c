import * as tf from '@tensorflow/tfjs';
import { forward, readyBackend } from '../src/forecast/network.ts';
import {
  LOG_QUANTILE_BOUND,
  OUTPUT_COUNT,
  OUTPUTS_PER_PATH,
  SHOCK_OUTPUT,
  SHORTFALL_OUTPUT,
  softplusInverse,
} from '../src/forecast/network-output.ts';
import { CONFIDENCE_COUNT, CONFIDENCES, PATHS_PER_MARKET } from '../src/forecast/predictor.ts';
import type { NetworkWeights } from '../src/forecast/shock-model.ts';
import { Random } from '../src/random.ts';
import { quantile, tailMean } from '../src/risk/quantile.ts';

/**
 * The one place of training that runs TF.js: fits one network to volatility-scaled excursions.
 *
 * Losses are positive. For each path and confidence c with VaR q and ES e of the scaled excursion y:
 * pinball (c − 1{y < q})(y − q), FZ0 relu(y − q)/((1 − c) e) + q/e + ln e, and for the shock a logistic loss.
 */
export interface FitRows {
  readonly rows: number;
  /** Row-major float32, as `networkInputs` makes them. */
  readonly inputs: Float32Array;
  readonly columns: number;
  /** By row and path: excursion over scale. */
  readonly scaled: Float32Array;
  readonly shocks: Uint8Array;
}

export interface FitOptions {
  readonly hidden: readonly number[];
  readonly batchRows: number;
  readonly maximumEpochs: number;
  /** Epochs without a better validation loss after which the fit ends. */
  readonly patience: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly seed: number;
  readonly onProgress: (progress: FitProgress) => void;
  readonly interrupted: AbortSignal;
}

export interface FitProgress {
  readonly epoch: number;
  readonly batch: number;
  readonly batches: number;
  readonly loss: number;
  /** Of the last finished epoch; null in the first. */
  readonly validationLoss: number | null;
}

export interface FitResult {
  readonly weights: NetworkWeights;
  readonly epochs: number;
  readonly bestEpoch: number;
  readonly validationLoss: number;
  readonly backend: string;
}

/** So that each confidence pulls about as hard as the others: a pinball loss shrinks with the tail. */
const PINBALL_WEIGHTS = [1, 3, 4, 8];
const FZ0_WEIGHTS = [0.05, 0.1, 0.05, 0.02];
const SHOCK_WEIGHT = 0.3;
const EVALUATION_ROWS = 8192;

interface Layer {
  readonly kernel: tf.Variable<tf.Rank.R2>;
  readonly bias: tf.Variable<tf.Rank.R1>;
}

/** @throws the reason of `interrupted` when it is aborted between batches. */
export async function fitNetwork(
  train: FitRows,
  validation: FitRows,
  options: FitOptions,
): Promise<FitResult> {
  const backend = await readyBackend();
  const layers = makeLayers(train, options);
  const optimizer = tf.train.adam(options.learningRate);
  const order = Uint32Array.from({ length: train.rows }, (_, i) => i);
  const random = Random.stream(options.seed, 'batches');
  const batches = Math.ceil(train.rows / options.batchRows);
  let best = { loss: evaluate(layers, validation), weights: readWeights(layers), epoch: 0 };
  let epoch = 0;
  while (epoch < options.maximumEpochs && epoch - best.epoch < options.patience) {
    epoch++;
    random.shuffle(order);
    setLearningRate(optimizer, options.learningRate, epoch, options.maximumEpochs);
    let smoothed = Number.NaN;
    for (let batch = 0; batch < batches; batch++) {
      options.interrupted.throwIfAborted();
      const rows = order.subarray(batch * options.batchRows, (batch + 1) * options.batchRows);
      const loss = step(optimizer, layers, train, rows, options.weightDecay);
      smoothed = Number.isNaN(smoothed) ? loss : 0.98 * smoothed + 0.02 * loss;
      if (batch % PROGRESS_EVERY === 0) {
        options.onProgress({ epoch, batch, batches, loss: smoothed, validationLoss: best.loss });
        // Lets signals and messages in: the fit itself never waits.
        await new Promise(setImmediate);
      }
    }
    const loss = evaluate(layers, validation);
    if (loss < best.loss) best = { loss, weights: readWeights(layers), epoch };
    options.onProgress({ epoch, batch: batches, batches, loss: smoothed, validationLoss: loss });
  }
  for (const layer of layers) tf.dispose([layer.kernel, layer.bias]);
  optimizer.dispose();
  return { weights: best.weights, epochs: epoch, bestEpoch: best.epoch, validationLoss: best.loss, backend };
}

const PROGRESS_EVERY = 10;

/** Falls along a half cosine, so that the last epochs settle. */
function setLearningRate(optimizer: tf.AdamOptimizer, first: number, epoch: number, epochs: number): void {
  const share = (epoch - 1) / Math.max(epochs, 1);
  (optimizer as unknown as { learningRate: number }).learningRate =
    first * (0.05 + 0.475 * (1 + Math.cos(Math.PI * share)));
}

function step(
  optimizer: tf.AdamOptimizer,
  layers: readonly Layer[],
  train: FitRows,
  rows: Uint32Array,
  weightDecay: number,
): number {
  return tf.tidy(() => {
    const batch = gather(train, rows);
    const cost = optimizer.minimize(
      () => {
        const decay = tf.addN(layers.map(({ kernel }) => tf.sum(tf.square(kernel)))) as tf.Scalar;
        return tf.add(lossOf(layers, batch), tf.mul(decay, weightDecay)) as tf.Scalar;
      },
      true,
      layers.flatMap(({ kernel, bias }) => [kernel, bias]),
    );
    return (cost as tf.Scalar).dataSync()[0];
  });
}

interface Batch {
  readonly inputs: tf.Tensor2D;
  /** Rows × paths. */
  readonly scaled: tf.Tensor2D;
  readonly shocks: tf.Tensor2D;
}

function gather(data: FitRows, rows: Uint32Array): Batch {
  const inputs = new Float32Array(rows.length * data.columns);
  const scaled = new Float32Array(rows.length * PATHS_PER_MARKET);
  const shocks = new Float32Array(rows.length * PATHS_PER_MARKET);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    inputs.set(data.inputs.subarray(row * data.columns, (row + 1) * data.columns), i * data.columns);
    scaled.set(
      data.scaled.subarray(row * PATHS_PER_MARKET, (row + 1) * PATHS_PER_MARKET),
      i * PATHS_PER_MARKET,
    );
    shocks.set(
      data.shocks.subarray(row * PATHS_PER_MARKET, (row + 1) * PATHS_PER_MARKET),
      i * PATHS_PER_MARKET,
    );
  }
  return {
    inputs: tf.tensor2d(inputs, [rows.length, data.columns]),
    scaled: tf.tensor2d(scaled, [rows.length, PATHS_PER_MARKET]),
    shocks: tf.tensor2d(shocks, [rows.length, PATHS_PER_MARKET]),
  };
}

/** Mean loss of a batch; `network-output.ts` says what the outputs mean. */
function lossOf(layers: readonly Layer[], { inputs, scaled, shocks }: Batch): tf.Scalar {
  const raw = forward(layers as readonly { kernel: tf.Tensor2D; bias: tf.Tensor1D }[], inputs);
  const outputs = tf.split(tf.reshape(raw, [-1, OUTPUTS_PER_PATH]), OUTPUTS_PER_PATH, 1) as tf.Tensor2D[];
  const outcome = tf.reshape(scaled, [-1, 1]) as tf.Tensor2D;
  const terms: tf.Scalar[] = [];
  let quantileOf = tf.exp(tf.clipByValue(outputs[0], -LOG_QUANTILE_BOUND, LOG_QUANTILE_BOUND));
  for (let c = 0; c < CONFIDENCE_COUNT; c++) {
    if (c > 0) quantileOf = tf.mul(quantileOf, tf.add(1, tf.softplus(outputs[c])));
    const shortfall = tf.mul(quantileOf, tf.add(1, tf.softplus(outputs[SHORTFALL_OUTPUT + c])));
    const above = tf.relu(tf.sub(outcome, quantileOf));
    const below = tf.relu(tf.sub(quantileOf, outcome));
    const pinball = tf.add(tf.mul(above, CONFIDENCES[c]), tf.mul(below, 1 - CONFIDENCES[c]));
    const excess = tf.div(above, tf.mul(shortfall, 1 - CONFIDENCES[c]));
    const fz0 = tf.add(tf.add(excess, tf.div(quantileOf, shortfall)), tf.log(shortfall));
    terms.push(
      tf.mul(tf.mean(pinball), PINBALL_WEIGHTS[c]) as tf.Scalar,
      tf.mul(tf.mean(fz0), FZ0_WEIGHTS[c]) as tf.Scalar,
    );
  }
  const logit = outputs[SHOCK_OUTPUT];
  // ln(1 + eˣ) − x·y is the logistic loss of an outcome y in {0, 1}.
  const logistic = tf.sub(tf.softplus(logit), tf.mul(logit, tf.reshape(shocks, [-1, 1])));
  terms.push(tf.mul(tf.mean(logistic), SHOCK_WEIGHT) as tf.Scalar);
  return tf.addN(terms) as tf.Scalar;
}

function evaluate(layers: readonly Layer[], data: FitRows): number {
  let sum = 0;
  for (let from = 0; from < data.rows; from += EVALUATION_ROWS) {
    const to = Math.min(from + EVALUATION_ROWS, data.rows);
    const rows = Uint32Array.from({ length: to - from }, (_, i) => from + i);
    sum += tf.tidy(() => lossOf(layers, gather(data, rows)).dataSync()[0]) * (to - from);
  }
  return sum / Math.max(data.rows, 1);
}

/**
 * Hidden layers by He's initialiser. The last one starts at zero with biases from the outcomes' own quantiles, so that
 * the untrained network is the filtered panel: the same quantiles of A/s for every market and every hour.
 */
function makeLayers(train: FitRows, { hidden, seed }: FitOptions): readonly Layer[] {
  const random = Random.stream(seed, 'weights');
  const sizes = [train.columns, ...hidden];
  const layers = hidden.map((outputs, i) => {
    const scale = Math.sqrt(2 / sizes[i]);
    const kernel = Float32Array.from({ length: sizes[i] * outputs }, () => scale * random.normal());
    return makeLayer(kernel, new Float32Array(outputs), sizes[i], outputs);
  });
  const last = sizes[sizes.length - 1];
  return [
    ...layers,
    makeLayer(new Float32Array(last * OUTPUT_COUNT), startingBias(train), last, OUTPUT_COUNT),
  ];
}

function makeLayer(kernel: Float32Array, bias: Float32Array, inputs: number, outputs: number): Layer {
  return {
    kernel: tf.variable(tf.tensor2d(kernel, [inputs, outputs])),
    bias: tf.variable(tf.tensor1d(bias)),
  };
}

const STARTING_SAMPLE = 50_000;

function startingBias(train: FitRows): Float32Array {
  const bias = new Float32Array(OUTPUT_COUNT);
  const every = Math.max(Math.ceil(train.rows / STARTING_SAMPLE), 1);
  const count = Math.ceil(train.rows / every);
  for (let path = 0; path < PATHS_PER_MARKET; path++) {
    const sample = Float64Array.from(
      { length: count },
      (_, i) => train.scaled[i * every * PATHS_PER_MARKET + path],
    );
    const offset = path * OUTPUTS_PER_PATH;
    let before = 0;
    for (let c = 0; c < CONFIDENCE_COUNT; c++) {
      const value = Math.max(quantile(sample, CONFIDENCES[c]), before * 1.01, 1e-3);
      bias[offset + c] = c === 0 ? Math.log(value) : softplusInverse(value / before - 1);
      bias[offset + SHORTFALL_OUTPUT + c] = softplusInverse(
        Math.max(tailMean(sample, CONFIDENCES[c]) / value - 1, 0.01),
      );
      before = value;
    }
    let shocks = 0;
    for (let i = 0; i < count; i++) shocks += train.shocks[i * every * PATHS_PER_MARKET + path];
    const rate = Math.min(Math.max(shocks / Math.max(count, 1), 1e-3), 0.999);
    bias[offset + SHOCK_OUTPUT] = Math.log(rate / (1 - rate));
  }
  return bias;
}

function readWeights(layers: readonly Layer[]): NetworkWeights {
  return {
    layers: layers.map(({ kernel, bias }) => ({
      inputs: kernel.shape[0],
      outputs: kernel.shape[1],
      kernel: Float32Array.from(kernel.dataSync()),
      bias: Float32Array.from(bias.dataSync()),
    })),
  };
}
