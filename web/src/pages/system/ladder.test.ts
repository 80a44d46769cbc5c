import { expect, test } from 'vitest';
import { ladderOf } from './ladder.ts';
import { shareOf } from './shares.ts';

test('the map stands as prices do: rises above, falls below, what is due at the mark between them', () => {
  const level = (move: number) => ({ move, long: '3', short: '4', elsewhere: '5', groups: 6 });
  const rungs = ladderOf({
    liquidations: [-0.5, -0.01, 0.01, 0.5].map(level),
    due: { long: '1', short: '2' },
  });
  expect(rungs.map(({ move }) => move)).toEqual([0.5, 0.01, 0, -0.01, -0.5]);
  expect(rungs[2]).toEqual({ move: 0, long: '1', short: '2', elsewhere: null, groups: null });
});

test('of nothing nobody has a share', () => {
  expect(shareOf('1', '0')).toBe(0);
  expect(shareOf('1', '4')).toBe(0.25);
});
