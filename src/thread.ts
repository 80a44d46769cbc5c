import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { getEnvironmentData, setEnvironmentData, Worker } from 'node:worker_threads';

/** What a thread and whoever started it share: how much it does that must not be cut off, and that nothing more of it may begin. */
const [UNDER_WAY, IS_OVER] = [0, 1];
const SHARED = 'plimsoll thread';
const POLL_MILLISECONDS = 100;

const own = sharedOf(getEnvironmentData(SHARED));
const started = new WeakMap<Worker, Int32Array>();

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
  const memory = new SharedArrayBuffer(8);
  setEnvironmentData(SHARED, memory);
  const worker = new Worker(entry, { workerData });
  started.set(worker, new Int32Array(memory));
  return worker;
}

/**
 * In a thread: work during which it is not ended from outside. A thread that is ended within a call of DuckDB takes the whole
 * process with it.
 */
export async function uninterrupted<T>(work: () => Promise<T>): Promise<T> {
  if (own === null) return work();
  Atomics.add(own, UNDER_WAY, 1);
  // Either this is seen by whoever ends the thread, or the end is seen here.
  const isOver = Atomics.load(own, IS_OVER) === 1;
  try {
    if (!isOver) return await work();
  } finally {
    Atomics.sub(own, UNDER_WAY, 1);
  }
  return new Promise<never>(() => undefined);
}

/** Whether a thread is at something that is not cut off. */
export function isUninterruptible(worker: Worker): boolean {
  const shared = started.get(worker);
  return shared !== undefined && Atomics.load(shared, UNDER_WAY) > 0;
}

/** Ends a thread as soon as it is at nothing that must not be cut off. What hangs there holds no process up that comes to its end. */
export async function endFromOutside(worker: Worker): Promise<void> {
  const shared = started.get(worker);
  if (shared !== undefined) Atomics.store(shared, IS_OVER, 1);
  worker.unref();
  while (isUninterruptible(worker)) await wait(POLL_MILLISECONDS, undefined, { ref: false });
  await worker.terminate();
}

/**
 * Resolves once a thread that was asked to end is gone. One that hangs is ended from outside at the deadline; one that is at
 * something by then that must not be cut off is waited for no longer.
 */
export function endOfThread(worker: Worker, deadlineMilliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => {
      void endFromOutside(worker);
      if (isUninterruptible(worker)) resolve();
    }, deadlineMilliseconds);
    worker.once('exit', () => {
      clearTimeout(deadline);
      resolve();
    });
  });
}

function sharedOf(memory: unknown): Int32Array | null {
  return memory instanceof SharedArrayBuffer ? new Int32Array(memory) : null;
}
