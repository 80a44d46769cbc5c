import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeValue, encodeValues } from './value-codec.ts';

/** Every double, NaN, infinities, −0 and subnormal numbers among them. */
const numbers = fc.array(fc.double(), { maxLength: 12 }).map((all) => Float64Array.from(all));
const value = fc.letrec<{ value: unknown; list: unknown[]; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, undefined, true, false),
    fc.double(),
    fc.integer(),
    fc.string({ unit: 'binary' }),
    numbers,
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 6 }),
  object: fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'a\u0000b', '')), tie('value'), {
    maxKeys: 6,
    noNullPrototype: true,
  }),
})).value;

describe('values as bytes', () => {
  test('come back to the bit, one beside the other, from bytes at any address', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), fc.nat(9), (values, shift) => {
        for (const [i, bytes] of encodeValues(values).entries()) {
          const moved = Buffer.alloc(bytes.length + shift);
          moved.set(bytes, shift);
          // As equal as Object.is is: −0 is not 0, NaN is NaN.
          expect(decodeValue(moved.subarray(shift))).toStrictEqual(values[i]);
        }
      }),
      { seed: 20240601, numRuns: 500 },
    );
  });

  test('are the same whatever was written before them', () => {
    fc.assert(
      fc.property(value, value, (before, one) => {
        expect(encodeValues([before, one])[1]).toEqual(encodeValues([one])[0]);
      }),
      { seed: 20240602, numRuns: 300 },
    );
  });

  test('keep each bit of a float64 that JSON would lose', () => {
    const special = Float64Array.of(-0, Number.NaN, Number.NEGATIVE_INFINITY, Number.MIN_VALUE, 0.1 + 0.2);
    const [bytes] = encodeValues([{ special }]);
    const back = decodeValue(bytes) as { special: Float64Array };
    expect(Buffer.from(back.special.slice().buffer)).toEqual(Buffer.from(special.buffer));
  });

  test('a list longer than 127 and more than fits at first', () => {
    const list = Array.from({ length: 20_000 }, (_, i) => ({ i, values: Float64Array.of(i, -i) }));
    expect(decodeValue(encodeValues([list])[0])).toStrictEqual(list);
  });

  test.each([
    ['a date', new Date(0)],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['other arrays of numbers', new Float32Array(2)],
    ['a map', new Map()],
  ])('refuse %s', (_, one) => {
    expect(() => encodeValues([one])).toThrow(TypeError);
  });

  test('bytes that were cut, changed or never written are refused, or read as some value: nothing else is thrown', () => {
    const [good] = encodeValues([{ a: [1, 2, Float64Array.of(3, 4)], b: 'text', c: { a: null } }]);
    fc.assert(
      fc.property(fc.nat(good.length), fc.nat(good.length - 1), fc.nat(255), (length, at, byte) => {
        const changed = good.slice(0, length);
        if (at < length) changed[at] = byte;
        try {
          decodeValue(changed);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'STORE_DAMAGED' });
        }
      }),
      { seed: 20240603, numRuns: 2000 },
    );
    for (let length = 0; length < good.length; length++)
      expect(() => decodeValue(good.slice(0, length))).toThrow(
        expect.objectContaining({ code: 'STORE_DAMAGED' }),
      );
  });
});
