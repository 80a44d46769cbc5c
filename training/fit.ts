import * as tf from '@tensorflow/tfjs';
import { readWithin, readyBackend, signalsThrough } from '../src/forecast/network.ts';
import { LEVEL_COUNT } from '../src/forecast/network-inputs.ts';
import {
  addLevels,
  LEVEL_OF_CONFIDENCE,
  LEVELLED_OUTPUTS,
  LEVELS_PER_PATH,
  LOG_QUANTILE_BOUND,
  OUTPUT_COUNT,
  OUTPUTS_PER_PATH,
  QUANTILE_LEVELS,
  SHORTFALL_OUTPUT,
  softplusInverse,
} from '../src/forecast/network-output.ts';
import { CONFIDENCE_COUNT, CONFIDENCES, HORIZON_COUNT, PATHS_PER_MARKET } from '../src/forecast/predictor.ts';
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
  /** As `networkLevels` makes them. */
  readonly levels: Float32Array;
  /** By row and path: excursion over scale. */
  readonly scaled: Float32Array;
  /** By row and horizon: log of the realised volatility over the scale. */
  readonly logVolatility: Float32Array;
}

export interface FitOptions {
  readonly hidden: readonly number[];
  readonly batchRows: number;
  readonly maximumEpochs: number;
  /** Epochs without a better validation loss after which the fit ends. */
  readonly patience: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Levels × `LEVELLED_OUTPUTS`: below which no slope of a level may fall. */
  readonly slopeFloors: Float32Array;
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

/** A network while it is trained. */
export interface Variables {
  readonly layers: readonly Layer[];
  /** Levels × `LEVELLED_OUTPUTS`. */
  readonly levelSlopes: tf.Variable<tf.Rank.R2>;
}

/** @throws the reason of `interrupted` when it is aborted between batches. */
export async function fitNetwork(
  train: FitRows,
  validation: FitRows,
  options: FitOptions,
): Promise<FitResult> {
  const backend = await readyBackend();
  const variables = makeVariables(train, options);
  const floors = tf.tensor2d(options.slopeFloors, [LEVEL_COUNT, LEVELLED_OUTPUTS.length]);
  const optimizer = tf.train.adam(options.learningRate);
  const order = Uint32Array.from({ length: train.rows }, (_, i) => i);
  const random = Random.stream(options.seed, 'batches');
  const batches = Math.ceil(train.rows / options.batchRows);
  let best = { loss: evaluate(variables, validation), weights: readWeights(variables), epoch: 0 };
  let epoch = 0;
  while (epoch < options.maximumEpochs && epoch - best.epoch < options.patience) {
    epoch++;
    random.shuffle(order);
    setLearningRate(optimizer, options.learningRate, epoch, options.maximumEpochs);
    let smoothed = Number.NaN;
    for (let batch = 0; batch < batches; batch++) {
      options.interrupted.throwIfAborted();
      const rows = order.subarray(batch * options.batchRows, (batch + 1) * options.batchRows);
      const loss = step(optimizer, variables, gather(train, rows), options.weightDecay, floors);
      smoothed = Number.isNaN(smoothed) ? loss : 0.98 * smoothed + 0.02 * loss;
      if (batch % PROGRESS_EVERY === 0) {
        options.onProgress({ epoch, batch, batches, loss: smoothed, validationLoss: best.loss });
        // Lets signals and messages in: the fit itself never waits.
        await new Promise(setImmediate);
      }
    }
    const loss = evaluate(variables, validation);
    if (loss < best.loss) best = { loss, weights: readWeights(variables), epoch };
    options.onProgress({ epoch, batch: batches, batches, loss: smoothed, validationLoss: loss });
  }
  for (const { kernel, bias } of variables.layers) tf.dispose([kernel, bias]);
  tf.dispose([variables.levelSlopes, floors]);
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
  variables: Variables,
  batch: Batch,
  weightDecay: number,
  floors: tf.Tensor2D,
): number {
  return tf.tidy(() => {
    const { loss, gradients } = lossAndGradients(variables, batch, weightDecay);
    optimizer.applyGradients([...gradients]);
    // Back to where more volatility cannot lower a quantile.
    variables.levelSlopes.assign(tf.maximum(variables.levelSlopes, floors));
    return loss;
  });
}

/**
 * Mean loss of a batch, and the gradient of loss and weight decay. It is written out: TF.js would find the same one,
 * but multiplies by transposed matrices in plain loops, where WebAssembly has a fast product for straight ones.
 */
export function lossAndGradients(
  { layers, levelSlopes }: Variables,
  { inputs, levels, scaled, logVolatility }: Batch,
  weightDecay: number,
): { readonly loss: number; readonly gradients: readonly NamedGradient[] } {
  const rows = scaled.length / PATHS_PER_MARKET;
  const signals = signalsThrough(layers, tf.tensor2d(inputs, [rows, inputs.length / rows]));
  const own = signals[layers.length].dataSync() as Float32Array;
  const raw = own.slice();
  addLevels(raw, levels, levelSlopes.dataSync() as Float32Array);
  const byOutput = new Float32Array(raw.length);
  const loss = sumOfLosses(raw, scaled, logVolatility, byOutput) / rows;
  const slopesOfLevels = gradientOfLevels(byOutput, levels);
  stopAtBound(byOutput, own);
  const gradients: NamedGradient[] = [
    { name: levelSlopes.name, tensor: tf.tensor2d(slopesOfLevels, levelSlopes.shape) },
  ];
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

/** Nothing comes back to the network from a lowest quantile that was held at its bound. */
function stopAtBound(byOutput: Float32Array, own: Float32Array): void {
  for (let offset = 0; offset < own.length; offset += OUTPUT_COUNT) {
    for (let path = 0; path < PATHS_PER_MARKET; path++) {
      const at = offset + LEVELLED_OUTPUTS[path];
      if (Math.abs(own[at]) > LOG_QUANTILE_BOUND) byOutput[at] = 0;
    }
  }
}

function gradientOfLevels(byOutput: Float32Array, levels: Float32Array): Float32Array {
  const count = LEVELLED_OUTPUTS.length;
  const sums = new Float64Array(LEVEL_COUNT * count);
  for (let row = 0, offset = 0; offset < byOutput.length; row++, offset += OUTPUT_COUNT) {
    for (let level = 0; level < LEVEL_COUNT; level++) {
      const value = levels[row * LEVEL_COUNT + level];
      for (let i = 0; i < count; i++)
        sums[level * count + i] += value * byOutput[offset + LEVELLED_OUTPUTS[i]];
    }
  }
  return Float32Array.from(sums);
}

export interface NamedGradient {
  readonly name: string;
  readonly tensor: tf.Tensor;
}

export type Batch = Pick<FitRows, 'inputs' | 'levels' | 'scaled' | 'logVolatility'>;

function gather(data: FitRows, rows: Uint32Array): Batch {
  const { columns } = data;
  return {
    inputs: gatherRows(data.inputs, rows, columns),
    levels: gatherRows(data.levels, rows, LEVEL_COUNT),
    scaled: gatherRows(data.scaled, rows, PATHS_PER_MARKET),
    logVolatility: gatherRows(data.logVolatility, rows, HORIZON_COUNT),
  };
}

function gatherRows(from: Float32Array, rows: Uint32Array, width: number): Float32Array {
  const gathered = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++)
    for (let k = 0, at = rows[i] * width; k < width; k++) gathered[i * width + k] = from[at + k];
  return gathered;
}

/** Mean loss of all rows. */
function evaluate({ layers, levelSlopes }: Variables, data: FitRows): number {
  const slopes = levelSlopes.dataSync() as Float32Array;
  let sum = 0;
  for (let from = 0; from < data.rows; from += EVALUATION_ROWS) {
    const to = Math.min(from + EVALUATION_ROWS, data.rows);
    const of = (array: Float32Array, width: number): Float32Array => array.subarray(from * width, to * width);
    const raw = readWithin(() => {
      const inputs = tf.tensor2d(of(data.inputs, data.columns), [to - from, data.columns]);
      return signalsThrough(layers, inputs)[layers.length];
    });
    addLevels(raw, of(data.levels, LEVEL_COUNT), slopes);
    sum += sumOfLosses(raw, of(data.scaled, PATHS_PER_MARKET), of(data.logVolatility, HORIZON_COUNT), null);
  }
  return sum / Math.max(data.rows, 1);
}

/**
 * Hidden layers by He's initialiser. The last one starts at zero with biases from the outcomes' own quantiles, so that
 * the untrained network is the filtered panel: the same quantiles of A/s for every market and every hour.
 */
function makeVariables(train: FitRows, { hidden, seed, slopeFloors }: FitOptions): Variables {
  const random = Random.stream(seed, 'weights');
  const sizes = [train.columns, ...hidden];
  const layers = hidden.map((outputs, i) => {
    const scale = Math.sqrt(2 / sizes[i]);
    const kernel = Float32Array.from({ length: sizes[i] * outputs }, () => scale * random.normal());
    return makeLayer(kernel, new Float32Array(outputs), sizes[i], outputs);
  });
  const last = sizes[sizes.length - 1];
  layers.push(makeLayer(new Float32Array(last * OUTPUT_COUNT), startingBias(train), last, OUTPUT_COUNT));
  const startingSlopes = slopeFloors.map((floor) => Math.max(floor, 0));
  return {
    layers,
    levelSlopes: tf.tidy(() =>
      tf.variable(tf.tensor2d(startingSlopes, [LEVEL_COUNT, LEVELLED_OUTPUTS.length])),
    ),
  };
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
    const values = new Float64Array(LEVELS_PER_PATH);
    for (let l = 0; l < LEVELS_PER_PATH; l++) {
      const before = l === 0 ? 0 : values[l - 1];
      values[l] = Math.max(quantile(sample, QUANTILE_LEVELS[l]), before * 1.01, 1e-3);
      bias[offset + l] = l === 0 ? Math.log(values[0]) : softplusInverse(values[l] / before - 1);
    }
    for (let c = 0; c < CONFIDENCE_COUNT; c++) {
      const ratio = tailMean(sample, CONFIDENCES[c]) / values[LEVEL_OF_CONFIDENCE[c]];
      bias[offset + SHORTFALL_OUTPUT + c] = softplusInverse(Math.max(ratio - 1, 0.01));
    }
  }
  return bias;
}

function readWeights({ layers, levelSlopes }: Variables): NetworkWeights {
  return {
    levelSlopes: Float32Array.from(levelSlopes.dataSync()),
    layers: layers.map(({ kernel, bias }) => ({
      inputs: kernel.shape[0],
      outputs: kernel.shape[1],
      kernel: Float32Array.from(kernel.dataSync()),
      bias: Float32Array.from(bias.dataSync()),
    })),
  };
}
