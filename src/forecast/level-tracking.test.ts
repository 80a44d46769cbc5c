import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../random.ts';
import { applyLevels, LEVEL_RANGE, LevelTracking, trackedLevel } from './level-tracking.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  cellIndex,
  emptyForecast,
  type ForecastBatch,
  HORIZON_COUNT,
  SIDE_COUNT,
} from './predictor.ts';

const HOUR = 3_600_000;

/** VaR 1 %, 2 %, … rising with confidence and horizon, ES half as much again. */
function batchOf(symbols: readonly string[], unit = 0.01): ForecastBatch {
  const batch = emptyForecast('test@1', 0, symbols);
  for (let i = 0; i < batch.valueAtRisk.length; i++) {
    const [c, h] = [i % CONFIDENCE_COUNT, Math.floor(i / CONFIDENCE_COUNT) % HORIZON_COUNT];
    batch.valueAtRisk[i] = unit * (1 + c + h);
    batch.expectedShortfall[i] = 1.5 * batch.valueAtRisk[i];
  }
  return batch;
}

const hitsOf = (isHit: (side: number, c: number) => boolean): boolean[][] =>
  Array.from({ length: SIDE_COUNT }, (_, side) =>
    Array.from({ length: CONFIDENCE_COUNT }, (_, c) => isHit(side, c)),
  );

describe('one level', () => {
  test('brings the rate of exceedances to its target, of a predictor that is too low or too high', () => {
    for (const bias of [0.8, 1.3]) {
      for (const confidence of [0.95, 0.99]) {
        const random = Random.stream(1, `${bias} ${confidence}`);
        let [log, hits, count, sum] = [0, 0, 0, 0];
        for (let step = 0; step < 40_000; step++) {
          // Exponential losses with a VaR of bias times the right one.
          const isHit = random.exponential() > -Math.log(1 - confidence) * bias * Math.exp(log);
          if (step >= 20_000) {
            hits += isHit ? 1 : 0;
            count++;
            sum += log;
          }
          log = trackedLevel(log, isHit, confidence, 1, 6);
        }
        expect(hits / count / (1 - confidence)).toBeGreaterThan(0.9);
        expect(hits / count / (1 - confidence)).toBeLessThan(1.1);
        expect(Math.exp(sum / count) * bias).toBeGreaterThan(0.9);
        expect(Math.exp(sum / count) * bias).toBeLessThan(1.1);
      }
    }
  });

  test('stays in its corridor, whatever comes', () => {
    for (const isHit of [true, false]) {
      let log = 0;
      for (let step = 0; step < 100_000; step++) log = trackedLevel(log, isHit, 0.95, 24, 24);
      expect(Math.exp(log)).toBeCloseTo(LEVEL_RANGE[isHit ? 1 : 0], 12);
    }
    expect(trackedLevel(0, true, 0.99, 4, 1e9)).toBe(trackedLevel(0, true, 0.99, 4, 24));
    expect(trackedLevel(0.1, true, 0.99, 4, -5)).toBe(0.1);
    expect(trackedLevel(0, true, 0.99, 24, 1) / trackedLevel(0, true, 0.99, 4, 1)).toBeCloseTo(0.5, 12);
  });
});

