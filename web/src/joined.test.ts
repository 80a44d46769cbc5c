import { describe, expect, test } from 'vitest';
import { joined } from './joined.ts';

const own = (number: number): number => number;

describe('the newest page and what was read before it', () => {
  test('are put together where they meet or overlap', () => {
    expect(joined([9, 8, 7], [6, 5], own)).toEqual([9, 8, 7, 6, 5]);
    expect(joined([9, 8, 7], [8, 7, 6, 5], own)).toEqual([9, 8, 7, 6, 5]);
    expect(joined([9, 8, 7], [], own)).toEqual([9, 8, 7]);
  });

  test('are not where something is missing between them, so that nobody takes a list with a hole for a whole one', () => {
    expect(joined([12, 11], [9, 8], own)).toEqual([12, 11]);
    expect(joined([], [9, 8], own)).toEqual([]);
  });
});
