import { parentPort, workerData } from 'node:worker_threads';
import type { AccountRequest } from './worker-messages.ts';

/** A thread that is gone as soon as it is asked something: with its answer, so that both arrive together, or without. */
const { code, answers } = workerData as { readonly code: number; readonly answers: boolean };
parentPort?.on('message', ({ id }: AccountRequest) => {
  if (answers) parentPort?.postMessage({ id, answer: null });
  process.exit(code);
});
