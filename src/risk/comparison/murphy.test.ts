import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { shortfallDominance, valueAtRiskDominance } from './dominance.ts';
import { murphyThresholds, shortfallMurphy, valueAtRiskMurphy } from './murphy.ts';
import { meanPinball } from './scores.ts';

/** Losses with VaR and ES, by Park and Miller's generator: any language repeats them. */
function golden(n: number) {
  const { uniform: next } = parkMiller(20240601);
  const losses = new Float64Array(n);
  const valuesAtRisk = new Float64Array(n);
  const expectedShortfalls = new Float64Array(n);
  for (let t = 0; t < n; t++) {
    const u = next();
    losses[t] = u * u * 0.2 - 0.02;
    valuesAtRisk[t] = 0.1 + 0.08 * next();
    expectedShortfalls[t] = valuesAtRisk[t] * (1.1 + 0.3 * next());
  }
  return { losses, valuesAtRisk, expectedShortfalls };
}

/** Whole numbers make ties between losses, forecasts and thresholds common. */
function drawn(seed: number, n: number, isWhole: boolean) {
  const random = Random.stream(seed, 'murphy');
  const next = (): number => (isWhole ? random.integer(8) : 8 * random.uniform());
  const series = (): Float64Array => new Float64Array(n).map(next);
  const forecasts = () => {
    const valuesAtRisk = series();
    return { valuesAtRisk, expectedShortfalls: valuesAtRisk.map((value) => value + next()) };
  };
  return { losses: series(), first: forecasts(), second: forecasts() };
}

/** The elementary score of one quantile, in the notation of Ehm et al.: (1{l < v} − c)(1{θ < v} − 1{θ < l}). */
function elementaryQuantile(loss: number, forecast: number, confidence: number, theta: number): number {
  return (Number(loss < forecast) - confidence) * (Number(theta < forecast) - Number(theta < loss));
}

/** The elementary score of ES, in the notation of Ziegel et al.: returns y, VaR x₁, ES x₂ and η all negative for losses. */
function elementaryShortfall(y: number, x1: number, x2: number, alpha: number, eta: number): number {
  const tail = eta <= x2 ? (y <= x1 ? (x1 - y) / alpha : 0) - (x1 - eta) : 0;
  return tail + (eta <= y ? y - eta : 0);
}

function slowQuantile(
  losses: Float64Array,
  forecasts: Float64Array,
  confidence: number,
  theta: number,
): number {
  let sum = 0;
  for (let t = 0; t < losses.length; t++)
    sum += elementaryQuantile(losses[t], forecasts[t], confidence, theta);
  return sum / losses.length;
}

function slowShortfall(
  losses: Float64Array,
  { valuesAtRisk, expectedShortfalls }: { valuesAtRisk: Float64Array; expectedShortfalls: Float64Array },
  confidence: number,
  theta: number,
): number {
  let sum = 0;
  for (let t = 0; t < losses.length; t++)
    sum += elementaryShortfall(-losses[t], -valuesAtRisk[t], -expectedShortfalls[t], 1 - confidence, -theta);
  return sum / losses.length;
}

const thetas = Float64Array.of(-0.05, 0, 0.05, 0.1, 0.12, 0.125, 0.15, 0.17, 0.2, 0.25, 0.3);

describe('the curves equal NumPy 2.4, by the formulas of the papers in returns', () => {
  const { losses, valuesAtRisk, expectedShortfalls } = golden(400);

  test.each([
    [
      'VaR',
      valueAtRiskMurphy(losses, valuesAtRisk, 0.9, thetas),
      [
        0.0, 0.033499999999999995, 0.058249999999999996, 0.07499999999999998, 0.09649999999999999,
        0.10425000000000001, 0.08774999999999998, 0.039999999999999994, 0.0, 0.0, 0.0,
      ],
    ],
    [
      'ES',
      shortfallMurphy(losses, valuesAtRisk, expectedShortfalls, 0.9, thetas),
      [
        0.0, 0.004674736684930592, 0.028271615458001977, 0.06129840126648634, 0.07822197167791169,
        0.08253665866168226, 0.10882677142010337, 0.12592308923597617, 0.13495389084426215,
        0.1248044932923189, 0.1248044932923189,
      ],
    ],
  ])('%s', (_, curve, expected) => {
    for (const [k, value] of expected.entries()) {
      if (value === 0) expect(curve[k]).toBe(0);
      else expect(Math.abs(curve[k] / value - 1)).toBeLessThan(1e-9);
    }
  });
});

