type Columns = Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

/** A column with room for at least `length` rows: half as much again where it has to grow, so that growth costs linear time. */
export function grown<T extends Columns>(column: T, length: number): T {
  if (column.length >= length) return column;
  const Column = column.constructor as new (length: number) => T;
  const larger = new Column(Math.max(Math.ceil(column.length * 1.5), length, 16));
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
    if (this.length === this.values.length) this.values = grown(this.values, this.length + 1);
    this.values[this.length] = value;
    return this.length++;
  }

  pop(): number {
    return this.values[--this.length];
  }
}
