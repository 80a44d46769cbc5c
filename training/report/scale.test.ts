import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linearScale, logScale, monthTicks, roundTicks } from './scale.ts';
import { significant, whole } from './text.ts';

describe('scales of a drawing', () => {
  test('put the ends of the data on the ends of the drawing, and ratios at even distances', () => {
    const x = linearScale([2, 4], [10, 30]);
    expect([x(2), x(3), x(4)]).toEqual([10, 20, 30]);
    const y = logScale([0.25, 4], [100, 0]);
    expect(y(1)).toBeCloseTo(50, 12);
    expect(y(2) - y(4)).toBeCloseTo(y(0.5) - y(1), 12);
  });

  test('a flat line lies in the middle', () => {
    expect(linearScale([3, 3], [0, 10])(3)).toBeCloseTo(5, 12);
    expect(linearScale([0, 0], [0, 10])(0)).toBeCloseTo(5, 12);
  });

  test('ticks are round, within the domain, and not many more than asked for', () => {
    expect(roundTicks([0, 0.053], 5)).toEqual([0, 0.02, 0.04]);
    const domain = fc.tuple(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
    );
    fc.assert(
      fc.property(domain, fc.integer({ min: 2, max: 10 }), ([low, width], count) => {
        const ticks = roundTicks([low, low + width], count);
        expect(ticks.length).toBeLessThanOrEqual(count + 2);
        const slack = 1e-6 * Math.max(width, Math.abs(low), 1e-6);
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(low - slack);
          expect(tick).toBeLessThanOrEqual(low + width + slack);
        }
      }),
    );
  });

  test('months are begins of months in even steps', () => {
    const ticks = monthTicks([Date.UTC(2023, 0, 15), Date.UTC(2025, 0, 15)], 6);
    expect(ticks.map((at) => new Date(at).toISOString().slice(0, 10))).toEqual([
      '2023-07-01',
      '2024-01-01',
      '2024-07-01',
      '2025-01-01',
    ]);
    const short = [Date.UTC(2024, 0, 3), Date.UTC(2024, 0, 20)] as const;
    expect(monthTicks(short, 6)).toEqual([short[0]]);
  });
});

describe('numbers of a report', () => {
  test('show the digits that count, and a dash for what is none', () => {
    expect([0.0123456, 1.5, 123.4, 0, Number.NaN].map((value) => significant(value))).toEqual([
      '0.0123',
      '1.50',
      '123',
      '0',
      '–',
    ]);
    expect([999, 1000, 38762, 1234567].map(whole)).toEqual(['999', '1,000', '38,762', '1,234,567']);
  });
});
