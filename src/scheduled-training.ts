import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { GatePolicy } from '../training/judge/gate-policy.ts';
import { trainInChildProcess } from '../training/schedule.ts';
import type { Clock } from './clock.ts';
import type { StateStore, TrainingRun } from './control/ports.ts';
import { asPlimsollError } from './errors.ts';
import type { Metrics } from './metrics/metrics.ts';
import { SHIPPED_MODELS } from './program.ts';

/** A scheduled run from its start to its place in the records: run, audit, metrics, log. */
export class ScheduledTraining {
  readonly #options: ScheduledTrainingOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: ScheduledTrainingOptions) {
    this.#options = options;
  }

  /** Trains once; a call during a run waits for that one. Failures are recorded, never thrown. */
  run(): Promise<void> {
    this.#running ??= this.#train().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Ends a running training, which then has written nothing, and starts no other. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #train(): Promise<void> {
    const { store, clock, logger, metrics, dataDir, gates } = this.#options;
    if (this.#stop.signal.aborted) return;
    const id = randomUUID();
    const startedAt = clock.now();
    const open: TrainingRun = {
      id,
      startedAt,
      finishedAt: null,
      result: 'running',
      modelVersion: null,
      trigger: 'schedule',
      message: '',
    };
    await store.recordTrainingRun(open);
    logger.info({ run: id }, 'training started');
    const task = { dataDir, shippedModels: SHIPPED_MODELS, gates };
    const finished = await trainInChildProcess(task, this.#stop.signal, (phase, share) =>
      logger.debug({ run: id, phase, share }, 'training'),
    ).then(
      ({ version, rows, markets }) => ({
        result: 'succeeded' as const,
        modelVersion: version,
        message: `${rows} rows of ${markets} markets`,
      }),
      (thrown) => ({
        result: 'failed' as const,
        modelVersion: null,
        message: asPlimsollError(thrown).message,
      }),
    );
    const run: TrainingRun = { ...open, ...finished, finishedAt: clock.now() };
    await store.recordTrainingRun(run);
    await store.appendAudit({
      at: clock.now(),
      kind: 'training',
      actor: 'schedule',
      subject: run.modelVersion ?? id,
      reason: run.result,
      details: { run: id, message: run.message },
    });
    metrics.trainingFinished(finished.result, (clock.now() - startedAt) / 1000, clock.now());
    logger[finished.result === 'succeeded' ? 'info' : 'error']({ run: id, ...finished }, 'training ended');
  }
}

export interface ScheduledTrainingOptions {
  readonly store: StateStore;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dataDir: string;
  readonly gates: GatePolicy;
}
