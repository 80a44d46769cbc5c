import { grown } from './growing.ts';

/** Writes numbers and short texts one behind the other, little-endian. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  uint8(value: number): void {
    this.#reserve(1);
    this.#view.setUint8(this.length, value);
    this.length += 1;
  }

  uint16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.length, value, true);
    this.length += 2;
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.length, value, true);
    this.length += 4;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** At most 255 one-byte characters. */
  shortText(text: string): void {
    this.uint8(text.length);
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[this.length++] = text.charCodeAt(i);
  }

  longText(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.int32(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** What was written, in a piece of its own. */
  taken(): Uint8Array {
    const taken = this.#bytes.slice(0, this.length);
    this.length = 0;
    return taken;
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.#bytes.length) return;
    this.#bytes = grown(this.#bytes, this.length + bytes);
    this.#view = new DataView(this.#bytes.buffer);
  }
}

/** Reads back what a `ByteWriter` wrote. @throws RangeError beyond the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  uint8(): number {
    return this.#view.getUint8(this.#step(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#step(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#step(4), true);
  }

  float64(): number {
    return this.#view.getFloat64(this.#step(8), true);
  }

  shortText(): string {
    const length = this.uint8();
    const from = this.#step(length);
    return String.fromCharCode(...this.#bytes.subarray(from, from + length));
  }

  longText(): string {
    const length = this.int32();
    const from = this.#step(length);
    return new TextDecoder().decode(this.#bytes.subarray(from, from + length));
  }

  #step(bytes: number): number {
    const from = this.#at;
    if (bytes < 0 || from + bytes > this.#bytes.length) throw new RangeError('the bytes end too soon');
    this.#at += bytes;
    return from;
  }
}
