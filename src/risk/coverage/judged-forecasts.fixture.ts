import { Random } from '../../random.ts';
import { studentQuantile, studentTailMean } from '../numeric/student-t.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import type { JudgedForecasts } from './shortfall-tests.ts';

/** Losses of t with 5 degrees of freedom under a scale that moves, and forecasts near them: Python repeats these numbers. */
export function goldenForecasts(): JudgedForecasts {
  const n = 1200;
  const { uniform, normal } = parkMiller(20240607);
  const loss = new Float64Array(n);
  const valueAtRisk = new Float64Array(n);
  const expectedShortfall = new Float64Array(n);
  for (let t = 0; t < n; t++) {
    const scale = 0.01 * Math.exp(0.4 * normal());
    const z = normal();
    let squares = 0;
    for (let i = 0; i < 5; i++) squares += normal() ** 2;
    loss[t] = (scale * z) / Math.sqrt(squares / 5);
    valueAtRisk[t] = 2.4 * scale * (0.9 + 0.2 * uniform());
    expectedShortfall[t] = 3.3 * scale;
  }
  return { loss, valueAtRisk, expectedShortfall, confidence: 0.975 };
}

/**
 * Losses of t with 5 degrees of freedom under a GARCH variance, and the true VaR and ES times `factor`.
 *
 * @param factor 1 for honest forecasts, below 1 for understated risk.
 */
export function garchForecasts(n: number, confidence: number, seed: number, factor: number): JudgedForecasts {
  const random = Random.stream(seed, 'garch-forecasts');
  const standard = Math.sqrt(3 / 5);
  const quantile = factor * standard * studentQuantile(confidence, 5);
  const tailMean = factor * standard * studentTailMean(confidence, 5);
  const loss = new Float64Array(n);
  const scales = new Float64Array(n);
  let variance = 1;
  for (let t = -100; t < n; t++) {
    const scale = 0.01 * Math.sqrt(variance);
    const now = scale * random.studentT(5);
    if (t >= 0) [scales[t], loss[t]] = [scale, now];
    variance = 0.05 + 0.1 * (100 * now) ** 2 + 0.85 * variance;
  }
  const valueAtRisk = scales.map((scale) => quantile * scale);
  const expectedShortfall = scales.map((scale) => tailMean * scale);
  return { loss, valueAtRisk, expectedShortfall, confidence };
}

/** The same with all amounts in another unit. */
export function inUnit(forecasts: JudgedForecasts, unit: number): JudgedForecasts {
  const scaled = (values: Float64Array): Float64Array => values.map((value) => unit * value);
  return {
    loss: scaled(forecasts.loss),
    valueAtRisk: scaled(forecasts.valueAtRisk),
    expectedShortfall: scaled(forecasts.expectedShortfall),
    confidence: forecasts.confidence,
  };
}
