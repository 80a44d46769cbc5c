import { beforeAll, describe, expect, test } from 'vitest';
import { FilteredPredictor, HistoricalPredictor, TailPredictor } from '../../src/forecast/classical.ts';
import { CELLS_PER_MARKET, type Predictor } from '../../src/forecast/predictor.ts';
import { DEFAULT_POLICY } from '../../src/limits/policy.ts';
import type { MarketHistory } from '../../src/risk/bars.ts';
import { sliceBars } from '../../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { randomMarket } from '../../test/random-market.ts';
import { makeTape } from './make-tape.ts';
import { replayPolicy } from './replay.ts';
import type { SchedulePath } from './schedule-path.ts';
import type { SampleTape, Tape } from './tape.ts';

const NO_MODEL = {
  refitDays: null,
  everyHours: 5,
  model: {
    seeds: [1],
    fit: { hidden: [4], batchRows: 64, maximumEpochs: 1, patience: 1, learningRate: 1e-3, weightDecay: 0 },
    onProgress: () => {},
    interrupted: new AbortController().signal,
  },
  pieces: null,
  onPhase: () => {},
};
const HOURS = 9500;
const TAPED = 400;

let markets: readonly MarketHistory[];
let tape: Tape;
const closeOf = (bar: number): number => markets[0].bars.openTime[bar] + HOUR_MILLISECONDS;

beforeAll(async () => {
  markets = ['AAAUSDT', 'BBBUSDT'].map((symbol, i) => randomMarket({ symbol, hours: HOURS, seed: 40 + i }));
  tape = await makeTape(markets, { ...NO_MODEL, from: closeOf(HOURS - TAPED), until: closeOf(HOURS - 25) });
});

describe('a tape', () => {
  test.each([
    ['historical', new HistoricalPredictor()],
    ['filtered', new FilteredPredictor()],
    ['tail', new TailPredictor()],
  ] as const)(
    'says what %s would have said in the service, at every refresh',
    async (name, predictor: Predictor) => {
      const market = tape.markets[1];
      const sample: SampleTape = market[name];
      let compared = 0;
      for (let hour = 1; hour < market.bars.length; hour += 1) {
        if (sample.row[hour] === sample.row[hour - 1]) continue;
        const asOf = market.bars.openTime[hour] + HOUR_MILLISECONDS;
        const batch = await predictor.predict({
          asOf,
          markets: [markets[1]],
          features: new Float64Array(0),
          featuresReady: new Uint8Array(1),
        });
        const scale = sample.scale?.[hour] ?? 1;
        for (let cell = 0; cell < CELLS_PER_MARKET; cell++) {
          const at = sample.row[hour] * CELLS_PER_MARKET + cell;
          expect(sample.valueAtRisk[at] * scale).toBeCloseTo(batch.valueAtRisk[cell], 5);
          expect(sample.expectedShortfall[at] * scale).toBeCloseTo(batch.expectedShortfall[cell], 5);
        }
        compared++;
      }
      expect(compared).toBeGreaterThan(10);
    },
  );

  test('knows nothing of later bars', async () => {
    const shorter = markets.map((history) => ({ ...history, bars: sliceBars(history.bars, 0, HOURS - 100) }));
    const early = await makeTape(shorter, { ...NO_MODEL, from: tape.from, until: closeOf(HOURS - 200) });
    const hours = early.markets[0].bars.length;
    for (const m of [0, 1]) {
      const [one, other] = [early.markets[m], tape.markets[m]];
      expect(one.historical.row).toEqual(other.historical.row.subarray(0, hours));
      expect(one.filtered.scale).toEqual(other.filtered.scale?.subarray(0, hours));
      expect(one.dailyVolatility).toEqual(other.dailyVolatility.subarray(0, hours));
      const rows = one.historical.row[hours - 1] + 1;
      expect(one.tail.valueAtRisk.subarray(0, rows * CELLS_PER_MARKET)).toEqual(
        other.tail.valueAtRisk.subarray(0, rows * CELLS_PER_MARKET),
      );
      const [before, after] = [early, tape].map((of, i) => replayPolicy(of, [one, other][i], DEFAULT_POLICY));
      expect(before.schedules[before.opening[hours - 1]]).toEqual(after.schedules[after.opening[hours - 1]]);
      expect(before.opening).toEqual(after.opening.subarray(0, hours));
    }
  });

  test('has the open interest that is stored: from when it is known on it tightens new positions alone', () => {
    const [market] = tape.markets;
    const from = market.bars.openTime[200];
    const crowded = {
      ...market,
      openInterest: { length: 1, time: Float64Array.of(from), quoteNotional: Float64Array.of(19e9) },
    };
    const [free, bound] = [market, crowded].map((one) => replayPolicy(tape, one, DEFAULT_POLICY));
    const top = (path: SchedulePath, hour: number) => path.schedules[path.opening[hour]][0].maxLeverage;
    // The bar that opens then closes an hour later; the hour before it ends with the observation.
    expect(top(bound, 198)).toBe(top(free, 198));
    expect(top(bound, 199)).toBeLessThan(top(free, 199));
    const held = (path: SchedulePath, hour: number) => path.schedules[path.maintenance[hour]];
    expect(held(bound, 199)).toEqual(held(free, 199));
  });

  test('of a span without bars is refused', async () => {
    await expect(makeTape(markets, { ...NO_MODEL, from: 0, until: 1e9 })).rejects.toMatchObject({
      code: 'DATA_INSUFFICIENT',
    });
  });
});
