import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { addLevels } from './network-output.ts';
import type { NetworkWeights } from './shock-model.ts';

/**
 * The one place of the service that runs TF.js. It scores; what the numbers mean is said in `network-output.ts`.
 */
export type Backend = 'tensorflow' | 'wasm' | 'cpu';

let ready: Promise<Backend> | undefined;

/**
 * Chooses the fastest backend that is there: tfjs-node where the user has installed it, else WebAssembly, else plain
 * JavaScript. Decided once for the process.
 */
export function readyBackend(): Promise<Backend> {
  ready ??= chooseBackend();
  return ready;
}

async function chooseBackend(): Promise<Backend> {
  const require = createRequire(import.meta.url);
  try {
    restoreForTfjsNode();
    require('@tensorflow/tfjs-node');
    if (await tf.setBackend('tensorflow')) return 'tensorflow';
  } catch {
    // Not installed, or not for this Node: the accelerator is optional.
  }
  setWasmPaths(`${join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), '/')}`);
  if (await tf.setBackend('wasm').catch(() => false)) return 'wasm';
  await tf.setBackend('cpu');
  return 'cpu';
}

/** tfjs-node 4.22 calls a function that Node 23 removed (tensorflow/tfjs issue 8609); a later one will not need it. */
function restoreForTfjsNode(): void {
  const old = util as { isNullOrUndefined?: (value: unknown) => boolean };
  old.isNullOrUndefined ??= (value) => value === null || value === undefined;
}

/** A dense layer on the backend: inputs × outputs. */
export interface LayerTensors {
  readonly kernel: tf.Tensor2D;
  readonly bias: tf.Tensor1D;
}

/**
 * What goes into each dense layer, and last what comes out: ReLU between the layers, none after the last.
 *
 * @returns one more than there are layers; the first is `inputs`.
 */
export function signalsThrough(layers: readonly LayerTensors[], inputs: tf.Tensor2D): tf.Tensor2D[] {
  const signals = [inputs];
  for (const [i, { kernel, bias }] of layers.entries()) {
    const sum = tf.add(tf.matMul(signals[i], kernel), bias) as tf.Tensor2D;
    signals.push(i === layers.length - 1 ? sum : tf.relu(sum));
  }
  return signals;
}

/**
 * The numbers of a tensor; it and all made on the way are let go. They leave tidy by a side door: it looks for tensors
 * in what it returns, number by number, which takes longer than the network.
 */
export function readWithin(compute: () => tf.Tensor): Float32Array {
  let numbers = new Float32Array(0);
  tf.tidy(() => {
    numbers = compute().dataSync() as Float32Array<ArrayBuffer>;
  });
  return numbers;
}

/** A network with its weights on the backend, ready to score batches. */
export class LoadedNetwork {
  readonly #layers: readonly LayerTensors[];
  readonly #levelSlopes: Float32Array;

  private constructor(weights: NetworkWeights) {
    this.#levelSlopes = weights.levelSlopes;
    this.#layers = weights.layers.map(({ inputs, outputs, kernel, bias }) => ({
      kernel: tf.tensor2d(kernel, [inputs, outputs]),
      bias: tf.tensor1d(bias),
    }));
  }

  static async load(weights: NetworkWeights): Promise<LoadedNetwork> {
    await readyBackend();
    return new LoadedNetwork(weights);
  }

  /**
   * @param inputs row-major float32, as many columns as the first layer has inputs. @param levels as `networkLevels` makes them.
   * @returns row-major float32, one row of outputs per row.
   */
  score(inputs: Float32Array, levels: Float32Array, rows: number): Float32Array {
    const raw = readWithin(() => {
      const columns = this.#layers[0].kernel.shape[0];
      const signals = signalsThrough(this.#layers, tf.tensor2d(inputs, [rows, columns]));
      return signals[signals.length - 1];
    });
    addLevels(raw, levels, this.#levelSlopes);
    return raw;
  }

  dispose(): void {
    for (const { kernel, bias } of this.#layers) tf.dispose([kernel, bias]);
  }
}
