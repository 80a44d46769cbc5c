import type { MarketDataReader } from '../data/ports.ts';
import { judgeQuality } from '../data/quality.ts';
import { ModelRegistry } from '../models/registry.ts';
import { table } from '../src/cli/command.ts';
import { stopwatchSeconds } from '../src/clock.ts';
import { DecisionEngine } from '../src/control/decision-engine.ts';
import { latestFeatures } from '../src/features/live.ts';
import { FilteredPredictor, HistoricalPredictor, TailPredictor } from '../src/forecast/classical.ts';
import { NO_GOVERNANCE } from '../src/limits/governance.ts';
import { DEFAULT_POLICY } from '../src/limits/policy.ts';
import { SHIPPED_MODELS } from '../src/program.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { filledStore } from './history.ts';
import { median, megabytes, print } from './measure.ts';

/** A decision for all markets, by part, over numbers of markets; the baseline is one pass over the bars that are read. */
const ROUNDS = 5;
const COPIES = [1, 2, 4];

const { store, dataDir, remove } = await filledStore();
const started = stopwatchSeconds();
const stored = await store.loadMarkets();
print(
  `loading ${stored.length} markets, ${barsOf(stored)} bars: ${(stopwatchSeconds() - started).toFixed(2)} s`,
);
const registry = new ModelRegistry(SHIPPED_MODELS, dataDir);
const champion = await registry.load((await registry.versionOf('champion')) ?? '');
const [historical, filtered, tail] = [
  new HistoricalPredictor(),
  new FilteredPredictor(),
  new TailPredictor(),
];

const rows: string[][] = [];
for (const copies of COPIES) {
  const all = multiply(stored, copies);
  const asOf = all.reduce(
    (newest, { bars }) => Math.max(newest, bars.openTime[bars.length - 1] + 3_600_000),
    0,
  );
  const parts = new Map<string, number[]>();
  const time = async (part: string, work: () => unknown): Promise<void> => {
    const from = stopwatchSeconds();
    await work();
    parts.set(part, [...(parts.get(part) ?? []), 1000 * (stopwatchSeconds() - from)]);
  };
  for (let round = 0; round < ROUNDS; round++) {
    const markets = freshly(all);
    await time('one pass over the bars', () => sumOfBars(markets));
    const features = latestFeatures(markets, asOf);
    await time('features', () => latestFeatures(markets, asOf));
    const input = { asOf: features.asOf, markets, features: features.values, featuresReady: features.ready };
    await time('historical', () => historical.predict(input));
    await time('filtered', () => filtered.predict(input));
    await time('tail', () => tail.predict(input));
    await time('network', () => champion.predict(input));
    await time('quality', () => markets.map((market) => judgeQuality(market, asOf)));
    const engine = engineOn(freshly(all));
    await time('whole, first (reads and stress included)', () => engine.propose(null, asOf, NO_GOVERNANCE));
    const { book } = (await engine.propose(null, asOf, NO_GOVERNANCE)) ?? { book: null };
    await time('whole, renewal', () => engine.propose(book, asOf + 3_600_000, NO_GOVERNANCE));
  }
  const baseline = median(parts.get('one pass over the bars') ?? []);
  for (const [part, times] of parts) {
    const milliseconds = median(times);
    rows.push([String(all.length), part, milliseconds.toFixed(1), (milliseconds / baseline).toFixed(1)]);
  }
}
print(table(['markets', 'part', 'ms', 'over one pass'], rows));
print(`memory ${megabytes(process.memoryUsage.rss())}`);
remove();

function engineOn(markets: readonly MarketHistory[]): DecisionEngine {
  const reader: MarketDataReader = {
    catalogue: async () => [],
    loadMarkets: async () => markets,
    fingerprint: async () => 'fixed',
  };
  return new DecisionEngine({
    reader,
    judgeQuality,
    champion: { champion: async () => ({ predictor: champion, reason: '' }) },
    historical,
    filtered,
    tail,
    policy: DEFAULT_POLICY,
    levels: { load: async () => null, save: async () => {} },
    stopwatch: stopwatchSeconds,
  });
}

/** The same bars as if they had just been read: what is kept of a series is kept by the identity of its bars. */
function freshly(markets: readonly MarketHistory[]): MarketHistory[] {
  return markets.map((market) => ({ ...market, bars: { ...market.bars } }));
}

/** The same histories under other names, to see how the cost grows. */
function multiply(markets: readonly MarketHistory[], copies: number): MarketHistory[] {
  return Array.from({ length: copies }, (_, copy) =>
    markets.map((market) => (copy === 0 ? market : { ...market, symbol: `${market.symbol}X${copy}` })),
  )
    .flat()
    .sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
}

function barsOf(markets: readonly MarketHistory[]): number {
  return markets.reduce((sum, { bars }) => sum + bars.length, 0);
}

function sumOfBars(markets: readonly MarketHistory[]): number {
  let sum = 0;
  for (const { bars } of markets) {
    for (const column of [bars.open, bars.high, bars.low, bars.close, bars.volume, bars.quoteVolume])
      for (let i = 0; i < column.length; i++) sum += column[i];
  }
  return sum;
}
