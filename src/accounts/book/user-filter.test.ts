import { expect, test } from 'vitest';
import { UserFilter } from './user-filter.ts';

test('before it is whole everybody may be in it; then those who are, and hardly anybody else', () => {
  const filter = new UserFilter();
  expect(filter.mayHave('nobody')).toBe(true);
  for (let i = 0; i < 10_000; i++) filter.add(`user-${i}`);
  filter.complete();
  for (let i = 0; i < 10_000; i++) expect(filter.mayHave(`user-${i}`)).toBe(true);
  const taken = Array.from({ length: 10_000 }, (_, i) => filter.mayHave(`other-${i}`)).filter(Boolean);
  expect(taken.length).toBeLessThan(10);
});

test('another one on the same memory sees the same', () => {
  const filter = new UserFilter();
  const reader = new UserFilter(filter.memory);
  filter.complete();
  expect(reader.mayHave('u')).toBe(false);
  filter.add('u');
  expect(reader.mayHave('u')).toBe(true);
});

test('with a million users it still tells most others apart', () => {
  const filter = new UserFilter();
  for (let i = 0; i < 1_000_000; i++) filter.add(`u${i}`);
  filter.complete();
  const taken = Array.from({ length: 20_000 }, (_, i) => filter.mayHave(`v${i}`)).filter(Boolean);
  expect(taken.length / 20_000).toBeLessThan(0.01);
});
