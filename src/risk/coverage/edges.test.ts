import { describe, expect, test } from 'vitest';
import { longRunVariance } from '../numeric/long-run-variance.ts';
import { normalSurvival } from '../numeric/normal.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { dynamicQuantile } from './dynamic-quantile.ts';
import { christoffersenIndependence, dependentCoverage } from './hits.ts';
import { coverageReport } from './report.ts';
import { acerbiSzekely, type JudgedForecasts, mcNeilFrey } from './shortfall-tests.ts';

/** Exponential losses, VaR 1 and ES 1.25; VaR is exceeded about once in twenty. */
function forecasts(n: number, seed = 3): JudgedForecasts {
  const { uniform } = parkMiller(seed);
  return {
    loss: Float64Array.from({ length: n }, () => -Math.log(1 - uniform()) / 3),
    valueAtRisk: new Float64Array(n).fill(1),
    expectedShortfall: new Float64Array(n).fill(1.25),
    confidence: 0.95,
  };
}

/** Losses beyond VaR 1 by these, all others at VaR itself, which is not beyond it. */
function exceeding(excesses: readonly number[], n = 100): JudgedForecasts {
  const loss = new Float64Array(n).fill(1);
  excesses.forEach((excess, i) => {
    loss[7 * i + 3] = 1 + excess;
  });
  return { ...forecasts(n), loss };
}

const unavailable = expect.objectContaining({ available: false });

describe('tests of expected shortfall', () => {
  test('have critical values near those of the normal approximation, and probabilities that fit', () => {
    const { z1, z2 } = acerbiSzekely(forecasts(1000), 1);
    if (!z1.available || !z2.available) throw new Error('there is no answer');
    // About fifty hits, each (v + (e − v) E)/e with E exponential: (e − v)/e = 0.2.
    expect(z1.criticalValue).toBeGreaterThan((-0.2 * 2.1) / Math.sqrt(50));
    expect(z1.criticalValue).toBeLessThan((-0.2 * 1.5) / Math.sqrt(50));
    // A binomial number of terms of mean 1: variance about 1.04/50.
    expect(z2.criticalValue).toBeGreaterThan(-1.85 * Math.sqrt(1.04 / 50));
    expect(z2.criticalValue).toBeLessThan(-1.5 * Math.sqrt(1.04 / 50));
    for (const { statistic, pValue, criticalValue } of [z1, z2]) {
      expect(pValue <= 0.05).toBe(statistic <= criticalValue);
      expect(pValue).toBeGreaterThan(0);
      expect(pValue).toBeLessThanOrEqual(1);
    }
    const better = acerbiSzekely(
      { ...forecasts(1000), expectedShortfall: new Float64Array(1000).fill(1.6) },
      1,
    );
    expect(better.z1).toMatchObject({ statistic: expect.any(Number), pValue: expect.closeTo(1, 1) });
  });

  test('count no loss that only reaches VaR, and answer of five exceedances', () => {
    expect(acerbiSzekely(exceeding([]), 1)).toMatchObject({ z1: unavailable, z2: { statistic: 1 } });
    const hits = [0.1, 0.2, 0.3, 0.4, 0.9];
    const ratio = (5 + 1.9) / 1.25;
    const judged = acerbiSzekely(exceeding(hits), 1);
    expect(judged.z1).toMatchObject({ available: true, statistic: expect.closeTo(1 - ratio / 5, 12) });
    expect(judged.z2).toMatchObject({ available: true, statistic: expect.closeTo(1 - ratio / 5, 12) });
    expect(mcNeilFrey(exceeding(hits), 1).available).toBe(true);
    expect(coverageReport(exceeding(hits)).exceedances).toBe(5);
    expect(mcNeilFrey(exceeding(hits.slice(1)), 1)).toMatchObject({ available: false });
  });

  test('have a bootstrapped probability near that of Student’s t where residuals are symmetric', () => {
    const residuals = Array.from({ length: 14 }, (_, i) => 0.25 + 0.03 * (i - 6.5));
    // t = 0: half of the resamples lie above.
    expect(mcNeilFrey(exceeding(residuals), 1)).toMatchObject({
      statistic: expect.closeTo(0, 9),
      pValue: expect.closeTo(0.5, 1),
    });
    // t = 2 with 13 degrees of freedom: 0.033.
    const deviation = 0.03 * Math.sqrt(17.5);
    const moved = residuals.map((value) => value + (2 * deviation) / Math.sqrt(14));
    const judged = mcNeilFrey(exceeding(moved), 1);
    if (!judged.available) throw new Error(judged.reason);
    expect(judged.statistic).toBeCloseTo(2, 9);
    expect(judged.pValue).toBeGreaterThan(0.015);
    expect(judged.pValue).toBeLessThan(0.06);
  });

  test('say why where they have no answer', () => {
    const some = exceeding([0.1, 0.2, 0.3, 0.4, 0.9]);
    const worthless = { ...some, expectedShortfall: new Float64Array(100) };
    for (const { z1, z2 } of [acerbiSzekely(some, 1, 0), acerbiSzekely(worthless, 1)]) {
      expect(z1).toEqual(unavailable);
      expect(z2).toEqual(unavailable);
    }
    for (const outcome of [
      mcNeilFrey(some, 1, 0),
      mcNeilFrey(worthless, 1),
      mcNeilFrey(exceeding([0.2, 0.2, 0.2, 0.2, 0.2, 0.2]), 1),
    ])
      expect(outcome).toEqual(unavailable);
    expect(mcNeilFrey(worthless, 1)).toMatchObject({ reason: expect.stringContaining('above zero') });
    const none = {
      loss: new Float64Array(0),
      valueAtRisk: new Float64Array(0),
      expectedShortfall: new Float64Array(0),
    };
    expect(acerbiSzekely({ ...none, confidence: 0.99 }, 1)).toMatchObject({
      z1: unavailable,
      z2: unavailable,
    });
    const absurd = {
      loss: Float64Array.of(1e200),
      valueAtRisk: Float64Array.of(1e-200),
      expectedShortfall: Float64Array.of(1e-200),
    };
    expect(acerbiSzekely({ ...absurd, confidence: 0.5 }, 1)).toMatchObject({
      z1: unavailable,
      z2: unavailable,
    });
    const rare = acerbiSzekely({ ...exceeding([0.5]), confidence: 1 - 1e-12 }, 1, 50);
    expect(rare).toMatchObject({ z1: unavailable, z2: { available: true, pValue: 1 / 51 } });
  });
});

