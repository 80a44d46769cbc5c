import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { poisonFrom, RANDOM_MARKET_START, randomMarket, selectBars } from '../../test/random-market.ts';
import { Random } from '../random.ts';
import { barsClosedBy, type MarketHistory, sliceBars } from '../risk/bars.ts';
import { computeFeatures } from './batch.ts';
import { emptyHour, FeatureEngine } from './engine.ts';
import { LiveFeatures, latestFeatures } from './live.ts';
import { FEATURE_COUNT, LOAD_HOURS, MAXIMUM_GAP_HOURS, MEMORY_BARS, WARM_UP_BARS } from './spec.ts';

const HOUR = 3_600_000;

/** Markets that start at different times, with gaps short and long, one without volume, one with funding. */
function randomMarkets(seed: number, count: number, hours: number): MarketHistory[] {
  const random = Random.stream(seed, 'markets');
  return Array.from({ length: count }, (_, m) => {
    const late = m === 0 ? 0 : random.integer(Math.floor(hours / 2));
    return randomMarket({
      seed: seed * 16 + m,
      symbol: `M${m}USDT`,
      start: RANDOM_MARKET_START + late * HOUR,
      hours: hours - late,
      gapProbability: 0.004,
      // The first market's gaps are all bridged, so that its longest windows fill; the others restart now and then.
      longestGapHours: m === 0 ? MAXIMUM_GAP_HOURS : 2 * MAXIMUM_GAP_HOURS,
      withVolume: m !== 1,
      withFunding: m !== 2,
    });
  });
}

/** Rows as `market@asOf` → values, so that tables of different extent can be compared. */
function rowsByKey(table: ReturnType<typeof computeFeatures>): Map<string, number[]> {
  const rows = new Map<string, number[]>();
  for (let r = 0; r < table.rows; r++) {
    const values = table.values.subarray(r * FEATURE_COUNT, (r + 1) * FEATURE_COUNT);
    rows.set(`${table.symbols[table.market[r]]}@${table.asOf[r]}`, Array.from(values));
  }
  return rows;
}

/** The newest row of a market is the same from its whole history and from its last LOAD_HOURS hours. */
function expectSameFromLoadedHours(market: MarketHistory, hours: number): void {
  const asOf = RANDOM_MARKET_START + hours * HOUR;
  const since = asOf - LOAD_HOURS * HOUR;
  const loaded = { ...market, bars: selectBars(market.bars, (i) => market.bars.openTime[i] >= since) };
  const key = `${market.symbol}@${asOf}`;
  expect(rowsByKey(computeFeatures([market])).get(key)).toBeDefined();
  expect(rowsByKey(computeFeatures([loaded])).get(key)).toEqual(
    rowsByKey(computeFeatures([market])).get(key),
  );
}

const seeds = fc.integer({ min: 0, max: 1e6 });
const marketCounts = fc.integer({ min: 1, max: 4 });

