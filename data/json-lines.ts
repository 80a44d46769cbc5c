import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { waitForLock } from './lock.ts';

/** Writers of one short line follow each other quickly. */
const WRITER_PATIENCE_MILLISECONDS = 10_000;
const NEWLINE = 0x0a;

/**
 * Adds one value as a line to a file of JSON lines: one write to its end, and on the disk when this resolves. What a
 * writer that was killed left of its line is cut off first; whole lines are never touched.
 *
 * @throws PlimsollError LOCKED when other writers hold the file for too long.
 */
export async function appendJsonLine(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const lock = await waitForLock(`${path}.lock`, 'a write to the log', WRITER_PATIENCE_MILLISECONDS);
  try {
    const handle = await open(path, 'a+');
    try {
      await cutTornLine(handle);
      await handle.appendFile(`${JSON.stringify(value)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } finally {
    lock.release();
  }
}

/** The values of a file of JSON lines in their order, and how many lines were none. A file that is not there has none. */
export async function readJsonLines(
  path: string,
): Promise<{ readonly values: readonly unknown[]; readonly damaged: number }> {
  const text = await readFile(path, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return '';
    throw thrown;
  });
  const values: unknown[] = [];
  let damaged = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    try {
      values.push(JSON.parse(line));
    } catch {
      damaged++;
    }
  }
  return { values, damaged };
}

/** A last line that lacks only its end is whole and gets it. */
async function cutTornLine(handle: Awaited<ReturnType<typeof open>>): Promise<void> {
  const content = await handle.readFile();
  if (content.length === 0 || content[content.length - 1] === NEWLINE) return;
  const start = content.lastIndexOf(NEWLINE) + 1;
  if (isJson(content.toString('utf8', start))) await handle.appendFile('\n');
  else await handle.truncate(start);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
