import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { binomialCumulative, incompleteBeta } from '../numeric/binomial.ts';
import type { TestOutcome } from '../outcome.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { dynamicQuantile } from './dynamic-quantile.ts';
import { christoffersenIndependence, conditionalCoverage, countTransitions } from './hits.ts';
import { coverageReport } from './report.ts';
import { acerbiSzekely, type JudgedForecasts, mcNeilFrey } from './shortfall-tests.ts';
import { trafficLight } from './traffic-light.ts';

/** Exponential losses under a VaR that moves, drawn by Park and Miller's generator: any language repeats them. */
function golden(n: number, size: number, confidence: number): JudgedForecasts {
  const { uniform: next } = parkMiller(20240601);
  const loss = new Float64Array(n);
  const valueAtRisk = new Float64Array(n);
  for (let t = 0; t < n; t++) {
    loss[t] = -Math.log(1 - next()) * 0.01 * size;
    valueAtRisk[t] = 0.04 * (0.8 + 0.4 * next());
  }
  return { loss, valueAtRisk, expectedShortfall: valueAtRisk.map((value) => 1.25 * value), confidence };
}

/** Losses drawn from the very distribution that the forecasts state. */
function honest(n: number, confidence: number, seed: number): JudgedForecasts {
  const random = Random.stream(seed, 'honest');
  const valueAtRisk = Float64Array.from({ length: n }, () => 0.03 + 0.02 * random.uniform());
  const expectedShortfall = valueAtRisk.map((value) => 1.3 * value);
  const loss = valueAtRisk.map((value, t) =>
    random.uniform() < 1 - confidence
      ? value + (expectedShortfall[t] - value) * random.exponential()
      : value * random.uniform(),
  );
  return { loss, valueAtRisk, expectedShortfall, confidence };
}

function expectOutcome(outcome: TestOutcome, statistic: number, pValue: number): void {
  expect(outcome.available).toBe(true);
  if (!outcome.available) return;
  expect(outcome.statistic / statistic).toBeCloseTo(1, 9);
  expect(outcome.pValue / pValue).toBeCloseTo(1, 7);
}

describe('a coverage report equals NumPy 2.4 and SciPy 1.17', () => {
  test('of 1,000 forecasts at 99 % with 27 exceedances', () => {
    const report = coverageReport(golden(1000, 1, 0.99));
    expect(report).toMatchObject({ n: 1000, exceedances: 27, exceedanceRate: 0.027, trafficLight: 'red' });
    expect(report.kupiec.statistic).toBeCloseTo(19.9292003481962, 10);
    expect(report.kupiec.pValue / 8.03634777258329e-6).toBeCloseTo(1, 9);
    expectOutcome(report.christoffersenIndependence, 0.0952790695429009, 0.757570224487034);
    expectOutcome(report.conditionalCoverage, 20.0244794177391, 4.48476346998303e-5);
    expectOutcome(report.dynamicQuantile, 65.7255888990257, 3.06664762954075e-12);
    expect(report.acerbiSzekely.z1).toMatchObject({ statistic: expect.closeTo(0.00783890568495016, 12) });
    expect(report.acerbiSzekely.z2).toMatchObject({ statistic: expect.closeTo(-1.67883495465063, 12) });
    expect(report.mcNeilFrey).toMatchObject({ statistic: expect.closeTo(-0.209487932901463, 10) });
    expect(report.pinball).toBeCloseTo(0.000536673216692168, 15);
    expect(report.fz0).toBeCloseTo(-2.68011959371663, 12);
  });

  test('of 1,000 forecasts at 95 % that understate a fatter loss', () => {
    const report = coverageReport(golden(1000, 1.6, 0.95));
    expect(report.exceedances).toBe(97);
    expectOutcome(report.christoffersenIndependence, 0.312392908744783, 0.57621549969339);
    expectOutcome(report.dynamicQuantile, 76.8937379835989, 1.56318737993993e-14);
    expect(report.acerbiSzekely.z1).toMatchObject({ statistic: expect.closeTo(-0.145761845118931, 12) });
    expect(report.acerbiSzekely.z2).toMatchObject({ statistic: expect.closeTo(-1.22277797953072, 12) });
    expect(report.mcNeilFrey).toMatchObject({ statistic: expect.closeTo(4.2303164976818, 10) });
  });

  test('of 250 days at 97.5 %, where no exceedance followed another', () => {
    const report = coverageReport(golden(250, 1.3, 0.975));
    expect(countTransitions(Uint8Array.of(0, 1, 1, 0, 0))).toEqual([1, 1, 1, 1]);
    expectOutcome(report.christoffersenIndependence, 1.9243961242432, 0.165372843258626);
    expectOutcome(report.conditionalCoverage, 11.0063882499753, 0.00407373860502371);
    expectOutcome(report.dynamicQuantile, 25.9182348081035, 0.000230587537735501);
    expect(report.acerbiSzekely.z2).toMatchObject({ statistic: expect.closeTo(-1.72115381723722, 12) });
  });
});

