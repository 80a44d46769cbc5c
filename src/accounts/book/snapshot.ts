import { AccountBook } from './account-book.ts';
import type { IntList } from './growing.ts';
import { MarketRows, type MarketTerms } from './market-rows.ts';
import { NameTable } from './name-table.ts';

/** Raised with every change of what a snapshot holds. */
const FORMAT = 1;
const CHUNK_BYTES = 4 * 1024 * 1024;

type Column = Float64Array | Int32Array | Uint16Array | Uint8Array;

interface Header {
  readonly format: number;
  readonly accounts: number;
  readonly positions: number;
  readonly terms: readonly MarketTerms[];
  readonly marks: readonly { readonly price: number | null; readonly at: number | null }[];
  readonly freeBlocks: readonly number[];
  readonly sections: readonly { readonly name: string; readonly bytes: number }[];
  /** Whatever goes with the book. */
  readonly beside: unknown;
}

/**
 * A copy of a book as it is now, in pieces to be written one by one while the book goes on. The copy is made at once, at
 * the speed of memory; it is the price of a snapshot that is of one moment.
 *
 * @param beside plain data that is kept with it.
 */
export function captureBook(book: AccountBook, beside: unknown): Iterable<Uint8Array> {
  const columns = columnsOf(book).map(({ name, column }) => ({ name, column: column.slice() as Column }));
  const { markets } = book;
  const header: Header = {
    format: FORMAT,
    accounts: book.accounts,
    positions: book.positions,
    terms: markets.terms.slice(),
    marks: markets.symbols.map((_, row) => ({
      price: finiteOrNull(markets.mark[row]),
      at: finiteOrNull(markets.markedAt[row]),
    })),
    freeBlocks: book.freeBlocks.map(({ length }) => length),
    sections: columns.map(({ name, column }) => ({ name, bytes: column.byteLength })),
    beside,
  };
  return pieces(new TextEncoder().encode(JSON.stringify(header)), columns);
}

function* pieces(header: Uint8Array, columns: readonly { readonly column: Column }[]): Iterable<Uint8Array> {
  yield header;
  for (const { column } of columns) {
    const bytes = bytesOf(column);
    for (let from = 0; from < bytes.length; from += CHUNK_BYTES)
      yield bytes.subarray(from, from + CHUNK_BYTES);
  }
}

/**
 * The book of a snapshot, and what was kept beside it.
 *
 * @throws RangeError where the pieces are not those of a snapshot.
 */
export function restoreBook(chunks: Iterable<Uint8Array>): {
  readonly book: AccountBook;
  readonly beside: unknown;
} {
  const rest = chunks[Symbol.iterator]();
  const first = rest.next();
  if (first.done) throw new RangeError('a snapshot without a piece');
  const header = JSON.parse(new TextDecoder().decode(first.value)) as Header;
  if (header.format !== FORMAT) throw new RangeError('a snapshot of another format');
  const sections = readSections(header, rest);
  const markets = new MarketRows();
  markets.set(header.terms);
  for (const [row, { price, at }] of header.marks.entries()) {
    markets.mark[row] = price ?? Number.NaN;
    markets.markedAt[row] = at ?? Number.NEGATIVE_INFINITY;
  }
  const book = new AccountBook(markets);
  book.accounts = header.accounts;
  book.positions = header.positions;
  const float64 = (name: string): Float64Array => new Float64Array(sectionOf(sections, name));
  const int32 = (name: string): Int32Array => new Int32Array(sectionOf(sections, name));
  const uint16 = (name: string): Uint16Array => new Uint16Array(sectionOf(sections, name));
  const uint8 = (name: string): Uint8Array => new Uint8Array(sectionOf(sections, name));
  book.names = NameTable.restore(uint8('nameBytes'), uint8('nameLength'));
  book.collateral = float64('collateral');
  book.sequence = float64('sequence');
  book.firstPosition = int32('firstPosition');
  book.positionCount = uint16('positionCount');
  book.block = uint8('block');
  book.isIsolated = uint8('isIsolated');
  book.status = uint8('status');
  book.accountName = int32('accountName');
  book.userName = int32('userName');
  book.market = uint16('market');
  book.quantity = float64('quantity');
  book.entryPrice = float64('entryPrice');
  book.isolatedMargin = float64('isolatedMargin');
  book.positionStatus = uint8('positionStatus');
  fillFreeBlocks(book.freeBlocks, header.freeBlocks, int32('freeBlocks'));
  book.rebuild();
  return { book, beside: header.beside };
}

function columnsOf(book: AccountBook): { readonly name: string; readonly column: Column }[] {
  const { accounts, positions, names } = book;
  const freeBlocks = Int32Array.from(
    book.freeBlocks.flatMap(({ values, length }) => [...values.subarray(0, length)]),
  );
  return [
    { name: 'nameBytes', column: names.content.bytes },
    { name: 'nameLength', column: names.content.length },
    { name: 'collateral', column: book.collateral.subarray(0, accounts) },
    { name: 'sequence', column: book.sequence.subarray(0, accounts) },
    { name: 'firstPosition', column: book.firstPosition.subarray(0, accounts) },
    { name: 'positionCount', column: book.positionCount.subarray(0, accounts) },
    { name: 'block', column: book.block.subarray(0, accounts) },
    { name: 'isIsolated', column: book.isIsolated.subarray(0, accounts) },
    { name: 'status', column: book.status.subarray(0, accounts) },
    { name: 'accountName', column: book.accountName.subarray(0, accounts) },
    { name: 'userName', column: book.userName.subarray(0, accounts) },
    { name: 'market', column: book.market.subarray(0, positions) },
    { name: 'quantity', column: book.quantity.subarray(0, positions) },
    { name: 'entryPrice', column: book.entryPrice.subarray(0, positions) },
    { name: 'isolatedMargin', column: book.isolatedMargin.subarray(0, positions) },
    { name: 'positionStatus', column: book.positionStatus.subarray(0, positions) },
    { name: 'freeBlocks', column: freeBlocks },
  ];
}

function readSections(header: Header, rest: Iterator<Uint8Array>): ReadonlyMap<string, ArrayBuffer> {
  const sections = new Map<string, ArrayBuffer>();
  for (const { name, bytes } of header.sections) {
    const section = new Uint8Array(bytes);
    for (let at = 0; at < bytes; ) {
      const piece = rest.next();
      if (piece.done || at + piece.value.length > bytes) throw new RangeError('a piece is missing');
      section.set(piece.value, at);
      at += piece.value.length;
    }
    sections.set(name, section.buffer);
  }
  return sections;
}

function sectionOf(sections: ReadonlyMap<string, ArrayBuffer>, name: string): ArrayBuffer {
  const section = sections.get(name);
  if (section === undefined) throw new RangeError(`the snapshot has no ${name}`);
  return section;
}

function fillFreeBlocks(lists: readonly IntList[], lengths: readonly number[], values: Int32Array): void {
  let at = 0;
  for (const [block, length] of lengths.entries())
    for (let i = 0; i < length; i++) lists[block].push(values[at++]);
}

function bytesOf(column: Column): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
