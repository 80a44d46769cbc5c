import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { garchForecasts, goldenForecasts, inUnit } from '../coverage/judged-forecasts.fixture.ts';
import { simplexMinimise } from '../numeric/simplex.ts';
import { fitJointRegression, type JointRegression } from './joint-regression.ts';
import { shortfallLine } from './shortfall-line.ts';

const { loss: losses, valueAtRisk, expectedShortfall } = goldenForecasts();

function fitted(...input: Parameters<typeof fitJointRegression>): JointRegression {
  const fit = fitJointRegression(...input);
  if (fit === null) throw new Error('no fit');
  return fit;
}

describe('the joint regression', () => {
  test('has no lower loss near or far, by downhill simplexes over all four coefficients', () => {
    for (const seed of [2, 1019]) {
      const { loss, valueAtRisk, expectedShortfall, confidence } = garchForecasts(400, 0.95, seed, 1);
      const fit = fitJointRegression([valueAtRisk], [expectedShortfall], loss, confidence)!;
      const mean = (b: Float64Array): number => {
        let sum = 0;
        for (let t = 0; t < loss.length; t++) {
          const v = b[0] + b[1] * valueAtRisk[t] - fit.shift;
          const e = b[2] + b[3] * expectedShortfall[t] - fit.shift;
          if (!(e > 0)) return Number.POSITIVE_INFINITY;
          sum += (v + Math.max(loss[t] - fit.shift - v, 0) / (1 - confidence)) / e + Math.log(e);
        }
        return sum / loss.length;
      };
      const at = Float64Array.of(...fit.valueAtRisk.coefficients, ...fit.shortfall.coefficients);
      expect(mean(at)).toBeCloseTo(fit.loss, 12);
      const random = Random.stream(seed, 'starts');
      for (let k = 0; k < 6; k++) {
        const start = at.map((value, j) => value + (j % 2 === 0 ? 0.005 : 0.4) * random.normal());
        if (!Number.isFinite(mean(start))) continue;
        const found = simplexMinimise(mean, start, { steps: Float64Array.of(0.003, 0.2, 0.003, 0.2) });
        expect(found.value).toBeGreaterThan(fit.loss - 1e-11);
      }
    }
  });

  test('meets both conditions of a minimum: as many losses above VaR as it says, and a tail mean of e in the weights of ES', () => {
    const { loss, valueAtRisk, expectedShortfall } = goldenForecasts();
    const fit = fitJointRegression([valueAtRisk], [expectedShortfall], loss, 0.975)!;
    const { fitted: e, columns } = fit.shortfall;
    for (const column of columns) {
      let score = 0;
      for (let t = 0; t < e.length; t++) score += (column[t] * (fit.tail[t] / e[t] - 1)) / e[t];
      expect(Math.abs(score) / e.length).toBeLessThan(1e-8);
    }
    let weighted = 0;
    let total = 0;
    for (let t = 0; t < e.length; t++) {
      weighted += fit.hits[t] / e[t];
      total += 1 / e[t];
    }
    expect(weighted / total).toBeLessThanOrEqual(0.025);
    expect(weighted / total).toBeGreaterThan(0.025 - 5 / e.length);
  });
});

describe('of all lines of VaR through two observations, each with its best line of ES, none has a lower loss', () => {
  // NumPy and SciPy over all 79,800 pairs. The first needs a second round of weights; of the others two searches end in different
  // valleys, and the better one is once the first and once the second.
  test.each([
    [149, -1.5151063400220353, 0.9058683281130095, 1.3668762],
    [495, -1.9134196861828905, 0.6102638623788641, 0.6565536],
    [1235, -2.065802142793726, 1.4468989089044164, 1.1272973],
  ])('seed %d', (seed, loss, slopeOfValueAtRisk, slopeOfShortfall) => {
    const given = garchForecasts(400, 0.95, seed, 1);
    const fit = fitted([given.valueAtRisk], [given.expectedShortfall], given.loss, 0.95);
    expect(fit.loss).toBeCloseTo(loss, 11);
    expect(fit.valueAtRisk.coefficients[1]).toBeCloseTo(slopeOfValueAtRisk, 10);
    expect(fit.shortfall.coefficients[1]).toBeCloseTo(slopeOfShortfall, 5);
  });
});

