import { PlimsollError } from '../errors.ts';
import { GENESIS_HASH } from '../limits/chain.ts';
import { decideBook } from '../limits/decide.ts';
import { decodeInputs, type EncodedInputs } from '../limits/decision-inputs.ts';
import type { LimitBook } from '../limits/types.ts';

export interface Replay {
  /** Version of the program that decided. */
  readonly program: string;
  /** The book that the stored inputs give now; its hash is that of the stored one where nothing differs. */
  readonly book: LimitBook;
  /** Null where both are the same to the bit. */
  readonly difference: Difference | null;
}

/** Where two books differ first: markets by their symbols, fields in the order of their names. */
export interface Difference {
  /** Null where it is no field of a market. */
  readonly symbol: string | null;
  /** Such as `brackets.0.maxLeverage`. */
  readonly field: string;
  /** As JSON; `absent` where there is none. */
  readonly stored: string;
  readonly recomputed: string;
}

/**
 * Decides a book again from its stored inputs and the book before it.
 *
 * @param previous the stored book of the version before; null before the first.
 * @throws PlimsollError CHAIN_BROKEN where the inputs or the book before are not those that the book names.
 */
export function replay(stored: LimitBook, previous: LimitBook | null, inputs: EncodedInputs): Replay {
  if (inputs.hash !== stored.inputsHash) throw notOf(stored, 'the stored inputs are');
  if ((previous?.hash ?? GENESIS_HASH) !== stored.previousHash) throw notOf(stored, 'the book before is');
  const { markets, context, program } = decodeInputs(inputs);
  const book = decideBook(markets, previous, { ...context, inputsHash: inputs.hash });
  return { program, book, difference: book.hash === stored.hash ? null : firstDifference(stored, book) };
}

function notOf({ version }: LimitBook, what: string): PlimsollError {
  return new PlimsollError('CHAIN_BROKEN', `${what} not what book ${version} was decided from`, {
    remedy: 'Run plimsoll audit verify to see what else was changed; restore the last good backup.',
  });
}

function firstDifference(stored: LimitBook, recomputed: LimitBook): Difference {
  const { markets: storedMarkets, hash: _stored, ...storedFacts } = stored;
  const { markets, hash: _recomputed, ...facts } = recomputed;
  const bySymbol = (all: LimitBook['markets']) => new Map(all.map((market) => [market.symbol, market]));
  const [before, now] = [bySymbol(storedMarkets), bySymbol(markets)];
  for (const symbol of [...new Set([...before.keys(), ...now.keys()])].sort()) {
    const found = differenceIn(before.get(symbol), now.get(symbol), []);
    if (found !== null) return { symbol, ...found };
  }
  const found = differenceIn(storedFacts, facts, []);
  return { symbol: null, ...(found ?? { field: 'hash', stored: stored.hash, recomputed: recomputed.hash }) };
}

function differenceIn(
  stored: unknown,
  recomputed: unknown,
  path: readonly string[],
): Omit<Difference, 'symbol'> | null {
  if (isObject(stored) && isObject(recomputed)) {
    for (const key of [...new Set([...Object.keys(stored), ...Object.keys(recomputed)])].sort()) {
      const found = differenceIn(stored[key], recomputed[key], [...path, key]);
      if (found !== null) return found;
    }
    return null;
  }
  // As the hash sees them: what JSON writes alike is alike.
  const [before, now] = [asText(stored), asText(recomputed)];
  return before === now ? null : { field: path.join('.'), stored: before, recomputed: now };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function asText(value: unknown): string {
  return JSON.stringify(value) ?? 'absent';
}
