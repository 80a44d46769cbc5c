import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { describeWithMarketData } from '../../../test/market-data.ts';
import { HOUR_MILLISECONDS } from '../../units.ts';
import { emptyBars } from '../bars.ts';
import { adverseExcursions } from '../tail/excursions.ts';
import { type AlignedMarkets, alignMarkets, type MarketBars } from './aligned-returns.ts';
import { measuredReturns } from './correlation-matrix.ts';
import { correlationStress, stressedDays } from './correlation-stress.ts';
import { namedEpisodes, readEpisode } from './episodes.ts';
import { filterScales } from './filter-scales.ts';
import { portfolioRisk } from './portfolio-risk.ts';
import { returnScenarios } from './return-scenarios.ts';
import { reverseHistory, reverseScenarios } from './reverse-history.ts';
import { rankScenarios, type Scenario } from './scenarios.ts';

/** From the oldest perpetual contracts to some that are one or two years old at the end of 2024. */
const SYMBOLS = ['BTC', 'ETH', 'XRP', 'LTC', 'LINK', 'ADA', 'AVAX', 'FIL', 'APT', 'ARB', 'TIA', 'WIF'];
const YOUNG = ['APT', 'ARB', 'TIA', 'WIF'];

function readBars(folder: string, symbol: string): MarketBars {
  const file = join(folder, `${symbol}USDT-binance-perp-1h.csv.gz`);
  const rows = gunzipSync(readFileSync(file))
    .toString()
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.split(',').map(Number));
  const bars = emptyBars(rows.length, HOUR_MILLISECONDS);
  rows.forEach(([openTime, open, high, low, close], i) => {
    bars.openTime[i] = openTime;
    bars.open[i] = open;
    bars.high[i] = high;
    bars.low[i] = low;
    bars.close[i] = close;
  });
  return { market: symbol, bars };
}