describe('laws', () => {
  const seeds = fc.integer({ min: 1, max: 1_000_000 });
  const sizes = fc.integer({ min: 1, max: 40 });
  const confidences = fc.constantFrom(0.5, 0.9, 0.99);

  test('the fast curves equal the sums of elementary scores, ties included', () => {
    fc.assert(
      fc.property(seeds, sizes, fc.boolean(), confidences, (seed, n, isWhole, confidence) => {
        const { losses, first } = drawn(seed, n, isWhole);
        const grid = Float64Array.from({ length: 30 }, (_, k) => -1 + 0.5 * k);
        const quantile = valueAtRiskMurphy(losses, first.valuesAtRisk, confidence, grid);
        const shortfall = shortfallMurphy(
          losses,
          first.valuesAtRisk,
          first.expectedShortfalls,
          confidence,
          grid,
        );
        for (const [k, theta] of grid.entries()) {
          expect(quantile[k]).toBeCloseTo(slowQuantile(losses, first.valuesAtRisk, confidence, theta), 12);
          expect(shortfall[k]).toBeCloseTo(slowShortfall(losses, first, confidence, theta), 10);
          expect(shortfall[k]).toBeGreaterThanOrEqual(0);
        }
      }),
      { seed: 41, numRuns: 150 },
    );
  });

  test('the integral of the curve of VaR is the mean pinball loss', () => {
    fc.assert(
      fc.property(seeds, sizes, fc.boolean(), confidences, (seed, n, isWhole, confidence) => {
        const { losses, first } = drawn(seed, n, isWhole);
        const grid = murphyThresholds([losses, first.valuesAtRisk], 1000);
        const curve = valueAtRiskMurphy(losses, first.valuesAtRisk, confidence, grid);
        let integral = 0;
        for (let k = 0; k + 1 < grid.length; k++) integral += curve[k] * (grid[k + 1] - grid[k]);
        expect(integral).toBeCloseTo(meanPinball(losses, first.valuesAtRisk, confidence), 12);
        expect(curve[grid.length - 1]).toBe(0);
      }),
      { seed: 42, numRuns: 150 },
    );
  });

  test('a verdict is what a fine grid says', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        confidences,
        (seed, n, isWhole, confidence) => {
          const { losses, first, second } = drawn(seed, n, isWhole);
          const values = [
            losses,
            first.valuesAtRisk,
            second.valuesAtRisk,
            first.expectedShortfalls,
            second.expectedShortfalls,
          ];
          const corners = murphyThresholds(values, 1000);
          // Each corner and a point just below it: a linear piece is largest at an end.
          const grid = [...corners].flatMap((theta) => [theta - 1e-9, theta]);
          const leads = (difference: (theta: number) => number): [number, number] => {
            const all = grid.map(difference);
            return [Math.max(0, ...all.map((value) => -value)), Math.max(0, ...all)];
          };
          const verdictOf = ([a, b]: [number, number]): string =>
            a > 1e-7 ? (b > 1e-7 ? 'neither' : 'first') : b > 1e-7 ? 'second' : 'equal';
          const quantile = leads(
            (theta) =>
              slowQuantile(losses, first.valuesAtRisk, confidence, theta) -
              slowQuantile(losses, second.valuesAtRisk, confidence, theta),
          );
          const fast = valueAtRiskDominance(losses, first.valuesAtRisk, second.valuesAtRisk, confidence);
          expect(fast.verdict).toBe(verdictOf(quantile));
          expect(fast.firstLead).toBeCloseTo(quantile[0], 10);
          expect(fast.secondLead).toBeCloseTo(quantile[1], 10);
          const shortfall = leads(
            (theta) =>
              slowShortfall(losses, first, confidence, theta) -
              slowShortfall(losses, second, confidence, theta),
          );
          const tail = shortfallDominance(losses, first, second, confidence);
          expect(tail.verdict).toBe(verdictOf(shortfall));
          expect(tail.firstLead).toBeCloseTo(shortfall[0], 6);
          expect(tail.secondLead).toBeCloseTo(shortfall[1], 6);
          const turned = shortfallDominance(losses, second, first, confidence);
          expect(turned.firstLead).toBe(tail.secondLead);
        },
      ),
      { seed: 43, numRuns: 200 },
    );
  });
});

