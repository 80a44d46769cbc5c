import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { automaticBlockLength, bootstrapInterval } from '../numeric/block-bootstrap.ts';
import { asymmetricReturns } from '../park-miller.fixture.ts';
import { ewmaVariance } from '../volatility/ewma.ts';
import { fitGarch, type GarchFit } from '../volatility/garch/fit.ts';
import { garchVariance, shocksFrom, simulateGarch } from '../volatility/garch/forecast.ts';
import { type MethodAnswer, type MethodOutcome, type RiskOptions, STANDARD_OPTIONS } from './estimates.ts';
import { lossesOfReturns } from './loss-sample.ts';
import { ewma, garch } from './model-methods.ts';
import { normalRisk, studentRisk } from './parametric.ts';
import { simulatedRisk } from './simulated.ts';

const returns = asymmetricReturns();
const daily = lossesOfReturns(returns, 'long', 1, 'terminal');
const short = lossesOfReturns(returns, 'short', 1, 'terminal');
const alone: RiskOptions = { ...STANDARD_OPTIONS, bootstrap: null };

function answered(outcome: MethodOutcome): MethodAnswer {
  if (!outcome.available) throw new Error(outcome.reason);
  return outcome;
}

function fitted(...input: Parameters<typeof fitGarch>): GarchFit {
  const fit = fitGarch(...input);
  if (!fit.available) throw new Error(fit.reason);
  return fit;
}

describe('exponentially weighted volatility', () => {
  test('at 99 % equals SciPy, and grows with the root of the horizon', () => {
    const one = answered(ewma({ sample: daily, confidence: 0.99, options: alone }));
    expect(one.valueAtRisk / 0.056286421581154496).toBeCloseTo(1, 10);
    expect(one.expectedShortfall / 0.06448535616038245).toBeCloseTo(1, 10);
    expect(one.parameters).toEqual({ decay: 0.94, nextVolatility: expect.any(Number) });
    expect((one.parameters.nextVolatility as number) * 2.3263478740408408).toBeCloseTo(one.valueAtRisk, 12);
    const nine = lossesOfReturns(returns, 'long', 9, 'terminal');
    const longer = answered(ewma({ sample: nine, confidence: 0.99, options: alone }));
    expect(longer.valueAtRisk / one.valueAtRisk).toBeCloseTo(3, 12);
    expect(longer.expectedShortfall / one.expectedShortfall).toBeCloseTo(3, 12);
  });

  test('of an excursion is that of half the tail, by reflection', () => {
    const path = lossesOfReturns(returns, 'long', 4, 'excursion');
    const four = lossesOfReturns(returns, 'long', 4, 'terminal');
    expect(answered(ewma({ sample: path, confidence: 0.98, options: alone })).valueAtRisk).toBeCloseTo(
      answered(ewma({ sample: four, confidence: 0.99, options: alone })).valueAtRisk,
      12,
    );
  });

  test('has the interval of a weighted mean of resampled squares, written out', () => {
    const options = { ...STANDARD_OPTIONS, decay: 0.9, seed: 5, bootstrap: { replications: 90, level: 0.8 } };
    const sample = lossesOfReturns(returns.slice(0, 400), 'short', 2, 'terminal');
    const { interval, valueAtRisk } = answered(ewma({ sample, confidence: 0.95, options }));
    const after = ewmaVariance(sample.returns, 0.9);
    // The variance that each return met is the one after the return before it.
    const before = (after[0] - 0.1 * sample.returns[0] ** 2) / 0.9;
    const squares = sample.returns.map((value, t) => value ** 2 / (t === 0 ? before : after[t - 1]));
    const mean = squares.reduce((sum, value) => sum + value, 0) / squares.length;
    const weights = squares.map((_, t) => 0.9 ** (squares.length - 1 - t));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const plan = { replications: 90, level: 0.8, seed: 5, blockLength: automaticBlockLength(squares) };
    const expected = bootstrapInterval(squares.length, plan, (places) => {
      const again = weights.reduce((sum, weight, t) => sum + weight * squares[places[t]], 0);
      return valueAtRisk * Math.sqrt(again / (total * mean));
    });
    if (!interval.available || expected === null) throw new Error('no interval');
    expect(interval.low / expected.low).toBeCloseTo(1, 10);
    expect(interval.high / expected.high).toBeCloseTo(1, 10);
    expect(interval).toMatchObject({ level: 0.8, replications: 90 });
  });

  test('has no answer where nothing moves, no interval where none is asked for or there are too few returns', () => {
    const still = lossesOfReturns(new Float64Array(50), 'long', 1, 'terminal');
    expect(ewma({ sample: still, confidence: 0.99, options: alone })).toMatchObject({ available: false });
    const none = answered(ewma({ sample: daily, confidence: 0.99, options: alone }));
    expect(none.interval).toMatchObject({ available: false, reason: expect.stringContaining('asked') });
    const options = { ...STANDARD_OPTIONS, bootstrap: { replications: 20, level: 0.9 } };
    const of = (count: number): boolean => {
      const sample = lossesOfReturns(returns.slice(0, count), 'long', 10, 'terminal');
      return answered(ewma({ sample, confidence: 0.95, options })).interval.available;
    };
    expect([29, 30, 31].map(of)).toEqual([false, true, true]);
  });

  test('refits as often as is asked for, but at most 200 times', () => {
    for (const [replications, done] of [
      [150, 150],
      [500, 200],
    ]) {
      const options = { ...STANDARD_OPTIONS, bootstrap: { replications, level: 0.9 } };
      const sample = lossesOfReturns(returns.slice(0, 200), 'long', 1, 'terminal');
      expect(answered(ewma({ sample, confidence: 0.95, options })).interval).toMatchObject({
        replications: done,
      });
    }
  });
});

