import { describe, expect, test } from 'vitest';
import { typedDecimal, typedPercent } from './typed.ts';

describe('what people type as a number', () => {
  test.each([
    ['25000', '25000'],
    [' 25,000.50 ', '25000.50'],
    ['1 000 000', '1000000'],
    ['−0.5', '-0.5'],
  ])('%s is %s', (typed, decimal) => {
    expect(typedDecimal(typed)).toBe(decimal);
  });

  test.each(['', '1.000,5', '1,00', '12,34,567', '1e6', '0x10', '.', '1.', 'ten'])(
    '%j could be anything and is none',
    (typed) => {
      expect(typedDecimal(typed)).toBeNull();
    },
  );

  test('a percentage becomes a share', () => {
    expect(typedPercent('-20')).toBe(-0.2);
    expect(typedPercent('7.5 %')).toBe(0.075);
    expect(typedPercent('a lot')).toBeNull();
  });
});
