import { PlimsollError } from '../errors.ts';

/**
 * Plain values as bytes and back, to the bit: numbers stay float64 (NaN, infinities and −0 too), and `Float64Array`s
 * stay what they are. Texts and the keys of objects are written once each, and all numbers stand together.
 *
 * Layout, little endian: "PLV1", the count of numbers, the bytes of the structure, the bytes of the texts (32 bits
 * each); the numbers; the structure, a tag for each value; the texts and the keys of objects as JSON.
 */
const MAGIC = 0x31564c50;
const HEADER_BYTES = 16;

const Tag = {
  nothing: 0,
  no: 1,
  yes: 2,
  number: 3,
  text: 4,
  list: 5,
  object: 6,
  numbers: 7,
  undefined: 8,
} as const;

/**
 * The bytes of each value on its own.
 *
 * @param values null, undefined, booleans, numbers, strings, `Float64Array`s, arrays and plain objects of these.
 * @throws TypeError for anything else.
 */
export function encodeValues(values: readonly unknown[]): Uint8Array[] {
  return values.map((value) => writer.encode(value));
}

/** @throws PlimsollError STORE_DAMAGED for bytes that `encodeValues` does not make. */
export function decodeValue(bytes: Uint8Array): unknown {
  try {
    return new Reader(bytes).all();
  } catch (cause) {
    throw new PlimsollError('STORE_DAMAGED', 'stored inputs are not in the form that this Plimsoll reads', {
      remedy: 'Read them with the version of Plimsoll that wrote them.',
      cause,
    });
  }
}

/** Writes one value after the other in the same memory, which grows to what the largest one needs. */
class Writer {
  #numbers = new Float64Array(4096);
  #numberCount = 0;
  #structure = new Uint8Array(4096);
  #length = 0;
  #texts: string[] = [];
  #textIndex = new Map<string, number>();
  #shapes: (readonly string[])[] = [];
  #shapeIndex = new Map<string, number>();
  #lastShape = 0;

  encode(value: unknown): Uint8Array {
    this.#numberCount = 0;
    this.#length = 0;
    this.#texts = [];
    this.#textIndex = new Map();
    this.#shapes = [];
    this.#shapeIndex = new Map();
    this.#write(value);
    return this.#bytes();
  }

