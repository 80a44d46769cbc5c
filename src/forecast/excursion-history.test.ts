import { describe, expect, test } from 'vitest';
import { poisonFrom, RANDOM_MARKET_START, randomMarket } from '../../test/random-market.ts';
import { VARIANCE_FLOOR } from '../features/spec.ts';
import { Random } from '../random.ts';
import { type BarSeries, sliceBars } from '../risk/bars.ts';
import { quantileOfSorted, sortedTailInPlace } from '../risk/numeric/quantile.ts';
import { adverseExcursions } from '../risk/tail/excursions.ts';
import { paretoSurvival } from '../risk/tail/pareto-tail.ts';
import { parkinsonVariance } from '../risk/volatility/range.ts';
import { DEFAULT_VOLATILITY_EXPONENT, FilteredPredictor, HistoricalPredictor } from './classical.ts';
import { tailOfPath } from './classical-tail.ts';
import { barsClosedBy, excursionHistory } from './excursion-history.ts';
import {
  CONFIDENCES,
  cellIndex,
  emptyForecast,
  type ForecastBatch,
  HORIZONS_HOURS,
  pathIndex,
  SIDES,
} from './predictor.ts';
import { shockThresholds } from './shock-threshold.ts';

const HOUR = 3_600_000;
const YEAR = 8760;

function closedBy(bars: BarSeries, asOf: number): number {
  return bars.openTime.filter((time) => time + HOUR <= asOf).length;
}

/** The excursions of one path in a window, from a copy of that window alone. */
function lossesOf(bars: BarSeries, from: number, end: number, h: number, side: 'long' | 'short') {
  const excursions = adverseExcursions(sliceBars(bars, from, end), HORIZONS_HOURS[h]);
  const origins = [...excursions.valid.keys()].filter((i) => excursions.valid[i] === 1);
  return { losses: Float64Array.from(origins, (i) => excursions[side][i]), origins };
}

/** Volatility to the power g as it is defined, bar by bar, from the bars before and no cache of any kind. */
function slowPower(bars: BarSeries, exponent: number): Float64Array {
  const variance = parkinsonVariance(bars);
  const logs = new Float64Array(bars.length);
  for (const window of [6, 24, 168, 720]) {
    let sum = 0;
    for (let i = 0; i < bars.length; i++) {
      sum += variance[i];
      if (i >= window) sum -= variance[i - window];
      if (i % 1024 === 1023)
        sum = variance.subarray(Math.max(i - window + 1, 0), i + 1).reduce((total, one) => total + one, 0);
      logs[i] += Math.log(Math.max(sum, 0) / Math.min(i + 1, window) + VARIANCE_FLOOR);
    }
  }
  return logs.map((log) => Math.exp((0.5 * exponent * log) / 4));
}

/** The classical forecasts of one market with everything computed anew for the one time that is asked for. */
function slowForecast(id: string, symbol: string, bars: BarSeries, asOf: number, exponent: number) {
  const batch = emptyForecast(id, asOf, [symbol]);
  const end = closedBy(bars, asOf);
  const old = bars.openTime.filter((time) => time + HOUR <= asOf - YEAR * HOUR).length;
  const from = Math.max(end - YEAR, old);
  const start = Math.max(from - 720, 0);
  const scales = slowPower(sliceBars(bars, start, end), exponent).subarray(from - start);
  const today = scales[scales.length - 1];
  for (const [s, side] of SIDES.entries()) {
    for (let h = 0; h < HORIZONS_HOURS.length; h++) {
      const { losses, origins } = lossesOf(bars, from, end, h, side);
      const scaled = losses.map((loss, i) => loss / scales[origins[i]]);
      const threshold = quantileOfSorted(losses.sort(), losses.length, 0.95);
      const tail = tailOfPath(sortedTailInPlace(scaled.slice(), 0.95), scaled.length);
      const x = threshold / today;
      batch.shockThreshold[pathIndex(0, s, h)] = threshold;
      batch.shockProbability[pathIndex(0, s, h)] =
        x > tail.pareto.threshold
          ? paretoSurvival(tail.pareto, x)
          : scaled.filter((loss) => loss > x).length / scaled.length;
      for (let c = 0; c < CONFIDENCES.length; c++) {
        const most = side === 'long' ? 1 : Number.MAX_VALUE;
        const cell = cellIndex(0, s, h, c);
        batch.valueAtRisk[cell] = Math.min(tail.valueAtRisk[c] * today, most);
        batch.expectedShortfall[cell] = Math.min(tail.expectedShortfall[c] * today, most);
      }
    }
  }
  return batch;
}

