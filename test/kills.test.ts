import { expect, test } from 'vitest';
import { KILLS, type KilledWork } from './kills.ts';
import { files, isForTests, textOf } from './repository.ts';

test('publication, account writes, training and promotion are killed two hundred times at least, each where it says so', () => {
  const works = Object.keys(KILLS) as KilledWork[];
  expect(Object.values(KILLS).reduce<number>((sum, kills) => sum + kills, 0)).toBeGreaterThanOrEqual(200);
  const tests = files.filter((file) => isForTests(file) && file !== 'test/kills.test.ts');
  // What is not compared with the number of kills that were made could be any number.
  const held = works.filter((work) => tests.some((file) => textOf(file).includes(`toBe(KILLS.${work})`)));
  expect(held).toEqual(works);
});
