import { parentPort, workerData } from 'node:worker_threads';
import { fitNetwork } from './fit.ts';
import type { FitTask, FitWorkerMessage } from './members.ts';

/** The thread that fits one network and ends: with its own WebAssembly, so that the bits are those of a fit alone. */
const { train, validation, options } = workerData as FitTask;
const tell = (message: FitWorkerMessage): void => parentPort?.postMessage(message);
const result = await fitNetwork(train, validation, {
  ...options,
  onProgress: (progress) => tell({ kind: 'progress', progress }),
  // Whoever started the thread ends it from outside.
  interrupted: new AbortController().signal,
});
tell({ kind: 'fitted', result });