const market = randomMarket({ seed: 31, hours: 11_500, gapProbability: 0.0008, longestGapHours: 30 });
const { bars } = market;
const closeOf = (bar: number): number => bars.openTime[bar] + HOUR;
/** Neither ascending nor on any grid: what is kept from one time must not show at another, earlier or later. */
const TIMES = [11_000, 9_800, 10_400, 2_000, 11_000, 900, 6_023, 11_310].map(closeOf);

describe('what is computed once for a series', () => {
  test('classical forecasts equal, to the bit, those that compute everything anew at each time', async () => {
    const predictors = [
      { predictor: new HistoricalPredictor(), exponent: 0 },
      { predictor: new FilteredPredictor(), exponent: DEFAULT_VOLATILITY_EXPONENT },
      { predictor: new FilteredPredictor(1), exponent: 1 },
    ];
    for (const asOf of TIMES) {
      for (const { predictor, exponent } of predictors) {
        const input = {
          asOf,
          markets: [market],
          features: new Float64Array(0),
          featuresReady: new Uint8Array(1),
        };
        const fast: ForecastBatch = await predictor.predict(input);
        expect(fast).toEqual(slowForecast(predictor.id, market.symbol, bars, asOf, exponent));
      }
    }
  });

  test('shock thresholds equal, to the bit, quantiles of a copy of the window', () => {
    for (const end of [9_000, 50, 11_200, 24, 9_000, 1, 0, 10_999]) {
      const fast = new Float64Array(10).fill(-1);
      shockThresholds(bars, end, fast, 1);
      const slow = new Float64Array(10).fill(-1);
      for (const [s, side] of SIDES.entries()) {
        for (let h = 0; h < HORIZONS_HOURS.length; h++) {
          const { losses } = lossesOf(bars, Math.max(end - YEAR, 0), end, h, side);
          const n = losses.length;
          slow[1 + pathIndex(0, s, h)] = n === 0 ? 0 : quantileOfSorted(losses.sort(), n, 0.95);
        }
      }
      expect(fast).toEqual(slow);
    }
  });

  test('the future of a series does not show, also where it was computed with the past', () => {
    const poisoned = poisonFrom(bars, 10_000, new Random(1));
    const [known, spoilt] = [excursionHistory(bars, 0), excursionHistory(poisoned, 0)];
    for (const end of [10_000, 9_000]) expect(spoilt.tails(0, end)).toEqual(known.tails(0, end));
    expect(spoilt.tails(0, 10_001)).not.toEqual(known.tails(0, 10_001));
  });

  test('is shared by all who ask for the same bars, and made anew for an earlier one only', () => {
    const copy = sliceBars(bars, 0, bars.length);
    const late = excursionHistory(copy, 5_000);
    expect(excursionHistory(copy, 6_000)).toBe(late);
    expect(late.tails(6_000, 9_000)).toBe(late.tails(6_000, 9_000));
    const early = excursionHistory(copy, 4_000);
    expect(early).not.toBe(late);
    expect(excursionHistory(copy, 5_000)).toBe(early);
    expect(early.tails(6_000, 9_000)).toEqual(late.tails(6_000, 9_000));
  });

  test('serves every forecaster of a series without gaps, whichever of them asks first', async () => {
    const whole = randomMarket({ seed: 32, hours: 10_000 });
    const input = {
      asOf: RANDOM_MARKET_START + 10_000 * HOUR,
      features: new Float64Array(0),
      featuresReady: new Uint8Array(1),
    };
    const askers = [
      async (copy: BarSeries) => shockThresholds(copy, copy.length, new Float64Array(8), 0),
      (copy: BarSeries) =>
        new HistoricalPredictor().predict({ ...input, markets: [{ ...whole, bars: copy }] }),
      (copy: BarSeries) => new FilteredPredictor().predict({ ...input, markets: [{ ...whole, bars: copy }] }),
    ];
    for (const first of askers) {
      const copy = sliceBars(whole.bars, 0, whole.bars.length);
      await first(copy);
      const history = excursionHistory(copy, copy.length - 1);
      expect(history.start).toBe(copy.length - YEAR - 720);
      for (const asker of askers) await asker(copy);
      expect(excursionHistory(copy, copy.length - 1)).toBe(history);
    }
  });

  test('bars that had closed by a time are those that a walk over all of them counts', () => {
    for (const asOf of [0, RANDOM_MARKET_START, ...TIMES, ...TIMES.map((time) => time - 1), 1e15])
      expect(barsClosedBy(bars, asOf)).toBe(closedBy(bars, asOf));
  });
});
