import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { poisonFrom, RANDOM_MARKET_START, randomMarket } from '../../test/random-market.ts';
import { MOVE_UNIT } from '../features/lattice.ts';
import { VARIANCE_FLOOR } from '../features/spec.ts';
import { Random } from '../random.ts';
import { type BarSeries, barsClosedBy, sliceBars } from '../risk/bars.ts';
import { quantileOfSorted, sortedTailInPlace } from '../risk/numeric/quantile.ts';
import { adverseExcursions } from '../risk/tail/excursions.ts';
import { paretoSurvival } from '../risk/tail/pareto-tail.ts';
import { parkinsonVariance } from '../risk/volatility/range.ts';
import { DEFAULT_VOLATILITY_EXPONENT, FilteredPredictor, HistoricalPredictor } from './classical.ts';
import { tailOfPath } from './classical-tail.ts';
import { rollingTailsOf } from './excursion-history.ts';
import {
  CONFIDENCES,
  cellIndex,
  emptyForecast,
  type ForecastBatch,
  HORIZONS_HOURS,
  pathIndex,
  SIDES,
} from './predictor.ts';
import { RecentExcursions } from './recent-excursions.ts';
import { RollingTails } from './rolling-tails.ts';
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
  // Whole numbers, so that these sums from the first bar on are exact.
  const until = new Float64Array(bars.length + 1);
  for (let i = 0; i < bars.length; i++)
    until[i + 1] = until[i] + Math.round(Math.min(variance[i], 1) / MOVE_UNIT);
  return Float64Array.from(variance, (_, i) => {
    let product = 1;
    for (const window of [6, 24, 168, 720]) {
      const start = Math.max(i + 1 - window, 0);
      product *= ((until[i + 1] - until[start]) * MOVE_UNIT) / (i + 1 - start) + VARIANCE_FLOOR;
    }
    return product ** ((0.5 * exponent) / 4);
  });
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

  test('the future of a series does not show, also where its bars are there already', () => {
    const poisoned = poisonFrom(bars, 10_000, new Random(1));
    for (const exponent of [0, DEFAULT_VOLATILITY_EXPONENT]) {
      const [known, spoilt] = [rollingTailsOf(bars, exponent), rollingTailsOf(poisoned, exponent)];
      const contents = (of: typeof known, series: BarSeries, end: number) =>
        of.tails(series, 5_000, end).map(({ largest, count }) => ({ largest, count }));
      for (const end of [9_990, 9_991, 10_000, 9_000])
        expect(contents(spoilt, poisoned, end)).toEqual(contents(known, bars, end));
      expect(contents(spoilt, poisoned, 10_001)).not.toEqual(contents(known, bars, 10_001));
    }
  });

  test('a window that moves on bar by bar is, to the bit, one that was begun there', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.constantFrom(0, DEFAULT_VOLATILITY_EXPONENT),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 })), {
          maxLength: 40,
        }),
        fc.double({ min: 0, max: 1.5, noNaN: true }),
        (seed, exponent, moves, share) => {
          const { bars: own } = randomMarket({
            seed,
            hours: 3_200,
            gapProbability: 0.004,
            longestGapHours: 30,
          });
          // Another window looks at the same bars before it, or has stayed behind.
          const recent = new RecentExcursions();
          const [moving, other] = [new RollingTails(exponent, recent), new RollingTails(0.5, recent)];
          let [from, end] = [seed % 400, 900];
          for (const [left, came] of moves) {
            from = Math.min(from + left, end);
            end = Math.min(end + came, own.length);
            if (came % 2 === 0) other.tails(own, from, end);
            const begun = new RollingTails(exponent);
            const fresh = begun.tails(own, from, end);
            for (const [path, tail] of moving.tails(own, from, end).entries()) {
              expect(tail.largest).toEqual(fresh[path].largest);
              expect(tail.count).toBe(fresh[path].count);
              const x = share * tail.threshold;
              if (tail.count > 0)
                expect(moving.shareAbove(own, path, x)).toBe(begun.shareAbove(own, path, x));
            }
          }
        },
      ),
      { seed: 91, numRuns: 25 },
    );
  });

  test('a tail that an hour leaves as it was is the same object, and its laws are fitted once', () => {
    const moving = new RollingTails(0);
    let kept = 0;
    let before = moving.tails(bars, 0, 9_000).slice();
    for (let end = 9_001; end < 9_200; end++) {
      const tails = moving.tails(bars, end - 9_000, end);
      for (const [path, tail] of tails.entries()) {
        if (tail !== before[path]) continue;
        kept++;
        expect(tail.moments).toBe(before[path].moments);
        expect(tail.likelihood).toBe(before[path].likelihood);
      }
      before = tails.slice();
    }
    expect(kept).toBeGreaterThan(199 * 8 * 0.5);
  });

  test('is kept for a series and for what it grows into, and not for a copy', () => {
    const short = sliceBars(bars, 0, 9_000);
    expect(rollingTailsOf(short, 0)).toBe(rollingTailsOf(bars, 0));
    expect(rollingTailsOf({ ...short }, 0)).not.toBe(rollingTailsOf(bars, 0));
    expect(rollingTailsOf(sliceBars(bars, 1, 9_000), 0)).not.toBe(rollingTailsOf(bars, 0));
  });

  test('bars that had closed by a time are those that a walk over all of them counts', () => {
    for (const asOf of [0, RANDOM_MARKET_START, ...TIMES, ...TIMES.map((time) => time - 1), 1e15])
      expect(barsClosedBy(bars, asOf)).toBe(closedBy(bars, asOf));
  });
});
