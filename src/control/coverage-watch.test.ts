import { describe, expect, test } from 'vitest';
import { nextBook } from '../../data/test-books.ts';
import { RANDOM_MARKET_START, randomMarket, selectBars } from '../../test/random-market.ts';
import type { ForecastCell, LimitBook } from '../limits/types.ts';
import { Random } from '../random.ts';
import type { MarketHistory } from '../risk/bars.ts';
import { adverseExcursions } from '../risk/tail/excursions.ts';
import { CoverageWatch } from './coverage-watch.ts';
import type { CoverageCount } from './decision-cycle.ts';

const HOUR = 3_600_000;
const HORIZONS = [1, 4, 8, 24];
const CONFIDENCES = [0.95, 0.99];

/** A VaR that is nobody's forecast, but another one for every origin, so that none can be mistaken for another. */
function valueAtRisk(
  symbol: string,
  asOf: number,
  horizonHours: number,
  confidence: number,
  side: string,
): number {
  const random = Random.stream(asOf / HOUR, `${symbol}/${horizonHours}/${confidence}/${side}`);
  return 0.03 * random.uniform() * Math.sqrt(horizonHours);
}

function cellsOf(symbol: string, asOf: number): ForecastCell[] {
  return (['long', 'short'] as const).flatMap((side) =>
    HORIZONS.flatMap((horizonHours) =>
      CONFIDENCES.map((confidence) => {
        const value = valueAtRisk(symbol, asOf, horizonHours, confidence, side);
        return { side, horizonHours, confidence, valueAtRisk: value, expectedShortfall: value };
      }),
    ),
  );
}

function bookOf(markets: readonly MarketHistory[]): LimitBook {
  const book = nextBook(null, Object.fromEntries(markets.map(({ symbol }) => [symbol, 20])));
  return {
    ...book,
    markets: book.markets.map((market, m) => {
      const asOf = newestClose(markets[m]);
      return { ...market, asOf, forecasts: cellsOf(market.symbol, asOf) };
    }),
  };
}

function newestClose({ bars }: MarketHistory): number {
  return bars.openTime[bars.length - 1] + HOUR;
}

/** What of a market is stored at a time when its newest bars come late. */
function known(history: MarketHistory, time: number): MarketHistory {
  const bars = selectBars(history.bars, (i) => history.bars.openTime[i] + HOUR <= time);
  return { ...history, bars };
}

function sum(into: Map<string, CoverageCount>, counts: readonly CoverageCount[]): void {
  for (const count of counts) {
    const key = `${count.confidence}/${count.horizonHours}`;
    const before = into.get(key);
    into.set(key, {
      ...count,
      observations: (before?.observations ?? 0) + count.observations,
      exceedances: (before?.exceedances ?? 0) + count.exceedances,
    });
  }
}

/** From the whole history, without any state: every published origin whose horizon is over and has all its bars. */
function reference(
  histories: readonly MarketHistory[],
  origins: ReadonlyMap<string, ReadonlySet<number>>,
): Map<string, CoverageCount> {
  const counts = new Map<string, CoverageCount>();
  for (const { symbol, bars } of histories) {
    for (const horizonHours of HORIZONS) {
      const excursions = adverseExcursions(bars, horizonHours);
      for (let i = 0; i < excursions.length; i++) {
        const asOf = bars.openTime[i] + HOUR;
        if (excursions.valid[i] === 0 || !origins.get(symbol)?.has(asOf)) continue;
        for (const confidence of CONFIDENCES) {
          const exceeded = (['long', 'short'] as const).filter(
            (side) => excursions[side][i] > valueAtRisk(symbol, asOf, horizonHours, confidence, side),
          ).length;
          sum(counts, [{ confidence, horizonHours, observations: 2, exceedances: exceeded }]);
        }
      }
    }
  }
  return counts;
}

const sorted = (counts: ReadonlyMap<string, CoverageCount>) =>
  [...counts.entries()].sort(([a], [b]) => (a < b ? -1 : 1));

