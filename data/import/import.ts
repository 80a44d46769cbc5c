import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../../src/clock.ts';
import { asPlimsollError, PlimsollError } from '../../src/errors.ts';
import type { BarStore } from '../bar-store.ts';
import { acquireLock } from '../lock.ts';
import { type SeriesOverrides, seriesId, seriesOfFile } from '../series.ts';
import { damagedGzip, detectTextLayout, requireWholeGzip } from './layout.ts';
import {
  type RefusedRow,
  type RowReason,
  type StagedFile,
  stageParquet,
  stageText,
  wrongInterval,
} from './stage.ts';
import { extractCsvFiles } from './zip.ts';

export interface ImportOptions {
  readonly overrides: SeriesOverrides;
  /** Rows that differ from stored ones take their place. */
  readonly replace: boolean;
  readonly clock: Clock;
  /** Is told how far the import is, in bytes of the files. */
  readonly onProgress: (doneBytes: number, totalBytes: number, file: string) => void;
  readonly interrupted: AbortSignal;
}

/** What became of one file. */
export interface FileReport {
  readonly file: string;
  readonly series: string | null;
  readonly rows: number;
  readonly added: number;
  readonly unchanged: number;
  readonly replaced: number;
  readonly refused: number;
  readonly refusedByReason: Readonly<Partial<Record<RowReason, number>>>;
  /** The first refused rows. */
  readonly refusedRows: readonly RefusedRow[];
  /** Why the whole file was refused; null where it was read. */
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly remedy: string | undefined;
  } | null;
}

export interface ImportReport {
  readonly files: readonly FileReport[];
  /** Files that are plainly no data: read-me's, licences. */
  readonly skipped: readonly string[];
  readonly rows: number;
  readonly added: number;
  readonly unchanged: number;
  readonly replaced: number;
  readonly refusedRows: number;
  readonly refusedFiles: number;
}

const DATA_FILE = /\.(csv|csv\.gz|zip|parquet|jsonl|jsonl\.gz|ndjson|ndjson\.gz|tsv|txt\.gz|gz)$/i;

/**
 * Imports files and folders into the bar store, one file after the other. Each file is taken on its own: a bad row is
 * refused by line and reason and the good ones are kept, a bad file leaves the others as they are, and an interrupt
 * leaves whole files behind it.
 *
 * @throws PlimsollError NOT_FOUND for a path that does not exist, LOCKED while another import runs.
 */
export async function importPaths(
  store: BarStore,
  dataDir: string,
  paths: readonly string[],
  options: ImportOptions,
): Promise<ImportReport> {
  const { files, skipped } = await collectFiles(paths);
  const lock = acquireLock(join(dataDir, 'import.lock'), 'an import');
  try {
    await store.files.removeLeftovers();
    const reports: FileReport[] = [];
    const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
    let doneBytes = 0;
    for (const file of files) {
      if (options.interrupted.aborted) break;
      options.onProgress(doneBytes, totalBytes, basename(file.path));
      reports.push(...(await importFile(store, dataDir, file.path, options)));
      doneBytes += file.bytes;
    }
    options.onProgress(doneBytes, totalBytes, '');
    return summarise(reports, skipped);
  } finally {
    lock.release();
  }
}

interface FoundFile {
  readonly path: string;
  readonly bytes: number;
}

async function collectFiles(paths: readonly string[]): Promise<{ files: FoundFile[]; skipped: string[] }> {
  const files: FoundFile[] = [];
  const skipped: string[] = [];
  const visit = async (path: string, isNamed: boolean): Promise<void> => {
    const found = await stat(path).catch(() => null);
    if (found === null) {
      throw new PlimsollError('NOT_FOUND', `there is no file or folder ${path}`, {
        remedy: 'Check the path.',
      });
    }
    if (found.isDirectory()) {
      for (const name of (await readdir(path)).sort())
        if (!name.startsWith('.')) await visit(join(path, name), false);
    } else if (isNamed || DATA_FILE.test(path)) files.push({ path, bytes: found.size });
    else skipped.push(path);
  };
  for (const path of paths) await visit(path, true);
  return { files, skipped };
}