  #write(value: unknown): void {
    if (value === null) this.#tag(Tag.nothing);
    else if (value === undefined) this.#tag(Tag.undefined);
    else if (typeof value === 'boolean') this.#tag(value ? Tag.yes : Tag.no);
    else if (typeof value === 'number') {
      this.#tag(Tag.number);
      this.#roomForNumbers(1);
      this.#numbers[this.#numberCount++] = value;
    } else if (typeof value === 'string') this.#tag(Tag.text, this.#text(value));
    else if (value instanceof Float64Array) {
      this.#tag(Tag.numbers, value.length);
      this.#roomForNumbers(value.length);
      this.#numbers.set(value, this.#numberCount);
      this.#numberCount += value.length;
    } else if (Array.isArray(value)) {
      this.#tag(Tag.list, value.length);
      for (const item of value) this.#write(item);
    } else if (typeof value === 'object' && isPlain(value)) {
      const keys = Object.keys(value);
      this.#tag(Tag.object, this.#shape(keys));
      for (const key of keys) this.#write((value as Record<string, unknown>)[key]);
    } else throw new TypeError(`a ${typeof value} cannot be written as bytes`);
  }

  #bytes(): Uint8Array {
    const texts = new TextEncoder().encode(JSON.stringify([this.#texts, this.#shapes]));
    const numberBytes = this.#numberCount * 8;
    const bytes = new Uint8Array(HEADER_BYTES + numberBytes + this.#length + texts.length);
    new Uint32Array(bytes.buffer, 0, 4).set([MAGIC, this.#numberCount, this.#length, texts.length]);
    new Float64Array(bytes.buffer, HEADER_BYTES, this.#numberCount).set(
      this.#numbers.subarray(0, this.#numberCount),
    );
    bytes.set(this.#structure.subarray(0, this.#length), HEADER_BYTES + numberBytes);
    bytes.set(texts, HEADER_BYTES + numberBytes + this.#length);
    return bytes;
  }

  /** A tag, and a count or an index in groups of seven bits, lowest first. */
  #tag(tag: number, count?: number): void {
    if (this.#length + 8 > this.#structure.length) this.#structure = grown(this.#structure, Uint8Array);
    this.#structure[this.#length++] = tag;
    if (count === undefined) return;
    let rest = count;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#structure[this.#length++] = (rest % 128) | 128;
    this.#structure[this.#length++] = rest;
  }

  #roomForNumbers(count: number): void {
    while (this.#numberCount + count > this.#numbers.length)
      this.#numbers = grown(this.#numbers, Float64Array);
  }

  #text(text: string): number {
    return indexOf(text, text, this.#textIndex, this.#texts);
  }

  #shape(keys: readonly string[]): number {
    // Objects of a list have the same keys as a rule.
    if (!areSame(keys, this.#shapes[this.#lastShape]))
      this.#lastShape = indexOf(JSON.stringify(keys), keys, this.#shapeIndex, this.#shapes);
    return this.#lastShape;
  }
}

/** One for all: its memory is as large as the largest value needed, and inputs of as many markets are written each hour. */
const writer = new Writer();

function indexOf<T>(key: string, item: T, indices: Map<string, number>, items: T[]): number {
  const known = indices.get(key);
  if (known !== undefined) return known;
  items.push(item);
  indices.set(key, items.length - 1);
  return items.length - 1;
}

function areSame(keys: readonly string[], others: readonly string[] | undefined): boolean {
  if (keys.length !== others?.length) return false;
  for (let i = 0; i < keys.length; i++) if (keys[i] !== others[i]) return false;
  return true;
}

function grown<A extends Uint8Array | Float64Array>(array: A, Kind: new (length: number) => A): A {
  const larger = new Kind(array.length * 2);
  larger.set(array);
  return larger;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

class Reader {
  readonly #numbers: Float64Array;
  readonly #structure: Uint8Array;
  readonly #texts: readonly string[];
  readonly #shapes: readonly (readonly string[])[];
  #number = 0;
  #position = 0;

  constructor(bytes: Uint8Array) {
    // A copy begins where float64 may begin.
    const { buffer } = Uint8Array.from(bytes);
    const [magic, numbers, structure, texts] = new Uint32Array(buffer, 0, 4);
    const end = HEADER_BYTES + numbers * 8 + structure + texts;
    if (magic !== MAGIC || end !== bytes.length) throw new RangeError('not the lengths of the header');
    this.#numbers = new Float64Array(buffer, HEADER_BYTES, numbers);
    this.#structure = new Uint8Array(buffer, HEADER_BYTES + numbers * 8, structure);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(buffer, end - texts, texts));
    [this.#texts, this.#shapes] = JSON.parse(text) as [string[], string[][]];
  }

  all(): unknown {
    const value = this.#value();
    if (this.#position !== this.#structure.length || this.#number !== this.#numbers.length)
      throw new RangeError('something is left over');
    return value;
  }

  #value(): unknown {
    switch (this.#byte()) {
      case Tag.nothing:
        return null;
      case Tag.undefined:
        return undefined;
      case Tag.no:
        return false;
      case Tag.yes:
        return true;
      case Tag.number:
        return this.#take(1)[0];
      case Tag.numbers:
        return this.#take(this.#count());
      case Tag.text:
        return known(this.#texts[this.#count()]);
      case Tag.list:
        return Array.from({ length: this.#bounded(this.#count()) }, () => this.#value());
      case Tag.object:
        return Object.fromEntries(
          known(this.#shapes[this.#count()]).map((key) => [key, this.#value()] as const),
        );
      default:
        throw new RangeError('an unknown tag');
    }
  }

  #take(count: number): Float64Array {
    this.#number += count;
    if (this.#number > this.#numbers.length) throw new RangeError('numbers are missing');
    return this.#numbers.subarray(this.#number - count, this.#number);
  }

  /** Each item of a list is a byte at least. */
  #bounded(length: number): number {
    if (length > this.#structure.length - this.#position) throw new RangeError('a list is too long');
    return length;
  }

  #count(): number {
    let count = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#byte();
      count += (byte % 128) * factor;
      if (byte < 128) return count;
    }
  }

  #byte(): number {
    if (this.#position >= this.#structure.length) throw new RangeError('the structure ends too early');
    return this.#structure[this.#position++];
  }
}

function known<T>(item: T | undefined): T {
  if (item === undefined) throw new RangeError('an unknown text or shape');
  return item;
}
