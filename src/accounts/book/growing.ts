type Columns = Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

/** A column with room for at least `length` rows: half as much again where it has to grow, so that growth costs linear time. */
export function grown<T extends Columns>(column: T, length: number): T {
  if (column.length >= length) return column;
  return resized(column, Math.max(Math.ceil(column.length * 1.5), length, 16));
}

/** What is kept of every account: so much more at a time, so that little of it is empty. */
const TIGHT_FACTOR = 1.125;
/** Below so many rows what is empty is little anyway. */
const TIGHT_FROM = 512;

/** As `grown`, an eighth more at a time: copied eight times on average and not twice, and at most an eighth of it empty. */
export function grownTightly<T extends Columns>(column: T, length: number): T {
  if (column.length >= length || column.length < TIGHT_FROM) return grown(column, length);
  return resized(column, Math.max(Math.ceil(column.length * TIGHT_FACTOR), length));
}

function resized<T extends Columns>(column: T, length: number): T {
  const Column = column.constructor as new (length: number) => T;
  const larger = new Column(length);
  larger.set(column);
  return larger;
}

/** A list of whole numbers that only grows and shrinks at its end. */
export class IntList {
  values: Int32Array;
  length = 0;

  constructor(capacity = 0) {
    this.values = new Int32Array(capacity);
  }

  push(value: number): number {
    if (this.length === this.values.length) this.values = grownTightly(this.values, this.length + 1);
    this.values[this.length] = value;
    return this.length++;
  }

  pop(): number {
    return this.values[--this.length];
  }
}
