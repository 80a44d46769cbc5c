import type { RowForm } from '../row-form.ts';
import { MICROSECOND_STAMPS_FROM, type TextLayout } from './layout.ts';

/** Receives the rows of a plain file in batches; the arrays are used again for the next batch. */
export type BatchSink = (batch: RowBatch) => void;

export interface RowBatch {
  readonly length: number;
  /** Milliseconds. */
  readonly times: Float64Array;
  /** By the order of the layout's values; NaN where the file leaves a volume empty. */
  readonly values: readonly Float64Array[];
  readonly lines: Float64Array;
}

export const BATCH_ROWS = 2048;

/** With a line in progress this long the careful reader decides; it refuses lines of twice the length. */
const LONGEST_BEGUN_LINE = 500_000;
const LONGEST_NUMBER = 40;
/** Powers of ten that are exact as doubles: a safe integer divided by one of them is rounded once, so rightly. */
const EXACT_POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const EXTREME_EXPONENT = 290;

const NEWLINE = 10;
const RETURN = 13;
const BLANK = 32;
const QUOTE = 34;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
const DELETE = 127;
/** The bit that makes a letter a small one. */
const SMALL = 32;
const SMALL_E = 101;

const TIME = -1;
const UNUSED = -2;

/**
 * Reads the rows of a file that leaves nothing to judge: numbers in their simplest notation, every row sound, one after
 * the other in time. That is what nearly every file is, and it is read several times as fast so. At the first byte of
 * anything else it gives up for the whole file: the careful reader takes it from its beginning and says what is wrong.
 * Whatever is accepted here, the careful reader would accept with the same values.
 */
export class PlainRows {
  rows = 0;
  isPlain = true;
  readonly #layout: TextLayout;
  readonly #interval: number;
  readonly #now: number;
  readonly #sink: BatchSink;
  readonly #form: RowForm;
  /** For each column of the file: the value that it is, `TIME` or `UNUSED`. */
  readonly #places: readonly number[];
  readonly #isOptional: readonly boolean[];
  readonly #times = new Float64Array(BATCH_ROWS);
  readonly #lines = new Float64Array(BATCH_ROWS);
  readonly #values: readonly Float64Array[];
  /** The row at hand. */
  readonly #row: Float64Array;
  #batched = 0;
  #line = 0;
  #newest = Number.NEGATIVE_INFINITY;
  #leastDistance = Number.POSITIVE_INFINITY;
  #begun: Uint8Array = new Uint8Array(0);
  /** Where the number that was read last ends; -1 where there was none. */
  #end = 0;
  #isWhole = false;

