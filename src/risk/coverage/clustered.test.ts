import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { clusteredCoverage } from './clustered.ts';
import { kupiec } from './hits.ts';

const alone = { horizonSteps: 1, lags: 0 };

describe('coverage of several series with one cluster a time', () => {
  test('by hand: six times, two series, without lags', () => {
    // r = 3/12; h − r n = 1.5, −.5, −.5, .5, −.5, −.5; Ω = 3.5/6... squares 2.25 + 5 · 0.25 = 3.5; Var r = 3.5/144.
    const exceedances = Float64Array.of(2, 0, 0, 1, 0, 0);
    const found = clusteredCoverage(exceedances, new Float64Array(6).fill(2), 0.75, alone);
    const effective = (0.25 * 0.75 * 144) / 3.5;
    expect(found).toMatchObject({
      observations: 12,
      exceedances: 3,
      exceedanceRate: 0.25,
      withinInterval: true,
    });
    expect(found.effectiveObservations).toBeCloseTo(effective, 12);
    expect(found.pValue).toBeCloseTo(kupiec(0.25 * effective, effective, 0.75).pValue, 12);
  });

  test('by hand: losses that are not equally many at all times', () => {
    // r = 3/8; h − r n = 5/8, −3/4, 7/8, −3/4, whose squares have the mean 73/128.
    const found = clusteredCoverage(Float64Array.of(1, 0, 2, 0), Float64Array.of(1, 2, 3, 2), 0.5, alone);
    expect(found.effectiveObservations).toBeCloseTo(((3 / 8) * (5 / 8) * 64) / (4 * (73 / 128)), 12);
  });

  test('the interval ends where SciPy’s binomial does: 5 to 16 of 100 at 90 %', () => {
    // P(X ≤ 4) 0.0237, P(X ≤ 5) 0.0576, P(X ≥ 16) 0.0399, P(X ≥ 17) 0.0206.
    const within = (count: number): boolean =>
      clusteredCoverage(
        Float64Array.from({ length: 100 }, (_, t) => (t < count ? 1 : 0)),
        new Float64Array(100).fill(1),
        0.9,
        alone,
      ).withinInterval;
    expect([4, 5, 16, 17].map(within)).toEqual([false, true, true, false]);
  });

  test('times without any loss say nothing, and have no p-value', () => {
    expect(clusteredCoverage(new Float64Array(3), new Float64Array(3), 0.9, alone)).toMatchObject({
      observations: 0,
      exceedanceRate: 0,
      effectiveObservations: 0,
      pValue: null,
    });
  });

  test('refuses what is no confidence, no horizon, no lag and no series', () => {
    const one = Float64Array.of(1, 1);
    const refused = (
      code: string,
      ...[came, counts, confidence, options]: Parameters<typeof clusteredCoverage>
    ) =>
      expect(() => clusteredCoverage(came, counts, confidence, options)).toThrow(
        expect.objectContaining({ code, remedy: expect.any(String) }),
      );
    for (const confidence of [0, 1, Number.NaN]) refused('INPUT_INVALID', one, one, confidence, alone);
    for (const horizonSteps of [0, 1.5]) refused('INPUT_INVALID', one, one, 0.9, { horizonSteps, lags: 0 });
    for (const lags of [-1, 0.5]) refused('INPUT_INVALID', one, one, 0.9, { horizonSteps: 1, lags });
    refused('INPUT_INVALID', one, Float64Array.of(1), 0.9, alone);
    refused('INPUT_INVALID', Float64Array.of(Number.NaN, 0), one, 0.9, alone);
    refused('INPUT_INVALID', one, Float64Array.of(Infinity, 1), 0.9, alone);
    refused('DATA_INSUFFICIENT', new Float64Array(0), new Float64Array(0), 0.9, alone);
  });

  test('series that are copies of one count once', () => {
    const random = new Random(4);
    const hits = Float64Array.from({ length: 3000 }, () => (random.uniform() < 0.05 ? 1 : 0));
    const one = clusteredCoverage(hits, new Float64Array(3000).fill(1), 0.95, alone);
    const ten = clusteredCoverage(
      hits.map((hit) => 10 * hit),
      new Float64Array(3000).fill(10),
      0.95,
      alone,
    );
    expect(one.effectiveObservations).toBeCloseTo(3000, 6);
    expect(ten.effectiveObservations).toBeCloseTo(3000, 6);
    expect(ten.pValue).toBeCloseTo(one.pValue ?? Number.NaN, 9);
  });

  test('right forecasts with clusters and overlap are rejected at 5 % about as often as that', () => {
    const [times, series, steps, repetitions] = [1000, 8, 3, 400];
    let [rejected, naive, outside] = [0, 0, 0];
    for (let seed = 0; seed < repetitions; seed++) {
      const random = new Random(seed);
      // A loss is the largest of three steps; a step exceeds in all series together or in one.
      const p = 1 - 0.95 ** (1 / steps);
      const common = Float64Array.from({ length: times + steps }, () => (random.uniform() < p / 2 ? 1 : 0));
      const exceedances = new Float64Array(times);
      const own = 1 - (1 - p) / (1 - p / 2);
      for (let i = 0; i < series; i++) {
        const hits = common.map((hit) => (hit === 1 || random.uniform() < own ? 1 : 0));
        for (let t = 0; t < times; t++) exceedances[t] += Math.max(hits[t], hits[t + 1], hits[t + 2]);
      }
      const counts = new Float64Array(times).fill(series);
      const found = clusteredCoverage(exceedances, counts, 0.95, { horizonSteps: steps, lags: 6 });
      if ((found.pValue ?? 1) < 0.05) rejected++;
      if (!found.withinInterval) outside++;
      if (kupiec(found.exceedances, times * series, 0.95).pValue < 0.05) naive++;
    }
    expect(rejected / repetitions).toBeGreaterThan(0.02);
    expect(rejected / repetitions).toBeLessThan(0.1);
    expect(outside / repetitions).toBeLessThan(0.1);
    // What would come of taking them for independent.
    expect(naive / repetitions).toBeGreaterThan(0.3);
  });

  test('no exceedance at all is as bad as so few independent horizons make it, and without any expected there is no p-value', () => {
    const counts = new Float64Array(900).fill(20);
    const none = clusteredCoverage(new Float64Array(900), counts, 0.99, { horizonSteps: 4, lags: 5 });
    expect(none).toMatchObject({ exceedances: 0, effectiveObservations: 225, withinInterval: true });
    expect(none.pValue).toBeCloseTo(kupiec(0, 225, 0.99).pValue, 12);
    const rare = clusteredCoverage(new Float64Array(900), counts, 0.999, { horizonSteps: 4, lags: 5 });
    expect(rare.pValue).toBeNull();
  });

  test('a bound from a lower confidence holds the effective observations down, never below one a horizon', () => {
    const counts = new Float64Array(900).fill(20);
    const exceedances = Float64Array.from({ length: 900 }, (_, t) => (t % 100 === 0 ? 1 : 0));
    const effective = (mostEffective: number): number =>
      clusteredCoverage(exceedances, counts, 0.999, { horizonSteps: 4, lags: 5, mostEffective })
        .effectiveObservations;
    expect(effective(Number.POSITIVE_INFINITY)).toBeGreaterThan(1000);
    expect([effective(1000), effective(10)]).toEqual([1000, 225]);
  });

  test('effective observations lie between one a horizon and all, and nothing is NaN (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom(0.9, 0.99, 0.999),
        (pairs, horizonSteps, confidence) => {
          const counts = Float64Array.from(pairs, ([a, b]) => a + b);
          const exceedances = Float64Array.from(pairs, ([a]) => a);
          const found = clusteredCoverage(exceedances, counts, confidence, {
            horizonSteps,
            lags: horizonSteps,
          });
          expect(found.effectiveObservations).toBeLessThanOrEqual(found.observations);
          expect(Number.isFinite(found.exceedanceRate)).toBe(true);
          if (found.pValue !== null) expect(found.pValue >= 0 && found.pValue <= 1).toBe(true);
        },
      ),
    );
  });
});
