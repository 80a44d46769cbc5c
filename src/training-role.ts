import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { waitForLock } from '../data/lock.ts';
import { prepareDatabase } from '../data/postgres/migrate.ts';
import { TrainingQueue } from '../data/postgres/training-queue.ts';
import { WorkerName } from '../data/postgres/worker-name.ts';
import { isMarketSeries } from '../data/primary-series.ts';
import { SeriesFiles } from '../data/series-files.ts';
import { ModelRegistry } from '../models/registry.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { asPlimsollError, PlimsollError } from './errors.ts';
import { WorkerService } from './http/worker-service.ts';
import { WorkerMetrics } from './metrics/worker-metrics.ts';
import { PROGRAM_VERSION, SHIPPED_MODELS } from './program.ts';
import { SharedModels } from './shared-models.ts';
import { TrainingWorker } from './training-worker.ts';

export interface WorkerInput {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long to wait for the data folder where another process still has it; 0 to be refused at once. */
  readonly waitMilliseconds?: number;
}

export interface RunningWorker {
  /** Where probes and metrics are. */
  readonly url: string;
  /** Nobody else has it. */
  readonly name: string;
  /** What is being made goes back to the others. */
  stop(): Promise<void>;
}

/** A worker that was killed lets go of its name at once; one that stands still, within this. */
const NAME_MILLISECONDS = 5_000;

/**
 * Starts a process that trains and does nothing else.
 *
 * @throws PlimsollError LOCKED when another process has the data folder, WORKER_NAME_TAKEN, DATA_INSUFFICIENT where there are no bars to
 *   train on, CONFIG_INVALID, DATABASE_UNAVAILABLE, DATABASE_REFUSED.
 */
export async function startWorker(input: WorkerInput): Promise<RunningWorker> {
  const undo: (() => unknown)[] = [];
  try {
    return await start(input, undo);
  } catch (thrown) {
    for (const step of undo.reverse()) await step();
    throw thrown;
  }
}

async function start(
  { config, clock, logger, waitMilliseconds = 0 }: WorkerInput,
  undo: (() => unknown)[],
): Promise<RunningWorker> {
  const { dataDir, databaseUrl, workerName } = config;
  if (databaseUrl === null) throw new PlimsollError('CONFIG_INVALID', 'a worker needs a database');
  mkdirSync(dataDir, { recursive: true });
  const lock = await waitForLock(join(dataDir, 'service.lock'), 'a worker', waitMilliseconds);
  undo.push(() => lock.release());
  await requireBars(dataDir);
  await prepareDatabase(databaseUrl);
  const name = `${hostname()}/${workerName ?? 'train'}`;
  const held = new WorkerName(databaseUrl, name);
  undo.push(() => held.stop());
  await held.take(NAME_MILLISECONDS);
  const queue = await TrainingQueue.open({
    ...{ url: databaseUrl, name: 'train', works: true },
    onFailure: (err) =>
      logger.warn({ err }, 'the queue of trainings cannot be looked after; it is tried again'),
  });
  undo.push(() => queue.close());
  const registry = new ModelRegistry(SHIPPED_MODELS, dataDir);
  const models = new SharedModels({ url: databaseUrl, registry, logger, leads: () => false });
  undo.push(() => models.stop());
  const metrics = new WorkerMetrics(PROGRAM_VERSION);
  const service = new WorkerService({
    logger,
    fault: () => (held.isHeld() ? null : 'STORE_UNREACHABLE'),
    metrics: () => metrics.scrape(),
  });
  const { listenDescriptor: descriptor } = config;
  const { address, port } = await service.start(descriptor === null ? config : { descriptor });
  undo.push(() => service.stop());
  const worker = new TrainingWorker({
    ...{ queue, registry, metrics, clock, logger, name, dataDir },
    refreshModels: () => models.look(),
    hasName: () => held.isHeld(),
  });
  worker.start();
  const host = address.includes(':') ? `[${address}]` : address;
  const url = `http://${host}:${port}`;
  lock.announce(url);
  return {
    url,
    name,
    stop: async () => {
      await worker.stop();
      await service.stop();
      await Promise.all([models.stop(), queue.close(), held.stop()]).catch((err) =>
        logger.error({ err: asPlimsollError(err) }, 'the worker did not end as it should'),
      );
      lock.release();
    },
  };
}

/** What has no bars would refuse every training. @throws PlimsollError DATA_INSUFFICIENT. */
async function requireBars(dataDir: string): Promise<void> {
  if ((await new SeriesFiles(dataDir).manifests()).some(isMarketSeries)) return;
  throw new PlimsollError('DATA_INSUFFICIENT', `there are no bars to train on in ${dataDir}`, {
    remedy: 'Import the history that the deciders have (plimsoll import), or share their folder of bars.',
  });
}
