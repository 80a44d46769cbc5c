import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { PlimsollError } from '../../src/errors.ts';
import { BARS, FUNDING, OPEN_INTEREST, ROW_FORMS, type RowForm } from '../row-form.ts';

/** How the rows of a text file are laid out. Columns are counted from 1. */
export interface TextLayout {
  /** What a row is. */
  readonly form: RowForm;
  /** Told by the first bytes; the file's name may lie. */
  readonly compression: 'gzip' | 'none';
  readonly headerLines: 0 | 1;
  readonly columns: number;
  readonly time: number;
  /** Epoch milliseconds (or microseconds), or `2024-12-31 23:05:00` in UTC. */
  readonly stamps: 'epoch' | 'text';
  /** The column that names the market; null where no row does. */
  readonly symbol: number | null;
  /** By the stored column: its place in the row. */
  readonly values: Readonly<Record<string, number>>;
}

/** As Binance's dumps name them; more columns follow. */
const METRICS_HEADER = 'create_time,symbol,sum_open_interest,sum_open_interest_value';
const BINANCE_COLUMNS = 12;
const BINANCE_VALUES = { open: 2, high: 3, low: 4, close: 5, volume: 6, quote_volume: 8 };

/** Stamps from here on are microseconds: as milliseconds it would be the year 5138. */
export const MICROSECOND_STAMPS_FROM = 1e14;

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
  const common = { time: 1, compression, stamps: 'epoch', symbol: null } as const;
  const uniform = ROW_FORMS.find((form) => header === uniformHeader(form));
  if (uniform !== undefined) return { ...common, headerLines: 1, ...uniformColumns(uniform) };
  const words = header.split(',');
  if (header === METRICS_HEADER || header.startsWith(`${METRICS_HEADER},`)) {
    return {
      ...common,
      form: OPEN_INTEREST,
      headerLines: 1,
      columns: words.length,
      stamps: 'text',
      symbol: 2,
      values: { quote_notional: 4 },
    };
  }
  if (words.length === BINANCE_COLUMNS) {
    const isHeader = words[0] === 'open_time';
    if (isHeader || /^\d+$/.test(words[0])) {
      return {
        ...common,
        form: BARS,
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
      remedy: `Bars need the header ${uniformHeader(BARS)} or Binance's 12 kline columns; funding needs ${uniformHeader(FUNDING)}; open interest needs ${uniformHeader(OPEN_INTEREST)} or Binance's metrics columns.`,
    },
  );
}

/** The first line of a file with the names of the house. */
function uniformHeader({ time, values }: RowForm): string {
  return [time, ...values].join(',');
}

function uniformColumns(form: RowForm): Pick<TextLayout, 'form' | 'columns' | 'values'> {
  const values = Object.fromEntries(form.values.map((name, i) => [name, i + 2]));
  return { form, columns: form.values.length + 1, values };
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
