import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { type CalibrationRegression, calibrationRegression } from './calibration-regression.ts';

/** Probabilities and outcomes by Park and Miller's generator; with ties, probabilities are twentieths. */
function golden(hasTies: boolean): [Float64Array, Uint8Array] {
  const { uniform: next } = parkMiller(20240601);
  const probabilities = new Float64Array(500);
  const outcomes = new Uint8Array(500);
  for (let i = 0; i < 500; i++) {
    const u = next();
    probabilities[i] = hasTies ? Math.floor(20 * (u * u)) / 20 : u * u;
    outcomes[i] = next() < 0.05 + 0.7 * (u * u) ? 1 : 0;
  }
  return [probabilities, outcomes];
}

function near(actual: number, expected: number): void {
  expect(Math.abs(actual / expected - 1)).toBeLessThan(1e-9);
}

function fitted(probabilities: Float64Array, outcomes: Uint8Array, clip?: number): CalibrationRegression {
  const fit = calibrationRegression(probabilities, outcomes, clip);
  if (!fit.available) throw new Error(fit.reason);
  return fit;
}

describe('statsmodels 0.13 (Logit on the logits, Newton) agrees', () => {
  test.each([
    [false, 50, -0.5876319496580764, 0.5951882803570436, 0.11430030118791902, 0.0668417977149382],
    [true, 110, -0.47761951949019804, 0.5751989148262101, 0.11520982130238006, 0.06523201909402901],
  ])('with ties: %s', (hasTies, clipped, intercept, slope, interceptError, slopeError) => {
    const fit = fitted(...golden(hasTies), 0.01);
    expect(fit.clipped).toBe(clipped);
    near(fit.intercept, intercept);
    near(fit.slope, slope);
    near(fit.interceptStandardError, interceptError);
    near(fit.slopeStandardError, slopeError);
  });
});

test('where whole Newton steps would run away from the maximum, mpmath (40 digits, halved steps) agrees', () => {
  const probabilities = [0.0009, 0.0003, 0.9999995];
  const [counts, events] = [
    [28, 3979, 167],
    [18, 22, 167],
  ];
  const rows = probabilities.flatMap((p, g) =>
    Array.from({ length: counts[g] }, (_, i) => ({ p, outcome: i < events[g] ? 1 : 0 })),
  );
  const fit = fitted(
    Float64Array.from(rows, ({ p }) => p),
    Uint8Array.from(rows, ({ outcome }) => outcome),
  );
  near(fit.intercept, 37.46009193398613);
  near(fit.slope, 5.258296161985951);
  near(fit.interceptStandardError, 3.214145708903669);
  near(fit.slopeStandardError, 0.4081314451848841);
  expect(fit.clipped).toBe(0);
});

describe('laws', () => {
  test('forecasts that state the true probability have intercept 0 and slope 1 within four standard errors', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = Random.stream(seed, 'calibration');
      const probabilities = new Float64Array(2000).map(() => random.uniform());
      const outcomes = Uint8Array.from(probabilities, (p) => (random.uniform() < p ? 1 : 0));
      const fit = fitted(probabilities, outcomes);
      expect(Math.abs(fit.intercept)).toBeLessThan(4 * fit.interceptStandardError);
      expect(Math.abs(fit.slope - 1)).toBeLessThan(4 * fit.slopeStandardError);
    }
  });

  test('the scores of the likelihood are 0 at the fit, and recalibrated forecasts need no more', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0.02, max: 3, noNaN: true }),
        (seed, spread) => {
          const random = Random.stream(seed, 'calibration');
          const probabilities = new Float64Array(200).map(
            () => 1 / (1 + Math.exp(-spread * random.normal())),
          );
          const outcomes = new Uint8Array(200).map(() => random.integer(2));
          const { intercept, slope } = fitted(probabilities, outcomes);
          const mapped = probabilities.map(
            (p) => 1 / (1 + Math.exp(-(intercept + slope * Math.log(p / (1 - p))))),
          );
          let [level, slant] = [0, 0];
          for (let i = 0; i < 200; i++) {
            level += outcomes[i] - mapped[i];
            slant += (outcomes[i] - mapped[i]) * Math.log(probabilities[i] / (1 - probabilities[i]));
          }
          expect(level).toBeCloseTo(0, 9);
          expect(slant).toBeCloseTo(0, 9);
          const again = fitted(mapped, outcomes);
          expect(again.intercept).toBeCloseTo(0, 6);
          expect(again.slope).toBeCloseTo(1, 6);
        },
      ),
      { seed: 71, numRuns: 60 },
    );
  });
});

describe('there is no fit, and it is said why,', () => {
  const rising = Float64Array.of(0.1, 0.2, 0.3, 0.4);
  const tied = Float64Array.of(0.1, 0.2, 0.2, 0.4);
  const PARTED = 'the forecasts part the outcomes wholly';
  test.each<[string, Float64Array, Uint8Array, string]>([
    ['where forecasts part the outcomes', rising, Uint8Array.of(0, 0, 1, 1), PARTED],
    ['or part them the wrong way round', rising, Uint8Array.of(1, 1, 0, 0), PARTED],
    ['or part them but for a tie', tied, Uint8Array.of(0, 0, 1, 1), PARTED],
    ['or but for a tie the wrong way round', tied, Uint8Array.of(1, 1, 0, 0), PARTED],
    [
      'where forecasts do not differ',
      new Float64Array(4).fill(0.3),
      Uint8Array.of(0, 1, 0, 1),
      'all forecasts are the same',
    ],
    ['where the event never came', rising, new Uint8Array(4), 'the event came always or never'],
    ['where it always came', rising, new Uint8Array(4).fill(1), 'the event came always or never'],
  ])('%s', (_, probabilities, outcomes, reason) => {
    expect(calibrationRegression(probabilities, outcomes)).toEqual({ available: false, reason });
  });

  test('but there is one as soon as one outcome lies on the wrong side of one other', () => {
    for (const outcomes of [Uint8Array.of(0, 1, 0, 1), Uint8Array.of(1, 0, 1, 0)])
      expect(calibrationRegression(rising, outcomes).available).toBe(true);
  });

  test('from what is no probability', () => {
    expect(() => calibrationRegression(Float64Array.of(2), Uint8Array.of(1))).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
    );
    expect(() => calibrationRegression(rising, Uint8Array.of(0, 1, 0, 1), 0)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });

  test('but certain forecasts, right and wrong, are held off 0 and 1 and counted', () => {
    const fit = fitted(Float64Array.of(0, 1, 0.5, 0, 1), Uint8Array.of(0, 1, 1, 1, 0));
    expect(fit.clipped).toBe(4);
    expect(Number.isFinite(fit.slope + fit.intercept + fit.slopeStandardError)).toBe(true);
  });
});