describe('the coverage watch', () => {
  test('judges each published forecast once, when its bars are there, as a slow count over the whole history does', () => {
    const histories = [1, 2, 3].map((seed) =>
      randomMarket({ seed, hours: 400, gapProbability: seed === 3 ? 0.03 : 0, longestGapHours: 5 }),
    );
    /** Hours by which a market's bars come later than those of the first. */
    const lateBy = [0, 1, 3];
    const random = new Random(5);
    const watch = new CoverageWatch();
    const total = new Map<string, CoverageCount>();
    const origins = new Map<string, Set<number>>(histories.map(({ symbol }) => [symbol, new Set<number>()]));
    let published: LimitBook | null = null;
    for (let hour = 50; hour < 400; hour++) {
      // Now and then the service sleeps for some hours, or decides twice on the same bars.
      if (random.uniform() < 0.1) hour += random.integer(30);
      const now = RANDOM_MARKET_START + hour * HOUR;
      const markets = histories.map((history, m) => known(history, now - lateBy[m] * HOUR));
      for (let times = random.uniform() < 0.2 ? 2 : 1; times > 0; times--) {
        sum(total, watch.judge(published, markets));
        watch.delivered();
        if (hour % 40 === 0) expect(sorted(total)).toEqual(sorted(reference(markets, origins)));
        published = bookOf(markets);
        for (const market of published.markets) origins.get(market.symbol)?.add(market.asOf);
      }
    }
    const all = histories.map((history) => known(history, RANDOM_MARKET_START + 1000 * HOUR));
    sum(total, watch.judge(published, all));
    const expected = reference(all, origins);
    expect(sorted(total)).toEqual(sorted(expected));
    for (const { observations, exceedances } of expected.values()) {
      expect(observations).toBeGreaterThan(500);
      expect(exceedances).toBeGreaterThan(20);
      expect(exceedances).toBeLessThan(observations);
    }
  });

  test('judges on the close of the last bar of the horizon, and not a bar before', () => {
    const history = randomMarket({ seed: 9, hours: 100 });
    const at = (hour: number) => [known(history, RANDOM_MARKET_START + hour * HOUR)];
    const watch = new CoverageWatch();
    expect(watch.judge(bookOf(at(50)), at(50))).toEqual([]);
    const due = (hour: number) => {
      const counts = watch
        .judge(null, at(hour))
        .map(({ horizonHours, observations }) => [horizonHours, observations]);
      watch.delivered();
      return counts;
    };
    const both = (horizon: number) => CONFIDENCES.map(() => [horizon, 2]);
    expect([51, 52, 53, 54, 57, 58, 73, 74, 99].map(due)).toEqual([
      both(1),
      [],
      [],
      both(4),
      [],
      both(8),
      [],
      both(24),
      [],
    ]);
  });

  test('keeps its counts until they were delivered: what a failed publication took with it is told again', () => {
    const history = randomMarket({ seed: 4, hours: 60 });
    const at = (hour: number) => [known(history, RANDOM_MARKET_START + hour * HOUR)];
    const watch = new CoverageWatch();
    watch.judge(bookOf(at(50)), at(50));
    const first = watch.judge(null, at(51));
    expect(first.length).toBe(CONFIDENCES.length);
    expect(watch.judge(null, at(51))).toEqual(first);
    watch.delivered();
    expect(watch.judge(null, at(51))).toEqual([]);
  });

  test('counts nothing for a market without forecasts, without bars, or that is gone', () => {
    const history = randomMarket({ seed: 4, hours: 60 });
    const watch = new CoverageWatch();
    const book = bookOf([history]);
    const silent = { ...book, markets: book.markets.map((market) => ({ ...market, forecasts: [] })) };
    expect(watch.judge(silent, [history])).toEqual([]);
    expect(watch.judge(book, [])).toEqual([]);
    expect(watch.judge(book, [{ ...history, bars: selectBars(history.bars, () => false) }])).toEqual([]);
  });
});