describe('coverage where horizons overlap', () => {
  const hits = Uint8Array.from({ length: 400 }, (_, t) => (t % 97 < 6 ? 1 : 0));

  test('is the distance from its rate in long-run standard errors', () => {
    const rate = hits.reduce((sum, hit) => sum + hit, 0) / 400;
    for (const lags of [0, 5, 23]) {
      const statistic =
        (rate - 0.05) / Math.sqrt(longRunVariance(Float64Array.from(hits), lags) / hits.length);
      expect(dependentCoverage(hits, 0.95, lags)).toEqual({
        available: true,
        statistic: expect.closeTo(statistic, 10),
        pValue: expect.closeTo(2 * normalSurvival(Math.abs(statistic)), 10),
      });
    }
    // Without lags the variance is that of a proportion.
    const plain = dependentCoverage(hits, 0.95, 0);
    expect(plain).toMatchObject({
      statistic: expect.closeTo((rate - 0.05) / Math.sqrt((rate * (1 - rate)) / 400), 10),
    });
  });

  test('needs twice as many rows as it has terms, and hits that differ', () => {
    expect(dependentCoverage(hits.slice(0, 12), 0.95, 5)).toMatchObject({ available: true });
    expect(dependentCoverage(hits.slice(0, 11), 0.95, 5)).toMatchObject({
      available: false,
      reason: expect.stringContaining('12 are needed'),
    });
    for (const alike of [0, 1])
      expect(dependentCoverage(new Uint8Array(50).fill(alike), 0.95, 2)).toEqual(unavailable);
  });

  test('a report over horizons judges the first row of each, and counts all', () => {
    const all = forecasts(2400);
    const first = (values: Float64Array): Float64Array => values.filter((_, t) => t % 24 === 0);
    const apart = {
      loss: first(all.loss),
      valueAtRisk: first(all.valueAtRisk),
      expectedShortfall: first(all.expectedShortfall),
      confidence: 0.95,
    };
    const report = coverageReport(all, { horizonSteps: 24 });
    const [whole, alone] = [coverageReport(all), coverageReport(apart)];
    expect(report).toMatchObject({ n: 2400, horizonSteps: 24, independentRows: 100 });
    expect(whole).toMatchObject({ n: 2400, horizonSteps: 1, independentRows: 2400 });
    for (const name of ['exceedances', 'exceedanceRate', 'pinball', 'fz0'] as const)
      expect(report[name]).toBe(whole[name]);
    for (const name of ['kupiec', 'christoffersenIndependence', 'dynamicQuantile', 'mcNeilFrey'] as const)
      expect(report[name]).toEqual(alone[name]);
    for (const name of ['conditionalCoverage', 'acerbiSzekely', 'trafficLight'] as const)
      expect(report[name]).toEqual(alone[name]);
    const rows = Uint8Array.from(all.loss, (loss) => (loss > 1 ? 1 : 0));
    expect(report.dependentCoverage).toEqual(dependentCoverage(rows, 0.95, 23));
    expect(whole.dependentCoverage).toEqual(dependentCoverage(rows, 0.95, 8));
    for (const horizonSteps of [0, 1.5])
      expect(() => coverageReport(all, { horizonSteps })).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID' }),
      );
  });
});

