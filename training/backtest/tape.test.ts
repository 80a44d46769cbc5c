import { beforeAll, describe, expect, test } from 'vitest';
import { VARIANCE_FLOOR } from '../../src/features/spec.ts';
import {
  antiProcyclicalPredictor,
  LongLookbackPredictor,
  StressedWeightPredictor,
} from '../../src/forecast/anti-procyclical.ts';
import {
  DEFAULT_VOLATILITY_EXPONENT,
  FilteredPredictor,
  HistoricalPredictor,
  TailPredictor,
} from '../../src/forecast/classical.ts';
import { CELLS_PER_MARKET, type Predictor } from '../../src/forecast/predictor.ts';
import type { AntiProcyclicalOption, AntiProcyclicalPolicy } from '../../src/limits/bound-policy.ts';
import { DEFAULT_POLICY, type Policy } from '../../src/limits/policy.ts';
import type { MarketHistory } from '../../src/risk/bars.ts';
import { sliceBars } from '../../src/risk/bars.ts';
import { parkinson } from '../../src/risk/volatility/range.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { randomMarket } from '../../test/random-market.ts';
import { withFloors } from './floor-tape.ts';
import { makeTape } from './make-tape.ts';
import { replayPolicy } from './replay.ts';
import type { SchedulePath } from './schedule-path.ts';
import type { MarketTape, SampleTape, Tape } from './tape.ts';

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

/** Settings at which neither floor rests on all of the past. */
const floorPolicy = (option: AntiProcyclicalOption, more: Partial<AntiProcyclicalPolicy> = {}): Policy => {
  const { bounds } = DEFAULT_POLICY;
  const settings = { lookbackYears: 0.5, stressedDays: 20, ...more };
  return {
    ...DEFAULT_POLICY,
    bounds: { ...bounds, antiProcyclical: { ...bounds.antiProcyclical, ...settings, option } },
  };
};
const LONG = floorPolicy('longLookbackFloor');
const STRESSED = floorPolicy('stressedWeight');

let markets: readonly MarketHistory[];
let tape: Tape;
const floorOf = (market: MarketTape, { bounds }: Policy): SampleTape =>
  market.floors.get(antiProcyclicalPredictor(bounds.antiProcyclical)?.idWithSettings ?? '') as SampleTape;
const closeOf = (bar: number): number => markets[0].bars.openTime[bar] + HOUR_MILLISECONDS;

beforeAll(async () => {
  markets = ['AAAUSDT', 'BBBUSDT'].map((symbol, i) => randomMarket({ symbol, hours: HOURS, seed: 40 + i }));
  const bare = await makeTape(markets, {
    ...NO_MODEL,
    from: closeOf(HOURS - TAPED),
    until: closeOf(HOURS - 25),
  });
  tape = withFloors(bare, markets, [LONG, DEFAULT_POLICY, STRESSED], NO_MODEL);
});

const topsOf = ({ opening, schedules }: SchedulePath): number[] =>
  Array.from(opening, (table) => schedules[table][0].maxLeverage);

/** A shock model that says what historical simulation says: without any of its forecasts a market never loosens. */
function withModel(market: MarketTape): MarketTape {
  const { row, ...cells } = market.historical;
  const byHour = (values: Float32Array): Float32Array =>
    Float32Array.from(
      { length: row.length * CELLS_PER_MARKET },
      (_, i) => values[row[Math.floor(i / CELLS_PER_MARKET)] * CELLS_PER_MARKET + (i % CELLS_PER_MARKET)],
    );
  const [valueAtRisk, expectedShortfall] = [cells.valueAtRisk, cells.expectedShortfall].map(byHour);
  return { ...market, shockModel: { valueAtRisk, expectedShortfall } };
}

