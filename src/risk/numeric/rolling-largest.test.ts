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
            const above = rolling.countAbove(value);
            if (above !== null) expect(above).toBe(sample.filter((one) => one > value).length);
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
});