describe('features', () => {
  test('batch and incremental agree to the bit', () => {
    fc.assert(
      fc.property(seeds, marketCounts, fc.integer({ min: 100, max: 900 }), (seed, count, hours) => {
        const markets = randomMarkets(seed, count, hours);
        const batch = rowsByKey(computeFeatures(markets));
        const incremental = new Map<string, number[]>();
        const engine = new FeatureEngine(markets.map((market) => market.symbol));
        const row = new Float64Array(FEATURE_COUNT);
        for (let h = 0; h < hours; h++) {
          const openTime = RANDOM_MARKET_START + h * HOUR;
          const hour = emptyHour(count);
          markets.forEach(({ bars, funding }, m) => {
            const i = bars.openTime.indexOf(openTime);
            const f = funding === null ? -1 : funding.time.indexOf(openTime + HOUR);
            if (f >= 0) {
              hour.fundingSettled[m] = 1;
              hour.fundingRate[m] = funding!.rate[f];
            }
            if (i < 0) return;
            hour.present[m] = 1;
            hour.open[m] = bars.open[i];
            hour.high[m] = bars.high[i];
            hour.low[m] = bars.low[i];
            hour.close[m] = bars.close[i];
            hour.quoteVolume[m] = bars.quoteVolume[i];
          });
          engine.step(openTime, hour);
          for (let m = 0; m < count; m++) {
            if (hour.present[m] === 0 || !engine.isReady(m)) continue;
            engine.writeRow(m, row, 0);
            incremental.set(`${markets[m].symbol}@${openTime + HOUR}`, Array.from(row));
          }
        }
        expect(incremental).toEqual(batch);
        for (const values of batch.values()) expect(values.every(Number.isFinite)).toBe(true);
      }),
      { seed: 31, numRuns: 12 },
    );
  });

  test('where the history starts changes no bit, once LOAD_HOURS are loaded', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 400 }), (seed, surplus) => {
        const hours = LOAD_HOURS + surplus;
        const markets = randomMarkets(seed, 3, hours);
        const asOf = RANDOM_MARKET_START + hours * HOUR;
        const since = asOf - LOAD_HOURS * HOUR;
        const shortened = markets.map((market) => ({
          ...market,
          bars: selectBars(market.bars, (i) => market.bars.openTime[i] >= since),
        }));
        const whole = rowsByKey(computeFeatures(markets));
        const last = [...whole].filter(([key]) => key.endsWith(`@${asOf}`));
        const fromShort = rowsByKey(computeFeatures(shortened));
        for (const [key, values] of last) expect(fromShort.get(key), key).toEqual(values);
        // The option `from` leaves early bars out by the same rule.
        expect([...rowsByKey(computeFeatures(markets, { from: asOf }))]).toEqual(last);
        const latest = latestFeatures(markets, asOf);
        markets.forEach((market, m) => {
          const expected = whole.get(`${market.symbol}@${asOf}`);
          if (expected === undefined) return;
          expect(latest.ready[m]).toBe(1);
          expect(Array.from(latest.values.subarray(m * FEATURE_COUNT, (m + 1) * FEATURE_COUNT))).toEqual(
            expected,
          );
        });
      }),
      { seed: 32, numRuns: 12 },
    );
  });

  test('nor does it where hours came one by one, late, for another set of markets, or with settlements of funding', () => {
    const step = fc.record({
      hours: fc.integer({ min: 0, max: 30 }),
      late: fc.integer({ min: 0, max: 3 }),
      markets: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(seeds, fc.array(step, { minLength: 1, maxLength: 8 }), (seed, steps) => {
        const markets = randomMarkets(seed, 3, 700);
        const live = new LiveFeatures();
        let hours = 300;
        for (const { hours: more, late, markets: count } of steps) {
          hours += more;
          const asOf = RANDOM_MARKET_START + hours * HOUR;
          // The newest bars of one market and its funding are not there yet.
          const known = markets.slice(0, count).map((history, m) => {
            const knownBy = asOf - (m === 1 ? late : 0) * HOUR;
            const { bars, funding } = history;
            const settled = funding?.time.filter((time) => time <= knownBy).length ?? 0;
            return {
              ...history,
              bars: sliceBars(bars, 0, barsClosedBy(bars, knownBy)),
              funding: funding && {
                length: settled,
                time: funding.time.slice(0, settled),
                rate: funding.rate.slice(0, settled),
              },
            };
          });
          expect(live.latest(known, asOf)).toEqual(latestFeatures(known, asOf));
        }
      }),
      { seed: 36, numRuns: 20 },
    );
  });

  test('nor does it when the longest bridged gap ends where the longest window begins', () => {
    const hours = 500 + MAXIMUM_GAP_HOURS + MEMORY_BARS;
    const market = randomMarket({ seed: 8, hours });
    const isInGap = (i: number): boolean => i >= 500 && i < 500 + MAXIMUM_GAP_HOURS;
    const gapped = { ...market, bars: selectBars(market.bars, (i) => !isInGap(i)) };
    expectSameFromLoadedHours(gapped, hours);
  });

  test('nor does it when a far shock is one only against the volatility of loaded hours', () => {
    const hours = 500 + LOAD_HOURS;
    const market = randomMarket({ seed: 9, hours });
    // Moves of 5 % until the loaded hours begin and of 0.1 % after, with one of 8 % in their first 168 hours.
    let price = 100;
    for (let i = 0; i < hours; i++) {
      const size = i < 500 ? 0.05 : 0.001;
      price *= i === 600 ? 1.08 : i % 2 === 0 ? 1 + size : 1 / (1 + size);
      for (const prices of [market.bars.open, market.bars.high, market.bars.low, market.bars.close]) {
        prices[i] = price;
      }
    }
    expectSameFromLoadedHours(market, hours);
  });

  test('a poisoned future changes nothing that was known before it', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 200, max: 600 }), (seed, knownHours) => {
        const markets = randomMarkets(seed, 3, 700);
        const asOf = RANDOM_MARKET_START + knownHours * HOUR;
        const random = Random.stream(seed, 'poison');
        const poisoned = markets.map((market) => {
          const first = market.bars.openTime.findIndex((openTime) => openTime + HOUR > asOf);
          const funding = market.funding && {
            ...market.funding,
            rate: market.funding.rate.map((rate, i) => (market.funding!.time[i] > asOf ? 0.03 : rate)),
          };
          const bars = first < 0 ? market.bars : poisonFrom(market.bars, first, random);
          return { ...market, bars, funding };
        });
        const before = rowsByKey(computeFeatures(markets, { to: asOf + 1 }));
        const isBefore = ([key]: [string, number[]]): boolean => Number(key.split('@')[1]) <= asOf;
        expect(new Map([...rowsByKey(computeFeatures(poisoned))].filter(isBefore))).toEqual(before);
        expect(latestFeatures(poisoned, asOf)).toEqual(latestFeatures(markets, asOf));
      }),
      { seed: 33, numRuns: 12 },
    );
  });

  test("the markets' order changes no bit", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 2, max: 6 }), (seed, count) => {
        const markets = randomMarkets(seed, count, 500);
        const order = Uint32Array.from({ length: count }, (_, m) => m);
        Random.stream(seed, 'order').shuffle(order);
        const permuted = rowsByKey(computeFeatures(Array.from(order, (m) => markets[m])));
        expect(permuted).toEqual(rowsByKey(computeFeatures(markets)));
      }),
      { seed: 34, numRuns: 10 },
    );
  });

  test('rows are those asked for: on the grid, within the span, with the index of their bar', () => {
    const markets = randomMarkets(7, 2, 600);
    const from = RANDOM_MARKET_START + 300 * HOUR;
    const to = RANDOM_MARKET_START + 500 * HOUR;
    const table = computeFeatures(markets, { everyHours: 6, from, to });
    const all = rowsByKey(computeFeatures(markets));
    expect(table.rows).toBeGreaterThan(20);
    for (let r = 0; r < table.rows; r++) {
      expect(table.asOf[r] % (6 * HOUR)).toBe(0);
      expect(table.asOf[r]).toBeGreaterThanOrEqual(from);
      expect(table.asOf[r]).toBeLessThan(to);
      expect(markets[table.market[r]].bars.openTime[table.barIndex[r]] + HOUR).toBe(table.asOf[r]);
    }
    for (const [key, values] of rowsByKey(table)) expect(values).toEqual(all.get(key));
  });
});

