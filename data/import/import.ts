import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../../src/clock.ts';
import { asPlimsollError, PlimsollError } from '../../src/errors.ts';
import type { BarStore } from '../bar-store.ts';
import { acquireLock } from '../lock.ts';
import { type SeriesOverrides, seriesId } from '../series.ts';
import { ReadAhead } from './read-ahead.ts';
import type { RefusedRow, RowReason, StagedFile } from './stage.ts';
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
  /** Files that are plainly no data: read-me's, licences, links to nothing. */
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
  let ahead: ReadAhead | null = null;
  try {
    await store.removeLeftovers();
    await removeUnpacked(dataDir);
    const reports: FileReport[] = [];
    ahead = await ReadAhead.open(store, options);
    const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
    let doneBytes = 0;
    for (const [i, file] of files.entries()) {
      if (options.interrupted.aborted) break;
      options.onProgress(doneBytes, totalBytes, file.name);
      reports.push(...(await importFile(store, dataDir, ahead, file, files[i + 1], options)));
      doneBytes += file.bytes;
    }
    options.onProgress(doneBytes, totalBytes, '');
    return summarise(reports, skipped);
  } finally {
    await ahead?.close();
    lock.release();
  }
}

interface NamedFile {
  readonly path: string;
  readonly name: string;
}

interface FoundFile extends NamedFile {
  readonly bytes: number;
}

async function collectFiles(paths: readonly string[]): Promise<{ files: FoundFile[]; skipped: string[] }> {
  const files: FoundFile[] = [];
  const skipped: string[] = [];
  const seen = new Set<string>();
  const visit = async (path: string, isNamed: boolean): Promise<void> => {
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory()) {
      // A link back to a folder above would be walked for ever.
      const identity = `${found.dev}:${found.ino}`;
      if (seen.has(identity)) return;
      seen.add(identity);
      for (const name of (await readdir(path)).sort())
        if (!name.startsWith('.')) await visit(join(path, name), false);
    } else if (found?.isFile() && (isNamed || DATA_FILE.test(path)))
      files.push({ path, name: basename(path), bytes: found.size });
    else if (!isNamed) skipped.push(path);
    else {
      throw new PlimsollError('NOT_FOUND', `there is no file or folder ${path}`, {
        remedy: 'Check the path.',
      });
    }
  };
  for (const path of paths) await visit(path, true);
  return { files, skipped };
}

const UNPACKED = 'zip-';

/** What imports that were killed had unpacked; called with the lock held, so no living one unpacks. */
async function removeUnpacked(dataDir: string): Promise<void> {
  const temporary = join(dataDir, 'tmp');
  const names = await readdir(temporary).catch(() => []);
  for (const name of names)
    if (name.startsWith(UNPACKED)) await rm(join(temporary, name), { recursive: true, force: true });
}

async function importFile(
  store: BarStore,
  dataDir: string,
  ahead: ReadAhead,
  file: NamedFile,
  next: NamedFile | undefined,
  options: ImportOptions,
): Promise<readonly FileReport[]> {
  const { path, name } = file;
  if (!isArchive(file)) {
    const nextAlone = next === undefined || isArchive(next) ? undefined : next;
    return [await importOne(store, ahead, file, nextAlone, options)];
  }
  await mkdir(join(dataDir, 'tmp'), { recursive: true });
  const directory = await mkdtemp(join(dataDir, 'tmp', UNPACKED));
  try {
    const inside = await extractCsvFiles(path, name, directory);
    if (inside.length === 0)
      throw new PlimsollError('LAYOUT_UNKNOWN', `${name} holds no CSV file`, {
        remedy: 'Check the archive.',
      });
    const reports: FileReport[] = [];
    for (const [i, entry] of inside.entries()) {
      if (options.interrupted.aborted) break;
      reports.push(await importOne(store, ahead, entry, inside[i + 1], options));
    }
    return reports;
  } catch (thrown) {
    return [refusedFile(name, thrown)];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function isArchive({ name }: NamedFile): boolean {
  return name.toLowerCase().endsWith('.zip');
}

/** Merges what is staged of a file while the file after it is being staged. */
async function importOne(
  store: BarStore,
  ahead: ReadAhead,
  { path, name }: NamedFile,
  next: NamedFile | undefined,
  options: ImportOptions,
): Promise<FileReport> {
  try {
    const { connection, key, staged } = await ahead.take(path, name);
    if (next !== undefined) ahead.begin(next.path, next.name);
    const { isSorted } = staged;
    const from = { replace: options.replace, simulated: false, source: name, isSorted };
    const merged = await store.asOnlyWriter(() => store.merge(key, from, connection));
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

/** A file that the system does not give us is the reader's to mend, not a defect. */
function readableFailure(name: string, thrown: unknown): unknown {
  const { code, syscall } = (thrown ?? {}) as NodeJS.ErrnoException;
  if (thrown instanceof PlimsollError || syscall === undefined) return thrown;
  const isOurs = code === 'ENOSPC' || code === 'EROFS' || code === 'EDQUOT';
  return isOurs
    ? new PlimsollError('IO_FAILED', `${name} could not be stored: ${code}`, {
        remedy: 'Make room in the data folder, or check that it can be written.',
        cause: thrown,
      })
    : new PlimsollError('FILE_UNREADABLE', `${name} could not be opened: ${code}`, {
        remedy: 'Check that the file is there and may be read.',
        cause: thrown,
      });
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