describe('at the doors', () => {
  test.each(['loss', 'valueAtRisk', 'expectedShortfall'] as const)(
    '%s is named where it is wrong',
    (name) => {
      const wrong = forecasts(5);
      wrong[name][2] = Number.NaN;
      expect(() => coverageReport(wrong)).toThrow(
        expect.objectContaining({ message: expect.stringMatching(/\b3\b/) }),
      );
      const short = { ...forecasts(5), [name]: new Float64Array(4).fill(2) };
      expect(() => coverageReport(short)).toThrow(
        expect.objectContaining({ message: expect.stringContaining('equally many') }),
      );
    },
  );

  test('a confidence of 0 is refused; an ES that equals its VaR is not, one below is, with its row', () => {
    expect(() => coverageReport({ ...forecasts(5), confidence: 0 })).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
    const equal = { ...forecasts(5), expectedShortfall: new Float64Array(5).fill(1) };
    expect(coverageReport(equal).n).toBe(5);
    equal.expectedShortfall[3] = 0.9;
    expect(() => coverageReport(equal)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/\b4\b/) }),
    );
  });
});

describe('tests of hits', () => {
  test('a first observation alone has no transition, and hits that never end nothing to compare', () => {
    expect(christoffersenIndependence(Uint8Array.of(1))).toMatchObject({
      reason: expect.stringContaining('no transition'),
    });
    expect(christoffersenIndependence(Uint8Array.of(0, 1, 1, 1))).toEqual(unavailable);
  });

  test('the dynamic quantile needs sixteen rows, a VaR above 0 and something that moves', () => {
    const hits = Uint8Array.from({ length: 40 }, (_, t) => (t % 7 === 2 ? 1 : 0));
    const valueAtRisk = Float64Array.from({ length: 40 }, (_, t) => 1 + 0.1 * Math.sin(t));
    expect(dynamicQuantile(hits.slice(0, 16), valueAtRisk.slice(0, 16), 0.9).available).toBe(true);
    expect(dynamicQuantile(hits.slice(0, 15), valueAtRisk.slice(0, 15), 0.9)).toMatchObject({
      reason: expect.stringContaining('16 are needed'),
    });
    for (const level of [0, -1])
      expect(dynamicQuantile(hits, new Float64Array(40).fill(level), 0.9)).toMatchObject({
        reason: expect.stringContaining('not positive'),
      });
    expect(dynamicQuantile(new Uint8Array(40), new Float64Array(40).fill(1), 0.9)).toMatchObject({
      reason: expect.stringContaining('move'),
    });
    expect(dynamicQuantile(new Uint8Array(40), valueAtRisk, 0.9).available).toBe(true);
  });
});
