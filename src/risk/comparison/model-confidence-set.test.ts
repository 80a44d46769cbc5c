import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { type BlockBootstrapOptions, bootstrapMeanDeviations } from './bootstrap-means.ts';
import {
  type ModelConfidenceSet,
  type ModelConfidenceSetOptions,
  modelConfidenceSet,
} from './model-confidence-set.ts';

/** Losses of models with a common, dependent part and a penalty each, by Park and Miller's generator. */
function golden(n: number, penalties: readonly number[]): Float64Array[] {
  const { uniform: next } = parkMiller(20240601);
  const losses = penalties.map(() => new Float64Array(n));
  let common = 0;
  for (let t = 0; t < n; t++) {
    common = 0.6 * common + next() - 0.5;
    for (const [i, penalty] of penalties.entries())
      losses[i][t] = (common + 0.5) * (common + 0.5) + penalty + 0.4 * next();
  }
  return losses;
}

function available(losses: readonly Float64Array[], options: ModelConfidenceSetOptions): ModelConfidenceSet {
  const result = modelConfidenceSet(losses, options);
  if (!result.available) throw new Error(result.reason);
  return result;
}

/** The indices that a resample takes, one by one: slow, and plainly what the definition says. */
function resampledIndices(
  n: number,
  { bootstrap, blockLength, replications, seed }: BlockBootstrapOptions,
): number[][] {
  const random = Random.stream(seed, 'block-bootstrap');
  return Array.from({ length: replications }, () => {
    const indices: number[] = [];
    while (indices.length < n) {
      const isStationary = bootstrap === 'stationary';
      const start = random.integer(isStationary ? n : n - blockLength + 1);
      const length = isStationary
        ? 1 + Math.floor(-random.exponential() / Math.log1p(-1 / blockLength))
        : blockLength;
      for (let k = 0; k < length && indices.length < n; k++) indices.push((start + k) % n);
    }
    return indices;
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The set by its definition, over all pairs of the models left, from resampled losses. */
function slowSet(
  losses: readonly Float64Array[],
  statistic: 'range' | 'maximum',
  options: BlockBootstrapOptions,
) {
  const means = losses.map((series) => mean([...series]));
  const resampled = resampledIndices(losses[0].length, options).map((indices) =>
    losses.map((series, i) => mean(indices.map((t) => series[t])) - means[i]),
  );
  const spread = (of: (row: readonly number[]) => number): number =>
    Math.sqrt(mean(resampled.map((row) => of(row) ** 2)));
  let left = losses.map((_, i) => i);
  const steps: { model: number; statistic: number; pValue: number }[] = [];
  while (left.length > 1) {
    const set = left;
    const contrasts =
      statistic === 'range'
        ? set.flatMap((i) =>
            set
              .filter((j) => j !== i)
              .map((j) => ({ model: i, of: (row: readonly number[]) => row[i] - row[j] })),
          )
        : set.map((i) => ({
            model: i,
            of: (row: readonly number[]) => row[i] - mean(set.map((j) => row[j])),
          }));
    const tests = contrasts.map((contrast) => ({ ...contrast, spread: spread(contrast.of) }));
    const worst = tests
      .map((one) => ({ model: one.model, t: one.of(means) / one.spread }))
      .reduce((a, b) => (b.t > a.t ? b : a));
    const asLarge = resampled.filter(
      (row) => Math.max(...tests.map((one) => one.of(row) / one.spread)) >= worst.t,
    );
    steps.push({ model: worst.model, statistic: worst.t, pValue: asLarge.length / resampled.length });
    left = left.filter((i) => i !== worst.model);
  }
  return steps;
}

describe('the set equals that of arch 8.0 (Python) over the same resamples', () => {
  const six = [0, 0.02, 0.01, 0.08, 0.03, 0.2];
  const three = [0.05, 0, 0.01];
  test.each<
    [
      number,
      readonly number[],
      Required<Omit<ModelConfidenceSetOptions, 'confidence' | 'seed'>>,
      number[],
      number[],
      number,
    ]
  >([
    [
      250,
      six,
      { bootstrap: 'stationary', statistic: 'range', blockLength: 8, replications: 500 },
      [5, 3, 1, 4, 2],
      [1, 0.01, 0.502, 0, 0.012, 0],
      20.78198856205748,
    ],
    [
      250,
      six,
      { bootstrap: 'stationary', statistic: 'maximum', blockLength: 8, replications: 500 },
      [5, 3, 4, 1, 2],
      [1, 0.022, 0.502, 0, 0.022, 0],
      21.403299280781805,
    ],
    [
      250,
      six,
      { bootstrap: 'moving-block', statistic: 'range', blockLength: 8, replications: 500 },
      [5, 3, 1, 4, 2],
      [1, 0.004, 0.562, 0, 0.008, 0],
      19.12449534282109,
    ],
    [
      250,
      six,
      { bootstrap: 'moving-block', statistic: 'maximum', blockLength: 8, replications: 500 },
      [5, 3, 4, 1, 2],
      [1, 0.008, 0.562, 0, 0.008, 0],
      18.318003229653005,
    ],
    [
      120,
      three,
      { bootstrap: 'stationary', statistic: 'range', blockLength: 5, replications: 400 },
      [0, 2],
      [0, 1, 0.1175],
      4.337574384684039,
    ],
    [
      120,
      three,
      { bootstrap: 'moving-block', statistic: 'maximum', blockLength: 5, replications: 400 },
      [0, 2],
      [0, 1, 0.155],
      4.45157487972841,
    ],
  ])('%i observations, penalties %j, %o', (n, penalties, options, order, pValues, statistic) => {
    const set = available(golden(n, penalties), { ...options, seed: 7 });
    expect(set.eliminations.map(({ model }) => model)).toEqual(order);
    expect([...set.pValues]).toEqual(pValues);
    expect(Math.abs(set.eliminations[0].statistic / statistic - 1)).toBeLessThan(1e-9);
    expect(set.members).toEqual([...set.pValues.keys()].filter((i) => set.pValues[i] >= 0.1));
  });
});

describe('the fast kernels equal their definitions', () => {
  const kinds = fc.constantFrom('stationary' as const, 'moving-block' as const);

  test('means of blocks by prefix sums equal means of resampled losses', () => {
    fc.assert(
      fc.property(
        kinds,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 99 }),
        (bootstrap, blockLength, seed) => {
          const losses = golden(40, [0, 0.3, 1]);
          const options = { bootstrap, blockLength, replications: 20, seed };
          const fast = bootstrapMeanDeviations(losses, options);
          for (const [r, indices] of resampledIndices(40, options).entries())
            for (const [i, series] of losses.entries()) {
              const slow = mean(indices.map((t) => series[t])) - mean([...series]);
              expect(fast[r * losses.length + i]).toBeCloseTo(slow, 13);
            }
        },
      ),
      { seed: 31, numRuns: 60 },
    );
  });

  test('the elimination equals the one over all contrasts', () => {
    fc.assert(
      fc.property(
        kinds,
        fc.constantFrom('range' as const, 'maximum' as const),
        fc.array(fc.double({ min: 0, max: 0.1, noNaN: true }), { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 1, max: 99 }),
        (bootstrap, statistic, penalties, seed) => {
          const losses = golden(80, penalties);
          const options = { bootstrap, blockLength: 6, replications: 100, seed };
          const fast = available(losses, { ...options, statistic });
          const slow = slowSet(losses, statistic, options);
          expect(fast.eliminations.map(({ model, pValue }) => [model, pValue])).toEqual(
            slow.map(({ model, pValue }) => [model, pValue]),
          );
          for (const [k, step] of slow.entries())
            expect(Math.abs(fast.eliminations[k].statistic / step.statistic - 1)).toBeLessThan(1e-9);
        },
      ),
      { seed: 32, numRuns: 40 },
    );
  });
});

describe('the set', () => {
  test('holds the best model at least as often as its confidence says, and drops much worse ones', () => {
    let [held, dropped] = [0, 0];
    const rounds = 100;
    for (let seed = 1; seed <= rounds; seed++) {
      const random = Random.stream(seed, 'set');
      const losses = [1, 1.02, 1.02, 2].map((level) =>
        new Float64Array(150).map(() => level * random.exponential()),
      );
      const { members } = available(losses, { replications: 200, blockLength: 1, seed });
      if (members.includes(0)) held++;
      if (!members.includes(3)) dropped++;
    }
    expect(held / rounds).toBeGreaterThanOrEqual(0.9);
    expect(dropped / rounds).toBeGreaterThan(0.95);
  });

  test('is the same for the same seed, and does not depend on the order or the unit of the losses', () => {
    const losses = golden(200, [0.02, 0, 0.05]);
    const one = available(losses, { seed: 3 });
    expect(available(losses, { seed: 3 })).toEqual(one);
    const turned = available([losses[2], losses[0], losses[1]], { seed: 3 });
    expect([...turned.pValues]).toEqual([one.pValues[2], one.pValues[0], one.pValues[1]]);
    const scaled = available(
      losses.map((series) => series.map((loss) => loss * 2 ** 20)),
      { seed: 3 },
    );
    expect(scaled.pValues).toEqual(one.pValues);
  });

  test('of one model is that model, and of equal ones all of them', () => {
    const [first, , third] = golden(100, [0, 0, 0.5]);
    expect(available([first], {})).toMatchObject({ members: [0], eliminations: [] });
    for (const statistic of ['range', 'maximum'] as const) {
      const set = available([first, first, first], { statistic });
      expect(set.members).toEqual([0, 1, 2]);
      expect([...set.pValues]).toEqual([1, 1, 1]);
      expect(available([first, third, first], { statistic }).members).toEqual([0, 2]);
    }
  });

  test('of models that differ by a constant is not available', () => {
    const [first] = golden(100, [0]);
    for (const statistic of ['range', 'maximum'] as const)
      expect(modelConfidenceSet([first, first.map((loss) => loss + 0.1)], { statistic })).toMatchObject({
        available: false,
        reason: expect.stringContaining('constant'),
      });
    expect(modelConfidenceSet([])).toMatchObject({ available: false });
  });

  test.each<[string, string, Float64Array[], ModelConfidenceSetOptions]>([
    ['few observations', 'DATA_INSUFFICIENT', golden(9, [0, 1]), {}],
    ['different lengths', 'INPUT_INVALID', [...golden(20, [0]), ...golden(21, [0])], {}],
    ['a loss that is no number', 'INPUT_INVALID', [new Float64Array(20).fill(Number.NaN)], {}],
    ['a block longer than the sample', 'INPUT_INVALID', golden(20, [0, 1]), { blockLength: 21 }],
    ['no resample', 'INPUT_INVALID', golden(20, [0, 1]), { replications: 0 }],
    ['a confidence of 1', 'INPUT_INVALID', golden(20, [0, 1]), { confidence: 1 }],
  ])('%s: refused with a remedy', (_, code, losses, options) => {
    expect(() => modelConfidenceSet(losses, options)).toThrow(
      expect.objectContaining({ code, remedy: expect.any(String) }),
    );
  });
});
