import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { poisonFrom, RANDOM_MARKET_START, randomMarket, selectBars } from '../../test/random-market.ts';
import { Random } from '../random.ts';
import type { BarSeries, MarketHistory } from '../risk/bars.ts';
import { adverseExcursions } from '../risk/tail/excursions.ts';
import { historicalRisk } from '../risk/tail/value-at-risk.ts';
import { FilteredPredictor, HistoricalPredictor } from './classical.ts';
import { LOOKBACK_HOURS, MINIMUM_BARS } from './lookback.ts';
import {
  CONFIDENCES,
  cellIndex,
  type ForecastBatch,
  HORIZONS_HOURS,
  type Predictor,
  pathIndex,
  SIDES,
} from './predictor.ts';

const HOUR = 3_600_000;
const PREDICTORS: readonly Predictor[] = [new HistoricalPredictor(), new FilteredPredictor()];

function predict(
  predictor: Predictor,
  markets: readonly MarketHistory[],
  asOf: number,
): Promise<ForecastBatch> {
  return predictor.predict({
    asOf,
    markets,
    features: new Float64Array(0),
    featuresReady: new Uint8Array(markets.length),
  });
}

function scaled(bars: BarSeries, factor: number): BarSeries {
  const times = (prices: Float64Array): Float64Array => prices.map((price) => price * factor);
  return {
    ...bars,
    open: times(bars.open),
    high: times(bars.high),
    low: times(bars.low),
    close: times(bars.close),
  };
}

const end = (hours: number): number => RANDOM_MARKET_START + hours * HOUR;

describe.each(PREDICTORS)('$id', (predictor) => {
  test('VaR rises strictly with confidence, ES never falls and is never below VaR, all finite', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 800, max: 3000 }),
        async (seed, hours) => {
          const market = randomMarket({ seed, hours, gapProbability: 0.001, longestGapHours: 30 });
          const batch = await predict(predictor, [market], end(hours));
          fc.pre(batch.unavailable[0] === '');
          for (let side = 0; side < SIDES.length; side++) {
            for (let h = 0; h < HORIZONS_HOURS.length; h++) {
              let [lastValue, lastShortfall] = [0, 0];
              for (let c = 0; c < CONFIDENCES.length; c++) {
                const value = batch.valueAtRisk[cellIndex(0, side, h, c)];
                const shortfall = batch.expectedShortfall[cellIndex(0, side, h, c)];
                expect(value).toBeGreaterThan(lastValue);
                expect(shortfall).toBeGreaterThanOrEqual(Math.max(value, lastShortfall));
                expect(shortfall).toBeLessThan(SIDES[side] === 'long' ? 1.000001 : 100);
                [lastValue, lastShortfall] = [value, shortfall];
              }
              expect(batch.shockThreshold[pathIndex(0, side, h)]).toBeGreaterThan(0);
              expect(batch.shockProbability[pathIndex(0, side, h)]).toBeGreaterThanOrEqual(0);
              expect(batch.shockProbability[pathIndex(0, side, h)]).toBeLessThanOrEqual(1);
            }
          }
        },
      ),
      { seed: 61, numRuns: 15 },
    );
  });

  test('prices in another unit give the same forecast', async () => {
    const market = randomMarket({ seed: 1, hours: 2000 });
    const plain = await predict(predictor, [market], end(2000));
    // A power of two changes no bit of any ratio.
    const doubled = await predict(predictor, [{ ...market, bars: scaled(market.bars, 1024) }], end(2000));
    expect(doubled).toEqual(plain);
    const other = await predict(predictor, [{ ...market, bars: scaled(market.bars, 0.0037) }], end(2000));
    for (let i = 0; i < plain.valueAtRisk.length; i++) {
      expect(other.valueAtRisk[i]).toBeCloseTo(plain.valueAtRisk[i], 10);
      expect(other.expectedShortfall[i]).toBeCloseTo(plain.expectedShortfall[i], 10);
    }
  });

  test('bars that close after asOf change nothing', async () => {
    const market = randomMarket({ seed: 2, hours: 2000 });
    const poisoned = { ...market, bars: poisonFrom(market.bars, 1500, new Random(1)) };
    expect(await predict(predictor, [poisoned], end(1500))).toEqual(
      await predict(predictor, [market], end(1500)),
    );
    expect(await predict(predictor, [poisoned], end(1501))).not.toEqual(
      await predict(predictor, [market], end(1501)),
    );
  });

  test('nothing older than the lookback and its volatility counts', async () => {
    const hours = LOOKBACK_HOURS + 2000;
    const market = randomMarket({ seed: 3, hours });
    const shortened = { ...market, bars: selectBars(market.bars, (i) => i >= 2000 - 720) };
    expect(await predict(predictor, [shortened], end(hours))).toEqual(
      await predict(predictor, [market], end(hours)),
    );
  });

  test('a short, an old and an empty history are unavailable with a reason and zeros, and harm no other', async () => {
    const good = randomMarket({ seed: 4, symbol: 'GOODUSDT', hours: 2000 });
    const short = randomMarket({
      seed: 5,
      hours: MINIMUM_BARS - 1,
      start: end(2000 - MINIMUM_BARS + 1),
    });
    const old = randomMarket({ seed: 6, hours: 1900 });
    const empty = randomMarket({ seed: 7, hours: 0 });
    const alone = await predict(predictor, [good], end(2000));
    const batch = await predict(predictor, [short, old, good, empty], end(2000));
    expect(batch.unavailable).toEqual([
      expect.stringContaining('719 hourly bars'),
      expect.stringContaining('100 hours ago'),
      '',
      expect.stringContaining('only 0'),
    ]);
    for (const m of [0, 1, 3]) expect(batch.valueAtRisk[cellIndex(m, 0, 3, 3)]).toBe(0);
    const cell = cellIndex(2, 0, 0, 0);
    expect(batch.valueAtRisk.slice(cell, cell + 32)).toEqual(alone.valueAtRisk);
  });

  test('a history with holes in most horizons is unavailable', async () => {
    const market = randomMarket({ seed: 4, hours: 2000 });
    const holey = { ...market, bars: selectBars(market.bars, (i) => i % 10 !== 0) };
    const batch = await predict(predictor, [holey], end(2000));
    expect(batch.unavailable[0]).toContain('have all bars of the next 24 hours');
  });

  test('prices that stand still are forecast to do so', async () => {
    const market = randomMarket({ seed: 8, hours: 1000, volatility: 0 });
    for (const prices of [market.bars.open, market.bars.high, market.bars.low, market.bars.close])
      prices.fill(5);
    const batch = await predict(predictor, [market], end(1000));
    expect(batch.unavailable).toEqual(['']);
    for (const values of [
      batch.valueAtRisk,
      batch.expectedShortfall,
      batch.shockThreshold,
      batch.shockProbability,
    ]) {
      expect(values.every((value) => value === 0)).toBe(true);
    }
  });
});

