import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';

/**
 * Starts a thread of this program. All of them are started here.
 *
 * Machine code of WebAssembly is kept from then on, in the whole process. V8 13.6, which Node 24 has, shares the code that
 * calls from WebAssembly into JavaScript between all threads. A thread that looks it up while another frees it frees it a
 * second time, and a failed check ends the process with SIGTRAP, or a pointer to nothing with SIGSEGV. TensorFlow.js,
 * `fetch` and the types that Node strips from sources are WebAssembly. What is kept is little: code of a module goes with
 * its module, and code between the languages is some hundred bytes for each signature.
 */
export function startThread(entry: URL, workerData: unknown): Worker {
  setFlagsFromString('--no-wasm-code-gc');
  return new Worker(entry, { workerData });
}

/**
 * Resolves once a thread that was asked to end is gone. One that hangs is ended from outside at the deadline; not before,
 * for in the midst of a call of DuckDB that would take the process with it.
 */
export function endOfThread(worker: Worker, deadlineMilliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => void worker.terminate(), deadlineMilliseconds);
    worker.once('exit', () => {
      clearTimeout(deadline);
      resolve();
    });
  });
}
