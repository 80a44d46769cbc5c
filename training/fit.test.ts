import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { readyBackend } from '../src/forecast/network.ts';
import { LEVEL_COUNT } from '../src/forecast/network-inputs.ts';
import {
  addLevels,
  LEVELLED_OUTPUTS,
  LEVELS_PER_PATH,
  LOG_QUANTILE_BOUND,
  OUTPUT_COUNT,
  OUTPUTS_PER_PATH,
  QUANTILE_LEVELS,
  SHORTFALL_OUTPUT,
  softplus,
  VOLATILITY_OUTPUT,
} from '../src/forecast/network-output.ts';
import { HORIZON_COUNT, PATHS_PER_MARKET } from '../src/forecast/predictor.ts';
import { Random } from '../src/random.ts';
import { fz0, pinball } from '../src/risk/comparison/scores.ts';
import { type Batch, type FitRows, fitNetwork, lossAndGradients, type Variables } from './fit.ts';
import { sumOfLosses } from './loss.ts';

const PINBALL_WEIGHTS = [0.3, 0.4, 0.7, 1, 1.7, 3, 4, 8];
/** By level, where it is one of the confidences. */
const FZ0_WEIGHTS = [0, 0, 0, 0.05, 0, 0.1, 0.05, 0.02];
/** By level: which of the shortfalls is its own. */
const SHORTFALL_OF_LEVEL = [-1, -1, -1, 0, -1, 1, 2, 3];
const VOLATILITY_WEIGHT = 3;

/** The loss of one path from the scores as `src/risk` defines them, in float64. */
function slowPathLoss(outputs: ArrayLike<number>, offset: number, outcome: number): number {
  let loss = 0;
  let quantile = 0;
  for (const [l, level] of QUANTILE_LEVELS.entries()) {
    const output = outputs[offset + l];
    quantile = l === 0 ? Math.exp(output) : quantile * (1 + softplus(output));
    loss += PINBALL_WEIGHTS[l] * pinball(outcome, quantile, level);
    const c = SHORTFALL_OF_LEVEL[l];
    if (c < 0) continue;
    const shortfall = quantile * (1 + softplus(outputs[offset + SHORTFALL_OUTPUT + c]));
    loss += FZ0_WEIGHTS[l] * (fz0(outcome, quantile, shortfall, level) + 1);
  }
  return loss;
}

function slowLoss(outputs: ArrayLike<number>, row: number, { scaled, logVolatility }: Batch): number {
  const offset = row * OUTPUT_COUNT;
  let loss = 0;
  for (let path = 0; path < PATHS_PER_MARKET; path++) {
    const outcome = scaled[row * PATHS_PER_MARKET + path];
    loss += slowPathLoss(outputs, offset + path * OUTPUTS_PER_PATH, outcome) / PATHS_PER_MARKET;
  }
  for (let h = 0; h < HORIZON_COUNT; h++) {
    const missing = outputs[offset + VOLATILITY_OUTPUT + h] - logVolatility[row * HORIZON_COUNT + h];
    loss += (VOLATILITY_WEIGHT / HORIZON_COUNT) * missing ** 2;
  }
  return loss;
}

function randomBatch(seed: number, rows: number, columns: number): Batch {
  const random = Random.stream(seed, 'batch');
  const draw = (length: number, of: () => number): Float32Array => Float32Array.from({ length }, of);
  return {
    inputs: draw(rows * columns, () => random.normal()),
    levels: draw(rows * LEVEL_COUNT, () => random.normal()),
    scaled: draw(rows * PATHS_PER_MARKET, () => random.exponential()),
    logVolatility: draw(rows * HORIZON_COUNT, () => 0.5 * random.normal()),
  };
}

