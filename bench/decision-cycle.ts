import { judgeQuality } from '../data/quality.ts';
import { ModelRegistry } from '../models/registry.ts';
import { table } from '../src/cli/command.ts';
import { stopwatchSeconds } from '../src/clock.ts';
import { DecisionEngine } from '../src/control/decision-engine.ts';
import { MarketTrack } from '../src/control/market-track.ts';
import { FilteredPredictor, HistoricalPredictor, TailPredictor } from '../src/forecast/classical.ts';
import { PreparedReads } from '../src/http/prepared-reads.ts';
import { NO_GOVERNANCE } from '../src/limits/governance.ts';
import { DEFAULT_POLICY, type Policy } from '../src/limits/policy.ts';
import type { LimitBook } from '../src/limits/types.ts';
import { SHIPPED_MODELS } from '../src/program.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { GrowingMarkets } from './growing-markets.ts';
import { filledStore } from './history.ts';
import { median, megabytes, print } from './measure.ts';

/**
 * Decisions for markets that get one bar an hour, with every bound on, by numbers of markets: from the bars handed over in memory to a
 * sealed book, and to the bytes of all reads. The baseline is `JSON.stringify` of the book. Processor time is that of all
 * threads of the process, collection of garbage included.
 */
const SIZES = [125, 500, 1000, 5000];
const HOURS = 30;
/** Until the code is compiled, and windows have found how much of their samples they are asked for. */
const WARM_UP_HOURS = 12;
const BASELINE_ROUNDS = 9;

/** Every bound on; of the anti-procyclical measures there can be one. */
const POLICY: Policy = {
  ...DEFAULT_POLICY,
  maximumBrackets: 10,
  bounds: {
    ...DEFAULT_POLICY.bounds,
    tailUse: 'both',
    antiProcyclical: { ...DEFAULT_POLICY.bounds.antiProcyclical, option: 'longLookbackFloor' },
  },
};

interface Cost {
  readonly wall: number;
  readonly processor: number;
}

const { store, dataDir, remove } = await filledStore();
const stored = await store.loadMarkets();
const registry = new ModelRegistry(SHIPPED_MODELS, dataDir);
const champion = await registry.load((await registry.versionOf('champion')) ?? '');
const sizes = process.argv.length > 3 ? process.argv.slice(3).map(Number) : SIZES;
const rows: string[][] = [];
for (const size of sizes) rows.push(...(await measure(size)));
print(
  table(
    ['markets', 'part', 'wall ms', 'cpu ms', 'tenth percentile', 'µs a market', 'over JSON.stringify'],
    rows,
  ),
);
remove();

async function measure(size: number): Promise<string[][]> {
  const markets = new GrowingMarkets(stored, size, HOURS);
  let handed: readonly MarketHistory[] = [];
  let hours = 0;
  const engine = new DecisionEngine({
    reader: {
      catalogue: async () => [],
      loadMarkets: async () => handed,
      fingerprint: async () => String(hours),
    },
    judgeQuality,
    champion: { champion: async () => ({ predictor: champion, reason: '' }) },
    historical: new HistoricalPredictor(),
    filtered: new FilteredPredictor(),
    tail: new TailPredictor(),
    policy: POLICY,
    levels: { load: async () => null, save: async () => {} },
    stopwatch: stopwatchSeconds,
  });
  const costs = new Map<string, Cost[]>();
  const time = async <T>(part: string, work: () => T | Promise<T>): Promise<T> => {
    const [from, processor] = [performance.now(), process.cpuUsage()];
    const result = await work();
    const { user, system } = process.cpuUsage(processor);
    const cost = { wall: performance.now() - from, processor: (user + system) / 1000 };
    if (hours === 0 || hours > WARM_UP_HOURS) costs.set(part, [...(costs.get(part) ?? []), cost]);
    return result;
  };
  let book: LimitBook | null = null;
  let brackets = 0;
  let bytes = 0;
  for (; hours <= HOURS; hours++) {
    handed = markets.after(hours);
    const now = markets.closeAfter(hours);
    const part = hours === 0 ? 'first decision, from all bars' : 'one new bar each to a sealed book';
    const proposal = await time(part, () => engine.propose(book, now, NO_GOVERNANCE));
    if (proposal === null) throw new Error('there was nothing to decide');
    const next = proposal.book;
    book = next;
    if (hours === 0) continue;
    const reads = new PreparedReads(
      { now: () => now },
      {
        governance: { state: () => NO_GOVERNANCE, time: () => now },
        marketTrack: new MarketTrack(async () => []),
        policy: () => DEFAULT_POLICY,
      },
    );
    await time('bytes of all reads', () => reads.publish(next));
    brackets = next.markets.reduce((sum, market) => sum + market.brackets.length, 0) / size;
  }
  // Behind the decisions: what it leaves to the collector is not theirs.
  for (let round = 0; round < BASELINE_ROUNDS; round++)
    bytes = (await time('JSON.stringify of the book', () => JSON.stringify(book))).length;
  print(
    `${size} markets: ${brackets.toFixed(1)} brackets each, a book of ${megabytes(bytes)}, memory ${megabytes(process.memoryUsage.rss())}`,
  );
  const baseline = median((costs.get('JSON.stringify of the book') ?? []).map(({ processor }) => processor));
  return [...costs].map(([part, own]) => {
    const processor = median(own.map((cost) => cost.processor));
    return [
      String(size),
      part,
      median(own.map(({ wall }) => wall)).toFixed(0),
      processor.toFixed(0),
      tenthPercentile(own.map((cost) => cost.processor)).toFixed(0),
      ((1000 * processor) / size).toFixed(0),
      (processor / baseline).toFixed(1),
    ];
  });
}

function tenthPercentile(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(0.1 * (values.length - 1))];
}