describe('verdicts', () => {
  test('a forecast that knows the loss dominates one that does not, and equals itself', () => {
    const { losses, valuesAtRisk, expectedShortfalls } = golden(300);
    const oracle = { valuesAtRisk: losses, expectedShortfalls: losses };
    const blind = { valuesAtRisk, expectedShortfalls };
    expect(valueAtRiskDominance(losses, losses, valuesAtRisk, 0.9)).toMatchObject({
      verdict: 'first',
      secondLead: 0,
    });
    expect(valueAtRiskDominance(losses, valuesAtRisk, losses, 0.9).verdict).toBe('second');
    expect(valueAtRiskDominance(losses, losses, losses, 0.9).verdict).toBe('equal');
    expect(shortfallDominance(losses, oracle, blind, 0.9)).toMatchObject({ verdict: 'first', secondLead: 0 });
    expect(shortfallDominance(losses, blind, oracle, 0.9).verdict).toBe('second');
    expect(shortfallDominance(losses, blind, blind, 0.9)).toEqual({
      verdict: 'equal',
      firstLead: 0,
      secondLead: 0,
    });
  });
});

describe('thresholds', () => {
  test('are the distinct values, thinned by rank with both ends kept', () => {
    const values = Float64Array.of(3, 1, 2, 2, 5, 4, 1);
    expect([...murphyThresholds([values, Float64Array.of(0.5)], 10)]).toEqual([0.5, 1, 2, 3, 4, 5]);
    expect([...murphyThresholds([values], 3)]).toEqual([1, 3, 5]);
    expect([...values]).toEqual([3, 1, 2, 2, 5, 4, 1]);
  });

  test.each([
    ['that fall', Float64Array.of(1, 0)],
    ['given twice', Float64Array.of(1, 1)],
    ['that are no number', Float64Array.of(Number.NaN)],
  ])('%s are refused with a remedy', (_, thresholds) => {
    const one = Float64Array.of(1);
    expect(() => valueAtRiskMurphy(one, one, 0.9, thresholds)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
    );
  });

  test('and so are an ES below its VaR, no observation, and a confidence of 0', () => {
    const [one, two, none] = [Float64Array.of(1), Float64Array.of(2), new Float64Array(0)];
    const refused = (code: string) => expect.objectContaining({ code, remedy: expect.any(String) });
    expect(() => shortfallMurphy(one, two, one, 0.9, one)).toThrow(refused('INPUT_INVALID'));
    expect(() =>
      shortfallDominance(
        one,
        { valuesAtRisk: one, expectedShortfalls: one },
        { valuesAtRisk: two, expectedShortfalls: one },
        0.9,
      ),
    ).toThrow(refused('INPUT_INVALID'));
    expect(() => valueAtRiskMurphy(none, none, 0.9, one)).toThrow(refused('DATA_INSUFFICIENT'));
    expect(() => valueAtRiskMurphy(one, one, 0, one)).toThrow(refused('INPUT_INVALID'));
    expect(() => valueAtRiskMurphy(one, new Float64Array(2), 0.9, one)).toThrow(refused('INPUT_INVALID'));
    expect(() => murphyThresholds([one], 1)).toThrow(refused('INPUT_INVALID'));
  });
});