describe('the loss', () => {
  const random = Random.stream(1, 'raw');
  const rows = 60;
  const batch = randomBatch(2, rows, 1);
  // Wide enough for quantiles on both sides of the outcome.
  const raw = Float32Array.from({ length: rows * OUTPUT_COUNT }, (_, o) => {
    const isLog = o % OUTPUT_COUNT >= VOLATILITY_OUTPUT || (o % OUTPUT_COUNT) % OUTPUTS_PER_PATH === 0;
    return isLog ? 2 * random.normal() : 4 * random.normal() - 2;
  });
  const gradient = new Float32Array(raw.length);
  const sum = sumOfLosses(raw, batch.scaled, batch.logVolatility, gradient);

  test('is pinball and FZ0 as the scores define them, and squares of the log volatility', () => {
    let slow = 0;
    for (let row = 0; row < rows; row++) slow += slowLoss(raw, row, batch);
    expect(sum / slow).toBeCloseTo(1, 10);
    expect(sumOfLosses(raw, batch.scaled, batch.logVolatility, null)).toBe(sum);
  });

  test('has the gradient that differences show, at every output', () => {
    const step = 1e-6;
    const outputs = Float64Array.from(raw);
    for (let o = 0; o < raw.length; o++) {
      const row = Math.floor(o / OUTPUT_COUNT);
      const value = outputs[o];
      const lossAt = (at: number): number => {
        outputs[o] = at;
        return slowLoss(outputs, row, batch);
      };
      const difference = (lossAt(value + step) - lossAt(value - step)) / (2 * step);
      outputs[o] = value;
      expect(Math.abs(gradient[o] * rows - difference)).toBeLessThan(1e-5 * (1 + Math.abs(difference)));
    }
  });

  test('stays finite whatever the network says', () => {
    const wild = Float32Array.from({ length: OUTPUT_COUNT }, (_, o) => [1e4, -1e4, 0, 80, -80][o % 5]);
    const levels = new Float32Array(LEVEL_COUNT);
    addLevels(wild, levels, new Float32Array(LEVEL_COUNT * LEVELLED_OUTPUTS.length));
    const slopes = new Float32Array(OUTPUT_COUNT);
    const outcome = batch.scaled.subarray(0, PATHS_PER_MARKET);
    const logVolatility = batch.logVolatility.subarray(0, HORIZON_COUNT);
    expect(Number.isFinite(sumOfLosses(wild, outcome, logVolatility, slopes))).toBe(true);
    expect(slopes.every(Number.isFinite)).toBe(true);
  });
});

describe('the fit', () => {
  test('follows the gradient that TF.js finds by itself, decay of the weights included', async () => {
    await readyBackend();
    const random = Random.stream(3, 'weights');
    const sizes = [7, 16, 8, OUTPUT_COUNT];
    const tensor = (shape: number[]): tf.Tensor =>
      tf.tensor(
        Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => 0.3 * random.normal()),
        shape,
      );
    const layers = sizes.slice(1).map((outputs, i) => ({
      kernel: tf.variable(tensor([sizes[i], outputs]) as tf.Tensor2D),
      bias: tf.variable(tensor([outputs]) as tf.Tensor1D),
    }));
    const levelSlopes = tf.variable(tensor([LEVEL_COUNT, LEVELLED_OUTPUTS.length]) as tf.Tensor2D);
    const variables: Variables = { layers, levelSlopes };
    const batch = randomBatch(4, 50, sizes[0]);
    const decay = 0.01;
    const { loss, gradients } = lossAndGradients(variables, batch, decay);
    const slow = tf.variableGrads(
      () => slowGraph(variables, batch, decay),
      [levelSlopes, ...layers.flatMap(({ kernel, bias }) => [kernel, bias])],
    );
    const squares = layers.map(({ kernel }) => tf.sum(tf.square(kernel)).dataSync()[0]);
    const penalty = decay * squares.reduce((total, own) => total + own, 0);
    expect(loss + penalty).toBeCloseTo(slow.value.dataSync()[0], 4);
    expect(gradients).toHaveLength(7);
    for (const { name, tensor: fast } of gradients) {
      const expected = slow.grads[name].dataSync();
      const largest = Math.max(...Array.from(expected, Math.abs));
      expect(largest).toBeGreaterThan(1e-3);
      for (const [i, value] of fast.dataSync().entries())
        expect(Math.abs(value - expected[i])).toBeLessThan(1e-4 * largest);
    }
  });

  test('learns what a feature says about the scale, and lets go of all that it made', async () => {
    const rows = rowsWithScale(5, 6000);
    const options = {
      hidden: [16],
      batchRows: 256,
      maximumEpochs: 6,
      patience: 3,
      learningRate: 5e-3,
      weightDecay: 1e-4,
      slopeFloors: new Float32Array(LEVEL_COUNT * LEVELLED_OUTPUTS.length).fill(-1),
      seed: 1,
      onProgress: () => {},
      interrupted: new AbortController().signal,
    };
    await readyBackend();
    const tensors = tf.memory().numTensors;
    const untrained = await fitNetwork(rows, rowsWithScale(6, 2000), { ...options, maximumEpochs: 0 });
    const trained = await fitNetwork(rows, rowsWithScale(6, 2000), options);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(untrained.bestEpoch).toBe(0);
    // Knowing a scale that is 1 or 4 takes a fifth off the loss of one who does not.
    expect(trained.validationLoss).toBeLessThan(0.85 * untrained.validationLoss);
  });
});

