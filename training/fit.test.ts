import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { readyBackend } from '../src/forecast/network.ts';
import {
  LOG_QUANTILE_BOUND,
  OUTPUT_COUNT,
  OUTPUTS_PER_PATH,
  SHOCK_OUTPUT,
  SHORTFALL_OUTPUT,
  sigmoid,
  softplus,
} from '../src/forecast/network-output.ts';
import { CONFIDENCES, PATHS_PER_MARKET } from '../src/forecast/predictor.ts';
import { Random } from '../src/random.ts';
import { fz0, pinball } from '../src/risk/comparison/scores.ts';
import { type Batch, type FitRows, fitNetwork, type Layer, lossAndGradients } from './fit.ts';
import { sumOfLosses } from './loss.ts';

const PINBALL_WEIGHTS = [1, 3, 4, 8];
const FZ0_WEIGHTS = [0.05, 0.1, 0.05, 0.02];
const SHOCK_WEIGHT = 0.3;

/** The loss of one path from the scores as `src/risk` defines them, in float64. */
function slowLoss(outputs: ArrayLike<number>, offset: number, outcome: number, shock: number): number {
  let loss = 0;
  let quantile = 0;
  for (const [c, confidence] of CONFIDENCES.entries()) {
    const output = outputs[offset + c];
    quantile =
      c === 0
        ? Math.exp(Math.min(Math.max(output, -LOG_QUANTILE_BOUND), LOG_QUANTILE_BOUND))
        : quantile * (1 + softplus(output));
    const shortfall = quantile * (1 + softplus(outputs[offset + SHORTFALL_OUTPUT + c]));
    loss += PINBALL_WEIGHTS[c] * pinball(outcome, quantile, confidence);
    loss += FZ0_WEIGHTS[c] * (fz0(outcome, quantile, shortfall, confidence) + 1);
  }
  const probability = sigmoid(outputs[offset + SHOCK_OUTPUT]);
  return loss - SHOCK_WEIGHT * Math.log(shock === 1 ? probability : 1 - probability);
}

function randomBatch(seed: number, rows: number, columns: number): Batch {
  const random = Random.stream(seed, 'batch');
  const draw = (length: number, of: () => number): Float32Array => Float32Array.from({ length }, of);
  return {
    inputs: draw(rows * columns, () => random.normal()),
    scaled: draw(rows * PATHS_PER_MARKET, () => random.exponential()),
    shocks: Uint8Array.from(draw(rows * PATHS_PER_MARKET, () => random.integer(2))),
  };
}

