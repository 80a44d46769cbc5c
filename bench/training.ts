import { ModelRegistry } from '../models/registry.ts';
import { table } from '../src/cli/command.ts';
import { stopwatchSeconds } from '../src/clock.ts';
import { type JobProgress, runTrainingJob } from '../training/job.ts';
import { filledStore } from './history.ts';
import { megabytes, print } from './measure.ts';

/**
 * The training job by phase, one seed and two epochs, over growing numbers of markets. The baseline is the time to make
 * the features, which every model needs.
 */
const SIZES = [10, 20, 43];

const { store, dataDir, remove } = await filledStore();
const symbols = (await store.loadMarkets()).map(({ symbol }) => symbol);
const rows: string[][] = [];
for (const size of SIZES.filter((size) => size <= symbols.length)) {
  const phases = new Map<string, number>();
  let phase: JobProgress['phase'] | null = null;
  let since = stopwatchSeconds();
  const enter = (next: JobProgress['phase'] | null): void => {
    const now = stopwatchSeconds();
    if (phase !== null) phases.set(phase, (phases.get(phase) ?? 0) + now - since);
    phase = next;
    since = now;
  };
  const { manifest } = await runTrainingJob(store, new ModelRegistry(dataDir, dataDir), {
    seeds: [1],
    symbols: symbols.slice(0, size),
    to: null,
    everyHours: 4,
    maximumEpochs: 2,
    evaluate: true,
    clock: { now: () => 0 },
    onProgress: (progress) => {
      if (progress.phase !== phase) enter(progress.phase);
    },
    interrupted: new AbortController().signal,
  });
  enter(null);
  const features = phases.get('features') ?? 1;
  for (const [name, seconds] of phases) {
    rows.push([
      String(size),
      String(manifest.data.rows),
      name,
      seconds.toFixed(2),
      (seconds / features).toFixed(2),
    ]);
  }
}
print(table(['markets', 'rows', 'phase', 's', 'over features'], rows));
print(`memory ${megabytes(process.memoryUsage.rss())}`);
remove();