describe('levels of a market', () => {
  test('never break an order: VaR rises with confidence and horizon, ES is not below VaR, a long loses no more than all', () => {
    const log = fc.double({ min: -0.35, max: 0.47, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(log, { minLength: CELLS_PER_MARKET, maxLength: CELLS_PER_MARKET }),
        fc.constantFrom(0.01, 0.12),
        (logs, unit) => {
          const { valueAtRisk, expectedShortfall } = batchOf(['A'], unit);
          const before = valueAtRisk.slice();
          applyLevels(Float64Array.from(logs), valueAtRisk, expectedShortfall, 0);
          for (let side = 0; side < SIDE_COUNT; side++) {
            for (let h = 0; h < HORIZON_COUNT; h++) {
              for (let c = 0; c < CONFIDENCE_COUNT; c++) {
                const cell = cellIndex(0, side, h, c);
                expect(expectedShortfall[cell]).toBeGreaterThanOrEqual(valueAtRisk[cell]);
                if (c > 0) expect(valueAtRisk[cell]).toBeGreaterThanOrEqual(valueAtRisk[cell - 1]);
                if (h > 0)
                  expect(valueAtRisk[cell]).toBeGreaterThanOrEqual(valueAtRisk[cellIndex(0, side, h - 1, c)]);
                const least = Math.min(before[cell] * Math.exp(logs[cell]), side === 0 ? 1 : Infinity);
                expect(valueAtRisk[cell]).toBeGreaterThanOrEqual(least - 1e-12);
                if (side === 0) expect(expectedShortfall[cell]).toBeLessThanOrEqual(1);
              }
            }
          }
        },
      ),
      { seed: 3, numRuns: 200 },
    );
  });
});

describe('the levels of a service', () => {
  test('follow each market’s own exceedances and leave the others as they were', () => {
    const levels = new LevelTracking();
    const batch = batchOf(['A', 'B', 'C']);
    expect(levels.adjusted(batch).valueAtRisk).toEqual(batch.valueAtRisk);
    for (let hour = 1; hour <= 200; hour++) {
      levels.observe(
        'A',
        3,
        hour * HOUR,
        hitsOf((side) => side === 0),
      );
      levels.observe(
        'B',
        3,
        hour * HOUR,
        hitsOf(() => false),
      );
    }
    const after = levels.adjusted(batch);
    expect(after.valueAtRisk[cellIndex(0, 0, 3, 1)]).toBeGreaterThan(
      batch.valueAtRisk[cellIndex(0, 0, 3, 1)],
    );
    expect(after.valueAtRisk[cellIndex(0, 1, 3, 1)]).toBeLessThan(batch.valueAtRisk[cellIndex(0, 1, 3, 1)]);
    expect(after.valueAtRisk[cellIndex(1, 0, 3, 1)]).toBeLessThan(batch.valueAtRisk[cellIndex(1, 0, 3, 1)]);
    expect(after.valueAtRisk.slice(2 * CELLS_PER_MARKET)).toEqual(
      batch.valueAtRisk.slice(2 * CELLS_PER_MARKET),
    );
    expect(after.valueAtRisk[cellIndex(0, 0, 0, 0)]).toBe(batch.valueAtRisk[cellIndex(0, 0, 0, 0)]);
  });

  test('learn from each origin once, and not from an older one', () => {
    const [once, often] = [new LevelTracking(), new LevelTracking()];
    for (const hour of [1, 2, 3])
      once.observe(
        'A',
        0,
        hour * HOUR,
        hitsOf(() => true),
      );
    for (const hour of [1, 1, 2, 1, 2, 3, 3])
      often.observe(
        'A',
        0,
        hour * HOUR,
        hitsOf(() => true),
      );
    expect(often.state()).toEqual(once.state());
  });

  test('go on after a restart where they were; what does not hold is left out', () => {
    const levels = new LevelTracking();
    for (let hour = 1; hour < 50; hour++)
      levels.observe(
        'A',
        1,
        hour * HOUR,
        hitsOf((_, c) => hour % (5 + c) === 0),
      );
    const again = new LevelTracking();
    again.restore(JSON.parse(JSON.stringify(levels.state())));
    expect(again.state()).toEqual(levels.state());
    for (const one of [levels, again])
      one.observe(
        'A',
        1,
        60 * HOUR,
        hitsOf(() => true),
      );
    expect(again.state()).toEqual(levels.state());
    again.restore({
      version: 1,
      markets: {
        A: { logs: [1], newest: [null] },
        B: { logs: new Array(CELLS_PER_MARKET).fill(9), newest: [null, null, null, null] },
      },
    });
    expect(Object.keys(again.state().markets)).toEqual(['B']);
    expect(Math.exp(again.state().markets.B.logs[0])).toBeCloseTo(LEVEL_RANGE[1], 12);
  });
});
