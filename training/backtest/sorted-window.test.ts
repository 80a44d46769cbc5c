import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedWindow } from './sorted-window.ts';

test('holds what a sorted copy of the newest values holds, also with equal ones', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 12 }),
      (values, size) => {
        const window = new SortedWindow(size + 1);
        for (const [i, value] of values.entries()) {
          window.add(value);
          if (i >= size) window.remove(values[i - size]);
          const expected = values.slice(Math.max(i + 1 - size, 0), i + 1).sort((a, b) => a - b);
          expect([...window.largest(size)]).toEqual(expected);
          expect([...window.largest(2)]).toEqual(expected.slice(-2));
        }
      },
    ),
    { seed: 3, numRuns: 200 },
  );
});
