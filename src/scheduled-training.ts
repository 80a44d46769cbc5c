import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { GatePolicy } from '../training/judge/gate-policy.ts';
import { type Schedule, scheduleTraining, trainInChildProcess } from '../training/schedule.ts';
import type { Clock } from './clock.ts';
import type { StateStore, TrainingRun, TrainingTrigger } from './control/ports.ts';
import { asPlimsollError } from './errors.ts';
import type { Metrics } from './metrics/metrics.ts';
import { SHIPPED_MODELS } from './program.ts';

/** Trainings that the clock and what is watched start. */
export interface Trainings {
  /** Begins: what an earlier process left is settled, and the clock runs. Failures are told, never thrown. */
  start(schedule: string | null): Promise<void>;
  /** Trains once, or joins what trains. Failures are recorded, never thrown. */
  run(trigger?: TrainingTrigger, why?: string): Promise<void>;
  stop(): Promise<void>;
}

/** A scheduled run in this process from its start to its place in the records: run, audit, metrics, log. */
export class ScheduledTraining implements Trainings {
  readonly #options: ScheduledTrainingOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #schedule: Schedule | null = null;

  constructor(options: ScheduledTrainingOptions) {
    this.#options = options;
  }

  async start(schedule: string | null): Promise<void> {
    await this.recover();
    this.#schedule = schedule === null ? null : scheduleTraining(schedule, () => this.run());
    this.#options.metrics.trainingScheduled(this.#schedule?.intervalSeconds ?? 0);
  }

  /** Trains once; a call during a run waits for that one. Failures are recorded, never thrown. */
  run(trigger: TrainingTrigger = 'schedule', why = ''): Promise<void> {
    this.#running ??= this.#train(trigger, why).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Ends a running training, which then has written nothing, and starts no other. */
  async stop(): Promise<void> {
    this.#schedule?.stop();
    this.#stop.abort();
    await this.#running;
  }

  /**
   * A run that a killed service left open is over: what it had finished is found by the next one. When a training last succeeded
   * is told again, so that a restart is not taken for a missed training.
   */
  async recover(): Promise<void> {
    const { store, clock, metrics } = this.#options;
    const runs = await store.trainingRuns(RECOVERED_RUNS);
    metrics.trainingRecovered(runs.find(({ result }) => result === 'succeeded')?.finishedAt ?? null);
    const open = runs.filter(({ result }) => result === 'running');
    const message = 'the service ended while it ran; the next training goes on from what it had finished';
    for (const run of open)
      await store.recordTrainingRun({ ...run, result: 'failed', finishedAt: clock.now(), message });
  }

  async #train(trigger: TrainingTrigger, why: string): Promise<void> {
    const { store, clock, logger, metrics, dataDir, gates, limitMinutes } = this.#options;
    if (this.#stop.signal.aborted) return;
    const id = randomUUID();
    const startedAt = clock.now();
    const open: TrainingRun = {
      id,
      startedAt,
      finishedAt: null,
      result: 'running',
      modelVersion: null,
      trigger,
      message: why,
    };
    await store.recordTrainingRun(open);
    logger.info({ run: id, trigger, why }, 'training started');
    const task = { dataDir, shippedModels: SHIPPED_MODELS, gates };
    const limit = AbortSignal.timeout(limitMinutes * 60_000);
    const end = AbortSignal.any([this.#stop.signal, limit]);
    const finished = await trainInChildProcess(task, end, (phase, share) =>
      logger.debug({ run: id, phase, share }, 'training'),
    ).then(
      ({ version, rows, markets }) => ({
        result: 'succeeded' as const,
        modelVersion: version,
        message: [`${rows} rows of ${markets} markets`, ...(why === '' ? [] : [why])].join('; '),
      }),
      (thrown) => ({
        result: 'failed' as const,
        modelVersion: null,
        message: limit.aborted
          ? `it was ended after ${limitMinutes} minutes and changed nothing; the next training goes on from what it had finished, or raise trainingLimitMinutes`
          : asPlimsollError(thrown).message,
      }),
    );
    const run: TrainingRun = { ...open, ...finished, finishedAt: clock.now() };
    await store.recordTrainingRun(run);
    await store.appendAudit({
      at: clock.now(),
      kind: 'training',
      actor: trigger,
      subject: run.modelVersion ?? id,
      reason: run.result,
      details: { run: id, trigger, message: run.message },
    });
    if (run.modelVersion !== null) await this.#options.handOver?.(run.modelVersion);
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
  /** A run that takes longer is ended. */
  readonly limitMinutes: number;
  /** Is given each version that was made, where others are to have it. Does not throw. */
  readonly handOver?: (version: string) => Promise<void>;
}

const RECOVERED_RUNS = 20;