  constructor(layout: TextLayout, intervalMilliseconds: number, now: number, sink: BatchSink) {
    this.#layout = layout;
    this.#interval = intervalMilliseconds;
    this.#now = now;
    this.#sink = sink;
    this.#form = layout.form;
    this.isPlain = layout.stamps === 'epoch' && layout.symbol === null;
    const names = Object.keys(layout.values);
    const byColumn = new Map(Object.values(layout.values).map((column, i) => [column, i]));
    this.#places = Array.from({ length: layout.columns }, (_, i) =>
      i + 1 === layout.time ? TIME : (byColumn.get(i + 1) ?? UNUSED),
    );
    this.#isOptional = names.map((name) => layout.form.optional.includes(name));
    this.#values = names.map(() => new Float64Array(BATCH_ROWS));
    this.#row = new Float64Array(names.length);
  }

  write(piece: Uint8Array): void {
    if (!this.isPlain) return;
    const last = piece.lastIndexOf(NEWLINE);
    if (last === -1) this.#keep(Buffer.concat([this.#begun, piece]));
    else {
      const whole = this.#begun.length === 0 ? piece : Buffer.concat([this.#begun, piece]);
      const end = whole.length - piece.length + last + 1;
      this.isPlain = this.#readLines(whole, end);
      // A copy: the piece is its sender's again when this returns.
      this.#keep(whole.slice(end));
    }
  }

  /** Ends the file; false where it was not plain. The last batch is handed out before. */
  end(): boolean {
    if (this.isPlain && this.#begun.length > 0) this.write(Uint8Array.of(NEWLINE));
    // A distance that contradicts the interval needs a closer look at all of them.
    const isCoarser = this.#form.isOnGrid && this.rows > 2 && this.#leastDistance > this.#interval;
    if (isCoarser || this.rows === 0) this.isPlain = false;
    if (this.isPlain) this.#handOut();
    return this.isPlain;
  }

  #keep(begun: Uint8Array): void {
    this.#begun = begun;
    if (begun.length > LONGEST_BEGUN_LINE) this.isPlain = false;
  }

  /** Reads whole lines up to `end`; false where one is not plain. */
  #readLines(bytes: Uint8Array, end: number): boolean {
    let at = 0;
    while (at < end) {
      this.#line++;
      const first = bytes[at];
      if (this.#line <= this.#layout.headerLines) at = skipLine(bytes, at);
      else if (first === NEWLINE) at++;
      else if (first === RETURN && bytes[at + 1] === NEWLINE) at += 2;
      else {
        at = this.#readRow(bytes, at);
        if (at === -1 || !this.#takeRow()) return false;
      }
      if (at === -1) return false;
    }
    return true;
  }

  /** Reads a line into the row at hand; returns where the next one starts, or -1 where the line is not plain. */
  #readRow(bytes: Uint8Array, start: number): number {
    const places = this.#places;
    let at = start;
    for (let column = 0; ; column++) {
      const place = places[column];
      if (place === UNUSED) at = skipField(bytes, at);
      else {
        const isQuoted = bytes[at] === QUOTE;
        if (isQuoted) at++;
        const value = this.#readNumber(bytes, at);
        if (this.#end !== -1) at = this.#end;
        else if (place === TIME || !this.#isOptional[place]) return -1;
        if (place !== TIME) this.#row[place] = this.#end === -1 ? Number.NaN : value;
        else if (this.#isWhole) this.#times[this.#batched] = value;
        else return -1;
        if (isQuoted && bytes[at++] !== QUOTE) return -1;
      }
      if (bytes[at] === COMMA) {
        if (column + 1 === places.length) return -1;
        at++;
      } else if (column + 1 < places.length) return -1;
      else if (bytes[at] === NEWLINE) return at + 1;
      else return bytes[at] === RETURN && bytes[at + 1] === NEWLINE ? at + 2 : -1;
    }
  }

  /** Reads `-?digits[.digits][e±digits]`, rounded as any correct reader of decimals does; sets where it ends. */
  #readNumber(bytes: Uint8Array, start: number): number {
    this.#end = -1;
    let at = start;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at++;
    const first = at;
    let mantissa = 0;
    let byte = bytes[at];
    for (; byte >= ZERO && byte <= NINE; byte = bytes[++at]) mantissa = mantissa * 10 + (byte - ZERO);
    if (at === first || (bytes[first] === ZERO && at > first + 1)) return Number.NaN;
    let decimals = 0;
    if (byte === POINT) {
      const point = at;
      for (byte = bytes[++at]; byte >= ZERO && byte <= NINE; byte = bytes[++at])
        mantissa = mantissa * 10 + (byte - ZERO);
      decimals = at - point - 1;
      if (decimals === 0) return Number.NaN;
    }
    const hasExponent = (byte | SMALL) === SMALL_E;
    const isExact = mantissa <= Number.MAX_SAFE_INTEGER && decimals < EXACT_POWERS.length;
    this.#isWhole = decimals === 0 && !hasExponent && isExact;
    if (hasExponent || !isExact) return this.#readLong(bytes, start, hasExponent ? at : -1, at);
    this.#end = at;
    const size = decimals === 0 ? mantissa : mantissa / EXACT_POWERS[decimals];
    return isNegative ? -size : size;
  }

  /** Numbers of many digits or with an exponent, which one division does not round right. */
  #readLong(bytes: Uint8Array, start: number, exponent: number, numberEnd: number): number {
    let end = numberEnd;
    if (exponent !== -1) {
      let at = exponent + 1;
      if (bytes[at] === MINUS || bytes[at] === PLUS) at++;
      const first = at;
      while (bytes[at] >= ZERO && bytes[at] <= NINE) at++;
      if (at === first || at - first > 3) return Number.NaN;
      end = at;
    }
    if (end - start > LONGEST_NUMBER) return Number.NaN;
    const text = String.fromCharCode(...bytes.subarray(start, end));
    const value = Number(text);
    // Where doubles begin to lose digits, readers differ in what they take for a number.
    const isOrdinary =
      value === 0 ? !/[1-9]/.test(text) : Math.abs(Math.log10(Math.abs(value))) < EXTREME_EXPONENT;
    if (!isOrdinary) return Number.NaN;
    this.#end = end;
    return value;
  }

  /** Judges the row at hand and puts it into the batch; false where there is anything to say against it. */
  #takeRow(): boolean {
    let time = this.#times[this.#batched];
    if (time <= -MICROSECOND_STAMPS_FROM) return false;
    if (time >= MICROSECOND_STAMPS_FROM) time = (time - (time % 1000)) / 1000;
    if (!(time > this.#newest) || !this.#isSound(time)) return false;
    if (time - this.#newest < this.#leastDistance) this.#leastDistance = time - this.#newest;
    this.#newest = time;
    const at = this.#batched;
    this.#times[at] = time;
    this.#lines[at] = this.#line;
    for (let i = 0; i < this.#row.length; i++) this.#values[i][at] = this.#row[i];
    this.rows++;
    this.#batched++;
    if (this.#batched === BATCH_ROWS) this.#handOut();
    return true;
  }

  #isSound(time: number): boolean {
    const { isOnGrid, isSound } = this.#form;
    const isInTime = isOnGrid
      ? time % this.#interval === 0 && time + this.#interval <= this.#now
      : time <= this.#now;
    return isInTime && isSound(this.#row);
  }

  #handOut(): void {
    if (this.#batched === 0) return;
    this.#sink({
      length: this.#batched,
      times: this.#times,
      values: this.#values,
      lines: this.#lines,
    });
    this.#batched = 0;
  }
}

/** Where the field ends; it must be of printable characters, since others mean something to the careful reader. */
function skipField(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] >= BLANK && bytes[at] < DELETE && bytes[at] !== COMMA) at++;
  return at;
}

/** Where the next line starts; -1 where this one has other than printable characters. */
function skipLine(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] >= BLANK && bytes[at] < DELETE) at++;
  if (bytes[at] === RETURN) at++;
  return bytes[at] === NEWLINE ? at + 1 : -1;
}
