import type { Logger } from 'pino';
import { type ScheduledTerms, TrainingQueue } from '../data/postgres/training-queue.ts';
import type { GatePolicy } from '../training/judge/gate-policy.ts';
import { scheduleInterval } from '../training/schedule.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { StateStore, TrainingTrigger } from './control/ports.ts';
import { asPlimsollError } from './errors.ts';
import type { Metrics } from './metrics/metrics.ts';
import { ScheduledTraining, type Trainings } from './scheduled-training.ts';
import type { SharedModels } from './shared-models.ts';
import type { TrainingTerms } from './training-worker.ts';

const LOOK_MILLISECONDS = 5_000;
const LOOKED_AT = 20;

export interface SharedTrainingOptions {
  readonly queue: TrainingQueue;
  readonly store: StateStore;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limitMinutes: number;
  /** What a version must hold to be a challenger. */
  readonly gates: GatePolicy;
}

/**
 * Trainings that the leader asks for and workers make. It asks, ends what takes too long, and tells of what has ended, whoever
 * leads by then. Where the queue cannot be reached, deciding goes on and it is tried again.
 */
export class SharedTraining implements Trainings {
  readonly #options: SharedTrainingOptions;
  #schedule: string | null = null;
  #isScheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  /** Ends of trainings up to this one were told, epoch milliseconds. */
  #toldUntil: number | null = null;

  constructor(options: SharedTrainingOptions) {
    this.#options = options;
  }

  async start(schedule: string | null): Promise<void> {
    this.#schedule = schedule;
    this.#options.metrics.trainingScheduled(schedule === null ? 0 : scheduleInterval(schedule));
    this.#timer = setInterval(() => void this.look(), LOOK_MILLISECONDS);
    await this.look();
  }

  async run(trigger: TrainingTrigger = 'schedule', why = ''): Promise<void> {
    const { queue, clock, logger } = this.#options;
    // One whose time is over must not stand in the way.
    await this.look();
    try {
      const run = await queue.ask({ trigger, why, at: clock.now(), ...this.#terms() });
      if (run === null)
        logger.info({ trigger, why }, 'a training of these data is there already, or one is at work');
      else logger.info({ run, trigger, why }, 'a training was asked for');
    } catch (thrown) {
      logger.error({ trigger, err: asPlimsollError(thrown) }, 'a training could not be asked for');
    }
  }

  /** What workers are at goes on: it is for whoever leads next. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    // Whoever leads next is asked whether one is missed.
    this.#options.metrics.trainingScheduled(0);
  }

  /** Settles what is overdue and tells of what has ended, one look after the other. Failures are logged, never thrown. */
  look(): Promise<void> {
    this.#looking = this.#looking
      .then(() => this.#look())
      .catch((thrown) => {
        this.#options.logger.error(
          { err: asPlimsollError(thrown) },
          'the trainings of the workers cannot be seen',
        );
      });
    return this.#looking;
  }

  #terms(): ScheduledTerms {
    const { limitMinutes, gates } = this.#options;
    return { limitMinutes, terms: JSON.stringify({ gates } satisfies TrainingTerms) };
  }

  async #look(): Promise<void> {
    const { queue, store, metrics, clock } = this.#options;
    if (!this.#isScheduled) {
      await queue.schedule(this.#schedule, this.#terms());
      this.#isScheduled = true;
    }
    await queue.endOverdue(clock.now());
    const runs = await store.trainingRuns(LOOKED_AT);
    const ended = runs.filter(({ finishedAt }) => finishedAt !== null).reverse();
    // Those of before this process led are no news; when one last succeeded is.
    if (this.#toldUntil === null)
      metrics.trainingRecovered(ended.findLast(({ result }) => result === 'succeeded')?.finishedAt ?? null);
    else
      for (const { result, startedAt, finishedAt } of ended)
        if (finishedAt !== null && finishedAt > this.#toldUntil && result !== 'running')
          metrics.trainingFinished(result, (finishedAt - startedAt) / 1000, finishedAt);
    this.#toldUntil = Math.max(this.#toldUntil ?? 0, ...ended.map(({ finishedAt }) => finishedAt ?? 0));
  }
}

/** The queue of trainings as one that asks and does not work. @throws PlimsollError DATABASE_UNAVAILABLE, DATABASE_REFUSED. */
export function openTrainingQueue(url: string, name: string, logger: Logger): Promise<TrainingQueue> {
  return TrainingQueue.open({
    ...{ url, name, works: false },
    onFailure: (err) =>
      logger.warn({ err }, 'the queue of trainings cannot be looked after; it is tried again'),
  });
}

/**
 * @param queue of workers; null where this process trains by itself.
 * @param models what others are given of it; null where there are none.
 */
export function trainingsOf(
  queue: TrainingQueue | null,
  models: SharedModels | null,
  parts: Omit<SharedTrainingOptions, 'queue' | 'limitMinutes' | 'gates'> & { readonly config: Config },
): Trainings {
  const { config, ...own } = parts;
  const { trainingLimitMinutes: limitMinutes, dataDir, gates } = config;
  if (queue !== null) return new SharedTraining({ ...own, queue, limitMinutes, gates });
  const handOver = models === null ? {} : { handOver: (version: string) => models.share(version) };
  return new ScheduledTraining({ ...own, ...handOver, limitMinutes, dataDir, gates });
}
