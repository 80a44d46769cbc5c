import { describe, expect, test } from 'vitest';
import { Random } from '../random.ts';
import { emptyBars, type MarketHistory } from '../risk/bars.ts';
import type { MarketCorrelations } from '../risk/portfolio/common-correlations.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../units.ts';
import { CorrelationWatch, commonReturns } from './market-correlations.ts';

const START = Date.UTC(2024, 0, 1);
const HOURS = 100 * 24;
const END = START + HOURS * HOUR_MILLISECONDS;

/** Hourly bars whose log moves are those of a common path times `common`, and the market's own times `own`. */
function history(symbol: string, common: number, own: number, firstHour = 0): MarketHistory {
  const [shared, alone] = [new Random(1), new Random(symbol.length * 100 + symbol.charCodeAt(0))];
  const bars = emptyBars(HOURS - firstHour, HOUR_MILLISECONDS);
  let price = Math.log(100);
  for (let hour = 0; hour < HOURS; hour++) {
    price += 0.01 * (common * shared.normal() + own * alone.normal());
    if (hour < firstHour) continue;
    bars.openTime[hour - firstHour] = START + hour * HOUR_MILLISECONDS;
    bars.close[hour - firstHour] = Math.exp(price);
  }
  return {
    symbol,
    source: `${symbol}-x-perp-1h`,
    simulated: false,
    bars,
    funding: null,
    openInterest: null,
    mark: null,
  };
}

function watchOf(made: MarketCorrelations[], pause: () => Promise<unknown> = async () => {}) {
  return new CorrelationWatch({ horizonHours: 4, pause, made: (one) => made.push(one) });
}

describe('correlations of markets', () => {
  const markets = [
    history('A', 1, 0),
    history('B', 2, 0),
    history('C', -1, 0),
    history('D', 1, 1),
    history('E', 0, 1),
  ];

  test('are those of their returns over the horizon, to the error of the sample', async () => {
    const made: MarketCorrelations[] = [];
    expect(await watchOf(made).look(markets)).toBe(true);
    const [{ asOf, markets: names, matrix }] = made;
    expect([asOf, names]).toEqual([END, ['A', 'B', 'C', 'D', 'E']]);
    const at = (i: number, j: number) => matrix[i * 5 + j];
    expect(at(0, 1)).toBeCloseTo(1, 9);
    expect(at(0, 2)).toBeCloseTo(-1, 9);
    // Four standard errors of 540 returns.
    expect(Math.abs(at(0, 3) - Math.SQRT1_2)).toBeLessThan(0.1);
    expect(Math.abs(at(0, 4))).toBeLessThan(0.18);
  });

  test('leave out markets that are young, full of holes, or do not move', async () => {
    const holey = history('H', 1, 0);
    for (let i = 0; i < HOURS; i++) if (i % 40 < 8) holey.bars.openTime[i] += 1;
    const young = history('Y', 1, 0, 20 * 24);
    const { markets: kept, slots } = commonReturns([...markets, young, holey, history('F', 0, 0)], END, 4);
    expect([kept, slots]).toEqual([['A', 'B', 'C', 'D', 'E'], 540]);
    expect(commonReturns([history('Y', 1, 0, 12 * 24)], END, 4).markets).toEqual(['Y']);
  });

  test('are measured once a day of bars, however often one looks, and not for nothing', async () => {
    const made: MarketCorrelations[] = [];
    const watch = watchOf(made);
    expect(await watch.look([])).toBe(false);
    await Promise.all([watch.look(markets), watch.look(markets)]);
    await watch.look(markets);
    expect(made).toHaveLength(1);
    const later = markets.map((market) => {
      const openTime = market.bars.openTime.map((time) => time + DAY_MILLISECONDS);
      return { ...market, bars: { ...market.bars, openTime } };
    });
    await watch.look(later);
    expect(made).toHaveLength(2);
  });

  test('give way between their pieces, and are left where the thread ends', async () => {
    const many = Array.from({ length: 25 }, (_, m) => ({ ...markets[m % 5], symbol: `M${m}` }));
    const made: MarketCorrelations[] = [];
    let pauses = 0;
    const watch = watchOf(made, async () => {
      if (++pauses === 3) watch.stop();
    });
    expect(await watch.look(many)).toBe(false);
    expect([pauses, made]).toEqual([3, []]);
  });
});