describe('the binomial distribution', () => {
  test.each([
    [4, 250, 0.01, 0.8921876269036251],
    [5, 250, 0.01, 0.9588168159301517],
    [9, 250, 0.01, 0.9997498099312595],
    [10, 250, 0.01, 0.999946101370953],
    [0, 250, 0.01, 0.08105851616218143],
    [500, 50_000, 0.01, 0.511891271851574],
    [560, 50_000, 0.01, 0.9962608543869622],
    [3, 10, 0.5, 0.171875],
  ])('P(X <= %i) of %i at %d equals SciPy', (k, n, p, expected) => {
    // What is lost is in the log gamma of large n: 1e-11 at 50,000.
    expect(binomialCumulative(k, n, p) / expected).toBeCloseTo(1, 10);
  });

  test.each([
    [0.5, 0.5, 0.3, 0.3690101195655454],
    [2, 3, 0.9, 0.9963],
    [0.01, 5, 0.2, 0.9978180380770353],
    [300, 700, 0.31, 0.7564186827315443],
  ])('the incomplete beta function at a %d, b %d, x %d equals SciPy', (a, b, x, expected) => {
    expect(incompleteBeta(a, b, x)).toBeCloseTo(expected, 11);
  });

  test('the traffic light of 250 days at 99 % turns yellow at 5 and red at 10, as the Basel Committee has it', () => {
    const lights = Array.from({ length: 12 }, (_, x) => trafficLight(x, 250, 0.99));
    expect(lights.map((light) => light[0]).join('')).toBe('gggggyyyyyrr');
  });
});

