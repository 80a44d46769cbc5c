import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise } from 'yauzl';
import { PlimsollError } from '../../src/errors.ts';

const LARGEST_ENTRY_BYTES = 4 * 1024 ** 3;
const MOST_ENTRIES = 1000;

export interface ExtractedFile {
  /** Name inside the archive, without folders. */
  readonly name: string;
  readonly path: string;
}

/**
 * Writes the CSV files of a zip archive to a folder, one after the other. Sizes are bounded, and names inside the
 * archive decide nothing about where a file is written.
 *
 * @throws PlimsollError FILE_UNREADABLE for a damaged archive or one beyond the bounds.
 */
export async function extractCsvFiles(
  path: string,
  shownName: string,
  directory: string,
): Promise<ExtractedFile[]> {
  try {
    const archive = await openPromise(path, { lazyEntries: true });
    if (archive.entryCount > MOST_ENTRIES)
      throw new Error(`it holds ${archive.entryCount} files; ${MOST_ENTRIES} are read at most`);
    const files: ExtractedFile[] = [];
    for await (const entry of archive.eachEntry()) {
      const name = entryName(entry);
      if (!name.toLowerCase().endsWith('.csv')) continue;
      if (entry.uncompressedSize > LARGEST_ENTRY_BYTES)
        throw new Error(`${name} is larger than ${LARGEST_ENTRY_BYTES} bytes`);
      const target = join(directory, `${process.pid}-${files.length}.csv`);
      await pipeline(await archive.openReadStreamPromise(entry), createWriteStream(target));
      files.push({ name, path: target });
    }
    return files;
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

function entryName(entry: Entry): string {
  return entry.fileName.split('/').at(-1) ?? entry.fileName;
}
