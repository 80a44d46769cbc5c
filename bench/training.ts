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
 * under other names. Then the fit alone, as a daily refit without a trial needs it; the argument `refit` measures that only. The baseline is a pass over the bars
 * for their features. Processor seconds are of all threads: less than twice the seconds on two cores, unless others use them as well.
 */
const BARS = [300_000, 600_000, 1_200_000, 2_500_000];

interface Spent {
  readonly seconds: number;
  readonly processorSeconds: number;
}

const NOTHING: Spent = { seconds: 0, processorSeconds: 0 };

const { store, dataDir, remove } = await filledStore();
const stored = await store.loadMarkets();
const rows: string[][] = [];
const jobs = process.argv[3] === 'refit' ? [] : BARS;
for (const bars of jobs) rows.push(...(await measured(bars, true)));
rows.push(...(await measured(BARS[BARS.length - 1], false)));
print(table(['series', 'hourly bars', 'phase', 's', 'cpu s', 'µs a bar', 'over features'], rows));
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
  const phases = new Map<string, Spent>();
  let phase: JobProgress['phase'] | null = null;
  let since = spentUntilNow();
  const enter = (next: JobProgress['phase'] | null): void => {
    const now = spentUntilNow();
    if (phase !== null) phases.set(phase, sumOf(phases.get(phase) ?? NOTHING, now, since));
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
  const whole = [...phases.values()].reduce((sum, spent) => sumOf(sum, spent), NOTHING);
  const features = phases.get('features')?.seconds ?? 1;
  return [...phases, [evaluate ? 'all' : 'all, without a trial', whole] as const].map(([name, spent]) => [
    String(markets.length),
    String(total),
    name,
    spent.seconds.toFixed(1),
    spent.processorSeconds.toFixed(1),
    ((1e6 * spent.seconds) / total).toFixed(1),
    (spent.seconds / features).toFixed(1),
  ]);
}

function spentUntilNow(): Spent {
  const { user, system } = process.cpuUsage();
  return { seconds: stopwatchSeconds(), processorSeconds: (user + system) / 1e6 };
}

function sumOf(a: Spent, b: Spent, less: Spent = NOTHING): Spent {
  return {
    seconds: a.seconds + b.seconds - less.seconds,
    processorSeconds: a.processorSeconds + b.processorSeconds - less.processorSeconds,
  };
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
