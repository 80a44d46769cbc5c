import { describe, expect, test } from 'vitest';
import { didYouMean, editDistance } from './spelling.ts';

describe('spelling', () => {
  test.each([
    ['', '', 0],
    ['kitten', 'sitting', 3],
    ['flaw', 'lawn', 2],
    ['abc', '', 3],
  ])('the distance from %j to %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });

  test('offers the near name and none that is far', () => {
    expect(didYouMean('PLIMSOLL_PROT', ['PLIMSOLL_PORT', 'PLIMSOLL_HOST'])).toBe(
      '; did you mean PLIMSOLL_PORT?',
    );
    expect(didYouMean('zzzzzz', ['port', 'host'])).toBe('');
  });
});
