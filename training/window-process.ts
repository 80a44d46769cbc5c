import { setPriority } from 'node:os';
import { BarStore } from '../data/bar-store.ts';
import type { NetworkManifest } from '../models/manifest.ts';
import { systemClock } from '../src/clock.ts';
import { asPlimsollError, type ErrorCode, PlimsollError } from '../src/errors.ts';
import { readyBackend } from '../src/forecast/network.ts';
import type { GatePolicy } from './judge/gate-policy.ts';
import { PieceMaker, type Recipe } from './pieces.ts';
import { type FinishedPieces, trainInDataDir } from './run.ts';
import { loadWindow, windowHash } from './window.ts';

/**
 * The process in which a worker computes: it keeps one window of data in memory and makes pieces of it, one after the other, at a
 * lower priority than whoever answers requests. It knows no database: pieces come and go as messages.
 */
export type WindowRequest =
  | { readonly kind: 'open'; readonly dataDir: string; readonly recipe: Recipe }
  | { readonly kind: 'make'; readonly name: string }
  | { readonly kind: 'assemble'; readonly task: AssembleTask }
  /** The answer to `next`; null after the last one. */
  | { readonly kind: 'piece'; readonly piece: readonly [name: string, bytes: Uint8Array] | null };

export interface AssembleTask {
  readonly dataDir: string;
  readonly shippedModels: string;
  readonly gates: GatePolicy;
  readonly recipe: Recipe;
  /** As `windowHash` has it. */
  readonly window: string;
}

/** What a worker's bars are, and what is to be made of them. */
export interface OpenedWindow {
  readonly window: string;
  readonly symbols: readonly string[];
  /** What computes; another one rounds otherwise. */
  readonly backend: string;
  readonly pieces: readonly string[];
}

export interface AssembledVersion {
  readonly version: string;
  readonly isChallenger: boolean;
  readonly rows: number;
  readonly markets: number;
}

export type WindowAnswer =
  | { readonly kind: 'opened'; readonly opened: OpenedWindow }
  | { readonly kind: 'made'; readonly bytes: Uint8Array }
  | { readonly kind: 'next' }
  | { readonly kind: 'assembled'; readonly assembled: AssembledVersion }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly remedy: string | undefined;
    };

const NICE = 10;
const interrupted = new AbortController();
let maker: PieceMaker | null = null;
let given = awaited();

if (process.send !== undefined) {
  setPriority(NICE);
  process.once('disconnect', () => leave('the worker has ended'));
  process.once('SIGTERM', () => leave('the worker was asked to stop'));
  // The terminal sends an interrupt to the whole group; the worker decides what it means.
  process.on('SIGINT', () => {});
  process.on('message', (request: WindowRequest) => void take(request));
}

/** A piece that the worker is asked for. One that never comes fails whoever waits for it, and nobody else. */
function awaited(): PromiseWithResolvers<readonly [string, Uint8Array] | null> {
  const asked = Promise.withResolvers<readonly [string, Uint8Array] | null>();
  asked.promise.catch(() => {});
  return asked;
}

/** Nothing of a run is written before its end. */
function leave(why: string): void {
  if (interrupted.signal.aborted) return;
  interrupted.abort(new Error(why));
  given.reject(interrupted.signal.reason);
  if (process.connected) process.disconnect?.();
  // A computation that does not look up is not waited for.
  setTimeout(() => process.exit(), LEAVE_MILLISECONDS).unref();
}

const LEAVE_MILLISECONDS = 2_000;

async function take(request: WindowRequest): Promise<void> {
  if (request.kind === 'piece') {
    given.resolve(request.piece);
    return;
  }
  try {
    tell(await answer(request));
  } catch (thrown) {
    const { code, message, remedy } = asPlimsollError(thrown);
    tell({ kind: 'failed', code, message, remedy });
  }
}

async function answer(request: Exclude<WindowRequest, { kind: 'piece' }>): Promise<WindowAnswer> {
  switch (request.kind) {
    case 'open':
      return { kind: 'opened', opened: await open(request.dataDir, request.recipe) };
    case 'make':
      return { kind: 'made', bytes: await make(request.name) };
    case 'assemble':
      return { kind: 'assembled', assembled: await assemble(request.task) };
  }
}

async function open(dataDir: string, recipe: Recipe): Promise<OpenedWindow> {
  maker = null;
  const store = await BarStore.open(dataDir);
  try {
    const markets = await loadWindow(store, recipe);
    maker = new PieceMaker(markets, recipe);
    return {
      window: windowHash(markets),
      symbols: markets.map(({ symbol }) => symbol),
      backend: await readyBackend(),
      pieces: maker.names,
    };
  } finally {
    store.close();
  }
}

async function make(name: string): Promise<Uint8Array> {
  const bytes = (await maker?.make(name, interrupted.signal)) ?? null;
  if (bytes !== null) return bytes;
  throw new PlimsollError('INPUT_INVALID', `${name} is no piece of the window that is open`, {
    remedy: 'Run the same program on all workers.',
  });
}

async function assemble({
  dataDir,
  shippedModels,
  gates,
  recipe,
  window,
}: AssembleTask): Promise<AssembledVersion> {
  // Its memory is needed once more.
  maker = null;
  const { manifest } = await trainInDataDir(
    { dataDir, shippedModels },
    {
      ...{ ...recipe, gates, window },
      evaluate: true,
      clock: systemClock,
      onProgress: () => {},
      interrupted: interrupted.signal,
    },
    'shared out over workers',
    piecesOfParent(),
  );
  return assembled(manifest);
}

function assembled({ version, gates, data }: NetworkManifest): AssembledVersion {
  return { version, isChallenger: gates?.passed ?? false, rows: data.rows, markets: data.markets.length };
}

/** One at a time, so that no more than one is on its way. */
async function* piecesOfParent(): FinishedPieces {
  for (;;) {
    given = awaited();
    tell({ kind: 'next' });
    const piece = await given.promise;
    if (piece === null) return;
    yield piece;
  }
}

function tell(message: WindowAnswer): void {
  if (process.connected) process.send?.(message);
}
