import { describe, expect, test } from 'vitest';
import { FEATURE_COUNT, FEATURE_NAMES, featureIndex } from '../../src/features/spec.ts';
import { Random } from '../../src/random.ts';
import { FEATURE_FAMILIES, featureFamilies, permutationImportance } from './importance.ts';

const ROWS = 3000;
const random = new Random(5);
const features = Float64Array.from({ length: ROWS * FEATURE_COUNT }, () => random.normal());
const [volatility, hour] = [featureIndex('logRealisedVolatility24h'), featureIndex('hourSine')];
/** Loss of a model that is right about 2 x volatility + hour, so that each family's share of the variance is known. */
const score = async (values: Float64Array, rows: number): Promise<number> => {
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const of = (table: Float64Array): number =>
      2 * table[row * FEATURE_COUNT + volatility] + table[row * FEATURE_COUNT + hour];
    sum += (of(features) - of(values)) ** 2;
  }
  return 1 + sum / rows;
};

describe('permutation importance', () => {
  test('every feature is in exactly one family, and every family has some', () => {
    const families = featureFamilies();
    const columns = [...families.values()].flat().sort((a, b) => a - b);
    expect(columns).toEqual(FEATURE_NAMES.map((_, i) => i));
    expect([...families.keys()].sort()).toEqual(Object.keys(FEATURE_FAMILIES).sort());
  });

  test('a family is worth twice its variance in the answer, another nothing, and the first comes first', async () => {
    const before = features.slice();
    const found = await permutationImportance(score, features, ROWS, 1);
    expect(features).toEqual(before);
    expect(found[0].family).toBe('own volatility');
    expect(found[0].increase).toBeGreaterThan(7);
    expect(found[0].increase).toBeLessThan(9);
    expect(found[1].family).toBe('time of day and week');
    expect(found[1].increase).toBeGreaterThan(1.7);
    expect(found[1].increase).toBeLessThan(2.3);
    expect(found.slice(2).every(({ increase }) => increase === 0)).toBe(true);
  });

  test('a seed repeats to the bit, and another shuffles otherwise', async () => {
    const [first, again, other] = await Promise.all(
      [1, 1, 2].map((seed) => permutationImportance(score, features, ROWS, seed, 1)),
    );
    expect(again).toEqual(first);
    expect(other[0].increase).not.toBe(first[0].increase);
  });
});
