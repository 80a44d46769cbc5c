import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  leverageText,
  moneyText,
  percentText,
  ppmText,
  shortMoneyText,
  signedPercentText,
  spanText,
  timeText,
  wordsOf,
} from './format.ts';

describe('numbers', () => {
  test.each([
    ['5000000', '5,000,000'],
    ['1234.5', '1,234.5'],
    ['-448192.88514', '−448,192.88'],
    ['0', '0'],
    ['999', '999'],
    // More than a number can hold.
    ['123456789012345678901234567890.12', '123,456,789,012,345,678,901,234,567,890.12'],
  ])('money %s is written %s', (decimal, text) => {
    expect(moneyText(decimal)).toBe(text);
  });

  test('money keeps every digit before the point', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n }), (whole) => {
        expect(moneyText(String(whole)).replaceAll(',', '')).toBe(String(whole));
      }),
      { seed: 7 },
    );
  });

  test.each([
    [999, '999'],
    [1000, '1k'],
    [1250, '1.3k'],
    [999_600, '1M'],
    [-2_500_000, '−2.5M'],
    [3e12, '3tn'],
  ])('%s is shortened to %s', (value, text) => {
    expect(shortMoneyText(value)).toBe(text);
  });

  test('what is not known is a dash, never a zero', () => {
    for (const text of [leverageText, moneyText, percentText, shortMoneyText, signedPercentText, timeText])
      expect(text(null)).toBe('–');
  });

  test.each([
    [0.25, '+25.0 %'],
    [-0.0004, '0.0 %'],
    [-0.333, '−33.3 %'],
  ])('a change of %s is written %s', (share, text) => {
    expect(signedPercentText(share)).toBe(text);
  });

  test('rates of margin keep all that parts per million say', () => {
    expect([ppmText(20_000), ppmText(83_334)]).toEqual(['2.00 %', '8.3334 %']);
  });
});

test('times are UTC whatever the place', () => {
  expect(timeText('2024-12-31T23:00:00.000Z')).toBe('2024-12-31 23:00');
  expect(timeText(Date.UTC(2024, 0, 2, 3, 4, 5), true)).toBe('2024-01-02 03:04:05');
});

test.each([
  [45_000, '45 s'],
  [5 * 60_000, '5 min'],
  [-5.5 * 3_600_000, '5.5 h'],
  [4 * 86_400_000, '4 d'],
])('%s ms are %s', (milliseconds, text) => {
  expect(spanText(milliseconds)).toBe(text);
});

test('names of the program are words', () => {
  expect(wordsOf('antiProcyclical')).toBe('anti procyclical');
});
