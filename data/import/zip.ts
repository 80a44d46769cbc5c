import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { PlimsollError } from '../../src/errors.ts';

const LARGEST_ENTRY_BYTES = 4 * 1024 ** 3;
const MOST_ENTRIES = 1000;

export interface ExtractedFile {
  /** Name inside the archive, without folders. */
  readonly name: string;
  readonly path: string;
}

/**
 * Writes the CSV files of a zip archive to a folder, one after the other. Sizes are bounded, checksums are held, and
 * names inside the archive decide nothing about where a file is written.
 *
 * @throws PlimsollError FILE_UNREADABLE for a damaged archive or one beyond the bounds.
 */
export async function extractCsvFiles(
  path: string,
  shownName: string,
  directory: string,
): Promise<ExtractedFile[]> {
  try {
    const archive = await openPromise(path, { lazyEntries: true, autoClose: false });
    try {
      return await extract(archive, directory);
    } finally {
      archive.close();
    }
  } catch (cause) {
    throw new PlimsollError(
      'FILE_UNREADABLE',
      `${shownName} is not a whole zip archive: ${(cause as Error).message}`,
      {
        remedy: 'Fetch the file again; nothing of it was taken.',
        cause,
      },
    );
  }
}

async function extract(archive: ZipFile, directory: string): Promise<ExtractedFile[]> {
  if (archive.entryCount > MOST_ENTRIES)
    throw new Error(`it holds ${archive.entryCount} files; ${MOST_ENTRIES} are read at most`);
  const files: ExtractedFile[] = [];
  for await (const entry of archive.eachEntry()) {
    const name = entryName(entry);
    if (!name.toLowerCase().endsWith('.csv')) continue;
    if (entry.uncompressedSize > LARGEST_ENTRY_BYTES)
      throw new Error(`${name} is larger than ${LARGEST_ENTRY_BYTES} bytes`);
    const target = join(directory, `${process.pid}-${files.length}.csv`);
    await pipeline(
      await archive.openReadStreamPromise(entry),
      requireChecksum(entry.crc32, name),
      createWriteStream(target),
    );
    files.push({ name, path: target });
  }
  return files;
}

/** Passes pieces on and fails at the end where they are not what was packed; the archive reader leaves that to us. */
function requireChecksum(expected: number, name: string) {
  return async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let checksum = 0;
    for await (const piece of pieces) {
      checksum = crc32(piece, checksum);
      yield piece;
    }
    if (checksum !== expected) throw new Error(`the checksum of ${name} does not hold`);
  };
}

function entryName(entry: Entry): string {
  return entry.fileName.split('/').at(-1) ?? entry.fileName;
}
