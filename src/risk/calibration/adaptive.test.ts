import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AdaptiveScoresState,
  adaptiveLevel,
  adaptiveScores,
  multiplierAt,
  paretoVar,
} from './adaptive.ts';
import type { Calibrator } from './adjustment.ts';
import { calibrateSeries, noCalibration } from './calibrator.ts';
import { quantileTracking, trackingRate } from './quantile-tracking.ts';
import { duel, goldenSeries, MOVES, regimeSeries } from './test-streams.ts';

const golden = goldenSeries();

function totals<State>(calibrator: Calibrator<State>): { hits: number; multipliers: number; state: State } {
  const { valueAtRisk, hits, state } = calibrateSeries(calibrator, golden);
  let multipliers = 0;
  for (let t = 0; t < hits.length; t++) multipliers += valueAtRisk[t] / golden.valueAtRisk[t];
  return { hits: hits.reduce((sum, hit) => sum + hit, 0), multipliers, state };
}

describe('equal to the recursions in NumPy', () => {
  test.each([
    [0.95, 0.02, 150, 31, 1111.9986688907275, 0.031000000000000468],
    [0.9, 0.05, 100, 59, 794.6418547290928, 0.10500000000000118],
  ])(
    'adaptive conformal inference by scores, at %d',
    (confidence, rate, window, hits, multipliers, level) => {
      const result = totals(adaptiveScores({ confidence, rate, window }));
      expect(result.hits).toBe(hits);
      expect(result.multipliers).toBeCloseTo(multipliers, 8);
      expect(result.state.level).toBeCloseTo(level, 12);
    },
  );

  test('adaptive conformal inference through the tail of VaR and ES', () => {
    const result = totals(adaptiveLevel({ confidence: 0.95, rate: 0.01 }));
    expect(result).toMatchObject({ hits: 35, multipliers: expect.closeTo(1735.7322088459089, 8) });
    expect(result.state.level).toBeCloseTo(0, 12);
  });

  test.each([
    [0.95, 0.05, 40, 831.344150445202, 0.5],
    [0.99, 0.1, 15, 1110.5598007672525, 0.9],
  ])('quantile tracking, at %d', (confidence, rate, hits, multipliers, logMultiplier) => {
    const result = totals(quantileTracking({ confidence, rate }));
    expect(result).toMatchObject({ hits, multipliers: expect.closeTo(multipliers, 8) });
    expect(result.state.logMultiplier).toBeCloseTo(logMultiplier, 12);
  });
});

/** Losses of the duels, in multiples of the predictor's VaR; the ranges of the adjusters reach further. */
const LEAST = 0.2;
const GREATEST = 5;

const moves = fc.array(fc.constantFrom(...MOVES), { minLength: 1, maxLength: 60 });
const confidences = fc.constantFrom(0.9, 0.95, 0.99);

describe('against any losses, an adversary’s too', () => {
  test.each([
    ['adaptiveLevel', adaptiveLevel],
    ['adaptiveScores', adaptiveScores],
  ] as const)('%s keeps the bound of Gibbs and Candès on both sides', (_, make) => {
    fc.assert(
      fc.property(
        moves,
        confidences,
        fc.constantFrom(0.002, 0.005, 0.02, 0.1),
        fc.integer({ min: 300, max: 2500 }),
        (played, confidence, rate, length) => {
          const alpha = 1 - confidence;
          const calibrator: Calibrator<{ readonly level: number }> = make({
            confidence,
            rate,
          }) as Calibrator<{ readonly level: number }>;
          const { steps, exceedances, state } = duel(calibrator, played, length, LEAST, GREATEST);
          const off = exceedances / steps - alpha;
          expect(off).toBeLessThanOrEqual((alpha + rate) / (rate * steps) + 1e-9);
          expect(-off).toBeLessThanOrEqual((1 - alpha + rate) / (rate * steps) + 1e-9);
          // The sum telescopes: the hold at the ends never came into it.
          expect(off).toBeCloseTo((alpha - state.level) / (rate * steps), 9);
        },
      ),
      { seed: 2, numRuns: 60 },
    );
  });

  test('quantile tracking keeps the bound that its docstring states', () => {
    fc.assert(
      fc.property(
        moves,
        confidences,
        fc.constantFrom(0.01, 0.05, 0.2, 1),
        fc.integer({ min: 50, max: 3000 }),
        (played, confidence, rate, steps) => {
          const alpha = 1 - confidence;
          const calibrator = quantileTracking({ confidence, rate, range: { least: 0.01, greatest: 100 } });
          const { exceedances, clipped } = duel(calibrator, played, steps, LEAST, GREATEST);
          const off = exceedances / steps - alpha;
          expect(clipped).toBe(0);
          expect(off).toBeLessThanOrEqual((Math.log(GREATEST) + rate * (1 - alpha)) / (rate * steps) + 1e-9);
          expect(-off).toBeLessThanOrEqual((rate * alpha - Math.log(LEAST)) / (rate * steps) + 1e-9);
        },
      ),
      { seed: 3, numRuns: 150 },
    );
  });

  test('losses of 0 for years: held from below, and the bound on too many exceedances stays', () => {
    const confidence = 0.99;
    const calibrator = quantileTracking({ confidence, rate: 0.1 });
    const forecast = { valueAtRisk: 1, expectedShortfall: 1.2 };
    let state = calibrator.initial();
    for (let t = 0; t < 50_000; t++) state = calibrator.observe(state, 0, forecast);
    expect(calibrator.adjusted(state, 1, 1.2)).toMatchObject({ valueAtRisk: 0.1, status: 'clipped-low' });
    let exceedances = 0;
    for (let t = 0; t < 5000; t++) {
      if (3 > calibrator.adjusted(state, 1, 1.2).valueAtRisk) exceedances++;
      state = calibrator.observe(state, 3, forecast);
    }
    // From 0.1 to 3 in steps of 0.099, then one in a hundred.
    expect(exceedances).toBeLessThanOrEqual(Math.ceil(Math.log(30) / 0.099) + 51);
  });
});

