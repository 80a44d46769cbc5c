import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeWithMarketData } from '../../../test/market-data.ts';
import { HOUR_MILLISECONDS } from '../../units.ts';
import { emptyBars } from '../bars.ts';
import { normalDensity, normalQuantile } from '../numeric/normal.ts';
import { adverseExcursions } from '../tail/excursions.ts';
import type { TailRisk } from '../tail/value-at-risk.ts';
import { ewmaVariance, HOURLY_EWMA_DECAY } from '../volatility/ewma.ts';
import {
  adaptiveScores,
  type Calibrator,
  delayedChains,
  dtaci,
  inSequence,
  noCalibration,
  pid,
  pooledTracking,
  quantileTracking,
  shortfallTracking,
  splitConformal,
} from './calibrator.ts';
import { eProcess, eValue } from './e-process.ts';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'FILUSDT', 'SEIUSDT'] as const;
const HORIZON = 24;
/** Until the variance no longer remembers how it began. */
const WARM_UP_HOURS = 60 * 24;

/** What a market's 24-hour excursions were, hour by hour, and the variance of an hour known at each origin. */
interface MarketHours {
  readonly symbol: string;
  /** Hour since the epoch of the first origin. */
  readonly firstHour: number;
  readonly variance: Float64Array;
  readonly long: Float64Array;
  readonly short: Float64Array;
}
type Side = 'long' | 'short';

function readMarket(folder: string, symbol: string): MarketHours {
  const text = gunzipSync(readFileSync(join(folder, `${symbol}-binance-perp-1h.csv.gz`))).toString();
  const rows = text.trim().split('\n').slice(1);
  const bars = emptyBars(rows.length, HOUR_MILLISECONDS);
  rows.forEach((row, i) => {
    const [openTime, open, high, low, close] = row.split(',').map(Number);
    bars.openTime[i] = openTime;
    bars.open[i] = open;
    bars.high[i] = high;
    bars.low[i] = low;
    bars.close[i] = close;
  });
  const { long, short, valid } = adverseExcursions(bars, HORIZON);
  expect(valid.every((flag) => flag === 1)).toBe(true);
  const returns = bars.close.map((close, i) => (i === 0 ? 0 : Math.log(close / bars.close[i - 1])));
  return {
    symbol,
    firstHour: bars.openTime[WARM_UP_HOURS] / HOUR_MILLISECONDS,
    variance: ewmaVariance(returns, HOURLY_EWMA_DECAY).subarray(WARM_UP_HOURS, long.length),
    long: long.subarray(WARM_UP_HOURS),
    short: short.subarray(WARM_UP_HOURS),
  };
}

/** The naive predictor: a normal loss at the end of the day, as if the path to it did not matter. */
function naive(variance: number, confidence: number): TailRisk {
  const deviation = Math.sqrt(HORIZON * variance);
  const quantile = normalQuantile(confidence);
  return {
    valueAtRisk: deviation * quantile,
    expectedShortfall: (deviation * normalDensity(quantile)) / (1 - confidence),
  };
}

/** The share of hours whose excursion exceeded the adjusted VaR, with a chain for each hour of the day. */
function exceedanceRate<State>(
  calibrator: Calibrator<State>,
  market: MarketHours,
  side: Side,
  confidence: number,
): number {
  const chains = delayedChains(calibrator, HORIZON);
  const losses = market[side];
  let state = chains.initial();
  let exceedances = 0;
  for (let t = 0; t < losses.length; t++) {
    if (t >= HORIZON) state = chains.settle(state, t - HORIZON, losses[t - HORIZON]);
    const issued = chains.issue(state, t, naive(market.variance[t], confidence));
    if (losses[t] > issued.adjusted.valueAtRisk) exceedances++;
    state = issued.state;
  }
  expect(state.unscored).toBe(0);
  return exceedances / losses.length;
}

