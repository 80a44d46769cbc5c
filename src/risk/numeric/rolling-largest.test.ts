import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RollingLargest } from './rolling-largest.ts';

/** Few different values, so that many are equal, 0 among them. */
const values = fc.oneof(
  fc.integer({ min: 0, max: 12 }).map((whole) => whole / 4),
  fc.double({ min: 0, max: 3, noNaN: true }),
);

describe('the largest values of a sample that changes', () => {
  test('are those of the sample sorted anew, whatever came and left, or none where too few were kept', () => {
    fc.assert(
      fc.property(
        fc.array(values, { maxLength: 60 }),
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.tuple(fc.boolean(), values, fc.nat()), { maxLength: 200 }),
        fc.integer({ min: 1, max: 30 }),
        (first, kept, changes, size) => {
          const sample = [...first];
          const rolling = new RollingLargest();
          rolling.refill(Float64Array.from(sample), kept);
          for (const [comes, value, position] of changes) {
            if (comes || sample.length === 0) {
              sample.push(value);
              rolling.add(value);
            } else {
              rolling.remove(sample.splice(position % sample.length, 1)[0]);
            }
            const sorted = Float64Array.from(sample).sort();
            expect(rolling.count).toBe(sample.length);
            const largest = rolling.largest(Math.min(size, sample.length));
            if (largest !== null)
              expect([...largest]).toEqual([...sorted.subarray(Math.max(sample.length - size, 0))]);
            // The same question again and again, too.
            for (const x of [value, 1.5, 1.5]) {
              const above = rolling.countAbove(x);
              if (above !== null) expect(above).toBe(sample.filter((one) => one > x).length);
            }
          }
          rolling.refill(Float64Array.from(sample), Math.max(size, 1));
          expect(rolling.largest(Math.min(size, sample.length))).not.toBeNull();
        },
      ),
      { seed: 20260301, numRuns: 400 },
    );
  });

  test('say whether anything changed among them since they were asked for', () => {
    const rolling = new RollingLargest();
    rolling.refill(Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8), 8);
    expect(rolling.hasChangedFrom(100)).toBe(true);
    expect([...(rolling.largest(2) ?? [])]).toEqual([7, 8]);
    rolling.add(6.5);
    rolling.remove(2);
    expect(rolling.hasChangedFrom(7)).toBe(false);
    rolling.remove(7);
    expect(rolling.hasChangedFrom(7)).toBe(true);
    expect([...(rolling.largest(2) ?? [])]).toEqual([6.5, 8]);
    rolling.add(9);
    expect(rolling.hasChangedFrom(8)).toBe(true);
  });

  test('are no longer known where more of them left than were kept in reserve', () => {
    const rolling = new RollingLargest();
    rolling.refill(
      Float64Array.from({ length: 100 }, (_, i) => i),
      10,
    );
    expect(rolling.countAbove(89)).toBeNull();
    expect(rolling.countAbove(90)).toBe(9);
    for (let value = 99; value > 94; value--) rolling.remove(value);
    expect([...(rolling.largest(5) ?? [])]).toEqual([90, 91, 92, 93, 94]);
    expect(rolling.largest(6)).toBeNull();
  });

  test('are all that came where it was never filled, and all that are equal where it was', () => {
    const unfilled = new RollingLargest();
    const sample = Array.from({ length: 300 }, (_, i) => (i * 37) % 101);
    for (const value of sample) unfilled.add(value);
    expect([...(unfilled.largest(300) ?? [])]).toEqual(sample.toSorted((a, b) => a - b));
    const equal = new RollingLargest();
    equal.refill(new Float64Array(10).fill(3), 4);
    for (let i = 0; i < 200; i++) equal.add(3);
    equal.add(5);
    expect(equal.countAbove(3)).toBe(1);
    expect([...(equal.largest(211) ?? [])]).toEqual([...new Array(210).fill(3), 5]);
  });

  test('let the smallest go when half as many again have come, but none that equals the smallest kept', () => {
    const rolling = new RollingLargest();
    rolling.refill(Float64Array.of(1, 2, 3, 4), 4);
    // Seven places: the eighth value has none, and four of the seven stay, with both that equal the least of them.
    for (const value of [3, 9, 10]) rolling.add(value);
    expect(rolling.countAbove(0)).toBe(7);
    rolling.add(11);
    expect(rolling.countAbove(2.5)).toBeNull();
    expect([...(rolling.largest(6) ?? [])]).toEqual([3, 3, 4, 9, 10, 11]);
    expect(rolling.largest(7)).toBeNull();
    // Values below the floor are counted and not kept.
    rolling.add(2);
    rolling.remove(2);
    rolling.add(2.9);
    expect(rolling.count).toBe(9);
    expect(rolling.largest(7)).toBeNull();
  });
});
