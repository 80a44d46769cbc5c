import { mkdirSync } from 'node:fs';
import { pino } from 'pino';
import { BarStore } from '../data/bar-store.ts';
import { levelFile } from '../data/level-file.ts';
import { judgeQuality } from '../data/quality.ts';
import { SampleSource } from '../data/sample/source.ts';
import { SqliteStateStore } from '../data/sqlite-state-store.ts';
import { Champion } from '../models/champion.ts';
import { ModelRegistry } from '../models/registry.ts';
import { ManualClock, stopwatchSeconds, systemClock } from '../src/clock.ts';
import { DecisionCycle } from '../src/control/decision-cycle.ts';
import { DecisionEngine } from '../src/control/decision-engine.ts';
import { MemoryMarkets } from '../src/control/test-market-data.ts';
import { FilteredPredictor, HistoricalPredictor, TailPredictor } from '../src/forecast/classical.ts';
import { ForecastWatch } from '../src/forecast-watch.ts';
import { DEFAULT_POLICY } from '../src/limits/policy.ts';
import { Metrics } from '../src/metrics/metrics.ts';
import { PROGRAM_VERSION, SHIPPED_MODELS } from '../src/program.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';

/**
 * A data folder in which the service has decided for some days already, up to now: the simulated markets, the shipped champion, real
 * decisions in a real store. Only the clock was set.
 *
 * @returns how many books it holds.
 */
export async function liveIn(dataDir: string, days: number, everyHours: number): Promise<number> {
  mkdirSync(dataDir, { recursive: true });
  const now = systemClock.now();
  const clock = new ManualClock(now - days * 24 * HOUR_MILLISECONDS);
  const bars = await BarStore.open(dataDir);
  const store = SqliteStateStore.open(dataDir);
  await new SampleSource({ store: bars, dataDir }).ensure(now);
  const registry = new ModelRegistry(SHIPPED_MODELS, dataDir);
  const engine = new DecisionEngine({
    // The bars are all made at once; a decision uses those that had closed by its time.
    reader: new MemoryMarkets(await bars.loadMarkets()),
    judgeQuality,
    champion: new Champion(registry, (message) => {
      throw new Error(message);
    }),
    historical: new HistoricalPredictor(),
    filtered: new FilteredPredictor(),
    tail: new TailPredictor(),
    policy: DEFAULT_POLICY,
    levels: levelFile(dataDir),
    stopwatch: stopwatchSeconds,
  });
  const watch = new ForecastWatch({
    store,
    registry,
    metrics: new Metrics({ watchList: [], version: PROGRAM_VERSION }),
    clock,
    logger: pino({ level: 'silent' }),
    catalogue: async () => [],
    train: null,
    triggerHours: 0,
  });
  const cycle = new DecisionCycle({
    proposer: engine,
    store,
    clock,
    policy: DEFAULT_POLICY,
    current: null,
    observer: {
      published: (book, _previous, facts) => void watch.published(book, facts),
      failed: (error) => {
        throw error;
      },
    },
  });
  let books = 0;
  for (; clock.now() <= now; clock.advance(everyHours * HOUR_MILLISECONDS)) {
    if ((await cycle.runOnce()) !== null) books++;
  }
  await watch.stop();
  await store.close();
  bars.close();
  return books;
}