describe('on regimes that a predictor does not notice', () => {
  test.each([0.95, 0.99])(
    'at %d every adjuster is within its bound, and far nearer than the predictor',
    (confidence) => {
      const alpha = 1 - confidence;
      const series = regimeSeries(20_000, 1, confidence);
      const off = <State>(calibrator: Calibrator<State>): number => {
        const { hits } = calibrateSeries(calibrator, series);
        return hits.reduce((sum, hit) => sum + hit, 0) / hits.length - alpha;
      };
      const raw = off(noCalibration());
      expect(raw).toBeGreaterThan(alpha);
      const rate = 0.005;
      for (const calibrator of [adaptiveLevel({ confidence, rate }), adaptiveScores({ confidence, rate })])
        expect(Math.abs(off(calibrator as Calibrator<unknown>))).toBeLessThan(raw / 4);
      const tracked = off(quantileTracking({ confidence }));
      expect(Math.abs(tracked)).toBeLessThan(raw / 10);
      expect(tracked).toBeLessThan(Math.log(10) / (trackingRate(confidence) * 20_000));
    },
  );
});

describe('the mapping from αₜ to VaR', () => {
  test('beyond 0 and 1 is the end of the range, and says that it is clipped', () => {
    const calibrator = adaptiveLevel({ confidence: 0.99, range: { least: 0.5, greatest: 4 } });
    expect(calibrator.adjusted({ level: 0 }, 1, 2)).toMatchObject({ valueAtRisk: 4, status: 'clipped-high' });
    expect(calibrator.adjusted({ level: 1 }, 1, 2)).toMatchObject({
      valueAtRisk: 0.5,
      status: 'clipped-low',
    });
    expect(calibrator.adjusted({ level: 0.01 }, 1, 2)).toMatchObject({ status: 'adjusted' });
  });

  test('by scores never rises with αₜ, is the conformal quantile in between and the largest score below 1 / (n + 1)', () => {
    const scores = Array.from({ length: 99 }, (_, i) => (i + 1) / 50);
    const window: AdaptiveScoresState['window'] = { scores, arrivals: scores.map((_, i) => i + 1), seen: 99 };
    expect(multiplierAt(window, 0.01)).toBe(99 / 50);
    expect(multiplierAt(window, 0.02)).toBe(98 / 50);
    expect(multiplierAt(window, 0.5)).toBe(1);
    expect(multiplierAt(window, 1e-9)).toBe(99 / 50);
    expect(multiplierAt(window, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(multiplierAt(window, 1)).toBe(0);
    for (let level = 0; level < 1; level += 0.003)
      expect(multiplierAt(window, level)).toBeGreaterThanOrEqual(multiplierAt(window, level + 0.003));
  });

  test('of a tail that falls by a power has the ES that was stated', () => {
    const forecast = { valueAtRisk: 2, expectedShortfall: 3 };
    // ES = (1 / α) ∫₀^α VaR(a) da by the midpoint rule in ln a.
    const n = 20_000;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const width = 40 / n;
      const share = Math.exp(-(i + 0.5) * width);
      sum += paretoVar(0.01 * share, forecast, 0.01) * share * width;
    }
    expect(sum).toBeCloseTo(3, 4);
    expect(paretoVar(0.01, forecast, 0.01)).toBe(2);
  });

  test('of the predictor’s own making is used, and one that is no number is refused', () => {
    const flat = adaptiveLevel({
      confidence: 0.9,
      valueAtRiskAt: (level, { valueAtRisk }) => valueAtRisk + 1 - level,
    });
    expect(flat.adjusted({ level: 0.25 }, 1, 1.5).valueAtRisk).toBeCloseTo(1.75, 15);
    const broken = adaptiveLevel({ confidence: 0.9, valueAtRiskAt: () => Number.NaN });
    expect(() => broken.adjusted(broken.initial(), 1, 1)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
    );
  });
});
