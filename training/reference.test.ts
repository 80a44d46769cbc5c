import { describe, expect, test } from 'vitest';
import { manifestSchema } from '../models/manifest.ts';
import { driftReport, newDrift, withSeen } from '../src/control/drift-watch.ts';
import { FEATURE_COUNT, featureIndex } from '../src/features/spec.ts';
import { CELLS_PER_MARKET, CONFIDENCES, PATHS_PER_MARKET } from '../src/forecast/predictor.ts';
import { Random } from '../src/random.ts';
import { driftReference, type ReferenceForecasts } from './reference.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2022, 0, 1);
const EVERY = 6;
const DAYS = 900;
const FUNDING = featureIndex('fundingAvailable');

/** Features that wander slowly, as volatility does, so that a month is unlike the years; one never moves. */
function wandering(random: Random, rows: number, shift = 0): Float64Array {
  const values = new Float64Array(rows * FEATURE_COUNT);
  const level = new Float64Array(FEATURE_COUNT);
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < FEATURE_COUNT; f++) {
      level[f] = 0.99 * level[f] + 0.14 * random.normal();
      values[row * FEATURE_COUNT + f] = f === FUNDING ? 0 : level[f] + shift;
    }
  return values;
}

/** Exponential excursions of mean `scale`, and the VaR of mean 1. */
function forecasts(random: Random, rows: number, scale = 1): ReferenceForecasts {
  const valueAtRisk = new Float64Array(rows * CELLS_PER_MARKET);
  for (let i = 0; i < valueAtRisk.length; i++)
    valueAtRisk[i] = -0.01 * Math.log(1 - CONFIDENCES[i % CONFIDENCES.length]);
  return {
    asOf: Float64Array.from({ length: rows }, (_, row) => START + row * EVERY * HOUR),
    valueAtRisk,
    excursions: Float64Array.from(
      { length: rows * PATHS_PER_MARKET },
      () => 0.01 * scale * random.exponential(),
    ),
  };
}

const random = new Random(2);
const ROWS = (DAYS * 24) / EVERY;
const asOf = Float64Array.from({ length: ROWS }, (_, row) => START + row * EVERY * HOUR);
const reference = driftReference(wandering(random, ROWS), ROWS, asOf, forecasts(random, ROWS));

/** A month of live service, by one row of features and both sides of a horizon every six hours. */
function live(shift: number, scale: number, days = 30) {
  const own = new Random(9);
  let state = newDrift('model@1');
  const rows = wandering(own, days * 4, shift);
  for (let i = 0; i < days * 4; i++) {
    const losses = [0, 1].map(() => scale * own.exponential());
    const [usual, rare] = [-Math.log(0.05), -Math.log(0.01)];
    const seen = {
      features: rows.slice(i * FEATURE_COUNT, (i + 1) * FEATURE_COUNT),
      horizons: Uint8Array.from([3, 3]),
      residuals: Float64Array.from(losses, (loss) => loss / usual),
      scores: Float64Array.from(losses, (loss) => (loss > rare ? 0.99 : -0.01) * (loss / rare - 1)),
    };
    // Stored and restored in between.
    state = JSON.parse(
      JSON.stringify(withSeen(state, reference, seen, START + (DAYS * 24 + i * EVERY) * HOUR)),
    );
  }
  return { state, report: driftReport(state, reference) };
}

describe('the reference of the training span', () => {
  test('is what the manifest takes, every feature with deciles, and one that never moves without an edge', () => {
    expect(manifestSchema.options[0].shape.reference.parse(reference)).toEqual(reference);
    expect(reference.features).toHaveLength(FEATURE_COUNT);
    expect(reference.features[0].edges).toHaveLength(9);
    expect(reference.features[0].counts.reduce((sum, count) => sum + count, 0)).toBe(ROWS);
    expect(reference.features[FUNDING]).toMatchObject({ edges: [], counts: [ROWS], usual: 0 });
    expect(reference.residuals.map(({ horizonHours }) => horizonHours)).toEqual([1, 4, 8, 24]);
  });

  test('of many rows an even part is taken: the deciles stay where they are', () => {
    const many = 450_000;
    const ramp = new Float64Array(many * FEATURE_COUNT);
    for (let row = 0; row < many; row++) ramp[row * FEATURE_COUNT] = row / many;
    const times = Float64Array.from({ length: many }, (_, row) => START + row * HOUR);
    const [first] = driftReference(ramp, many, times, null).features;
    expect(first.counts.reduce((sum, count) => sum + count, 0)).toBe(200_000);
    for (const [k, edge] of first.edges.entries()) expect(edge).toBeCloseTo((k + 1) / 10, 4);
  });

  test('without a trial there is nothing on residuals and scores', () => {
    const features = driftReference(wandering(random, ROWS), ROWS, asOf, null);
    expect(features).toMatchObject({ residuals: [], scores: [] });
  });

  test('a month like those of the span has not drifted, though its index is far above what is called a large change', () => {
    const { report } = live(0, 1);
    expect(report?.features[0].usual).toBeGreaterThan(0.25);
    expect(report?.drifted).toEqual([]);
    expect(report?.scores[3].ratio).toBeGreaterThan(0.5);
  });

  test('shifted features, larger residuals and a worse score are found, each by its name', () => {
    expect(live(6, 1).report?.drifted).toEqual(['features']);
    const worse = live(0, 3).report?.drifted;
    expect(worse).toContain('residuals/24h');
    expect(worse).toContain('score/24h');
    expect(worse).not.toContain('features');
  });

  test('a few days tell nothing, and what is older than the window is forgotten', () => {
    expect(live(6, 3, 20).report).toBeNull();
    expect(live(0, 1, 60).state.days).toHaveLength(30);
  });
});