describe('readiness', () => {
  test('the first row comes after the first close and WARM_UP_BARS returns', () => {
    const market = randomMarket({ seed: 1, hours: WARM_UP_BARS + 3 });
    const table = computeFeatures([market]);
    expect(Array.from(table.barIndex)).toEqual([WARM_UP_BARS, WARM_UP_BARS + 1, WARM_UP_BARS + 2]);
  });

  test('a market of 50 bars has no row, and zeros as its latest', () => {
    const market = randomMarket({ seed: 1, hours: 50 });
    expect(computeFeatures([market]).rows).toBe(0);
    const latest = latestFeatures([market], RANDOM_MARKET_START + 50 * HOUR);
    expect(latest.ready[0]).toBe(0);
    expect(latest.values.every((value) => value === 0)).toBe(true);
  });

  test('a gap of 48 hours is bridged, one of 49 starts the warm-up again', () => {
    const market = randomMarket({ seed: 2, hours: 400 });
    const withGap = (gap: number): MarketHistory => ({
      ...market,
      bars: selectBars(market.bars, (i) => i < 200 || i >= 200 + gap),
    });
    const bridged = computeFeatures([withGap(MAXIMUM_GAP_HOURS)]);
    const restarted = computeFeatures([withGap(MAXIMUM_GAP_HOURS + 1)]);
    expect(bridged.barIndex).toContain(200);
    // Bars 168 … 199 before the gap; the bar after it is the first close again.
    expect(Array.from(restarted.barIndex.slice(0, 32))).toEqual(
      Array.from({ length: 32 }, (_, i) => 168 + i),
    );
    expect(restarted.rows).toBe(32);
  });

  test('a market that stopped trading is ready for 48 hours more', () => {
    const market = randomMarket({ seed: 3, hours: 300 });
    const end = RANDOM_MARKET_START + 300 * HOUR;
    expect(latestFeatures([market], end + MAXIMUM_GAP_HOURS * HOUR).ready[0]).toBe(1);
    expect(latestFeatures([market], end + (MAXIMUM_GAP_HOURS + 1) * HOUR).ready[0]).toBe(0);
  });

  test('no market at all, and a market without bars, are answered', () => {
    expect(computeFeatures([]).rows).toBe(0);
    const empty = randomMarket({ seed: 1, hours: 0 });
    expect(computeFeatures([empty]).rows).toBe(0);
    expect(latestFeatures([empty], RANDOM_MARKET_START).barIndex[0]).toBe(-1);
  });

  test('bars off the hourly grid are refused by name', () => {
    const market = randomMarket({ seed: 1, hours: 10, symbol: 'OFFUSDT' });
    market.bars.openTime[4] += 60_000;
    expect(() => computeFeatures([market])).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining('OFFUSDT') }),
    );
  });

  test('an hour that does not follow the one before is refused', () => {
    const engine = new FeatureEngine(['A']);
    engine.step(0, emptyHour(1));
    expect(() => engine.step(2 * HOUR, emptyHour(1))).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
    expect(() => engine.step(0, emptyHour(1))).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });
});