describe('a fitted volatility', () => {
  test.each([
    ['garch', 't', 0.04337487951958888, 0.05720718278666042],
    ['garch', 'normal', 0.03796602805291407, 0.043594157522624584],
    ['gjr', 't', 0.038483167304863425, 0.05046992292280379],
    ['gjr', 'normal', 0.03333156301852063, 0.038266364430578466],
  ] as const)('%s with %s errors equals arch 8.0', (model, distribution, valueAtRisk, expectedShortfall) => {
    const options = { ...alone, distribution };
    const risk = answered(garch({ sample: daily, confidence: 0.99, options }, model));
    expect(Math.abs(risk.valueAtRisk / valueAtRisk - 1)).toBeLessThan(1e-5);
    expect(Math.abs(risk.expectedShortfall / expectedShortfall - 1)).toBeLessThan(1e-5);
  });

  test('takes the mean off the losses of one side and adds it to those of the other', () => {
    const fit = fitted(returns, { model: 'garch', distribution: 't' });
    const [long, other] = [daily, short].map((sample) =>
      answered(garch({ sample, confidence: 0.99, options: alone }, 'garch')),
    );
    expect(Math.abs(fit.parameters.mu)).toBeGreaterThan(1e-4);
    expect(other.valueAtRisk - long.valueAtRisk).toBeCloseTo(2 * fit.parameters.mu, 12);
    expect(other.expectedShortfall - long.expectedShortfall).toBeCloseTo(2 * fit.parameters.mu, 12);
    expect(long.parameters).toMatchObject({ mu: fit.parameters.mu, nu: fit.parameters.nu });
  });

  test('answers in closed form for one step seen at its ends, and by simulated paths for all else', () => {
    const fit = fitted(returns, { model: 'garch', distribution: 't' });
    const { valueAtRisk, expectedShortfall } = studentRisk(0.95, fit.parameters.nu);
    const deviation = Math.sqrt(fit.nextVariance);
    const closed = {
      valueAtRisk: deviation * valueAtRisk - fit.parameters.mu,
      expectedShortfall: deviation * expectedShortfall - fit.parameters.mu,
    };
    const options = { ...alone, simulations: 400, seed: 9 };
    const seen = lossesOfReturns(returns, 'long', 1, 'excursion');
    const cases = [
      [daily, false],
      [seen, false],
      [{ ...daily, seesWithinSteps: true }, false],
      [{ ...seen, seesWithinSteps: true }, true],
      [lossesOfReturns(returns, 'long', 2, 'terminal'), true],
      [lossesOfReturns(returns, 'long', 2, 'excursion'), true],
    ] as const;
    for (const [sample, isSimulated] of cases) {
      const risk = answered(garch({ sample, confidence: 0.95, options }, 'garch'));
      const simulated = simulatedRisk(sample, fit, 0.95, 400, Random.stream(9, 'garch-paths'));
      const expected = isSimulated ? simulated : closed;
      expect(risk.valueAtRisk).toBeCloseTo(expected.valueAtRisk, 12);
      expect(risk.expectedShortfall).toBeCloseTo(expected.expectedShortfall, 12);
    }
  });

  test('an excursion that is no loss has a VaR of 0, and the ES of what is left of the tail', () => {
    const seen = lossesOfReturns(returns, 'long', 1, 'excursion');
    const options = { ...alone, simulations: 2000 };
    const risk = answered(garch({ sample: seen, confidence: 0.3, options }, 'garch'));
    expect(risk.valueAtRisk).toBe(0);
    expect(risk.expectedShortfall).toBeGreaterThan(0);
    const end = answered(garch({ sample: daily, confidence: 0.3, options }, 'garch'));
    expect(end.valueAtRisk).toBeLessThan(0);
    // A gain at the end of a step is told as it is, in closed form.
    const { parameters, nextVariance } = fitted(returns, { model: 'garch', distribution: 't' });
    const deviation = Math.sqrt(nextVariance);
    const { valueAtRisk } = studentRisk(0.3, parameters.nu);
    expect(end.valueAtRisk).toBeCloseTo(deviation * valueAtRisk - parameters.mu, 12);
    expect(risk.expectedShortfall).toBeGreaterThan(end.expectedShortfall);
  });

  test('has the interval of refits to histories made anew, written out', () => {
    const options: RiskOptions = {
      ...STANDARD_OPTIONS,
      distribution: 'normal',
      seed: 4,
      bootstrap: { replications: 12, level: 0.5 },
    };
    const sample = lossesOfReturns(returns.slice(0, 300), 'long', 1, 'terminal');
    const { interval } = answered(garch({ sample, confidence: 0.95, options }, 'garch'));
    const fit = fitted(sample.returns, { model: 'garch', distribution: 'normal' });
    const residuals = sample.returns.map(
      (value, t) => (value - fit.parameters.mu) / Math.sqrt(fit.variance[t]),
    );
    const plan = { replications: 12, level: 0.5, seed: 4, blockLength: 1 };
    const expected = bootstrapInterval(300, plan, (_, random) => {
      const remade = new Float64Array(300);
      simulateGarch('garch', fit.parameters, fit.variance[0], shocksFrom(residuals, random), remade);
      const again = fitted(remade, fit.specification, fit.parameters);
      const today = garchVariance(sample.returns, fit.specification, again.parameters)[300];
      random.uint32();
      return Math.sqrt(today) * normalRisk(0.95).valueAtRisk - again.parameters.mu;
    });
    if (!interval.available || expected === null) throw new Error('no interval');
    expect(interval.low / expected.low).toBeCloseTo(1, 9);
    expect(interval.high / expected.high).toBeCloseTo(1, 9);
    expect(interval.replications).toBe(12);
  });

  test('has no answer where nothing moves', () => {
    const still = lossesOfReturns(new Float64Array(200), 'long', 1, 'terminal');
    expect(garch({ sample: still, confidence: 0.99, options: alone }, 'garch')).toMatchObject({
      available: false,
    });
  });
});