describe('the lines', () => {
  test('of ES are those of SciPy 1.17 (linear programming, Newton), strict and auxiliary', () => {
    const strict = fitted([expectedShortfall], [expectedShortfall], losses, 0.975).shortfall.coefficients;
    expect(strict[0] / 0.004347106687867988).toBeCloseTo(1, 8);
    expect(strict[1] / 0.8764145710324553).toBeCloseTo(1, 8);
    const auxiliary = fitted([valueAtRisk], [expectedShortfall], losses, 0.975).shortfall.coefficients;
    expect(auxiliary[0] / 0.0044086500514768645).toBeCloseTo(1, 8);
    expect(auxiliary[1] / 0.8834031962669101).toBeCloseTo(1, 8);
  });

  test('are told in the units of the input and in standard deviations, with what they pass through', () => {
    const fit = fitted([valueAtRisk], [expectedShortfall], losses, 0.975);
    expect(fit.shift).toBe(Math.min(...losses));
    const lines = [
      [fit.valueAtRisk, valueAtRisk],
      [fit.shortfall, expectedShortfall],
    ] as const;
    for (const [line, regressor] of lines) {
      const mean = regressor.reduce((sum, value) => sum + value, 0) / regressor.length;
      const square = regressor.reduce((sum, value) => sum + (value - mean) ** 2, 0) / regressor.length;
      expect(line.means[0] / mean).toBeCloseTo(1, 12);
      expect(line.deviations[0] / Math.sqrt(square)).toBeCloseTo(1, 12);
      expect(line.columns[0].every((value) => value === 1)).toBe(true);
      for (const t of [0, 7, 1199]) {
        const ofInput = line.coefficients[0] + line.coefficients[1] * regressor[t];
        expect(line.fitted[t] + fit.shift).toBeCloseTo(ofInput, 12);
        const place = (regressor[t] - mean) / Math.sqrt(square);
        expect(line.columns[1][t]).toBeCloseTo(place, 10);
        expect(line.fitted[t]).toBeCloseTo(line.standardised[0] + line.standardised[1] * place, 10);
      }
    }
    const { outcome, tail, hits } = fit;
    const v = fit.valueAtRisk.fitted;
    let on = 0;
    for (let t = 0; t < losses.length; t++) {
      expect(outcome[t]).toBe(losses[t] - fit.shift);
      expect(tail[t]).toBeCloseTo(v[t] + Math.max(outcome[t] - v[t], 0) / 0.025, 12);
      if (Math.abs(outcome[t] - v[t]) < 1e-12) on += 1 + hits[t];
      else expect(hits[t]).toBe(outcome[t] > v[t] ? 1 : 0);
    }
    // The line of VaR passes through two observations, and they are not above it.
    expect(on).toBe(2);
  });

  test('over constants alone are VaR as the least pinball loss has it, and the mean of the tail', () => {
    const fit = fitted([], [], losses, 0.95);
    const sorted = Float64Array.from(losses).sort();
    expect(fit.valueAtRisk.coefficients[0]).toBeGreaterThan(sorted[1139] - 1e-12);
    expect(fit.valueAtRisk.coefficients[0]).toBeLessThan(sorted[1140] + 1e-12);
    const worst = sorted.slice(1140).reduce((sum, value) => sum + value, 0) / 60;
    expect(fit.shortfall.coefficients[0]).toBeCloseTo(worst, 12);
    expect(fit.shortfall.columns).toHaveLength(1);
  });

  test('over two regressors each meet the conditions of a minimum', () => {
    const other = losses.map((_, t) => Math.sin(t));
    const both = [expectedShortfall, other];
    const fit = fitted(both, both, losses, 0.95);
    const { fitted: e, columns } = fit.shortfall;
    expect(columns).toHaveLength(3);
    for (const column of columns) {
      let score = 0;
      for (let t = 0; t < e.length; t++) score += (column[t] * (fit.tail[t] / e[t] - 1)) / e[t];
      expect(Math.abs(score) / e.length).toBeLessThan(1e-6);
    }
    const { coefficients } = fit.shortfall;
    const ofInput = coefficients[0] + coefficients[1] * both[0][5] + coefficients[2] * both[1][5];
    expect(e[5] + fit.shift).toBeCloseTo(ofInput, 12);
    // A third regressor cannot make it worse.
    expect(fit.loss).toBeLessThan(fitted([expectedShortfall], [expectedShortfall], losses, 0.95).loss);
  });

  test.each([1e-3, 1e4])('are the same in units of %d', (unit) => {
    const scaled = inUnit(goldenForecasts(), unit);
    const fit = fitted([scaled.valueAtRisk], [scaled.expectedShortfall], scaled.loss, 0.975);
    const plain = fitted([valueAtRisk], [expectedShortfall], losses, 0.975);
    expect(fit.loss - Math.log(unit)).toBeCloseTo(plain.loss, 9);
    expect(fit.shortfall.coefficients[1]).toBeCloseTo(plain.shortfall.coefficients[1], 7);
    expect(fit.shift / unit).toBeCloseTo(plain.shift, 12);
  });

  test('are none where a regressor is constant or depends on another, or losses do not vary', () => {
    const constant = losses.map(() => 0.03);
    const nearly = losses.map((_, t) => 1 + 1e-11 * Math.sin(t));
    const moving = losses.map((_, t) => 1 + 1e-7 * Math.sin(t));
    expect(fitJointRegression([constant], [expectedShortfall], losses, 0.95)).toBeNull();
    expect(fitJointRegression([valueAtRisk], [constant], losses, 0.95)).toBeNull();
    expect(fitJointRegression([valueAtRisk], [nearly], losses, 0.95)).toBeNull();
    expect(fitJointRegression([valueAtRisk], [moving], losses, 0.95)).not.toBeNull();
    const double = [expectedShortfall, expectedShortfall.map((value) => 2 * value)];
    expect(fitJointRegression(double, [expectedShortfall], losses, 0.95)).toBeNull();
    expect(fitJointRegression([valueAtRisk], double, losses, 0.95)).toBeNull();
    expect(fitJointRegression([valueAtRisk], [expectedShortfall], constant, 0.95)).toBeNull();
  });

  test.each([
    ['a confidence of 1', [valueAtRisk], losses, 1],
    ['a loss that is none', [valueAtRisk], losses.map((loss, t) => (t === 3 ? Number.NaN : loss)), 0.95],
    ['a regressor that is none', [losses.map(() => Number.NaN)], losses, 0.95],
    ['a regressor too short', [valueAtRisk.slice(1)], losses, 0.95],
  ] as const)('are refused for %s', (_, regressors, given, confidence) => {
    const refusal = expect.objectContaining({ code: 'INPUT_INVALID' });
    expect(() => fitJointRegression(regressors, [expectedShortfall], given, confidence)).toThrow(refusal);
    expect(() => fitJointRegression([expectedShortfall], regressors, given, confidence)).toThrow(refusal);
  });

  test('of one loss are refused', () => {
    expect(() => fitJointRegression([], [], losses.slice(0, 1), 0.95)).toThrow(
      expect.objectContaining({ code: 'DATA_INSUFFICIENT' }),
    );
  });
});