describe('losses over horizons that overlap', () => {
  /** Every loss stands for a day and is given every hour: a day's exceedance is one of 24 rows. */
  const hourly = (days: number): JudgedForecasts => {
    const daily = honest(days, 0.95, 3);
    const spread = (values: Float64Array): Float64Array =>
      Float64Array.from({ length: days * 24 }, (_, t) => values[Math.floor(t / 24)]);
    return {
      loss: spread(daily.loss),
      valueAtRisk: spread(daily.valueAtRisk),
      expectedShortfall: spread(daily.expectedShortfall),
      confidence: 0.95,
    };
  };

  test('are judged as the days that they are', () => {
    const daily = coverageReport(honest(600, 0.95, 3));
    const report = coverageReport(hourly(600), { horizonSteps: 24 });
    expect(report).toMatchObject({ n: 14_400, independentRows: 600, horizonSteps: 24 });
    expect(report.exceedanceRate).toBeCloseTo(daily.exceedanceRate, 12);
    expect(report.kupiec).toEqual(daily.kupiec);
    expect(report.christoffersenIndependence).toEqual(daily.christoffersenIndependence);
    expect(report.duration).toEqual(daily.duration);
    expect(report.acerbiSzekely).toEqual(daily.acerbiSzekely);
    const naive = coverageReport(hourly(600), { simulations: 0 });
    expect(naive.christoffersenIndependence).toMatchObject({ pValue: expect.closeTo(0, 12) });
  });

  test('have a rate whose spread allows for the overlap', () => {
    const apart = coverageReport(hourly(600), { horizonSteps: 24, simulations: 0 });
    const together = coverageReport(hourly(600), { simulations: 0 });
    if (!apart.dependentCoverage.available || !together.dependentCoverage.available)
      throw new Error('no test');
    expect(Math.abs(apart.dependentCoverage.statistic)).toBeLessThan(
      Math.abs(together.dependentCoverage.statistic),
    );
    const strict = apart.shortfallRegression.strict;
    expect(strict).toMatchObject({ available: true, covariance: 'moments' });
    expect(apart.conditionalCalibration).toMatchObject({ available: true, lags: 23 });
    expect(together.shortfallRegression.strict).toMatchObject({ available: true, covariance: 'scale' });
  });

  test('without simulations have every test that needs none', () => {
    const report = coverageReport(honest(1000, 0.95, 4), { simulations: 0 });
    expect(report.acerbiSzekely.z2).toMatchObject({ available: false });
    expect(report.mcNeilFrey).toMatchObject({ available: false });
    for (const outcome of [
      report.duration,
      report.conditionalCalibration,
      report.shortfallRegression.intercept,
    ])
      expect(outcome).toMatchObject({ available: true });
    for (const horizonSteps of [0, 1.5, Number.NaN])
      expect(() => coverageReport(honest(10, 0.95, 1), { horizonSteps })).toThrow(
        expect.objectContaining({
          code: 'INPUT_INVALID',
          message: expect.stringContaining('the horizon in rows'),
        }),
      );
  });
});

describe('what a test cannot say it does not say', () => {
  test('without any exceedance, and with nothing but exceedances', () => {
    const never = coverageReport({ ...golden(300, 1e-6, 0.99) });
    expect(never.exceedances).toBe(0);
    expect(never.christoffersenIndependence).toMatchObject({ available: false });
    expect(never.conditionalCoverage).toMatchObject({ available: false });
    expect(never.acerbiSzekely.z1).toMatchObject({ available: false });
    expect(never.acerbiSzekely.z2).toMatchObject({ available: true, statistic: 1 });
    expect(never.mcNeilFrey).toMatchObject({ available: false });
    const always = coverageReport({ ...golden(300, 1e6, 0.99) });
    expect(always.exceedances).toBeGreaterThan(298);
    expect(always.trafficLight).toBe('red');
  });

  test('a VaR that never moves leaves the dynamic quantile test five regressors, and none too few rows', () => {
    const forecasts = golden(500, 1, 0.95);
    const hits = Uint8Array.from(forecasts.loss, (loss) => (loss > 0.02 ? 1 : 0));
    const constant = dynamicQuantile(hits, new Float64Array(500).fill(0.02), 0.95);
    expect(constant.available).toBe(true);
    const few = dynamicQuantile(hits.subarray(0, 12), new Float64Array(12).fill(0.02), 0.95);
    expect(few).toMatchObject({ available: false, reason: expect.stringContaining('too few') });
  });

  test.each([
    [
      'no observation',
      { loss: new Float64Array(0), valueAtRisk: new Float64Array(0), expectedShortfall: new Float64Array(0) },
    ],
    ['fewer forecasts than losses', { valueAtRisk: new Float64Array(3) }],
    ['a loss that is no number', { loss: new Float64Array(300).fill(Number.NaN) }],
    ['an infinite VaR', { valueAtRisk: new Float64Array(300).fill(Number.POSITIVE_INFINITY) }],
    ['an ES below its VaR', { expectedShortfall: new Float64Array(300) }],
    ['a confidence of 1', { confidence: 1 }],
    ['a confidence that is no number', { confidence: Number.NaN }],
  ])('%s is refused with a remedy', (_, change) => {
    expect(() => coverageReport({ ...golden(300, 1, 0.99), ...change })).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
    );
  });
});

