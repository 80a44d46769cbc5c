import { readFile } from 'node:fs/promises';
import { readPublicKeyFile, readPublicKeys } from '../../../data/checkpoint-key.ts';
import { isoTime } from '../../clock.ts';
import { loadConfig } from '../../config.ts';
import { type ServiceStore, verificationFaults } from '../../control/ports.ts';
import { type Difference, type Replay, replay as replayBook } from '../../control/replay.ts';
import { PlimsollError } from '../../errors.ts';
import {
  type Checkpoint,
  type PublicKeys,
  parseCheckpoint,
  signatureFault,
} from '../../limits/checkpoint.ts';
import type { LimitBook } from '../../limits/types.ts';
import { PROGRAM_VERSION } from '../../program.ts';
import type { CliContext, CommonOptions } from '../command.ts';
import { withStateStore } from './state.ts';

interface VerifyOptions extends CommonOptions {
  readonly checkpoint?: string;
  readonly publicKey?: string;
}

/** @throws PlimsollError CHAIN_BROKEN that names the first of each kind that does not hold. */
export async function verify(
  context: CliContext,
  { json, checkpoint: checkpointFile, publicKey, ...flags }: VerifyOptions,
): Promise<void> {
  const kept = checkpointFile === undefined ? null : await readCheckpoint(checkpointFile);
  const keys =
    publicKey === undefined ? await readPublicKeys(dataDirOf(flags)) : await readPublicKeyFile(publicKey);
  const { found, keptFault } = await withStateStore(flags, async (store) => ({
    found: await store.verify(keys),
    keptFault: kept === null ? null : await faultOfKept(store, kept, keys),
  }));
  const { books, replayable, auditEntries, checkpoints } = found;
  if (json === true) {
    const { number, at } = kept ?? {};
    context.printJson(kept === null ? found : { ...found, kept: { number, at, fault: keptFault } });
  } else {
    context.print(
      `${books} books (${replayable} with their inputs), ${auditEntries} audit entries and ${checkpoints} checkpoints were recomputed`,
    );
  }
  const faults = [
    ...verificationFaults(found),
    ...(keptFault === null ? [] : [`the checkpoint in ${checkpointFile}: ${keptFault}`]),
  ];
  if (faults.length > 0) {
    throw new PlimsollError('CHAIN_BROKEN', `the chain does not hold: ${faults.join('; ')}`, {
      remedy: 'Keep the data folder as it is for whoever looks into it, and restore the state from a backup.',
    });
  }
  if (json === true) return;
  context.print('both chains hold');
  if (kept !== null) context.print(`and go through checkpoint ${kept.number} of ${kept.at}`);
}

async function readCheckpoint(path: string): Promise<Checkpoint> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new PlimsollError('NOT_FOUND', `there is no checkpoint at ${path}`, {
      remedy: 'Give a file with what plimsoll audit checkpoint printed.',
      cause,
    });
  });
  return parseCheckpoint(text, path);
}

/** Beyond a good signature by a key that is believed, the chains must go through what it saw. */
async function faultOfKept(store: ServiceStore, kept: Checkpoint, keys: PublicKeys): Promise<string | null> {
  return signatureFault(kept, keys) ?? (await store.checkpointFault(kept));
}

export async function replay(
  context: CliContext,
  id: string,
  { json, ...flags }: CommonOptions,
): Promise<void> {
  const { stored, result } = await withStateStore(flags, async (store) => {
    const book = await namedBook(store, id);
    return { stored: book, result: await replayed(store, book) };
  });
  const { program, book, difference } = result;
  if (json === true) {
    const facts = { version: stored.version, hash: stored.hash, recomputedHash: book.hash };
    context.printJson({ ...facts, identical: difference === null, difference, program });
  }
  if (difference !== null) throw differs(stored, difference, program);
  if (json === true) return;
  context.print(
    `book ${stored.version}, decided ${isoTime(stored.decidedAt)} by Plimsoll ${program}: its stored inputs give the same book, to the bit`,
  );
  context.print(stored.hash);
}