describe('the loss', () => {
  const random = Random.stream(1, 'raw');
  const rows = 60;
  const { scaled, shocks } = randomBatch(2, rows, 1);
  // Wide enough to leave the bound of the log quantile on both sides, and for quantiles on both sides of the outcome.
  const raw = Float32Array.from({ length: rows * OUTPUT_COUNT }, (_, o) =>
    o % OUTPUTS_PER_PATH === 0 ? 2 * random.normal() : 4 * random.normal() - 2,
  );
  const gradient = new Float32Array(raw.length);
  const sum = sumOfLosses(raw, scaled, shocks, gradient);

  test('is pinball, FZ0 and a logistic loss as the scores define them', () => {
    let slow = 0;
    for (let path = 0; path < scaled.length; path++)
      slow += slowLoss(raw, path * OUTPUTS_PER_PATH, scaled[path], shocks[path]);
    expect(sum / slow).toBeCloseTo(1, 10);
    expect(sumOfLosses(raw, scaled, shocks, null)).toBe(sum);
  });

  test('has the gradient that differences show, at every output', () => {
    const step = 1e-6;
    for (let path = 0; path < scaled.length; path++) {
      for (let o = 0; o < OUTPUTS_PER_PATH; o++) {
        const outputs = Float64Array.from(
          raw.subarray(path * OUTPUTS_PER_PATH, (path + 1) * OUTPUTS_PER_PATH),
        );
        const lossAt = (value: number): number => {
          outputs[o] = value;
          return slowLoss(outputs, 0, scaled[path], shocks[path]);
        };
        const value = outputs[o];
        const difference = (lossAt(value + step) - lossAt(value - step)) / (2 * step);
        const slope = gradient[path * OUTPUTS_PER_PATH + o] * scaled.length;
        expect(Math.abs(slope - difference)).toBeLessThan(1e-5 * (1 + Math.abs(difference)));
      }
    }
  });

  test('stays finite whatever the network says', () => {
    const wild = Float32Array.from({ length: OUTPUT_COUNT }, (_, o) => [1e4, -1e4, 0, 80, -80][o % 5]);
    const slopes = new Float32Array(OUTPUT_COUNT);
    const outcome = scaled.subarray(0, PATHS_PER_MARKET);
    expect(Number.isFinite(sumOfLosses(wild, outcome, shocks.subarray(0, PATHS_PER_MARKET), slopes))).toBe(
      true,
    );
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
    const layers: Layer[] = sizes.slice(1).map((outputs, i) => ({
      kernel: tf.variable(tensor([sizes[i], outputs]) as tf.Tensor2D),
      bias: tf.variable(tensor([outputs]) as tf.Tensor1D),
    }));
    const batch = randomBatch(4, 50, sizes[0]);
    const decay = 0.01;
    const { loss, gradients } = lossAndGradients(layers, batch, decay);
    const slow = tf.variableGrads(
      () => slowGraph(layers, batch, decay),
      layers.flatMap(({ kernel, bias }) => [kernel, bias]),
    );
    const squares = layers.map(({ kernel }) => tf.sum(tf.square(kernel)).dataSync()[0]);
    const penalty = decay * squares.reduce((total, own) => total + own, 0);
    expect(loss + penalty).toBeCloseTo(slow.value.dataSync()[0], 4);
    expect(gradients).toHaveLength(6);
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
  return { rows, columns: 2, inputs, scaled, shocks: Uint8Array.from(scaled, (y) => (y > 8 ? 1 : 0)) };
}

/** The same loss as a graph, for TF.js to take the gradient of. */
function slowGraph(layers: readonly Layer[], { inputs, scaled, shocks }: Batch, decay: number): tf.Scalar {
  const rows = scaled.length / PATHS_PER_MARKET;
  let signal: tf.Tensor = tf.tensor2d(inputs, [rows, inputs.length / rows]);
  for (const [i, { kernel, bias }] of layers.entries()) {
    signal = tf.add(tf.matMul(signal as tf.Tensor2D, kernel), bias);
    if (i < layers.length - 1) signal = tf.relu(signal);
  }
  const outputs = tf.split(tf.reshape(signal, [-1, OUTPUTS_PER_PATH]), OUTPUTS_PER_PATH, 1);
  const outcome = tf.tensor2d(scaled, [scaled.length, 1]);
  const terms: tf.Tensor[] = [];
  let quantile: tf.Tensor = tf.exp(tf.clipByValue(outputs[0], -LOG_QUANTILE_BOUND, LOG_QUANTILE_BOUND));
  for (const [c, confidence] of CONFIDENCES.entries()) {
    if (c > 0) quantile = tf.mul(quantile, tf.add(1, tf.softplus(outputs[c])));
    const shortfall = tf.mul(quantile, tf.add(1, tf.softplus(outputs[SHORTFALL_OUTPUT + c])));
    const above = tf.relu(tf.sub(outcome, quantile));
    const below = tf.relu(tf.sub(quantile, outcome));
    const pinballs = tf.add(tf.mul(above, confidence), tf.mul(below, 1 - confidence));
    const excess = tf.div(above, tf.mul(shortfall, 1 - confidence));
    const fz0s = tf.add(tf.add(excess, tf.div(quantile, shortfall)), tf.log(shortfall));
    terms.push(tf.mul(tf.mean(pinballs), PINBALL_WEIGHTS[c]), tf.mul(tf.mean(fz0s), FZ0_WEIGHTS[c]));
  }
  const logit = outputs[SHOCK_OUTPUT];
  const shock = tf.tensor2d(Float32Array.from(shocks), [shocks.length, 1]);
  terms.push(tf.mul(tf.mean(tf.sub(tf.softplus(logit), tf.mul(logit, shock))), SHOCK_WEIGHT));
  for (const { kernel } of layers) terms.push(tf.mul(tf.sum(tf.square(kernel)), decay));
  return tf.addN(terms) as tf.Scalar;
}