describeWithMarketData('24-hour excursions of recorded markets under a naive VaR', (folder) => {
  let markets: MarketHours[];
  beforeAll(() => {
    markets = SYMBOLS.map((symbol) => readMarket(folder, symbol));
  });

  const adjusters = (confidence: number): [string, Calibrator<unknown>][] => [
    ['quantileTracking', quantileTracking({ confidence }) as Calibrator<unknown>],
    ['adaptiveScores', adaptiveScores({ confidence }) as Calibrator<unknown>],
    ['pid', pid({ confidence }) as Calibrator<unknown>],
    ['dtaci', dtaci({ confidence }) as Calibrator<unknown>],
    [
      'dtaci, tracked',
      inSequence(dtaci({ confidence }), quantileTracking({ confidence })) as Calibrator<unknown>,
    ],
    ['splitConformal', splitConformal({ confidence }) as Calibrator<unknown>],
  ];

  describe.each([
    [0.99, 3],
    [0.95, 1.5],
  ])('at %d', (confidence, tooOften) => {
    const alpha = 1 - confidence;

    test(`the predictor is exceeded more than ${tooOften} times as often as it says, in every market`, () => {
      for (const market of markets)
        for (const side of ['long', 'short'] as const)
          expect(exceedanceRate(noCalibration(), market, side, confidence)).toBeGreaterThan(tooOften * alpha);
    });

    test.each(adjusters(confidence))('%s brings the rate to the target', (_, calibrator) => {
      let [hours, exceeded] = [0, 0];
      for (const market of markets)
        for (const side of ['long', 'short'] as const) {
          const raw = exceedanceRate(noCalibration(), market, side, confidence);
          const rate = exceedanceRate(calibrator, market, side, confidence);
          // The youngest market has 440 days, so 4 expected exceedances in a chain at 99 %: none can be exact there.
          expect(Math.abs(rate - alpha)).toBeLessThan(
            (raw - alpha) / (market.symbol === 'SEIUSDT' ? 1.5 : 5),
          );
          hours += market[side].length;
          exceeded += rate * market[side].length;
        }
      expect(exceeded / hours).toBeGreaterThan(0.85 * alpha);
      expect(exceeded / hours).toBeLessThan(1.45 * alpha);
    });

    test('a pool brings the young market nearer to it than it comes alone', () => {
      const pooled = new Map(SYMBOLS.map((symbol) => [symbol as string, { hours: 0, exceedances: 0 }]));
      const first = Math.min(...markets.map(({ firstHour }) => firstHour));
      const last = Math.max(...markets.map(({ firstHour, long }) => firstHour + long.length - 1));
      const calibrator = pooledTracking({ confidence });
      for (let chain = 0; chain < HORIZON; chain++) {
        let state = calibrator.initial();
        for (let hour = first + chain; hour <= last; hour += HORIZON) {
          const observations = markets
            .filter(({ firstHour, short }) => hour >= firstHour && hour < firstHour + short.length)
            .map(({ symbol, firstHour, variance, short }) => ({
              market: symbol,
              loss: short[hour - firstHour],
              forecast: naive(variance[hour - firstHour], confidence),
            }));
          for (const { market, loss, forecast } of observations) {
            const count = pooled.get(market)!;
            count.hours++;
            if (loss > calibrator.adjusted(state, market, forecast).valueAtRisk) count.exceedances++;
          }
          state = calibrator.observe(state, observations);
        }
      }
      for (const market of markets) {
        const { hours, exceedances } = pooled.get(market.symbol)!;
        expect(hours).toBe(market.short.length);
        const alone = exceedanceRate(quantileTracking({ confidence }), market, 'short', confidence);
        const off = Math.abs(exceedances / hours - alpha);
        if (market.symbol === 'SEIUSDT') expect(off).toBeLessThan((alone - alpha) / 1.5);
        expect(off).toBeLessThan(0.5 * alpha);
      }
    });
  });

  test('ES moved with VaR stays far too low, and is tracked back to what it says', () => {
    const confidence = 0.95;
    const tracker = quantileTracking({ confidence });
    /** The mean e-value of ES after the first year: 1 where ES is what it says. */
    const meanEvidence = <State>(calibrator: Calibrator<State>): number => {
      let [sum, hours] = [0, 0];
      for (const { variance, long } of markets.slice(0, 3))
        for (let chain = 0; chain < HORIZON; chain++) {
          let state = calibrator.initial();
          for (let t = chain; t < long.length; t += HORIZON) {
            const forecast = naive(variance[t], confidence);
            const risk = calibrator.adjusted(state, forecast.valueAtRisk, forecast.expectedShortfall);
            state = calibrator.observe(state, long[t], forecast);
            if (t < 365 * HORIZON) continue;
            hours++;
            sum += eValue('expected-shortfall', long[t], risk, confidence);
          }
        }
      return sum / hours;
    };
    expect(meanEvidence(noCalibration())).toBeGreaterThan(4);
    expect(meanEvidence(tracker)).toBeGreaterThan(1.8);
    expect(meanEvidence(inSequence(tracker, shortfallTracking({ confidence })))).toBeLessThan(1.25);
  });

  test('the alarm is raised on the predictor in every chain, and on the adjusted VaR in few', () => {
    const confidence = 0.95;
    const alarm = eProcess({ statistic: 'value-at-risk', confidence, falseAlarms: 0.01 });
    const tracker = quantileTracking({ confidence });
    const alarmed = { raw: 0, adjusted: 0 };
    const { variance, long } = markets[0];
    for (let chain = 0; chain < HORIZON; chain++) {
      let state = tracker.initial();
      let raw = alarm.initial();
      let adjusted = alarm.initial();
      for (let t = chain; t < long.length; t += HORIZON) {
        const forecast = naive(variance[t], confidence);
        const risk = tracker.adjusted(state, forecast.valueAtRisk, forecast.expectedShortfall);
        raw = alarm.observe(raw, long[t], forecast);
        adjusted = alarm.observe(adjusted, long[t], risk);
        state = tracker.observe(state, long[t], forecast);
      }
      alarmed.raw += raw.alarms;
      alarmed.adjusted += adjusted.alarms;
    }
    expect(alarmed.raw).toBe(HORIZON);
    expect(alarmed.adjusted).toBeLessThanOrEqual(2);
  });
});
