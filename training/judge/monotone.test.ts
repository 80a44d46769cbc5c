import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FEATURE_COUNT, FEATURE_NAMES, featureIndex } from '../../src/features/spec.ts';
import { CELLS_PER_MARKET, cellIndex } from '../../src/forecast/predictor.ts';
import { Random } from '../../src/random.ts';
import {
  ALL_VOLATILITY_FEATURES,
  checkMonotone,
  MONOTONE_TOLERANCE,
  OWN_VOLATILITY_FEATURES,
  type VolatilityScorer,
} from './monotone.ts';

const ROWS = 7;
const random = new Random(3);
const rows = Float64Array.from({ length: ROWS * FEATURE_COUNT }, () => random.normal());

/** VaR of every cell of a row as a function of the row. */
function scorerOf(valueAtRisk: (row: Float64Array, cell: number) => number): VolatilityScorer {
  return async (features, count) =>
    Float64Array.from({ length: count * CELLS_PER_MARKET }, (_, i) => {
      const row = Math.floor(i / CELLS_PER_MARKET);
      return valueAtRisk(
        features.subarray(row * FEATURE_COUNT, (row + 1) * FEATURE_COUNT),
        i % CELLS_PER_MARKET,
      );
    });
}

const LEVEL = featureIndex('logRealisedVolatility168h');
const FAST = featureIndex('logRealisedVolatility1h');

describe('whether more volatility gives less VaR', () => {
  test('a level that rises and a shape that counts from it pass, and the least rise is the factor of volatility', async () => {
    const scorer = scorerOf((row) => 0.02 * Math.exp(row[LEVEL] - 0.5 * (row[FAST] - row[LEVEL])));
    const result = await checkMonotone(scorer, rows, ROWS);
    expect(result).toMatchObject({ violations: 0, comparisons: 2 * 4 * ROWS * CELLS_PER_MARKET });
    expect(result.largestFall).toBeLessThan(1e-12);
    expect(result.leastRise).toBeCloseTo(3, 10);
  });

  test('one cell of one row that falls is found, by its name and its size', async () => {
    const cell = cellIndex(0, 1, 2, 3);
    let calls = 0;
    const scorer: VolatilityScorer = async (features, count) => {
      const answer = await scorerOf((row) => Math.exp(0.1 * row[LEVEL]))(features, count);
      // The second step of the market alone.
      if (++calls === 3) answer[4 * CELLS_PER_MARKET + cell] *= 0.5;
      return answer;
    };
    const result = await checkMonotone(scorer, rows, ROWS);
    expect(result.violations).toBe(1);
    expect(result.worst).toEqual({ side: 'short', horizonHours: 8, confidence: 0.999, row: 4, step: 1 });
    expect(result.largestFall).toBeCloseTo(1 - 0.5 * Math.exp(0.1 * Math.log(1.5 / 1.1)), 10);
  });

  test('an answer that minds one scale the wrong way round fails', async () => {
    const scorer = scorerOf((row) => 0.02 * Math.exp(0.3 * row[LEVEL] - 0.4 * row[FAST]));
    expect((await checkMonotone(scorer, rows, ROWS)).violations).toBeGreaterThan(0);
  });

  test('an answer that falls with all markets only fails as well', async () => {
    const index = featureIndex('indexLogVolatility24h');
    const scorer = scorerOf((row) => 0.02 * Math.exp(0.3 * row[LEVEL] - 0.4 * row[index]));
    expect((await checkMonotone(scorer, rows, ROWS)).violations).toBe(4 * ROWS * CELLS_PER_MARKET);
  });

  test('noise within the tolerance is none, and a VaR that is no number is a fall', async () => {
    const noise = scorerOf((row) => 0.02 - 0.001 * MONOTONE_TOLERANCE * row[LEVEL]);
    expect((await checkMonotone(noise, rows, ROWS)).violations).toBe(0);
    const broken = await checkMonotone(
      scorerOf(() => Number.NaN),
      rows,
      ROWS,
    );
    expect(broken).toMatchObject({ largestFall: 1, leastRise: -1 });
    expect(broken.violations).toBe(broken.comparisons);
  });

  test('leaves the rows that it is given as they were', async () => {
    const before = rows.slice();
    await checkMonotone(
      scorerOf((row) => Math.exp(row[LEVEL])),
      rows,
      ROWS,
    );
    expect(rows).toEqual(before);
  });

  test('any positive function that rises with the common level passes (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
        async ([a, b, c]) => {
          const scorer = scorerOf((row) =>
            Math.exp(a * row[LEVEL] + b * row[FAST] + c * Math.tanh(row[FAST] - row[LEVEL])),
          );
          expect((await checkMonotone(scorer, rows, ROWS)).violations).toBe(0);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('the features that are raised', () => {
  const named = (positions: readonly number[]): string[] => positions.map((k) => FEATURE_NAMES[k]);

  test('are every log level of volatility that there is, and nothing that is measured in units of it', () => {
    const raised = new Set([...named(OWN_VOLATILITY_FEATURES), ...named(ALL_VOLATILITY_FEATURES)]);
    const levels = FEATURE_NAMES.filter((name) =>
      /LogVolatility|^log.*Volatility\d|logDispersion/.test(name),
    );
    expect([...raised].sort()).toEqual([...levels].sort());
  });

  test('of one market leave all others alone; of all markets leave their distance alone', () => {
    expect(
      named(OWN_VOLATILITY_FEATURES).filter((name) => /^(index|marketMean|logDispersion)/.test(name)),
    ).toEqual([]);
    expect(named(ALL_VOLATILITY_FEATURES).filter((name) => name.startsWith('ownMinus'))).toEqual([]);
  });
});