describe('historical', () => {
  test('is the quantile and the tail mean of the excursions up to 99 %', async () => {
    const market = randomMarket({ seed: 10, hours: 3000 });
    const batch = await predict(new HistoricalPredictor(), [market], end(3000));
    HORIZONS_HOURS.forEach((hours, h) => {
      const excursions = adverseExcursions(market.bars, hours);
      SIDES.forEach((side, s) => {
        [0.95, 0.99].forEach((confidence, c) => {
          const expected = historicalRisk(excursions[side], confidence);
          expect(batch.valueAtRisk[cellIndex(0, s, h, c)]).toBe(expected.valueAtRisk);
          expect(batch.expectedShortfall[cellIndex(0, s, h, c)]).toBeCloseTo(expected.expectedShortfall, 14);
        });
        expect(batch.shockThreshold[pathIndex(0, s, h)]).toBe(
          historicalRisk(excursions[side], 0.95).valueAtRisk,
        );
        expect(batch.shockProbability[pathIndex(0, s, h)]).toBeCloseTo(0.05, 2);
      });
    });
  });

  test('the far tail is close to the truth where the truth is known', async () => {
    // A year of one-hour excursions that are exponential: the 99.9 % quantile is ln 1000 times their mean.
    const market = randomMarket({ seed: 11, hours: LOOKBACK_HOURS });
    const random = new Random(12);
    market.bars.close.fill(100);
    market.bars.high.fill(100);
    for (let i = 0; i < market.bars.length; i++) market.bars.low[i] = 100 * (1 - 0.01 * random.exponential());
    const batch = await predict(new HistoricalPredictor(), [market], end(LOOKBACK_HOURS));
    const value = batch.valueAtRisk[cellIndex(0, 0, 0, 3)];
    expect(value / (0.01 * Math.log(1000))).toBeGreaterThan(0.9);
    expect(value / (0.01 * Math.log(1000))).toBeLessThan(1.25);
  });
});

describe('filtered', () => {
  test('follows volatility: after a calm month below the historical forecast, after a wild one above', async () => {
    const market = randomMarket({ seed: 13, hours: 4000, volatility: 0.005 });
    const stretch = (power: number): MarketHistory => {
      const { bars } = market;
      const from = bars.length - 720;
      const anchor = bars.close[from - 1];
      const bend = (prices: Float64Array): Float64Array =>
        prices.map((price, i) => (i < from ? price : anchor * (price / anchor) ** power));
      return {
        ...market,
        bars: {
          ...bars,
          open: bend(bars.open),
          high: bend(bars.high),
          low: bend(bars.low),
          close: bend(bars.close),
        },
      };
    };
    const [calm, wild] = [stretch(0.25), stretch(4)];
    const cell = cellIndex(0, 0, 3, 1);
    const ratio = async (history: MarketHistory): Promise<number> => {
      const filtered = await predict(new FilteredPredictor(), [history], end(4000));
      const historical = await predict(new HistoricalPredictor(), [history], end(4000));
      return filtered.valueAtRisk[cell] / historical.valueAtRisk[cell];
    };
    expect(await ratio(calm)).toBeLessThan(0.7);
    expect(await ratio(wild)).toBeGreaterThan(1);
  });

  test('the shock probability agrees with the forecast distribution', async () => {
    const market = randomMarket({ seed: 14, hours: 6000 });
    const batch = await predict(new FilteredPredictor(), [market], end(6000));
    for (let side = 0; side < 2; side++) {
      const threshold = batch.shockThreshold[pathIndex(0, side, 1)];
      const probability = batch.shockProbability[pathIndex(0, side, 1)];
      // Above its own 95 % quantile a threshold is exceeded with less than 5 %, and the other way round.
      const isBeyond = threshold > batch.valueAtRisk[cellIndex(0, side, 1, 0)];
      if (isBeyond) expect(probability).toBeLessThanOrEqual(0.05);
      else expect(probability).toBeGreaterThanOrEqual(0.05);
    }
  });

  test('an exponent other than the default shows in the id', () => {
    expect(new FilteredPredictor().id).toBe('filtered@1');
    expect(new FilteredPredictor(0.5).id).toBe('filtered@1+exponent=0.5');
  });
});
