import { deserialize, serialize } from 'node:v8';
import { featureSpecHash } from '../../src/features/spec.ts';
import type { Policy } from '../../src/limits/policy.ts';
import type { MarketHistory } from '../../src/risk/bars.ts';
import { type KeyPart, runKey } from '../checkpoints.ts';
import type { PieceStore } from '../kept-fits.ts';
import { withFloors } from './floor-tape.ts';
import { makeTape, type TapeOptions } from './make-tape.ts';
import type { Tape } from './tape.ts';

/** Another number than before wherever the same options would give another tape. */
const TAPE_VERSION = 2;
const PIECE = 'tape';

/** Names everything that a tape depends on: equal exactly when it would be made the same. */
export function tapeKey(
  markets: readonly MarketHistory[],
  fingerprint: string,
  { from, until, refitDays, everyHours, model }: Omit<TapeOptions, 'pieces' | 'onPhase'>,
): string {
  return runKey({
    tape: TAPE_VERSION,
    features: featureSpecHash(),
    fingerprint,
    markets: markets.map(({ symbol }) => symbol),
    from,
    until,
    refitDays,
    everyHours,
    model: { seeds: model.seeds, fit: { ...model.fit } } as KeyPart,
  });
}

/**
 * The tape of an earlier backtest of the same key, or a new one, which is kept. Fits that were finished before a kill are used again. The floors
 * of policies are put beside it: the tape itself is that of all policies.
 */
export async function keptTape(
  markets: readonly MarketHistory[],
  policies: readonly Policy[],
  options: TapeOptions & { readonly pieces: PieceStore },
): Promise<Tape> {
  const kept = options.pieces.get(PIECE);
  const tape = kept === null ? await makeTape(markets, options) : (deserialize(kept) as Tape);
  if (kept === null) options.pieces.put(PIECE, serialize(tape));
  return withFloors(tape, markets, policies, options);
}
