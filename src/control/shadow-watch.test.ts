import { describe, expect, test } from 'vitest';
import { RANDOM_MARKET_START, randomMarket, selectBars } from '../../test/random-market.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  emptyForecast,
  type ForecastBatch,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  type Predictor,
  type PredictorInput,
  SIDES,
} from '../forecast/predictor.ts';
import { Random } from '../random.ts';
import type { MarketHistory } from '../risk/bars.ts';
import { fz0, pinball } from '../risk/comparison/scores.ts';
import { adverseExcursions } from '../risk/tail/excursions.ts';
import type { WatchEntry } from './ports.ts';
import { shadowObstacles } from './shadow-record.ts';
import { type ShadowStep, ShadowWatch, shadowSummaryOf } from './shadow-watch.ts';

const HOUR = 3_600_000;
const HOURS = 260;

/** VaR and ES of nobody, another one for every origin, market and cell, in float32 as they are kept. */
function cell(id: string, symbol: string, asOf: number, index: number): { value: number; shortfall: number } {
  const random = Random.stream(asOf / HOUR, `${id}/${symbol}/${Math.floor(index / CONFIDENCE_COUNT)}`);
  const scale = 0.002 + 0.01 * random.uniform();
  const value = scale * (1 + (index % CONFIDENCE_COUNT));
  return { value: Math.fround(value), shortfall: Math.fround(1.3 * value) };
}

class Noise implements Predictor {
  readonly id: string;
  readonly #change: (batch: ForecastBatch) => ForecastBatch;

  constructor(id: string, change: (batch: ForecastBatch) => ForecastBatch = (batch) => batch) {
    this.id = id;
    this.#change = change;
  }

  async predict({ asOf, markets }: PredictorInput): Promise<ForecastBatch> {
    const batch = emptyForecast(
      this.id,
      asOf,
      markets.map(({ symbol }) => symbol),
    );
    for (const [m, { symbol }] of markets.entries()) {
      for (let i = 0; i < CELLS_PER_MARKET; i++) {
        const { value, shortfall } = cell(this.id, symbol, asOf, i);
        batch.valueAtRisk[m * CELLS_PER_MARKET + i] = value;
        batch.expectedShortfall[m * CELLS_PER_MARKET + i] = shortfall;
      }
    }
    return this.#change(batch);
  }
}

const CHAMPION = new Noise('champion@1');
const CHALLENGER = new Noise('challenger@1');
const histories = [1, 2, 3].map((seed) =>
  randomMarket({
    symbol: `M${seed}USDT`,
    seed,
    hours: HOURS,
    gapProbability: seed === 3 ? 0.02 : 0,
    longestGapHours: 3,
  }),
);

function known(hour: number): MarketHistory[] {
  return histories.map((history, m) => {
    // The second market comes an hour late.
    const until = RANDOM_MARKET_START + (hour - (m === 1 ? 1 : 0)) * HOUR;
    return { ...history, bars: selectBars(history.bars, (i) => history.bars.openTime[i] + HOUR <= until) };
  });
}

function stepAt(watch: ShadowWatch, hour: number, challenger: Predictor = CHALLENGER): Promise<ShadowStep> {
  const markets = known(hour);
  return watch.step({
    now: RANDOM_MARKET_START + hour * HOUR,
    markets,
    champion: CHAMPION,
    challenger,
    inputAt: (asOf) => ({ asOf, markets, features: new Float64Array(0), featuresReady: new Uint8Array(3) }),
  });
}

/** A state store in memory. */
class Kept {
  readonly entries = new Map<string, string>();

  put(changes: readonly WatchEntry[]): void {
    for (const { name, body } of changes) {
      if (body === null) this.entries.delete(name);
      else this.entries.set(name, body);
    }
  }

  all(): WatchEntry[] {
    return [...this.entries].map(([name, body]) => ({ name, body }));
  }
}

