import { readyBackend } from '../src/forecast/network.ts';
import { siblingUrl } from '../src/program.ts';
import { startThread } from '../src/thread.ts';
import { type FitOptions, type FitProgress, type FitResult, type FitRows, fitNetwork } from './fit.ts';
import type { FitKeeper } from './kept-fits.ts';

export type MemberOptions = Omit<FitOptions, 'seed' | 'onProgress' | 'interrupted'>;

export interface FitTask {
  readonly train: FitRows;
  readonly validation: FitRows;
  readonly options: MemberOptions & { readonly seed: number };
}

export type FitWorkerMessage =
  | { readonly kind: 'progress'; readonly progress: FitProgress }
  | { readonly kind: 'fitted'; readonly result: FitResult };

/**
 * Fits one network for each seed, several at a time in threads of their own. A fit draws all its chance from its seed
 * and shares nothing that changes, so the weights are the same to the bit however many run side by side.
 *
 * @param threads about this many at a time. With one, or one seed, or a backend that spreads a single fit over
 *   all cores by itself, they are fitted here, one after another.
 * @param kept what an earlier run had finished is not fitted again.
 * @returns by seed. @throws the reason of `interrupted` when it is aborted; what a fit or `onProgress` throws.
 */
export async function fitMembers(
  train: FitRows,
  validation: FitRows,
  seeds: readonly number[],
  options: MemberOptions,
  threads: number,
  onProgress: (member: number, progress: FitProgress) => void,
  interrupted: AbortSignal,
  kept: FitKeeper | null = null,
): Promise<FitResult[]> {
  const results: FitResult[] = [];
  const lanes = (await readyBackend()) === 'tensorflow' ? 1 : lanesOf(seeds.length, threads);
  if (lanes <= 1) {
    for (const [member, seed] of seeds.entries()) {
      const own = { ...options, seed, interrupted, onProgress: (p: FitProgress) => onProgress(member, p) };
      results.push(await unlessKept(kept, seed, () => fitNetwork(train, validation, own)));
    }
    return results;
  }
  const rows = { train: inSharedMemory(train), validation: inSharedMemory(validation) };
  // The first failure ends the fits that are still running.
  const failed = new AbortController();
  const ended = AbortSignal.any([interrupted, failed.signal]);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < seeds.length && !ended.aborted) {
      const member = next++;
      const task: FitTask = { ...rows, options: { ...options, seed: seeds[member] } };
      results[member] = await unlessKept(kept, seeds[member], () =>
        fitInThread(task, (progress) => onProgress(member, progress), ended),
      );
    }
  };
  const running = Array.from({ length: lanes }, lane).map((one) =>
    one.catch((reason: unknown) => {
      failed.abort(reason);
    }),
  );
  await Promise.all(running);
  ended.throwIfAborted();
  return results;
}

/**
 * How many are fitted at a time: in so many rounds that none of them leaves threads idle for long. Three on two cores are fitted all at
 * once, and each has two thirds of a core; two and then one would leave a core idle for half of the time.
 */
function lanesOf(members: number, threads: number): number {
  if (threads <= 1) return 1;
  const rounds = Math.max(Math.floor(members / threads), 1);
  return Math.ceil(members / rounds);
}

async function unlessKept(
  kept: FitKeeper | null,
  seed: number,
  fitAnew: () => Promise<FitResult>,
): Promise<FitResult> {
  const before = kept?.get(seed) ?? null;
  if (before !== null) return before;
  const result = await fitAnew();
  kept?.put(seed, result);
  return result;
}

async function fitInThread(
  task: FitTask,
  onProgress: (progress: FitProgress) => void,
  ended: AbortSignal,
): Promise<FitResult> {
  ended.throwIfAborted();
  const worker = startThread(siblingUrl(import.meta.url, 'fit-worker'), task);
  const { promise, resolve, reject } = Promise.withResolvers<FitResult>();
  const abandon = (): void => reject(ended.reason);
  ended.addEventListener('abort', abandon);
  worker.on('message', (message: FitWorkerMessage) => {
    try {
      if (message.kind === 'fitted') resolve(message.result);
      else onProgress(message.progress);
    } catch (thrown) {
      reject(thrown);
    }
  });
  worker.once('error', reject);
  worker.once('exit', (code) =>
    reject(new Error(`the thread of a fit ended with ${code} before the fit did`)),
  );
  try {
    return await promise;
  } finally {
    ended.removeEventListener('abort', abandon);
    await worker.terminate();
  }
}

/** A copy that threads look at together instead of each taking its own. */
function inSharedMemory({ rows, columns, inputs, levels, scaled, logVolatility }: FitRows): FitRows {
  return {
    rows,
    columns,
    inputs: sharedFloats(inputs),
    levels: sharedFloats(levels),
    scaled: sharedFloats(scaled),
    logVolatility: sharedFloats(logVolatility),
  };
}

function sharedFloats(values: Float32Array): Float32Array {
  const copy = new Float32Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}
