import { describe, expect, test } from 'vitest';
import { FEATURE_COUNT } from '../../src/features/spec.ts';
import { FilteredPredictor } from '../../src/forecast/classical.ts';
import {
  CELLS_PER_MARKET,
  type ForecastBatch,
  type Predictor,
  type PredictorInput,
} from '../../src/forecast/predictor.ts';
import { randomMarket } from '../../test/random-market.ts';
import { buildDataset } from '../dataset.ts';
import { gatherFeatures } from '../train.ts';
import { forecastByPredictor } from './from-predictor.ts';
import { outcomeTable } from './outcomes.ts';

const HOUR = 3_600_000;
const markets = [1, 2, 3].map((seed) =>
  randomMarket({
    seed,
    hours: 1000 + 100 * seed,
    withFunding: seed === 2,
    gapProbability: 0.01,
    longestGapHours: 5,
  }),
);
/** With the open interest of every hour. */
const observed = markets.map((history) => ({
  ...history,
  openInterest: {
    length: history.bars.length,
    time: history.bars.openTime,
    quoteNotional: history.bars.close,
  },
}));
const data = buildDataset(markets, 24, Number.MAX_SAFE_INTEGER);
const rows = Uint32Array.from({ length: data.features.rows }, (_, row) => row);
const outcomes = outcomeTable(markets, data, rows, [
  { trainUntil: 0, from: 0, until: Number.MAX_SAFE_INTEGER },
]);
const features = gatherFeatures(data, rows);
const classical = new FilteredPredictor();

describe('answers of any predictor', () => {
  test('are those that it gives when it is asked at each origin with all markets, row by row', async () => {
    const table = await forecastByPredictor(classical, markets, outcomes, features);
    expect(table.forecaster).toBe(classical.id);
    let answered = 0;
    for (let row = 0; row < outcomes.rows; row += 2) {
      const history = markets[outcomes.market[row]];
      const input: PredictorInput = {
        asOf: outcomes.asOf[row],
        markets: [history],
        features: features.slice(row * FEATURE_COUNT, (row + 1) * FEATURE_COUNT),
        featuresReady: Uint8Array.of(1),
      };
      const slow = await classical.predict(input);
      const own = table.valueAtRisk.slice(row * CELLS_PER_MARKET, (row + 1) * CELLS_PER_MARKET);
      if (slow.unavailable[0] !== '') expect(own.every(Number.isNaN)).toBe(true);
      else {
        expect([...own]).toEqual([...slow.valueAtRisk]);
        answered++;
      }
    }
    expect(answered).toBeGreaterThan(5);
  });

  test('rest on nothing that was not known: no bar, no funding and no open interest after the origin is handed over, and each row has its own features', async () => {
    const seen: number[] = [];
    const spy: Predictor = {
      id: 'spy',
      predict: async (input) => {
        for (const [m, { bars, funding, openInterest }] of input.markets.entries()) {
          expect(bars.openTime.at(-1)).toBe(input.asOf - HOUR);
          expect(bars.close).toHaveLength(bars.length);
          if (funding !== null) expect(Math.max(...funding.time)).toBeLessThanOrEqual(input.asOf);
          expect(openInterest?.time.at(-1)).toBeLessThanOrEqual(input.asOf);
          expect(openInterest?.quoteNotional).toHaveLength(openInterest?.length ?? -1);
          seen.push(...input.features.subarray(m * FEATURE_COUNT, (m + 1) * FEATURE_COUNT));
        }
        return classical.predict(input);
      },
    };
    await forecastByPredictor(spy, observed, outcomes, features);
    expect(seen).toEqual([...features]);
  });

  test('that are none are refused with what is wrong, and an interruption ends it', async () => {
    const broken = (change: (batch: ForecastBatch) => ForecastBatch): Predictor => ({
      id: 'broken',
      predict: async (input) =>
        change({ ...(await classical.predict(input)), unavailable: input.markets.map(() => '') }),
    });
    const crossing = broken((batch) => ({
      ...batch,
      valueAtRisk: batch.valueAtRisk.map((_, i) => 0.1 - 0.01 * (i % 4)),
      expectedShortfall: batch.valueAtRisk.map(() => 0.2),
    }));
    const absent = broken((batch) => ({ ...batch, valueAtRisk: batch.valueAtRisk.map(() => Number.NaN) }));
    for (const [predictor, message] of [[crossing, /falls/] as const, [absent, /finite/] as const])
      await expect(forecastByPredictor(predictor, markets, outcomes, features)).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(message),
      });
    const stop = (): void => {
      throw new Error('enough');
    };
    await expect(forecastByPredictor(classical, markets, outcomes, features, stop)).rejects.toThrow('enough');
  });
});