/** Over the whole history, without any state: all origins with all their bars, over horizons that are over by the end. */
function reference(id: string, from: number, to: number) {
  let observations = 0;
  const sums = { pinball: 0, fz0: 0, exceedances: 0 };
  for (const [m, { symbol, bars }] of histories.entries()) {
    for (let h = 0; h < HORIZON_COUNT; h++) {
      const excursions = adverseExcursions(bars, HORIZONS_HOURS[h]);
      for (let i = 0; i < excursions.length; i++) {
        const hour = (bars.openTime[i] + HOUR - RANDOM_MARKET_START) / HOUR;
        // A market that is late has no bar at the origin, and is not scored at it.
        if (m === 1 || excursions.valid[i] === 0 || hour < from || hour + HORIZONS_HOURS[h] > to) continue;
        for (const [s, side] of SIDES.entries()) {
          for (let c = 0; c < CONFIDENCE_COUNT; c++) {
            const { value, shortfall } = cell(
              id,
              symbol,
              bars.openTime[i] + HOUR,
              (s * HORIZON_COUNT + h) * CONFIDENCE_COUNT + c,
            );
            const loss = excursions[side][i];
            observations++;
            sums.pinball += pinball(loss, value, CONFIDENCES[c]);
            sums.fz0 += fz0(loss, value, shortfall, CONFIDENCES[c]);
            sums.exceedances += loss > value ? 1 : 0;
          }
        }
      }
    }
  }
  return {
    observations,
    pinball: sums.pinball / observations,
    fz0: sums.fz0 / observations,
    exceedanceRate: sums.exceedances / observations,
  };
}

