import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { multiplierAt } from './adaptive.ts';
import { conformityScore } from './adjustment.ts';
import { calibrateSeries, inSequence, noCalibration } from './calibrator.ts';
import { coveredLevel, DTACI_RATES, type DtaciState, dtaci, dtaciLearningRate } from './dtaci.ts';
import { quantileTracking } from './quantile-tracking.ts';
import { EMPTY_WINDOW, withScore } from './score-window.ts';
import { duel, goldenSeries, MOVES, regimeSeries } from './test-streams.ts';

describe('DtACI equals the paper’s algorithm in NumPy', () => {
  test('with its eight experts at 95 %', () => {
    const golden = goldenSeries();
    const { valueAtRisk, hits, state } = calibrateSeries(dtaci({ confidence: 0.95, window: 200 }), golden);
    expect(hits.reduce((sum, hit) => sum + hit, 0)).toBe(28);
    const multipliers = valueAtRisk.reduce((sum, value, t) => sum + value / golden.valueAtRisk[t], 0);
    expect(multipliers).toBeCloseTo(978.139802647716, 7);
    const weights = [
      0.1999305045991322, 0.18628121853145843, 0.1794906733549817, 0.15773471487383184, 0.11990754901246806,
      0.09714700968325633, 0.04163928851308124, 0.017869041431790186,
    ];
    const levels = [0.05105, 0.0521, 0.0502, 0.0424, 0.0348, 0.0516, 0.0532, 0.0564];
    for (let i = 0; i < 8; i++) {
      expect(state.weights[i]).toBeCloseTo(weights[i], 10);
      expect(state.levels[i]).toBeCloseTo(levels[i], 10);
    }
  });

  test('η is the paper’s', () => {
    expect(dtaciLearningRate(8, 500, 1 - 0.95)).toBeCloseTo(5.232089262015762, 10);
    // The value that the authors' own code has as its default, 2.72, is this one of about six experts at 90 %.
    expect(dtaciLearningRate(6, 500, 0.1)).toBeCloseTo(2.72, 2);
    expect(dtaciLearningRate(7, 500, 0.1)).toBeCloseTo(2.743412074943591, 12);
  });
});

describe('what is proven of it', () => {
  test('each expert keeps its bound on its own exceedances, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...MOVES), { minLength: 1, maxLength: 40 }),
        fc.constantFrom(0.9, 0.95),
        (moves, confidence) => {
          const alpha = 1 - confidence;
          const calibrator = dtaci({ confidence, window: 100 });
          const own = DTACI_RATES.map(() => 0);
          let steps = 0;
          const spied = {
            ...calibrator,
            observe: (
              state: DtaciState,
              loss: number,
              forecast: { valueAtRisk: number; expectedShortfall: number },
            ) => {
              const { status } = calibrator.adjusted(state, forecast.valueAtRisk, forecast.expectedShortfall);
              if (status !== 'unadjusted') {
                steps++;
                const score = conformityScore(loss, forecast.valueAtRisk);
                state.levels.forEach((level, i) => {
                  const multiplier = Math.min(Math.max(multiplierAt(state.window, level), 0.1), 10);
                  if (score > multiplier) own[i]++;
                });
              }
              return calibrator.observe(state, loss, forecast);
            },
          };
          duel(spied, moves, 1200, 0.2, 5);
          DTACI_RATES.forEach((rate, i) => {
            const off = own[i] / steps - alpha;
            expect(off).toBeLessThanOrEqual((alpha + rate) / (rate * steps) + 1e-9);
            expect(-off).toBeLessThanOrEqual((1 - alpha + rate) / (rate * steps) + 1e-9);
          });
        },
      ),
      { seed: 4, numRuns: 25 },
    );
  });

  test('with a tracker behind it, what is published has the tracker’s bound, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...MOVES), { minLength: 1, maxLength: 40 }),
        fc.constantFrom(0.9, 0.95),
        fc.integer({ min: 100, max: 1500 }),
        (moves, confidence, length) => {
          const alpha = 1 - confidence;
          const rate = 0.2;
          const tracker = quantileTracking({ confidence, rate, range: { least: 1e-4, greatest: 1e4 } });
          const { steps, exceedances } = duel(
            inSequence(dtaci({ confidence, window: 100 }), tracker),
            moves,
            length,
            0.2,
            5,
          );
          // DtACI's VaR is 0.1 to 10 times the predictor's, so its log scores lie within ± ln 50.
          const bound = (Math.log(50) + rate) / (rate * steps);
          expect(Math.abs(exceedances / steps - alpha)).toBeLessThanOrEqual(bound + 1e-9);
        },
      ),
      { seed: 5, numRuns: 60 },
    );
  });

  test('it is near its target on regimes that the predictor does not notice', () => {
    for (const [seed, confidence] of [
      [1, 0.9],
      [2, 0.95],
      [3, 0.99],
    ] as const) {
      const series = regimeSeries(20_000, seed, confidence);
      const off = (hits: Uint8Array): number =>
        hits.reduce((sum, hit) => sum + hit, 0) / hits.length - (1 - confidence);
      const raw = off(calibrateSeries(noCalibration(), series).hits);
      expect(Math.abs(off(calibrateSeries(dtaci({ confidence }), series).hits))).toBeLessThan(raw / 5);
    }
  });

  test('the weights go to the experts that follow a jumping scale, and away from them when it stands still', () => {
    const swing = regimeSeries(6000, 3, 0.9);
    const still = { ...swing, loss: swing.loss.map((_, t) => 2 * ((t * 0.6180339887498949) % 1) * 2.3) };
    const meanRate = (series: typeof swing): number => {
      const { weights } = calibrateSeries(dtaci({ confidence: 0.9 }), series).state;
      return weights.reduce((sum, weight, i) => sum + weight * DTACI_RATES[i], 0);
    };
    expect(meanRate(swing)).toBeGreaterThan(2 * meanRate(still));
  });
});

describe('βₜ', () => {
  test('is where an exceedance begins: αₜ from there on is exceeded, and below it is not', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 31 }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        (scores, score, level) => {
          let window = EMPTY_WINDOW;
          for (const value of scores) window = withScore(window, value, 100);
          const beta = coveredLevel(window, score);
          fc.pre(Math.abs(level - beta) > 1e-6);
          expect(score > multiplierAt(window, level)).toBe(level > beta);
        },
      ),
      { seed: 6, numRuns: 500 },
    );
  });
});
