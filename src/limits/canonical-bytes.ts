import { canonicalJson, sortedKeys } from './canonical-json.ts';
import type { Announcement, Bracket, LimitBook, MarketLimit } from './types.ts';

/** The canonical JSON of markets in UTF-8, one after the other. */
export interface MarketBytes {
  readonly bytes: Uint8Array;
  /** Where each market ends. */
  readonly ends: Uint32Array;
}

/** Where the bytes of a market are. */
interface Place {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly end: number;
  /** Of the writer that put them there; 0 where they came from another thread, and stay. */
  readonly writer: number;
}

/**
 * Markets never change once they are decided, and a book may carry on most of them: their bytes are made once. Outside of
 * the heap, where a collection has nothing to copy.
 */
const places = new WeakMap<MarketLimit, Place>();

/**
 * Two pieces of memory in turns: writing a book overwrites what was written two books before, and reads what it carries on
 * from the book before. Markets that no later book has carried on are written anew where they are asked for.
 */
const memory: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
let writers = 0;

/** A table that stays is the same array from book to book, announced ones are too, and a third of a market's text: each is written once. */
const tableTexts = new WeakMap<readonly Bracket[] | Announcement, string>();

/** UTF-8 has at most so many bytes for each unit of a string. */
const BYTES_PER_UNIT = 3;
const LEAST_BYTES = 65_536;

/** The canonical JSON of a book without its hash, as bytes that hold until the next but one call of this module. */
export function canonicalBookBytes(body: Omit<LimitBook, 'hash'>): Uint8Array {
  const writer = new Writer();
  for (const [k, { key, prefix }] of sortedKeys(body).entries()) {
    writer.text(k === 0 ? `{${prefix}` : prefix);
    if (key !== 'markets') writer.text(canonicalJson(body[key as keyof typeof body]));
    else {
      for (const [m, market] of body.markets.entries()) {
        writer.text(m === 0 ? '[' : ',');
        writer.market(market);
      }
      writer.text(body.markets.length === 0 ? '[]' : ']');
    }
  }
  writer.text('}');
  return writer.finished();
}

/** The bytes of markets, to go with them to another thread: made anew there they cost as much again. */
export function canonicalMarkets(markets: readonly MarketLimit[]): MarketBytes {
  const writer = new Writer();
  const ends = new Uint32Array(markets.length);
  for (const [m, market] of markets.entries()) ends[m] = writer.market(market);
  return { bytes: writer.finished().slice(), ends };
}

/**
 * Takes the bytes that came with copies of markets. Whoever stores a book compares the hash of its bytes with the book's,
 * so bytes of something else are refused.
 */
export function keepCanonicalMarkets(markets: readonly MarketLimit[], { bytes, ends }: MarketBytes): void {
  for (let m = 0; m < Math.min(ends.length, markets.length); m++)
    places.set(markets[m], { bytes, from: m === 0 ? 0 : ends[m - 1], end: ends[m], writer: 0 });
}

/** Puts texts behind each other, and knows where each market is once all are there. */
class Writer {
  readonly #number = ++writers;
  #bytes = memory[this.#number % 2];
  #length = 0;
  readonly #markets: MarketLimit[] = [];
  /** From where to where each of them is. */
  readonly #spans: number[] = [];

  text(text: string): void {
    this.#makeRoom(BYTES_PER_UNIT * text.length);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** @returns where it ends. */
  market(market: MarketLimit): number {
    const from = this.#length;
    const place = places.get(market);
    const isThere = place !== undefined && (place.writer === 0 || place.writer === this.#number - 1);
    if (isThere) this.#copy(place);
    else this.text(withTables(market));
    this.#markets.push(market);
    this.#spans.push(from, this.#length);
    return this.#length;
  }

  finished(): Uint8Array {
    memory[this.#number % 2] = this.#bytes;
    for (const [m, market] of this.#markets.entries()) {
      if (places.get(market)?.writer === 0) continue;
      const [from, end] = [this.#spans[2 * m], this.#spans[2 * m + 1]];
      places.set(market, { bytes: this.#bytes, from, end, writer: this.#number });
    }
    return this.#bytes.subarray(0, this.#length);
  }

  #copy({ bytes, from, end }: Place): void {
    this.#makeRoom(end - from);
    this.#bytes.set(bytes.subarray(from, end), this.#length);
    this.#length += end - from;
  }

  #makeRoom(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length, LEAST_BYTES));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** The canonical JSON of what has tables: a market, and what is announced for it. */
function withTables(value: MarketLimit | Announcement): string {
  let text = '';
  for (const { key, prefix } of sortedKeys(value)) {
    const item = value[key as keyof typeof value] as unknown;
    if (key === 'brackets' || key === 'maintenance')
      text += prefix + kept(item as readonly Bracket[], canonicalJson);
    else if (key === 'announced') {
      const announced = item as readonly Announcement[];
      text += `${prefix}[${announced.map((one) => kept(one, withTables)).join(',')}]`;
    } else text += prefix + canonicalJson(item);
  }
  return `{${text}}`;
}

function kept<T extends readonly Bracket[] | Announcement>(value: T, write: (value: T) => string): string {
  let text = tableTexts.get(value);
  if (text === undefined) {
    text = write(value);
    tableTexts.set(value, text);
  }
  return text;
}
