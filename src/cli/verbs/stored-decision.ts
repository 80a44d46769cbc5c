import type { ServiceStore } from '../../control/ports.ts';
import { PlimsollError } from '../../errors.ts';
import { type DecisionInputs, decodeInputs } from '../../limits/decision-inputs.ts';
import type { LimitBook } from '../../limits/types.ts';

/** @throws PlimsollError NOTHING_PUBLISHED where nothing was decided yet. */
export async function latestBook(store: ServiceStore): Promise<LimitBook> {
  const book = await store.latestBook();
  if (book !== null) return book;
  throw new PlimsollError('NOTHING_PUBLISHED', 'no limits have been decided yet', {
    remedy: 'Start the service: plimsoll serve.',
  });
}

/** Of the newest decision about all markets: those of the guard between bars are about a few. */
export async function inputsOf(store: ServiceStore, { version: latest }: LimitBook): Promise<DecisionInputs> {
  for (let version = latest; version > 0; version--) {
    const encoded = await store.inputs(version);
    if (encoded === null) break;
    const inputs = decodeInputs(encoded);
    if (inputs.context.keepsOthers !== true) return inputs;
  }
  throw new PlimsollError('NOT_FOUND', 'the inputs of the last decision are not stored', {
    remedy: 'Let the service of this version decide once.',
  });
}