async function namedBook(store: ServiceStore, id: string): Promise<LimitBook> {
  const [, entryDigits, bookDigits] = /^(?:entry-(\d{1,15})|(\d{1,15}))$/.exec(id) ?? [];
  if (entryDigits !== undefined) return bookOfEntry(store, Number(entryDigits));
  const book = bookDigits === undefined ? null : await store.bookByVersion(Number(bookDigits));
  if (book !== null) return book;
  throw new PlimsollError('NOT_FOUND', `there is no decision ${id}`, {
    remedy:
      'Give the version of a book (plimsoll history SYMBOL), or entry-N for a decision in audit entry N.',
  });
}

async function bookOfEntry(store: ServiceStore, sequence: number): Promise<LimitBook> {
  const entry = await store.auditEntry(sequence);
  const version = /^book (\d+)$/.exec(entry?.subject ?? '')?.[1];
  const book = version === undefined ? null : await store.bookByVersion(Number(version));
  if (entry?.kind === 'decision' && book !== null) return book;
  const what = entry === null ? 'there is no' : `a ${entry.kind} and no decision is in`;
  throw new PlimsollError('NOT_FOUND', `${what} audit entry ${sequence}`, {
    remedy: 'Give the version of a book: plimsoll history SYMBOL lists them.',
  });
}

async function replayed(store: ServiceStore, book: LimitBook): Promise<Replay> {
  const inputs = await store.inputs(book.version);
  if (inputs === null) {
    throw new PlimsollError('NOT_FOUND', `what book ${book.version} was decided from is not kept`, {
      remedy:
        'Inputs are kept for PLIMSOLL_INPUTS_KEPT_DAYS; the book itself still holds: plimsoll audit verify.',
    });
  }
  const previous = book.version === 1 ? null : await store.bookByVersion(book.version - 1);
  return replayBook(book, previous, inputs);
}

function differs({ version }: LimitBook, difference: Difference, program: string): PlimsollError {
  const { symbol, field, stored, recomputed } = difference;
  return new PlimsollError(
    'REPLAY_DIFFERS',
    `book ${version} is not what its stored inputs give: ${symbol ?? 'the book'} differs first in ${field}, stored ${stored}, recomputed ${recomputed}`,
    {
      remedy:
        program === PROGRAM_VERSION
          ? 'Keep the data folder as it is for whoever looks into it.'
          : `It was decided by Plimsoll ${program} and replayed by ${PROGRAM_VERSION}: replay it with ${program}.`,
      details: { version, ...difference, program },
    },
  );
}

export async function checkpoint(context: CliContext, { json: _, ...flags }: CommonOptions): Promise<void> {
  const newest = await withStateStore(flags, (store) => store.latestCheckpoint());
  if (newest === null) {
    throw new PlimsollError('NOT_FOUND', 'there is no checkpoint yet', {
      remedy: 'Start the service once; it signs one at its start and with every book.',
    });
  }
  // As JSON also for people: it is there to be kept in a file.
  context.printJson(newest);
}

export async function publicKeys(context: CliContext, { json, ...flags }: CommonOptions): Promise<void> {
  const keys = [...(await readPublicKeys(dataDirOf(flags)))].map(([keyId, key]) => ({
    keyId,
    pem: key.export({ type: 'spki', format: 'pem' }).toString().trimEnd(),
  }));
  if (keys.length === 0) {
    throw new PlimsollError('NOT_FOUND', 'no key has signed here yet', {
      remedy: 'Start the service once; it makes the key.',
    });
  }
  if (json === true) context.printJson({ total: keys.length, keys });
  else for (const { pem } of keys) context.print(pem);
}

function dataDirOf(flags: Omit<CommonOptions, 'json'>): string {
  return loadConfig(flags).values.dataDir;
}
