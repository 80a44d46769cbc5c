import { describe, expect, test } from 'vitest';
import { pathOf } from './sparkline.tsx';

describe('the path of a small chart', () => {
  test('holds each value until the next where they are steps, and goes on to it where they are not', () => {
    expect(pathOf([1, 2], true)).toBe('M2 22H110V2');
    expect(pathOf([1, 2], false)).toBe('M2 22L110 2');
  });

  test('breaks where nothing is known', () => {
    expect(pathOf([1, null, 3, 3], true).match(/M/g)).toHaveLength(2);
    expect(pathOf([null, null], true)).toBe('');
    expect(pathOf([], true)).toBe('');
  });

  test('is a line in the middle where nothing has changed, and can be seen with one value alone', () => {
    expect(pathOf([5, 5, 5], false)).toBe('M2 12L56 12L110 12');
    expect(pathOf([5, null, null], true)).toBe('M2 12H8');
    // The newest, on the first day.
    expect(pathOf([null, null, 5], true)).toBe('M110 12H104');
  });
});
