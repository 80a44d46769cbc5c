import * as tf from '@tensorflow/tfjs';
import { readWithin, readyBackend, signalsThrough } from '../src/forecast/network.ts';
import {
  OUTPUT_COUNT,
  OUTPUTS_PER_PATH,
  SHOCK_OUTPUT,
  SHORTFALL_OUTPUT,
  softplusInverse,
} from '../src/forecast/network-output.ts';
import { CONFIDENCE_COUNT, CONFIDENCES, PATHS_PER_MARKET } from '../src/forecast/predictor.ts';
import type { NetworkWeights } from '../src/forecast/shock-model.ts';
import { Random } from '../src/random.ts';
import { quantile, tailMean } from '../src/risk/numeric/quantile.ts';
import { sumOfLosses } from './loss.ts';

/** The one place of training that runs TF.js: fits one network to volatility-scaled excursions. */
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

const EVALUATION_ROWS = 8192;

export interface Layer {
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
      const loss = step(optimizer, layers, gather(train, rows), options.weightDecay);
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

/** One step of Adam on a batch; returns the batch's mean loss. */
function step(
  optimizer: tf.AdamOptimizer,
  layers: readonly Layer[],
  batch: Batch,
  weightDecay: number,
): number {
  return tf.tidy(() => {
    const { loss, gradients } = lossAndGradients(layers, batch, weightDecay);
    optimizer.applyGradients([...gradients]);
    return loss;
  });
}

/**
 * Mean loss of a batch, and the gradient of loss and weight decay. It is written out: TF.js would find the same one,
 * but multiplies by transposed matrices in plain loops, where WebAssembly has a fast product for straight ones.
 */
export function lossAndGradients(
  layers: readonly Layer[],
  { inputs, scaled, shocks }: Batch,
  weightDecay: number,
): { readonly loss: number; readonly gradients: readonly NamedGradient[] } {
  const rows = scaled.length / PATHS_PER_MARKET;
  const signals = signalsThrough(layers, tf.tensor2d(inputs, [rows, inputs.length / rows]));
  const raw = signals[layers.length].dataSync() as Float32Array;
  const byOutput = new Float32Array(raw.length);
  const loss = sumOfLosses(raw, scaled, shocks, byOutput) / scaled.length;
  const gradients: NamedGradient[] = [];
  // A product with ones is quicker than a sum down the columns, which turns the whole matrix first.
  const ones = tf.ones<tf.Rank.R2>([1, rows]);
  let slope = tf.tensor2d(byOutput, [rows, OUTPUT_COUNT]);
  for (let i = layers.length - 1; i >= 0; i--) {
    const { kernel, bias } = layers[i];
    const byKernel = tf.matMul(tf.transpose(signals[i]), slope);
    gradients.push(
      { name: kernel.name, tensor: tf.add(byKernel, tf.mul(kernel, 2 * weightDecay)) },
      { name: bias.name, tensor: tf.reshape(tf.matMul(ones, slope), bias.shape) },
    );
    // Where a ReLU let nothing through, nothing comes back.
    if (i > 0) slope = tf.mul(tf.matMul(slope, tf.transpose(kernel)), tf.step(signals[i]));
  }
  return { loss, gradients };
}

export interface NamedGradient {
  readonly name: string;
  readonly tensor: tf.Tensor;
}

export interface Batch {
  readonly inputs: Float32Array;
  /** Rows × paths. */
  readonly scaled: Float32Array;
  readonly shocks: Uint8Array;
}

function gather(data: FitRows, rows: Uint32Array): Batch {
  const inputs = new Float32Array(rows.length * data.columns);
  const scaled = new Float32Array(rows.length * PATHS_PER_MARKET);
  const shocks = new Uint8Array(rows.length * PATHS_PER_MARKET);
  for (let i = 0; i < rows.length; i++) {
    const [input, path] = [rows[i] * data.columns, rows[i] * PATHS_PER_MARKET];
    inputs.set(data.inputs.subarray(input, input + data.columns), i * data.columns);
    for (let p = 0; p < PATHS_PER_MARKET; p++) {
      scaled[i * PATHS_PER_MARKET + p] = data.scaled[path + p];
      shocks[i * PATHS_PER_MARKET + p] = data.shocks[path + p];
    }
  }
  return { inputs, scaled, shocks };
}

/** Mean loss of all rows. */
function evaluate(layers: readonly Layer[], data: FitRows): number {
  let sum = 0;
  for (let from = 0; from < data.rows; from += EVALUATION_ROWS) {
    const to = Math.min(from + EVALUATION_ROWS, data.rows);
    const raw = readWithin(() => {
      const inputs = data.inputs.subarray(from * data.columns, to * data.columns);
      return signalsThrough(layers, tf.tensor2d(inputs, [to - from, data.columns]))[layers.length];
    });
    const paths = [from * PATHS_PER_MARKET, to * PATHS_PER_MARKET] as const;
    sum += sumOfLosses(raw, data.scaled.subarray(...paths), data.shocks.subarray(...paths), null);
  }
  return sum / Math.max(data.rows * PATHS_PER_MARKET, 1);
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
  // Variables outlive a tidy; the tensors that they are first copied from do not.
  return tf.tidy(() => ({
    kernel: tf.variable(tf.tensor2d(kernel, [inputs, outputs])),
    bias: tf.variable(tf.tensor1d(bias)),
  }));
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
