import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { PlimsollError } from '../../src/errors.ts';

/** How the rows of a text file are laid out. Columns are counted from 1. */
export interface TextLayout {
  readonly name: 'uniform' | 'binance' | 'funding';
  /** Told by the first bytes; the file's name may lie. */
  readonly compression: 'gzip' | 'none';
  readonly headerLines: 0 | 1;
  readonly columns: number;
  readonly time: number;
  /** By the stored column: its place in the row. */
  readonly values: Readonly<Record<string, number>>;
}

const UNIFORM_HEADER = 'open_time,open,high,low,close,volume,quote_volume';
const FUNDING_HEADER = 'funding_time,funding_rate';
const BINANCE_COLUMNS = 12;
const BINANCE_VALUES = { open: 2, high: 3, low: 4, close: 5, volume: 6, quote_volume: 8 };

/** Values that may be left empty. */
export const OPTIONAL_VALUES: readonly string[] = ['volume', 'quote_volume'];
/** Stamps from here on are microseconds: as milliseconds it would be the year 5138. */
export const MICROSECOND_STAMPS_FROM = 1e14;

export const FUNDING_VALUES = { funding_rate: 2 };
export const UNIFORM_VALUES = { open: 2, high: 3, low: 4, close: 5, volume: 6, quote_volume: 7 };

/**
 * Recognises the layout of a CSV file by its first line.
 *
 * @throws PlimsollError LAYOUT_UNKNOWN, FILE_UNREADABLE (damaged gzip) or DATA_INSUFFICIENT (empty), each with a remedy.
 */
export async function detectTextLayout(path: string, shownName: string): Promise<TextLayout> {
  const { text, compression } = await beginning(path, shownName);
  const line = text.split('\n', 1)[0].trim();
  if (text.trim() === '') {
    throw new PlimsollError('DATA_INSUFFICIENT', `${shownName} is empty`, {
      remedy: 'Fetch the file again.',
    });
  }
  const header = line.toLowerCase().replaceAll(/[\s"]/g, '');
  const common = { time: 1, compression } as const;
  if (header === UNIFORM_HEADER)
    return { ...common, name: 'uniform', headerLines: 1, columns: 7, values: UNIFORM_VALUES };
  if (header === FUNDING_HEADER)
    return { ...common, name: 'funding', headerLines: 1, columns: 2, values: FUNDING_VALUES };
  const words = header.split(',');
  if (words.length === BINANCE_COLUMNS) {
    const isHeader = words[0] === 'open_time';
    if (isHeader || /^\d+$/.test(words[0])) {
      return {
        ...common,
        name: 'binance',
        headerLines: isHeader ? 1 : 0,
        columns: BINANCE_COLUMNS,
        values: BINANCE_VALUES,
      };
    }
  }
  throw new PlimsollError(
    'LAYOUT_UNKNOWN',
    line === ''
      ? `${shownName} starts with an empty line`
      : `${shownName} starts with a line of no known layout: ${line.slice(0, 80)}`,
    {
      remedy: `Bars need the header ${UNIFORM_HEADER} or Binance's 12 kline columns; funding needs ${FUNDING_HEADER}.`,
    },
  );
}

const GZIP_MAGIC = [0x1f, 0x8b];
const FIRST_LINE_BYTES = 4096;

/** The first bytes of a file as text, the first line whole among them unless it is far too long. */
async function beginning(
  path: string,
  shownName: string,
): Promise<{ text: string; compression: TextLayout['compression'] }> {
  const isGzip = await startsWith(path, GZIP_MAGIC);
  if (!isGzip && path.toLowerCase().endsWith('.gz'))
    throw damagedGzip(shownName, 'it does not start as gzip does');
  const file = createReadStream(path, { end: isGzip ? 65_535 : FIRST_LINE_BYTES });
  const stream = isGzip ? file.pipe(createGunzip()) : file;
  if (isGzip) file.on('error', (error) => stream.destroy(error));
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const piece of stream) {
      text += decoder.decode(piece as Buffer, { stream: true });
      if (text.includes('\n') || text.length >= FIRST_LINE_BYTES) break;
    }
  } catch (thrown) {
    if (!isGzip) throw thrown;
    if (!text.includes('\n')) throw damagedGzip(shownName, (thrown as Error).message);
  } finally {
    // Leaving the loop ends the unpacking, not the file that feeds it.
    file.destroy();
  }
  return { text, compression: isGzip ? 'gzip' : 'none' };
}

/** Large pieces: each one is a turn between the thread that unpacks and ours. */
const PIECE_BYTES = 256 * 1024;

/**
 * Reads a file to its end and hands on what is in it, unpacked. The pieces are not to be kept. A gzip file is read to
 * its checksum: one that was cut off would otherwise pass for a shorter whole one.
 */
export async function readWhole(
  path: string,
  shownName: string,
  compression: TextLayout['compression'],
  take: (piece: Uint8Array) => void,
  interrupted?: AbortSignal,
): Promise<void> {
  let failure: Error | null = null;
  const taker = new Writable({
    write: (piece: Buffer, _encoding, done) => {
      try {
        take(piece);
      } catch (thrown) {
        failure = thrown as Error;
      }
      done(failure);
    },
  });
  const file = createReadStream(path, { highWaterMark: PIECE_BYTES });
  const until = interrupted === undefined ? {} : { signal: interrupted };
  try {
    if (compression === 'none') await pipeline(file, taker, until);
    else await pipeline(file, createGunzip({ chunkSize: PIECE_BYTES }), taker, until);
  } catch (thrown) {
    if (failure !== null || compression === 'none') throw thrown;
    throw damagedGzip(shownName, (thrown as Error).message);
  }
}

export function damagedGzip(shownName: string, detail: string): PlimsollError {
  return new PlimsollError('FILE_UNREADABLE', `${shownName} is not a whole gzip file: ${detail}`, {
    remedy: 'Fetch the file again; nothing of it was taken.',
  });
}

async function startsWith(path: string, bytes: readonly number[]): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes.length), 0, bytes.length, 0);
    return bytesRead === bytes.length && bytes.every((byte, i) => buffer[i] === byte);
  } finally {
    await handle.close();
  }
}