async function importFile(
  store: BarStore,
  dataDir: string,
  path: string,
  options: ImportOptions,
): Promise<readonly FileReport[]> {
  const name = basename(path);
  if (!name.toLowerCase().endsWith('.zip')) return [await importOne(store, path, name, options)];
  await mkdir(join(dataDir, 'tmp'), { recursive: true });
  const directory = await mkdtemp(join(dataDir, 'tmp', 'zip-'));
  try {
    const inside = await extractCsvFiles(path, name, directory);
    if (inside.length === 0)
      throw new PlimsollError('LAYOUT_UNKNOWN', `${name} holds no CSV file`, {
        remedy: 'Check the archive.',
      });
    const reports: FileReport[] = [];
    for (const file of inside) reports.push(await importOne(store, file.path, file.name, options));
    return reports;
  } catch (thrown) {
    return [refusedFile(name, thrown)];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function importOne(
  store: BarStore,
  path: string,
  name: string,
  options: ImportOptions,
): Promise<FileReport> {
  try {
    const isParquet = /\.parquet$/i.test(name);
    const layout = isParquet ? null : await detectTextLayout(path, name);
    const isFunding = layout === null ? /-funding/.test(name) : layout.name === 'funding';
    const key = seriesOfFile(name, options.overrides, isFunding);
    const now = options.clock.now();
    if (layout !== null) await requireWholeGzip(path, name);
    const staged =
      layout === null
        ? await stageParquet(store.connection, path, isFunding, key.intervalMilliseconds, now)
        : await stageText(store.connection, path, layout, key.intervalMilliseconds, now);
    if (staged.rows === 0)
      throw new PlimsollError('DATA_INSUFFICIENT', `${name} has no rows`, {
        remedy: 'Fetch the file again.',
      });
    const mismatch = isFunding ? null : wrongInterval(staged, key.intervalMilliseconds);
    if (mismatch !== null) {
      throw new PlimsollError('DATA_INVALID', `${name} has the wrong interval: ${mismatch}`, {
        remedy: 'Rename the file, or give the true interval by --interval.',
      });
    }
    const merged = await store.merge(key, { replace: options.replace, simulated: false, source: name });
    return reportOf(name, seriesId(key), staged, merged);
  } catch (thrown) {
    return refusedFile(name, readableFailure(name, thrown));
  }
}

function reportOf(
  file: string,
  series: string,
  staged: StagedFile,
  merged: Awaited<ReturnType<BarStore['merge']>>,
): FileReport {
  const conflicts = merged.conflicts === 0 ? {} : { CONFLICT: merged.conflicts };
  const refusedByReason = { ...staged.refusedByReason, ...conflicts };
  return {
    file,
    series,
    rows: staged.rows,
    added: merged.added,
    unchanged: merged.unchanged,
    replaced: merged.replaced,
    refused: Object.values(refusedByReason).reduce((sum, count) => sum + count, 0),
    refusedByReason,
    refusedRows: [
      ...staged.refused,
      ...merged.conflictLines.map((line) => ({ line, reason: 'CONFLICT' as const })),
    ],
    error: null,
  };
}

/** The reader's own words for a damaged file are about its engine; ours are about the file. */
function readableFailure(name: string, thrown: unknown): unknown {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof PlimsollError) return thrown;
  if (/gzip|decompress|miniz|inflate|deflate|unexpected end/i.test(message))
    return damagedGzip(name, message.split('\n')[0]);
  if (/parquet/i.test(message)) {
    return new PlimsollError(
      'FILE_UNREADABLE',
      `${name} is not a Parquet file with the uniform columns: ${message.split('\n')[0]}`,
      {
        remedy: 'Write the columns open_time, open, high, low, close, volume, quote_volume.',
        cause: thrown,
      },
    );
  }
  if (/CSV|line size|Binder|Invalid Input/i.test(message)) {
    return new PlimsollError('FILE_UNREADABLE', `${name} could not be read: ${message.split('\n')[0]}`, {
      remedy: 'Check that it is a text file with one row a line.',
      cause: thrown,
    });
  }
  return thrown;
}

function refusedFile(file: string, thrown: unknown): FileReport {
  const { code, message, remedy } = asPlimsollError(thrown);
  return {
    file,
    series: null,
    rows: 0,
    added: 0,
    unchanged: 0,
    replaced: 0,
    refused: 0,
    refusedByReason: {},
    refusedRows: [],
    error: { code, message, remedy },
  };
}

function summarise(files: readonly FileReport[], skipped: readonly string[]): ImportReport {
  const sum = (of: (file: FileReport) => number): number =>
    files.reduce((total, file) => total + of(file), 0);
  return {
    files,
    skipped,
    rows: sum((file) => file.rows),
    added: sum((file) => file.added),
    unchanged: sum((file) => file.unchanged),
    replaced: sum((file) => file.replaced),
    refusedRows: sum((file) => file.refused),
    refusedFiles: files.filter((file) => file.error !== null).length,
  };
}