describe('the line of the least mean of z/e + ln e', () => {
  const ones = new Float64Array(300).fill(1);
  const random = Random.stream(1, 'shortfall-line');
  const x = ones.map(() => random.normal());
  const other = ones.map(() => random.uniform());
  const near = x.map((value, t) => 5 + value - other[t]);
  const tail = near.map((value) => value * 2 * random.exponential());

  const valuesOf = (columns: readonly Float64Array[], coefficients: Float64Array): Float64Array =>
    ones.map((_, t) => columns.reduce((sum, column, j) => sum + coefficients[j] * column[t], 0));
  const mean = (columns: readonly Float64Array[], coefficients: Float64Array): number =>
    valuesOf(columns, coefficients).reduce((sum, e, t) => sum + tail[t] / e + Math.log(e), 0) / tail.length;

  test.each([
    ['a constant', [ones]],
    ['a regressor', [ones, x]],
    ['two regressors', [ones, x, other]],
  ] as const)(
    'over %s has no slope, its loss is that mean, and any line beside it has a larger one',
    (_, columns) => {
      const line = shortfallLine(columns, tail, null)!;
      expect(line.loss).toBeCloseTo(mean(columns, line.coefficients), 13);
      const values = valuesOf(columns, line.coefficients);
      for (let j = 0; j < columns.length; j++) {
        const score = values.reduce((sum, e, t) => sum + (columns[j][t] * (tail[t] - e)) / e ** 2, 0);
        expect(Math.abs(score)).toBeLessThan(1e-5);
        for (const step of [-0.01, 0.01]) {
          const beside = line.coefficients.slice();
          beside[j] += step;
          expect(mean(columns, beside)).toBeGreaterThan(line.loss);
        }
      }
    },
  );

  test('does not depend on where it starts, nor on what it is given being kept', () => {
    const start = Float64Array.of(9, -0.5);
    const line = shortfallLine([ones, x], tail, start)!;
    expect([...start]).toEqual([9, -0.5]);
    const free = shortfallLine([ones, x], tail, null)!;
    for (const j of [0, 1]) expect(line.coefficients[j]).toBeCloseTo(free.coefficients[j], 6);
  });

  test.each([1e-60, 1e-3, 1e60])('is as much larger as the tail is: %d', (unit) => {
    const line = shortfallLine(
      [ones, x],
      tail.map((value) => unit * value),
      null,
    )!;
    const plain = shortfallLine([ones, x], tail, null)!;
    expect(line.loss - Math.log(unit)).toBeCloseTo(plain.loss, 11);
    for (const j of [0, 1]) expect(line.coefficients[j] / unit).toBeCloseTo(plain.coefficients[j], 5);
  });

  test('is none from a start with an e that is not positive, and over columns that depend on one another', () => {
    expect(shortfallLine([ones, x], tail, Float64Array.of(0.1, 1))).toBeNull();
    expect(shortfallLine([ones, x, other], tail, Float64Array.of(0.1, 1, 0))).toBeNull();
    expect(shortfallLine([ones, ones], tail, null)).toBeNull();
    expect(shortfallLine([ones, x, x], tail, null)).toBeNull();
    expect(shortfallLine([ones], new Float64Array(300), null)).toBeNull();
  });
});
