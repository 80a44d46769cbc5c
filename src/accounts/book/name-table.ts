import { grownTightly } from './growing.ts';

/** A slot that holds no row. */
const EMPTY = -1;
const LONGEST_NAME = 255;

/**
 * Numbers names 0, 1, 2, … in the order in which they first come, and finds them again. Ten million names as strings of a
 * `Map` cost more than a hundred bytes each; here a name costs its characters and about eleven bytes.
 *
 * Names are of one-byte characters (ids are checked before they come here), at most 255 of them. None is ever removed.
 */
export class NameTable {
  #bytes: Uint8Array;
  #offset: Uint32Array;
  #length: Uint8Array;
  #count = 0;
  #used = 0;
  /** Open addressing; a power of two of slots, at most seven tenths of them taken. */
  #slots: Int32Array;

  constructor(capacity = 0, bytesPerName = 10) {
    this.#bytes = new Uint8Array(capacity * bytesPerName);
    this.#offset = new Uint32Array(capacity);
    this.#length = new Uint8Array(capacity);
    this.#slots = new Int32Array(slotsFor(capacity)).fill(EMPTY);
  }

  /** What it takes in memory. */
  get bytes(): number {
    return [this.#bytes, this.#offset, this.#length, this.#slots].reduce(
      (sum, { byteLength }) => sum + byteLength,
      0,
    );
  }

  get count(): number {
    return this.#count;
  }

  /** The row of a name; −1 where it has none. */
  find(name: string): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashOf(name) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot];
      if (row === EMPTY || this.#is(row, name)) return row;
    }
  }

  /** The row of a name, which gets the next one where it is new. */
  add(name: string): number {
    const found = this.find(name);
    if (found !== EMPTY) return found;
    if (name.length > LONGEST_NAME) throw new RangeError('a name has at most 255 characters');
    const row = this.#count;
    this.#offset = grownTightly(this.#offset, row + 1);
    this.#length = grownTightly(this.#length, row + 1);
    this.#bytes = grownTightly(this.#bytes, this.#used + name.length);
    this.#offset[row] = this.#used;
    this.#length[row] = name.length;
    for (let i = 0; i < name.length; i++) this.#bytes[this.#used++] = name.charCodeAt(i);
    this.#count++;
    if (this.#count > this.#slots.length * 0.7) this.#rehash(this.#slots.length * 2);
    else this.#place(row);
    return row;
  }

  nameOf(row: number): string {
    const from = this.#offset[row];
    return String.fromCharCode(...this.#bytes.subarray(from, from + this.#length[row]));
  }

  /** All names as bytes, and how long each is: what `restore` takes. The arrays are views, good until the next `add`. */
  get content(): { readonly bytes: Uint8Array; readonly length: Uint8Array } {
    return { bytes: this.#bytes.subarray(0, this.#used), length: this.#length.subarray(0, this.#count) };
  }

  static restore(bytes: Uint8Array, length: Uint8Array): NameTable {
    const table = new NameTable();
    table.#bytes = bytes;
    table.#used = bytes.length;
    table.#length = length;
    table.#count = length.length;
    table.#offset = new Uint32Array(length.length);
    let offset = 0;
    for (let row = 0; row < length.length; row++) {
      table.#offset[row] = offset;
      offset += length[row];
    }
    if (offset !== bytes.length) throw new RangeError('the names do not fill their bytes');
    table.#rehash(slotsFor(length.length));
    return table;
  }

  #is(row: number, name: string): boolean {
    if (this.#length[row] !== name.length) return false;
    const from = this.#offset[row];
    for (let i = 0; i < name.length; i++) if (this.#bytes[from + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  #place(row: number): void {
    const mask = this.#slots.length - 1;
    let hash = FNV_START;
    const end = this.#offset[row] + this.#length[row];
    for (let i = this.#offset[row]; i < end; i++) hash = Math.imul(hash ^ this.#bytes[i], FNV_FACTOR);
    let slot = mixed(hash) & mask;
    while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#slots[slot] = row;
  }

  #rehash(slots: number): void {
    this.#slots = new Int32Array(slots).fill(EMPTY);
    for (let row = 0; row < this.#count; row++) this.#place(row);
  }
}

function slotsFor(names: number): number {
  return 2 ** Math.max(4, Math.ceil(Math.log2(names / 0.7 + 1)));
}

/** FNV-1a (Fowler, Noll, Vo), with the last step of MurmurHash3 behind it: names that count up differ in their last bytes. */
const FNV_START = 0x811c9dc5;
const FNV_FACTOR = 0x01000193;

function hashOf(name: string): number {
  let hash = FNV_START;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), FNV_FACTOR);
  return mixed(hash);
}

function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
