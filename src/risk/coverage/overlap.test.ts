import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { conditionalCoverage, kupiec } from './hits.ts';
import { independentShare, overlappingConditionalCoverage } from './overlap.ts';

/** Hits of the largest of `steps` losses, one step apart. */
function overlapping(random: Random, n: number, steps: number, confidence: number): Uint8Array {
  const p = 1 - confidence ** (1 / steps);
  const own = Array.from({ length: n + steps - 1 }, () => random.uniform() < p);
  return Uint8Array.from({ length: n }, (_, t) => (own.slice(t, t + steps).some(Boolean) ? 1 : 0));
}

/** By the definition, with every mean taken off. */
function slowShare(hits: readonly Uint8Array[], steps: number): number {
  const covariance = (lag: number): number =>
    hits.reduce((total, own) => {
      const rate = own.reduce((sum, hit) => sum + hit, 0) / own.length;
      for (let t = lag; t < own.length; t++) total += (own[t] - rate) * (own[t - lag] - rate);
      return total;
    }, 0);
  let total = covariance(0);
  for (let lag = 1; lag < steps; lag++) total += 2 * covariance(lag);
  if (covariance(0) === 0) return 1 / steps;
  return total <= 0 ? 1 : Math.min(Math.max(covariance(0) / total, 1 / steps), 1);
}

describe('the share of the observations that is independent', () => {
  test('equals the slow one (property)', () => {
    const series = fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        fc.array(series, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 2, max: 6 }),
        (all, steps) => {
          const hits = all.map((own) => Uint8Array.from(own));
          expect(independentShare(hits, steps)).toBeCloseTo(slowShare(hits, steps), 9);
        },
      ),
    );
  });

  test('is one in a horizon where losses are the largest of its steps, and all without overlap', () => {
    const random = new Random(1);
    const hits = Array.from({ length: 40 }, () => overlapping(random, 2000, 4, 0.95));
    expect(independentShare(hits, 4)).toBeCloseTo(0.25, 2);
    expect(independentShare(hits, 1)).toBe(1);
    const apart = Array.from({ length: 40 }, () => overlapping(random, 2000, 1, 0.95));
    expect(independentShare(apart, 4)).toBeGreaterThan(0.93);
  });

  test('is asked for a whole horizon of at least one step', () => {
    const invalid = expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) });
    for (const horizonSteps of [0, 1.5, Number.NaN]) {
      expect(() => independentShare([new Uint8Array(5)], horizonSteps)).toThrow(invalid);
      expect(() => overlappingConditionalCoverage(new Uint8Array(5), 0.9, horizonSteps, 1)).toThrow(invalid);
    }
  });

  test('without any hit is the least', () => {
    expect(independentShare([new Uint8Array(50)], 4)).toBe(0.25);
    expect(independentShare([], 4)).toBe(0.25);
  });
});

describe('conditional coverage over horizons that overlap', () => {
  test('without overlap is the ordinary one (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 0, 1), { minLength: 3, maxLength: 60 }), (values) => {
        const hits = Uint8Array.from(values);
        const ordinary = conditionalCoverage(hits, 0.9);
        const found = overlappingConditionalCoverage(hits, 0.9, 1, 1);
        if (!found.available) throw new Error(found.reason);
        // The ordinary one has no answer where all hits are alike; then the rate alone speaks.
        const count = values.filter(Boolean).length;
        const expected = ordinary.available
          ? ordinary.statistic
          : kupiec(count, values.length, 0.9).statistic;
        expect(found.statistic).toBeCloseTo(expected, 9);
      }),
    );
  });

  test('rejects right forecasts at 5 % about as often as that, and clusters of hits nearly always', () => {
    const [steps, n, repetitions] = [4, 1460, 400];
    let [right, clustered, naive] = [0, 0, 0];
    const pValue = (hits: Uint8Array, share: number): number => {
      const found = overlappingConditionalCoverage(hits, 0.95, steps, share);
      return found.available ? found.pValue : Number.NaN;
    };
    for (let seed = 0; seed < repetitions; seed++) {
      const random = new Random(seed);
      const hits = overlapping(random, n, steps, 0.95);
      if (pValue(hits, 1 / steps) < 0.05) right++;
      if (pValue(hits, 1) < 0.05) naive++;
      // The same rate on average, in spells of 60 observations.
      const spells = Uint8Array.from({ length: n }, (_, t) => (Math.floor(t / 60) % 9 === 0 ? 1 : 0));
      const dense = overlapping(random, n, steps, 0.55).map((hit, t) => hit * spells[t]);
      if (pValue(dense, 1 / steps) < 0.05) clustered++;
    }
    expect(right / repetitions).toBeGreaterThan(0.005);
    expect(right / repetitions).toBeLessThan(0.08);
    expect(clustered / repetitions).toBeGreaterThan(0.7);
    expect(naive / repetitions).toBeGreaterThan(0.25);
  });

  test('needs a transition', () => {
    expect(overlappingConditionalCoverage(new Uint8Array(4), 0.95, 4, 0.25).available).toBe(false);
    expect(overlappingConditionalCoverage(new Uint8Array(5), 0.95, 4, 0.25).available).toBe(true);
  });
});