describe('honest forecasts', () => {
  test('are rejected at 5 % by every test about as often as 5 % says', () => {
    const rejected = { kupiec: 0, independence: 0, dynamicQuantile: 0, z2: 0 };
    const rounds = 200;
    for (let seed = 1; seed <= rounds; seed++) {
      const forecasts = honest(1000, 0.95, seed);
      const hits = Uint8Array.from(forecasts.loss, (loss, t) => (loss > forecasts.valueAtRisk[t] ? 1 : 0));
      const below = (outcome: TestOutcome): number => (outcome.available && outcome.pValue < 0.05 ? 1 : 0);
      rejected.independence += below(christoffersenIndependence(hits));
      rejected.dynamicQuantile += below(dynamicQuantile(hits, forecasts.valueAtRisk, 0.95));
      rejected.kupiec += below(conditionalCoverage(hits, 0.95));
      if (seed <= 60) rejected.z2 += below(acerbiSzekely(forecasts, seed).z2);
    }
    for (const count of [rejected.independence, rejected.dynamicQuantile, rejected.kupiec]) {
      expect(count / rounds).toBeGreaterThan(0.005);
      expect(count / rounds).toBeLessThan(0.12);
    }
    expect(rejected.z2 / 60).toBeLessThan(0.17);
  });

  test('understated by a third are rejected by every test of shortfall', () => {
    const forecasts = honest(2000, 0.95, 7);
    const understated = {
      ...forecasts,
      valueAtRisk: forecasts.valueAtRisk.map((value) => value / 1.3),
      expectedShortfall: forecasts.expectedShortfall.map((value) => value / 1.3),
    };
    const { z1, z2 } = acerbiSzekely(understated, 1);
    expect(z2).toMatchObject({ available: true, pValue: expect.closeTo(0, 2) });
    expect(z1.available).toBe(true);
    const shortfallAlone = {
      ...forecasts,
      expectedShortfall: forecasts.valueAtRisk.map((value) => 1.01 * value),
    };
    const judged = mcNeilFrey(shortfallAlone, 1);
    expect(judged.available && judged.pValue < 0.01).toBe(true);
  });
});

describe('laws', () => {
  test('a report does not depend on the unit of the losses, but for its scores', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (seed, unit) => {
          const forecasts = honest(200, 0.95, seed);
          const scaled = {
            ...forecasts,
            loss: forecasts.loss.map((value) => value * unit),
            valueAtRisk: forecasts.valueAtRisk.map((value) => value * unit),
            expectedShortfall: forecasts.expectedShortfall.map((value) => value * unit),
          };
          const [a, b] = [coverageReport(forecasts), coverageReport(scaled)];
          expect(b.exceedances).toBe(a.exceedances);
          expect(b.trafficLight).toBe(a.trafficLight);
          for (const name of ['christoffersenIndependence', 'dynamicQuantile', 'mcNeilFrey'] as const) {
            const [before, after] = [a[name], b[name]];
            expect(after.available).toBe(before.available);
            if (before.available && after.available) expect(after.statistic).toBeCloseTo(before.statistic, 6);
          }
          expect(b.pinball / unit).toBeCloseTo(a.pinball, 12);
        },
      ),
      { seed: 5, numRuns: 15 },
    );
  });

  test('every p-value is a probability', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 20, max: 120 }), (seed, n) => {
        const {
          kupiec,
          christoffersenIndependence: independence,
          conditionalCoverage: both,
          dynamicQuantile: dq,
          acerbiSzekely: { z1, z2 },
          mcNeilFrey: mf,
        } = coverageReport(honest(n, 0.9, seed));
        for (const outcome of [{ available: true, ...kupiec } as const, independence, both, dq, z1, z2, mf]) {
          if (!outcome.available) continue;
          expect(Number.isFinite(outcome.statistic)).toBe(true);
          expect(outcome.pValue).toBeGreaterThanOrEqual(0);
          expect(outcome.pValue).toBeLessThanOrEqual(1);
        }
      }),
      { seed: 6, numRuns: 40 },
    );
  });
});