describe('shadow scoring', () => {
  test('scores both on the same origins, each once, as a slow count over the whole history does; a restart at any hour changes nothing', async () => {
    const steady = new ShadowWatch([]);
    const kept = new Kept();
    const random = new Random(4);
    let restarted = new ShadowWatch([]);
    let summary = (await stepAt(steady, 100)).summary;
    kept.put((await stepAt(restarted, 100)).changes);
    for (let hour = 101; hour <= 250; hour++) {
      ({ summary } = await stepAt(steady, hour));
      if (random.uniform() < 0.3) restarted = new ShadowWatch(kept.all());
      const step = await stepAt(restarted, hour);
      kept.put(step.changes);
      // Twice on the same bars changes nothing.
      if (random.uniform() < 0.2) expect((await stepAt(restarted, hour)).summary).toEqual(step.summary);
      expect(step.summary).toEqual(summary);
      expect(kept.entries.size).toBeLessThanOrEqual(1 + 24 + 4);
    }
    // Origins whose late markets are still waited for are not in it yet: the steps after have them all.
    for (let hour = 251; hour <= 254; hour++) ({ summary } = await stepAt(steady, hour));
    const of = (id: string) => reference(id, 100, 251);
    const [champion, challenger] = [of(CHAMPION.id), of(CHALLENGER.id)];
    expect(summary.observations).toBeGreaterThan(8000);
    expect(Math.abs(summary.observations / champion.observations - 1)).toBeLessThan(0.03);
    expect(shadowSummaryOf(kept.all(), CHAMPION.id, CHALLENGER.id)?.observations).toBeGreaterThan(8000);
    expect(summary.pinball?.champion).toBeCloseTo(champion.pinball, 4);
    expect(summary.pinball?.challenger).toBeCloseTo(challenger.pinball, 4);
  });

  test('cell by cell, on markets without gaps, the means are exactly those of a slow count', async () => {
    const watch = new ShadowWatch([]);
    const market = [histories[0]];
    let summary: ShadowStep['summary'] | undefined;
    for (let hour = 100; hour <= 160; hour++) {
      const until = RANDOM_MARKET_START + hour * HOUR;
      const markets = market.map((own) => ({
        ...own,
        bars: selectBars(own.bars, (i) => own.bars.openTime[i] + HOUR <= until),
      }));
      const inputAt = (asOf: number): PredictorInput => ({
        asOf,
        markets,
        features: new Float64Array(0),
        featuresReady: new Uint8Array(1),
      });
      ({ summary } = await watch.step({
        now: until,
        markets,
        champion: CHAMPION,
        challenger: CHALLENGER,
        inputAt,
      }));
    }
    expect(summary?.cells).toHaveLength(CELLS_PER_MARKET);
    const { bars, symbol } = histories[0];
    for (const own of summary?.cells ?? []) {
      const excursions = adverseExcursions(bars, own.horizonHours)[own.side];
      const index =
        (SIDES.indexOf(own.side) * HORIZON_COUNT + HORIZONS_HOURS.indexOf(own.horizonHours as 1)) *
          CONFIDENCE_COUNT +
        CONFIDENCES.indexOf(own.confidence as 0.95);
      let [count, lost, joint, exceeded] = [0, 0, 0, 0];
      for (let hour = 100; hour + own.horizonHours <= 160; hour++) {
        const { value, shortfall } = cell(CHALLENGER.id, symbol, RANDOM_MARKET_START + hour * HOUR, index);
        const loss = excursions[hour - 1];
        count++;
        lost += pinball(loss, value, own.confidence);
        joint += fz0(loss, value, shortfall, own.confidence);
        exceeded += loss > value ? 1 : 0;
      }
      expect(own.observations).toBe(count);
      expect(own.pinball.challenger).toBeCloseTo(lost / count, 12);
      expect(own.fz0.challenger).toBeCloseTo(joint / count, 10);
      expect(own.exceedances.challenger).toBe(exceeded);
    }
  });

  test('a challenger that throws or answers nonsense is counted with its reason, and what it forecast before is scored all the same', async () => {
    const watch = new ShadowWatch([]);
    for (let hour = 100; hour < 110; hour++) await stepAt(watch, hour);
    const broken: readonly [Predictor, RegExp][] = [
      [{ id: CHALLENGER.id, predict: () => Promise.reject(new Error('out of memory')) }, /out of memory/],
      [
        new Noise(CHALLENGER.id, (batch) => ({
          ...batch,
          valueAtRisk: batch.valueAtRisk.map(() => Number.NaN),
        })),
        /finite/,
      ],
      [
        new Noise(CHALLENGER.id, (batch) => ({
          ...batch,
          expectedShortfall: batch.valueAtRisk.map((v) => v / 2),
        })),
        /below VaR/,
      ],
      [
        new Noise(CHALLENGER.id, (batch) => ({ ...batch, valueAtRisk: batch.valueAtRisk.subarray(1) })),
        /needed/,
      ],
      [
        new Noise(CHALLENGER.id, (batch) => ({
          ...batch,
          valueAtRisk: batch.valueAtRisk.map((v, i) => (i % 4 === 3 ? v / 9 : v)),
        })),
        /falls/,
      ],
      [new Noise(CHALLENGER.id, (batch) => ({ ...batch, symbols: [...batch.symbols].reverse() })), /markets/],
    ];
    let observations = 0;
    for (const [i, [challenger, message]] of broken.entries()) {
      const { summary } = await stepAt(watch, 110 + i, challenger);
      expect(summary.lastFailure).toMatch(message);
      expect(summary.failures).toEqual({ failed: 1, invalid: i, slow: 0 });
      expect(summary.observations).toBeGreaterThan(observations);
      observations = summary.observations;
    }
  });

  test('another challenger begins anew, the record of the one before stays, and old ones are forgotten', async () => {
    const kept = new Kept();
    const watch = new ShadowWatch([]);
    for (let hour = 100; hour < 130; hour++) kept.put((await stepAt(watch, hour)).changes);
    const before = shadowSummaryOf(kept.all(), CHAMPION.id, CHALLENGER.id);
    for (let i = 0; i < 9; i++) kept.put((await stepAt(watch, 130 + i, new Noise(`other@${i}`))).changes);
    expect(shadowSummaryOf(kept.all(), CHAMPION.id, 'other@8')?.observations).toBe(0);
    expect(before?.observations).toBeGreaterThan(0);
    expect(shadowSummaryOf(kept.all(), CHAMPION.id, CHALLENGER.id)).toBeNull();
    expect([...kept.entries.keys()].filter((name) => name.startsWith('shadow/record/'))).toHaveLength(8);
    expect([...kept.entries.keys()].filter((name) => name.startsWith('shadow/origin/'))).toHaveLength(1);
  });

  test('one that is significantly worse stands against promotion; one of which nothing is known does not', async () => {
    const low = new Noise('low@1', (batch) => ({
      ...batch,
      valueAtRisk: batch.valueAtRisk.map((value) => value / 50),
    }));
    const watch = new ShadowWatch([]);
    let { summary } = await stepAt(watch, 20, low);
    expect(shadowObstacles(summary)).toEqual([]);
    for (let hour = 21; hour < 250; hour++) ({ summary } = await stepAt(watch, hour, low));
    expect(summary.verdict).toBe('worse');
    expect(shadowObstacles(summary)).toEqual([expect.stringContaining('significantly worse')]);
    expect(shadowObstacles(null)).toEqual([]);
  });
});
