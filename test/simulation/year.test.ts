import { describe, expect, test } from 'vitest';
import { FAILED_SEEDS } from './seeds.ts';
import { simulate } from './year.ts';

describe('simulated days of the service', () => {
  test.each([21, 22])('keep every invariant through lies, crashes and people: seed %i', async (seed) => {
    const result = await simulate({ seed, days: 6 });
    expect(result.violations, result.trace.join('\n')).toEqual([]);
    expect(result.decisions).toBeGreaterThan(120);
    expect(result.crashes).toBeGreaterThan(0);
    expect(result.steps).toBeGreaterThan(0);
    expect(result.lies.size).toBeGreaterThan(5);
  });

  test('come out the same to the bit when a seed is played again', async () => {
    const [first, again] = [await simulate({ seed: 23, days: 2 }), await simulate({ seed: 23, days: 2 })];
    expect(again).toEqual(first);
    expect(first.hash).toMatch(/^[0-9a-f]{64}$/);
    const other = await simulate({ seed: 24, days: 1 });
    expect(other.hash).not.toBe(first.hash);
  });
});

for (const { seed, days, found } of FAILED_SEEDS) {
  test(`seed ${seed} failed once within ${days} days: ${found}`, async () => {
    const { violations, trace } = await simulate({ seed, days });
    expect(violations, trace.join('\n')).toEqual([]);
  });
}
