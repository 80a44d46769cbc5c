import type { MarketDataReader } from '../data/ports.ts';
import { ModelRegistry } from '../models/registry.ts';
import { table } from '../src/cli/command.ts';
import { stopwatchSeconds } from '../src/clock.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { DEFAULT_EVERY_HOURS, type JobProgress, runTrainingJob } from '../training/job.ts';
import { DEFAULT_MODEL_OPTIONS } from '../training/train.ts';
import { filledStore } from './history.ts';
import { megabytes, print } from './measure.ts';

/**
 * The whole training job by phase with its own options, trial, gates and report included, over growing numbers of hourly bars: the stored histories, and the same
 * under other names. Then the fit alone, as a daily refit without a trial needs it. The baseline is a pass over the bars for their features.
 */
const BARS = [300_000, 600_000, 1_200_000, 2_500_000];

const { store, dataDir, remove } = await filledStore();
const stored = await store.loadMarkets();
const rows: string[][] = [];
for (const bars of BARS) rows.push(...(await measured(bars, true)));
rows.push(...(await measured(BARS[BARS.length - 1], false)));
print(table(['series', 'hourly bars', 'phase', 's', 'µs a bar', 'over features'], rows));
print(`memory ${megabytes(process.memoryUsage.rss())}`);
remove();

async function measured(bars: number, evaluate: boolean): Promise<string[][]> {
  const markets = asMany(bars);
  const total = markets.reduce((sum, market) => sum + market.bars.length, 0);
  const reader: MarketDataReader = {
    catalogue: async () => [],
    loadMarkets: async () => markets,
    fingerprint: async () => '0'.repeat(64),
  };
  const phases = new Map<string, number>();
  let phase: JobProgress['phase'] | null = null;
  let since = stopwatchSeconds();
  const enter = (next: JobProgress['phase'] | null): void => {
    const now = stopwatchSeconds();
    if (phase !== null) phases.set(phase, (phases.get(phase) ?? 0) + now - since);
    phase = next;
    since = now;
  };
  await runTrainingJob(reader, new ModelRegistry(dataDir, dataDir), {
    seeds: DEFAULT_MODEL_OPTIONS.seeds,
    symbols: null,
    to: null,
    everyHours: DEFAULT_EVERY_HOURS,
    maximumEpochs: DEFAULT_MODEL_OPTIONS.fit.maximumEpochs,
    evaluate,
    clock: { now: () => 0 },
    onProgress: (progress) => {
      if (progress.phase !== phase) enter(progress.phase);
    },
    interrupted: new AbortController().signal,
  });
  enter(null);
  const whole = [...phases.values()].reduce((sum, seconds) => sum + seconds, 0);
  const features = phases.get('features') ?? 1;
  return [...phases, [evaluate ? 'all' : 'all, without a trial', whole] as const].map(([name, seconds]) => [
    String(markets.length),
    String(total),
    name,
    seconds.toFixed(1),
    ((1e6 * seconds) / total).toFixed(1),
    (seconds / features).toFixed(1),
  ]);
}

/** As many of the stored histories as have so many bars, from the second round on under other names. */
function asMany(bars: number): readonly MarketHistory[] {
  const markets: MarketHistory[] = [];
  for (let total = 0, i = 0; total < bars; i++) {
    const market = stored[i % stored.length];
    const copy = Math.floor(i / stored.length);
    markets.push(copy === 0 ? market : { ...market, symbol: `${market.symbol}X${copy}` });
    total += market.bars.length;
  }
  return markets.sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
}