describe('extreme input', () => {
  const bounded = (table: ReturnType<typeof computeFeatures>): void => {
    expect(table.rows).toBeGreaterThan(0);
    for (const value of table.values) expect(Math.abs(value)).toBeLessThanOrEqual(15);
  };

  test('prices that stand still', () => {
    const market = randomMarket({ seed: 5, hours: 400 });
    for (const prices of [market.bars.open, market.bars.high, market.bars.low, market.bars.close])
      prices.fill(7);
    bounded(computeFeatures([market]));
  });

  test('no volume anywhere', () => {
    const market = randomMarket({ seed: 5, hours: 400, withVolume: false });
    bounded(computeFeatures([market]));
  });

  test('one absurd wick, up and down', () => {
    const market = randomMarket({ seed: 6, hours: 900 });
    market.bars.high[300] *= 1e12;
    market.bars.low[400] *= 1e-12;
    market.bars.quoteVolume[500] = 1e300;
    bounded(computeFeatures([market]));
  });

  test('values that are no prices count as a missing bar', () => {
    const market = randomMarket({ seed: 6, hours: 400 });
    const without = { ...market, bars: selectBars(market.bars, (i) => i !== 250) };
    market.bars.close[250] = Number.NaN;
    const asOf = RANDOM_MARKET_START + 400 * HOUR;
    expect(latestFeatures([market], asOf).values).toEqual(latestFeatures([without], asOf).values);
  });
});
