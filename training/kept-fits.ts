import { deserialize, serialize } from 'node:v8';
import type { FitResult } from './fit.ts';

/** Where finished pieces of a run are kept until it has come to its end; `Checkpoints` is one. */
export interface PieceStore {
  get(name: string): Buffer | null;
  put(name: string, bytes: Uint8Array): void;
}

/** Fits that an earlier run of the same key had finished before it ended. */
export interface FitKeeper {
  get(seed: number): FitResult | null;
  put(seed: number, fit: FitResult): void;
}

/**
 * The fits of one set of rows among the pieces of a run.
 *
 * @param rows names the set: `fold-2`, `final`. The key of the run says all else that a fit depends on.
 */
export function keptFits(pieces: PieceStore, rows: string): FitKeeper {
  return {
    get: (seed) => {
      const bytes = pieces.get(fitName(rows, seed));
      return bytes === null ? null : (deserialize(bytes) as FitResult);
    },
    put: (seed, fit) => pieces.put(fitName(rows, seed), fitBytes(fit)),
  };
}

/** Names one fit of a set of rows among the pieces of a run. */
export function fitName(rows: string, seed: number): string {
  return `${rows}.seed-${seed}`;
}

/** A finished fit as a piece. */
export function fitBytes(fit: FitResult): Buffer {
  return serialize(fit);
}
