import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { binomialCumulative } from '../numeric/binomial.ts';
import { rejectionsByChance } from './rejections-by-chance.ts';

const options = { significance: 0.05, confidence: 0.95, blockLength: 1 };

function normals(seed: number, tests: number, times: number, dependence: number): Float64Array[] {
  const random = new Random(seed);
  const common = Float64Array.from({ length: times }, () => random.normal());
  return Array.from({ length: tests }, () =>
    common.map((value) => Math.sqrt(dependence) * value + Math.sqrt(1 - dependence) * random.normal()),
  );
}

describe('how many tests chance alone rejects', () => {
  test('of independent ones the quantile of the binomial distribution, give or take its bootstrap', () => {
    const found = rejectionsByChance(normals(1, 200, 300, 0), options);
    expect(found.tests).toBe(200);
    expect(binomialCumulative(found.mostIndependent, 200, 0.05)).toBeGreaterThanOrEqual(0.95);
    expect(binomialCumulative(found.mostIndependent - 1, 200, 0.05)).toBeLessThan(0.95);
    expect(found.most).toBeLessThanOrEqual(found.mostIndependent + 3);
  });

  test('of copies of one all or none: the bound is all of them as soon as a rejection is likelier than the bound leaves out', () => {
    const [one] = normals(2, 1, 300, 0);
    const copies = new Array<Float64Array>(50).fill(one);
    expect(rejectionsByChance(copies, { ...options, confidence: 0.97 }).most).toBe(50);
    expect(rejectionsByChance(copies, { ...options, confidence: 0.94 }).most).toBeLessThan(10);
  });

  test('of dependent ones what repeated samples show', () => {
    const [tests, times, dependence] = [60, 120, 0.6];
    const counts: number[] = [];
    for (let seed = 10; seed < 510; seed++) {
      let rejected = 0;
      for (const series of normals(seed, tests, times, dependence)) {
        const mean = series.reduce((sum, value) => sum + value, 0) / times;
        if (Math.abs(mean) * Math.sqrt(times) > 1.959964) rejected++;
      }
      counts.push(rejected);
    }
    counts.sort((a, b) => a - b);
    const truth = counts[Math.ceil(0.95 * counts.length) - 1];
    const found = rejectionsByChance(normals(3, tests, times, dependence), options);
    expect(truth).toBeGreaterThan(2 * found.mostIndependent);
    expect(found.most).toBeGreaterThan(0.6 * truth);
    expect(found.most).toBeLessThan(1.6 * truth);
  });

  test('of none it is none, and a mean of the series does not matter', () => {
    expect(rejectionsByChance([], options)).toEqual({ tests: 0, mostIndependent: 0, most: 0 });
    const series = normals(4, 20, 200, 0.5);
    const moved = series.map((values) => values.map((value) => value + 7));
    expect(rejectionsByChance(moved, options)).toEqual(rejectionsByChance(series, options));
  });

  test('what is no probability and too few replications are refused, also where there is no test', () => {
    const invalid = expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) });
    for (const wrong of [0, 1, Number.NaN]) {
      expect(() => rejectionsByChance([], { ...options, significance: wrong })).toThrow(invalid);
      expect(() => rejectionsByChance([], { ...options, confidence: wrong })).toThrow(invalid);
    }
    for (const replications of [9, 10.5])
      expect(() => rejectionsByChance([], { ...options, replications })).toThrow(invalid);
  });

  test('a number that is none is refused', () => {
    expect(() => rejectionsByChance([Float64Array.of(1, Number.NaN)], options)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });
});