describe('a tape', () => {
  test.each([
    ['historical', new HistoricalPredictor(), (market: MarketTape) => market.historical],
    ['filtered', new FilteredPredictor(), (market: MarketTape) => market.filtered],
    ['tail', new TailPredictor(), (market: MarketTape) => market.tail],
    ['the long lookback', new LongLookbackPredictor(0.5), (market: MarketTape) => floorOf(market, LONG)],
    [
      'the stressed sample',
      new StressedWeightPredictor(STRESSED.bounds.antiProcyclical.stressedWeight, 20),
      (market: MarketTape) => floorOf(market, STRESSED),
    ],
  ] as const)(
    'says what %s would have said in the service, at every refresh',
    async (_, predictor: Predictor, sampleOf) => {
      const market = tape.markets[1];
      const sample: SampleTape = sampleOf(market);
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

  test('scales the floor of a long lookback by the volatility of its years, every hour', () => {
    const [{ bars }] = markets;
    const { scale } = floorOf(tape.markets[0], LONG);
    const variances = Float64Array.from({ length: bars.length }, (_, i) =>
      parkinson(bars.high[i], bars.low[i]),
    );
    const years = Math.ceil(0.5 * 8766);
    for (let hour = 0; hour < tape.markets[0].bars.length; hour++) {
      // The first hour of the tape closes with this bar.
      const end = HOURS - TAPED + hour + 1;
      const past = variances.subarray(end - years, end);
      const mean = past.reduce((sum, variance) => sum + variance, 0) / years;
      const expected = (mean + VARIANCE_FLOOR) ** (0.5 * DEFAULT_VOLATILITY_EXPONENT);
      expect((scale?.[hour] ?? 0) / expected).toBeCloseTo(1, 5);
    }
  });

  test('knows nothing of later bars', async () => {
    const shorter = markets.map((history) => ({ ...history, bars: sliceBars(history.bars, 0, HOURS - 100) }));
    const bare = await makeTape(shorter, { ...NO_MODEL, from: tape.from, until: closeOf(HOURS - 200) });
    const early = withFloors(bare, shorter, [LONG, STRESSED], NO_MODEL);
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
      for (const policy of [LONG, STRESSED]) {
        const [shorterFloor, floor] = [floorOf(one, policy), floorOf(other, policy)];
        expect(shorterFloor.row).toEqual(floor.row.subarray(0, hours));
        expect(shorterFloor.scale).toEqual(floor.scale?.subarray(0, hours) ?? null);
        for (const cells of ['valueAtRisk', 'expectedShortfall'] as const)
          expect(shorterFloor[cells].subarray(0, rows * CELLS_PER_MARKET)).toEqual(
            floor[cells].subarray(0, rows * CELLS_PER_MARKET),
          );
      }
      for (const policy of [DEFAULT_POLICY, LONG, STRESSED]) {
        const [before, after] = [early, tape].map((of, i) => replayPolicy(of, [one, other][i], policy));
        expect(before.schedules[before.opening[hours - 1]]).toEqual(
          after.schedules[after.opening[hours - 1]],
        );
        expect(before.opening).toEqual(after.opening.subarray(0, hours));
      }
    }
  });

  test('does not hold a market for a floor that is there: one that never binds changes nothing', () => {
    const idle = floorPolicy('longLookbackFloor', { floorRatio: 1e-9 });
    const without = floorPolicy('none');
    let loosened = 0;
    for (const market of tape.markets.map(withModel)) {
      const path = replayPolicy(tape, market, idle);
      expect(path).toEqual(replayPolicy(tape, market, without));
      const tops = topsOf(path);
      loosened += tops.filter((top, hour) => top > tops[hour - 1]).length;
      for (const policy of [floorPolicy('longLookbackFloor', { floorRatio: 2 }), STRESSED]) {
        const bound = topsOf(replayPolicy(tape, market, policy));
        expect(tops.some((top, hour) => bound[hour] < top)).toBe(true);
      }
    }
    expect(loosened).toBeGreaterThan(0);
  });

  test('walks no policy without its floor, nor with that of other settings', () => {
    const [market] = tape.markets;
    for (const policy of [
      floorPolicy('longLookbackFloor', { lookbackYears: 1 }),
      floorPolicy('stressedWeight', { stressedDays: 21 }),
      floorPolicy('stressedWeight', { stressedWeight: 0.5 }),
    ])
      expect(() => replayPolicy(tape, market, policy)).toThrow(/has no floor/);
  });

  test('keeps a floor by its settings, beside the tape that all policies share', () => {
    const pieces = new Map<string, Buffer>();
    const store = {
      get: (name: string) => pieces.get(name) ?? null,
      put: (name: string, bytes: Uint8Array) => void pieces.set(name, Buffer.from(bytes)),
    };
    const floored = (policy: Policy, told: string[] = []): SampleTape => {
      const onPhase = (_: string, __: number, symbol: string) => void told.push(symbol);
      return floorOf(withFloors(tape, markets, [policy], { pieces: store, onPhase }).markets[1], policy);
    };
    const made: string[] = [];
    expect(floored(STRESSED, made)).toEqual(floorOf(tape.markets[1], STRESSED));
    expect(made).toEqual(['AAAUSDT', 'BBBUSDT']);
    const again: string[] = [];
    expect(floored(STRESSED, again)).toEqual(floorOf(tape.markets[1], STRESSED));
    expect(again).toEqual([]);
    const others = [{ stressedDays: 21 }, { stressedWeight: 0.5 }].map((more) =>
      floored(floorPolicy('stressedWeight', more)),
    );
    for (const other of others) expect(other).not.toEqual(floorOf(tape.markets[1], STRESSED));
    expect(pieces.size).toBe(3);
    expect([...pieces.keys()].every((name) => /^floor\.[0-9a-f]{64}$/.test(name))).toBe(true);
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