describeWithMarketData('a portfolio of twelve recorded markets', (folder) => {
  let cached: AlignedMarkets | undefined;
  const aligned = (): AlignedMarkets => {
    cached ??= alignMarkets(SYMBOLS.map((symbol) => readBars(folder, symbol)));
    return cached;
  };
  const positions = [
    { market: 'BTC', notional: 500_000 },
    { market: 'ETH', notional: 300_000 },
    { market: 'WIF', notional: 50_000 },
    { market: 'TIA', notional: -80_000 },
    { market: 'AVAX', notional: 40_000 },
  ];

  test('the young are filled, moved by at least the market and counted', () => {
    for (const { market, measured, carried, filled, fills } of aligned().accounts) {
      expect(measured + carried + filled).toBe(aligned().slots);
      if (YOUNG.includes(market)) {
        expect(filled).toBeGreaterThan(20_000);
        for (const { beta, rule, residualsOf } of fills) {
          expect([market, rule, beta >= 1, residualsOf !== null]).toEqual([market, 'regression', true, true]);
          expect(beta).toBeLessThan(3);
        }
      }
    }
    expect(aligned().accounts[0].filled).toBe(0);
  });

  test('the episodes are as bad as they were, and implied where a market was not there', () => {
    const scenarios: Scenario[] = [];
    for (const episode of namedEpisodes(24)) {
      const reading = readEpisode(aligned(), episode);
      // Histories end with 2024.
      expect([episode.id, reading.available]).toEqual([episode.id, episode.id < '2025']);
      if (reading.available) scenarios.push(reading.scenario);
    }
    const shock = (id: string, market: string): Scenario['shocks'][number] | undefined =>
      scenarios.find((scenario) => scenario.id === id)?.shocks.find((entry) => entry.market === market);
    // Bitcoin fell by about half in March 2020, by 30 % in May 2021, by a fifth with FTX and by 15 % in August 2024.
    const falls: readonly [string, number, number][] = [
      ['2020-03-12', 0.4, 0.6],
      ['2021-05-19', 0.2, 0.4],
      ['2022-11-08', 0.1, 0.25],
      ['2024-08-05', 0.08, 0.2],
    ];
    for (const [id, low, high] of falls) {
      const btc = shock(id, 'BTC');
      expect([id, btc?.basis]).toEqual([id, 'measured']);
      expect(btc?.long).toBeGreaterThan(low);
      expect(btc?.long).toBeLessThan(high);
      const wif = shock(id, 'WIF');
      expect([id, wif?.basis]).toEqual([id, id < '2024' ? 'factor-implied' : 'measured']);
      expect(wif?.long).toBeGreaterThan(btc?.long ?? 1);
      expect(wif?.long).toBeLessThanOrEqual(1);
    }
    const ranked = rankScenarios(scenarios, positions, 'worst');
    expect(ranked[0].scenario.id).toBe('2020-03-12');
    expect(ranked[0].impliedLoss).toBeGreaterThan(0);
    const { mildest, worst } = reverseScenarios(scenarios, positions, 150_000);
    expect(mildest).toMatchObject({ available: true });
    expect(worst).toMatchObject({ available: true, multiplier: expect.any(Number) });
  });

  test('risk over a day: parts add up, a short hedges, and paths are worse than their ends', () => {
    const scenarios = returnScenarios(aligned(), 24, { stride: 6 });
    expect(scenarios.scenarios).toBeGreaterThan(7000);
    const scales = filterScales(aligned(), scenarios);
    const risks = (['terminal', 'path-closes', 'path-extremes'] as const).flatMap((measure) => [
      portfolioRisk(scenarios, positions, { confidence: 0.99, measure }),
      portfolioRisk(scenarios, positions, { confidence: 0.99, measure, scales }),
    ]);
    for (const risk of risks) {
      const sum = risk.positions.reduce((total, { component }) => total + component.expectedShortfall, 0);
      expect(sum / risk.expectedShortfall).toBeCloseTo(1, 10);
      const sumVaR = risk.positions.reduce((total, { component }) => total + component.valueAtRisk, 0);
      expect(sumVaR / risk.valueAtRisk).toBeCloseTo(1, 10);
      const short = risk.positions.find(({ market }) => market === 'TIA');
      expect(short?.component.expectedShortfall).toBeLessThan(0);
      expect(risk.correlationBreak.addOn).toBeGreaterThan(0);
      expect(risk.expectedShortfall).toBeGreaterThan(0.05 * risk.grossNotional);
      expect(risk.expectedShortfall).toBeLessThan(0.5 * risk.grossNotional);
    }
    const [terminal, , closes, , extremes] = risks;
    expect(closes.expectedShortfall).toBeGreaterThan(terminal.expectedShortfall);
    expect(extremes.expectedShortfall).toBeGreaterThan(closes.expectedShortfall);
    const { count } = reverseHistory(scenarios, positions, terminal.valueAtRisk);
    expect(count / scenarios.scenarios).toBeCloseTo(0.01, 3);
  });

  test('bitcoin alone has the excursions of its own bars', () => {
    const scenarios = returnScenarios(aligned(), 24);
    const { bars } = readBars(folder, 'BTC');
    const { long, valid } = adverseExcursions(bars, 24);
    const own = Math.max(...long.filter((_, i) => valid[i] === 1));
    const risk = portfolioRisk(scenarios, [{ market: 'BTC', notional: 1 }], {
      confidence: 1 - 1 / scenarios.scenarios,
      measure: 'path-extremes',
    });
    expect(risk.expectedShortfall).toBeCloseTo(own, 9);
  });

  test('correlations are high and higher on the days that matter', () => {
    const panel = measuredReturns(aligned());
    const { stressed, calm, stressedBlocks } = stressedDays(panel);
    expect(stressedBlocks).toBeGreaterThan(150);
    const mean = (matrix: Float64Array): number =>
      (matrix.reduce((total, entry) => total + entry, 0) - 12) / (12 * 11);
    expect(mean(stressed.correlation)).toBeGreaterThan(mean(calm.correlation) + 0.1);
    const { cases, worst } = correlationStress(panel, positions, { confidence: 0.99, horizonBars: 24 });
    expect(worst.name).toBe('stressed-days-and-volatility');
    expect(worst.expectedShortfall).toBeGreaterThan(1.5 * cases[0].expectedShortfall);
  });
});
