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
  const nameOf = (seed: number): string => `${rows}.seed-${seed}`;
  return {
    get: (seed) => {
      const bytes = pieces.get(nameOf(seed));
      return bytes === null ? null : (deserialize(bytes) as FitResult);
    },
    put: (seed, fit) => pieces.put(nameOf(seed), serialize(fit)),
  };
}
