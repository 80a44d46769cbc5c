import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { PlimsollError } from '../errors.ts';

/** A CSV of a time and numbers, by column. */
export interface NumberTable {
  /** Epoch milliseconds, ascending. */
  readonly time: Float64Array;
  readonly columns: Readonly<Record<string, Float64Array>>;
}

const MOST_ROWS = 5_000_000;
const SHOWN_FAULTS = 10;

/**
 * Reads `time` and the named columns, in any order and beside others, line by line; of several layouts, the first that the header has. Times are ISO 8601 or epoch
 * milliseconds and must rise: whoever judges a series needs it whole and in order, so that one bad row refuses the file.
 *
 * @throws PlimsollError NOT_FOUND, LAYOUT_UNKNOWN, DATA_INVALID (by line and reason), DATA_INSUFFICIENT without a row.
 */
export async function readNumberTable(
  path: string,
  ...layouts: readonly (readonly string[])[]
): Promise<NumberTable> {
  const rows: number[][] = [];
  const faults: string[] = [];
  let names = layouts[0];
  let places: readonly number[] | null = null;
  let line = 0;
  for await (const text of linesOf(path)) {
    line++;
    if (text.trim() === '') continue;
    if (places === null) {
      ({ names, places } = layoutIn(text, path, layouts));
      continue;
    }
    if (rows.length === MOST_ROWS)
      throw new PlimsollError('DATA_INVALID', `${path} has more than ${MOST_ROWS} rows`, {
        remedy: 'Split it.',
      });
    const row = numbersOf(text, places);
    const fault = faultOf(row, names, rows.at(-1));
    if (fault === null) rows.push(row);
    else faults.push(`line ${line}: ${fault}`);
  }
  if (faults.length > 0) {
    const more = faults.length > SHOWN_FAULTS ? `; and ${faults.length - SHOWN_FAULTS} more` : '';
    throw new PlimsollError('DATA_INVALID', `${path}: ${faults.slice(0, SHOWN_FAULTS).join('; ')}${more}`, {
      remedy: 'Mend or remove these lines; nothing was judged.',
      details: { file: path, faults: faults.slice(0, SHOWN_FAULTS) },
    });
  }
  if (rows.length === 0)
    throw new PlimsollError('DATA_INSUFFICIENT', `${path} has no rows`, { remedy: 'Give at least one.' });
  const column = (place: number): Float64Array => Float64Array.from(rows, (row) => row[place]);
  return {
    time: column(0),
    columns: Object.fromEntries(names.map((name, i) => [name, column(i + 1)])),
  };
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  if (input !== file) file.on('error', (error) => input.destroy(error));
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) yield line;
  } catch (thrown) {
    throw unreadable(path, thrown as NodeJS.ErrnoException);
  }
}

function unreadable(path: string, cause: NodeJS.ErrnoException): PlimsollError {
  if (cause.code === 'ENOENT' || cause.code === 'EISDIR')
    return new PlimsollError('NOT_FOUND', `there is no file ${path}`, { remedy: 'Check the path.', cause });
  return new PlimsollError('FILE_UNREADABLE', `${path} cannot be read: ${cause.message}`, {
    remedy: 'Check the file.',
    cause,
  });
}

function layoutIn(
  header: string,
  path: string,
  layouts: readonly (readonly string[])[],
): { names: readonly string[]; places: readonly number[] } {
  const given = header.split(',').map((name) => name.trim().toLowerCase());
  for (const names of layouts) {
    const places = ['time', ...names].map((name) => given.indexOf(name));
    if (places.every((place) => place >= 0)) return { names, places };
  }
  throw new PlimsollError('LAYOUT_UNKNOWN', `${path} starts with ${header.slice(0, 80)}`, {
    remedy: `Give the columns ${layouts.map((names) => ['time', ...names].join(',')).join(' or ')} in a header.`,
  });
}

function numbersOf(text: string, places: readonly number[]): number[] {
  const fields = text.split(',');
  return places.map((place, i) => {
    const field = fields[place]?.trim() ?? '';
    if (field === '') return Number.NaN;
    const value = Number(field);
    return i === 0 && Number.isNaN(value) ? Date.parse(field) : value;
  });
}

function faultOf(
  row: readonly number[],
  names: readonly string[],
  before: readonly number[] | undefined,
): string | null {
  const bad = row.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) return `${['time', ...names][bad]} is not a finite number`;
  if (before !== undefined && row[0] <= before[0]) return 'its time does not come after the one before';
  return null;
}
