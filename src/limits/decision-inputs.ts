import { createHash } from 'node:crypto';
import { PlimsollError } from '../errors.ts';
import { canonicalJson } from './chain.ts';
import type { DecisionContext } from './decide.ts';
import type { MarketInput } from './market-input.ts';
import { decodeValue, encodeValues } from './value-codec.ts';

/** Everything that a book was decided from, beside the book before it. */
export interface DecisionInputs {
  readonly markets: readonly MarketInput[];
  readonly context: Omit<DecisionContext, 'inputsHash'>;
  /** Version of the program that decided. */
  readonly program: string;
}

/** The inputs of one decision as bytes: in parts, so that what did not change since another decision is kept once. */
export interface EncodedInputs {
  /** SHA-256 of the index: the `inputsHash` of the book. */
  readonly hash: string;
  /** Canonical JSON: the SHA-256 of each part by its name. */
  readonly index: string;
  readonly parts: readonly InputPart[];
}

export interface InputPart {
  /** SHA-256 of the bytes, hex. */
  readonly hash: string;
  readonly bytes: Uint8Array;
}

const FORMAT = 1;

/** Fields of a market's input that hold arrays: a part each, all markets together. */
const COLUMNS = ['shockModel', 'historical', 'filtered', 'tail', 'antiProcyclical', 'stress'] as const;
type Column = (typeof COLUMNS)[number];

export function encodeInputs({ markets, context, program }: DecisionInputs): EncodedInputs {
  const { policy, ...rest } = context;
  const facts = markets.map(
    ({ shockModel, historical, filtered, tail, antiProcyclical, stress, ...fact }) => fact,
  );
  const values: Readonly<Record<string, unknown>> = {
    ...Object.fromEntries(COLUMNS.map((column) => [column, markets.map((market) => market[column])])),
    facts,
    policy,
    context: { ...rest, program },
  };
  const parts = new Map<string, InputPart>();
  const hashes: Record<string, string> = {};
  const encoded = encodeValues(Object.values(values));
  for (const [i, name] of Object.keys(values).entries()) {
    const bytes = encoded[i];
    const hash = sha256(bytes);
    hashes[name] = hash;
    parts.set(hash, { hash, bytes });
  }
  const index = canonicalJson({ format: FORMAT, parts: hashes });
  return { hash: sha256(index), index, parts: [...parts.values()] };
}

/** @throws PlimsollError CHAIN_BROKEN where a part is not what was decided from, STORE_DAMAGED where it cannot be read. */
export function decodeInputs({ index, parts }: EncodedInputs): DecisionInputs {
  const bytesOf = new Map(parts.map(({ hash, bytes }) => [hash, bytes]));
  const values: Record<string, unknown> = {};
  for (const [name, hash] of Object.entries(partHashes(index))) {
    const bytes = bytesOf.get(hash);
    if (bytes === undefined || !isPart(hash, bytes))
      throw new PlimsollError('CHAIN_BROKEN', `the stored ${name} inputs are not what was decided from`, {
        remedy: 'Run plimsoll audit verify to see what else was changed; restore the last good backup.',
      });
    values[name] = decodeValue(bytes);
  }
  const { facts, policy, context } = values;
  const { program, ...rest } = context as { program: string } & DecisionInputs['context'];
  const columns = COLUMNS.map((column) => [column, values[column] as MarketInput[Column][]] as const);
  const markets = (facts as Omit<MarketInput, Column>[]).map((fact, m) => ({
    ...fact,
    ...Object.fromEntries(columns.map(([column, all]) => [column, all[m]])),
  })) as MarketInput[];
  return { markets, context: { ...rest, policy: policy as DecisionContext['policy'] }, program };
}

/** The hash of each part by its name. */
export function partHashes(index: string): Readonly<Record<string, string>> {
  const { format, parts } = JSON.parse(index) as { format: number; parts: Record<string, string> };
  if (format === FORMAT) return parts;
  throw new PlimsollError(
    'STORE_DAMAGED',
    `the inputs have format ${format}, this Plimsoll reads ${FORMAT}`,
    {
      remedy: 'Replay the decision with the version of Plimsoll that made it.',
    },
  );
}

/** The inputs of an index again, each part once. */
export function gatherInputs(index: string, partOf: (hash: string) => Uint8Array): EncodedInputs {
  const hashes = [...new Set(Object.values(partHashes(index)))];
  return { hash: sha256(index), index, parts: hashes.map((hash) => ({ hash, bytes: partOf(hash) })) };
}

/** SHA-256 of an index: the `inputsHash` of the books that it is of. */
export function textHash(index: string): string {
  return sha256(index);
}

export function isPart(hash: string, bytes: Uint8Array): boolean {
  return sha256(bytes) === hash;
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