/** Exponential excursions whose scale is 1 or 4, as the sign of the first of two features says. */
function rowsWithScale(seed: number, rows: number): FitRows {
  const random = Random.stream(seed, 'scale');
  const inputs = Float32Array.from({ length: rows * 2 }, () => random.normal());
  const scaled = Float32Array.from(
    { length: rows * PATHS_PER_MARKET },
    (_, i) => random.exponential() * (inputs[2 * Math.floor(i / PATHS_PER_MARKET)] > 0 ? 4 : 1),
  );
  return {
    rows,
    columns: 2,
    inputs,
    levels: new Float32Array(rows * LEVEL_COUNT),
    scaled,
    logVolatility: Float32Array.from({ length: rows * HORIZON_COUNT }, (_, i) =>
      inputs[2 * Math.floor(i / HORIZON_COUNT)] > 0 ? Math.log(4) : 0,
    ),
  };
}

/** The same loss as a graph, for TF.js to take the gradient of. */
function slowGraph(
  { layers, levelSlopes }: Variables,
  { inputs, levels, scaled, logVolatility }: Batch,
  decay: number,
): tf.Scalar {
  const rows = scaled.length / PATHS_PER_MARKET;
  let signal: tf.Tensor = tf.tensor2d(inputs, [rows, inputs.length / rows]);
  for (const [i, { kernel, bias }] of layers.entries()) {
    signal = tf.add(tf.matMul(signal as tf.Tensor2D, kernel), bias);
    if (i < layers.length - 1) signal = tf.relu(signal);
  }
  const isLowest = tf.tensor1d(
    Array.from({ length: OUTPUT_COUNT }, (_, o) =>
      Number(LEVELLED_OUTPUTS.includes(o) && o < VOLATILITY_OUTPUT),
    ),
  );
  const bounded = tf.clipByValue(signal, -LOG_QUANTILE_BOUND, LOG_QUANTILE_BOUND);
  signal = tf.add(tf.mul(bounded, isLowest), tf.mul(signal, tf.sub(1, isLowest)));
  // Places each slope at the output that it belongs to.
  const places = tf.oneHot(tf.tensor1d([...LEVELLED_OUTPUTS], 'int32'), OUTPUT_COUNT).toFloat();
  const byLevels = tf.matMul(
    tf.matMul(tf.tensor2d(levels, [rows, LEVEL_COUNT]), levelSlopes),
    places as tf.Tensor2D,
  );
  signal = tf.add(signal, byLevels);
  const paths = tf.slice(signal as tf.Tensor2D, [0, 0], [rows, VOLATILITY_OUTPUT]);
  const outputs = tf.split(tf.reshape(paths, [-1, OUTPUTS_PER_PATH]), OUTPUTS_PER_PATH, 1);
  const outcome = tf.tensor2d(scaled, [scaled.length, 1]);
  const terms: tf.Tensor[] = [];
  let quantile: tf.Tensor = tf.exp(outputs[0]);
  for (let l = 0; l < LEVELS_PER_PATH; l++) {
    const level = QUANTILE_LEVELS[l];
    if (l > 0) quantile = tf.mul(quantile, tf.add(1, tf.softplus(outputs[l])));
    const above = tf.relu(tf.sub(outcome, quantile));
    const below = tf.relu(tf.sub(quantile, outcome));
    const pinballs = tf.add(tf.mul(above, level), tf.mul(below, 1 - level));
    terms.push(tf.mul(tf.mean(pinballs), PINBALL_WEIGHTS[l]));
    const c = SHORTFALL_OF_LEVEL[l];
    if (c < 0) continue;
    const shortfall = tf.mul(quantile, tf.add(1, tf.softplus(outputs[SHORTFALL_OUTPUT + c])));
    const excess = tf.div(above, tf.mul(shortfall, 1 - level));
    const fz0s = tf.add(tf.add(excess, tf.div(quantile, shortfall)), tf.log(shortfall));
    terms.push(tf.mul(tf.mean(fz0s), FZ0_WEIGHTS[l]));
  }
  const volatilities = tf.slice(signal as tf.Tensor2D, [0, VOLATILITY_OUTPUT], [rows, HORIZON_COUNT]);
  const missing = tf.sub(volatilities, tf.tensor2d(logVolatility, [rows, HORIZON_COUNT]));
  terms.push(tf.mul(tf.mean(tf.square(missing)), VOLATILITY_WEIGHT));
  for (const { kernel } of layers) terms.push(tf.mul(tf.sum(tf.square(kernel)), decay));
  return tf.addN(terms) as tf.Scalar;
}
