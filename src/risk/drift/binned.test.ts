import fc from 'fast-check';
import { expect, test } from 'vitest';
import { binOf, stabilityOfCounts } from './binned.ts';
import { populationStability, referenceBins } from './psi.ts';

test('counts that were kept give the index that the values give', () => {
  const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 12, maxLength: 200 });
  fc.assert(
    fc.property(values, values, (one, other) => {
      const bins = referenceBins(Float64Array.from(one), 10);
      if (!bins.available) return;
      const counts = new Uint32Array(bins.edges.length + 1);
      for (const value of other) counts[binOf(bins.edges, value)]++;
      const whole = populationStability(bins, Float64Array.from(other));
      if (!whole.available) throw new Error('with a pseudo-count there is always an index');
      expect([...counts]).toEqual([...whole.counts]);
      expect(stabilityOfCounts(bins.counts, counts)).toBeCloseTo(whole.index, 10);
    }),
  );
});

test('a value equal to an edge belongs below it, and beyond the edges there are bins', () => {
  expect([-1, 0, 0.5, 1, 2].map((value) => binOf([0, 1], value))).toEqual([0, 0, 1, 1, 2]);
  expect(binOf([], 3)).toBe(0);
});

test('a pseudo-count of nothing and histograms of different bins are refused', () => {
  const invalid = expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) });
  for (const pseudoCount of [0, -1, Number.NaN])
    expect(() => stabilityOfCounts([1, 2], [2, 1], pseudoCount)).toThrow(invalid);
  expect(() => stabilityOfCounts([1, 2], [2, 1, 0])).toThrow(invalid);
  expect(() => stabilityOfCounts([1, 2, 0], [2, 1])).toThrow(invalid);
});
