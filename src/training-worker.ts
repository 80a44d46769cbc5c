import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { BEAT_SECONDS } from '../data/postgres/jobs.ts';
import type { SharedRun, TakenJob, TrainingQueue } from '../data/postgres/training-queue.ts';
import type { ModelRegistry } from '../models/registry.ts';
import { DEFAULT_EVERY_HOURS } from '../training/job.ts';
import type { GatePolicy } from '../training/judge/gate-policy.ts';
import type { Recipe } from '../training/pieces.ts';
import { DEFAULT_MODEL_OPTIONS } from '../training/train.ts';
import { dataDiffer } from '../training/window.ts';
import type { OpenedWindow } from '../training/window-process.ts';
import { WindowWork } from '../training/window-work.ts';
import type { Clock } from './clock.ts';
import type { TrainingRun } from './control/ports.ts';
import { asPlimsollError, PlimsollError } from './errors.ts';
import { featureSpecHash } from './features/spec.ts';
import type { WorkerMetrics } from './metrics/worker-metrics.ts';
import { PROGRAM_VERSION, SHIPPED_MODELS } from './program.ts';

export interface TrainingWorkerOptions {
  readonly queue: TrainingQueue;
  readonly registry: ModelRegistry;
  /** Takes over from the database what was trained and promoted elsewhere: the gates hold a version against the champion of today. */
  readonly refreshModels: () => Promise<void>;
  /** Whether this process still has its name to itself. */
  readonly hasName: () => boolean;
  readonly metrics: WorkerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly name: string;
  readonly dataDir: string;
}

/** What whoever asks for a training holds its result to. */
export interface TrainingTerms {
  readonly gates: GatePolicy;
}

/** What every piece of a run is made of, and by what. */
interface Plan {
  readonly program: string;
  readonly features: string;
  readonly backend: string;
  readonly window: string;
  readonly recipe: Recipe;
  readonly pieces: readonly string[];
}

const LOOK_MILLISECONDS = 1_000;
const MOST_REFUSED = 100;
/** Another try, here or elsewhere, would say the same. */
const FINAL_CODES: readonly string[] = ['DATA_INSUFFICIENT', 'CONFLICT', 'ESTIMATE_UNAVAILABLE'];
/** Another worker may say otherwise. */
const REFUSAL_CODES: readonly string[] = ['DATA_DIFFERS', 'CONFIG_INVALID'];

/**
 * Takes jobs of trainings, one after the other, until it is stopped. What it is in the midst of when it dies is made by another; what it
 * has handed over is never made again. Failures are told, never thrown.
 */
export class TrainingWorker {
  readonly #options: TrainingWorkerOptions;
  readonly #stopping = new AbortController();
  /** Runs whose data or program are not ours. */
  readonly #refused: string[] = [];
  #running: Promise<void> | null = null;
  #taken: TakenJob | null = null;
  #work: WindowWork | null = null;
  /** What `#work` has open. */
  #open: { readonly run: string; readonly opened: OpenedWindow } | null = null;

  constructor(options: TrainingWorkerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#loop();
  }

  /** What runs is given up, and goes back to the others at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#endWork();
    await this.#running;
    await this.#endWork();
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const isBusy = await this.#once().catch((thrown) => {
        this.#options.logger.error(
          { err: asPlimsollError(thrown) },
          'no job could be taken; it is tried again',
        );
        return false;
      });
      if (!isBusy) await wait(LOOK_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** @returns whether the next job may be taken at once. */
  async #once(): Promise<boolean> {
    const { queue, clock, hasName, metrics } = this.#options;
    if (!hasName()) return false;
    for (const run of await queue.endOverdue(clock.now())) this.#tell(run);
    const taken = await queue.take(this.#refused);
    if (taken === null) {
      // A gigabyte is not kept for a run that is over.
      if (this.#open !== null && !(await this.#isAtWork(this.#open.run))) await this.#endWork();
      return false;
    }
    metrics.busy(true);
    this.#taken = taken;
    const beat = setInterval(() => void this.#beat(taken), BEAT_SECONDS * 1000);
    try {
      await this.#do(taken);
      return true;
    } catch (thrown) {
      await this.#failed(taken, asPlimsollError(thrown));
      return false;
    } finally {
      clearInterval(beat);
      this.#taken = null;
      metrics.busy(false);
    }
  }

  async #do(taken: TakenJob): Promise<void> {
    const { queue } = this.#options;
    const { job } = taken;
    if (job.kind === 'due') {
      const { limitMinutes, terms } = job;
      const run = await queue.ask({ trigger: 'schedule', why: '', at: taken.sentAt, limitMinutes, terms });
      if (run !== null) this.#options.logger.info({ run }, 'a training is due');
      await queue.done(taken);
      return;
    }
    const run = await queue.run(job.run);
    // It has ended meanwhile.
    if (run === null || !run.isAtWork) await queue.done(taken);
    else if (job.kind === 'plan') await this.#plan(taken, run);
    else if (job.kind === 'piece') await this.#piece(taken, run, job.name);
    else await this.#assemble(taken, run);
  }

  async #plan(taken: TakenJob, { run, windowEnd }: SharedRun): Promise<void> {
    const { queue, logger } = this.#options;
    const recipe: Recipe = {
      seeds: DEFAULT_MODEL_OPTIONS.seeds,
      symbols: null,
      to: windowEnd,
      everyHours: DEFAULT_EVERY_HOURS,
      maximumEpochs: DEFAULT_MODEL_OPTIONS.fit.maximumEpochs,
    };
    const { window, symbols, backend, pieces } = await this.#opened(run, recipe);
    const plan: Plan = { ...ours(), ...{ backend, window, pieces }, recipe: { ...recipe, symbols } };
    await queue.open(run, JSON.stringify(plan), pieces);
    await queue.done(taken);
    logger.info({ run, pieces: pieces.length, markets: symbols.length, window }, 'a training was planned');
  }

  async #piece(taken: TakenJob, shared: SharedRun, name: string): Promise<void> {
    const { queue, metrics, clock, logger, name: worker } = this.#options;
    const { run } = shared;
    const plan = await this.#agreed(shared);
    const startedAt = clock.now();
    const bytes = await this.#process().make(name);
    const seconds = (clock.now() - startedAt) / 1000;
    await this.#persist(() => queue.keep(taken, { run, name, worker, bytes }, plan.pieces.length));
    metrics.pieceMade(seconds);
    logger.info({ run, piece: name, seconds }, 'a piece of a training was made');
  }

  async #assemble(taken: TakenJob, shared: SharedRun): Promise<void> {
    const { queue, registry, clock, dataDir, refreshModels } = this.#options;
    const { run } = shared;
    const { gates } = JSON.parse(shared.terms) as TrainingTerms;
    const { recipe, window } = await this.#agreed(shared);
    await refreshModels();
    const task = { dataDir, shippedModels: SHIPPED_MODELS, gates, recipe, window };
    const { version, isChallenger, rows, markets } = await this.#process().assemble(task, queue.pieces(run));
    const made = {
      version: await registry.filesOf(version),
      aliases: await registry.aliases(),
      isChallenger,
    };
    await this.#persist(async () => {
      const ended = await queue.succeed(run, made, `${rows} rows of ${markets} markets`, clock.now());
      if (ended !== null) this.#tell(ended);
    });
    await queue.done(taken);
    await this.#endWork();
  }

  /** The plan of a run, with its window open. @throws PlimsollError DATA_DIFFERS, CONFIG_INVALID where it is not for this worker. */
  async #agreed({ run, plan: text }: SharedRun): Promise<Plan> {
    const plan = JSON.parse(text ?? '{}') as Plan;
    const { program, features } = ours();
    if (plan.program !== program || plan.features !== features)
      throw notOurs(`it was planned by Plimsoll ${plan.program}, and this is ${program}`);
    const { window, backend } = await this.#opened(run, plan.recipe);
    if (backend !== plan.backend)
      throw notOurs(`it is computed with ${plan.backend}, and this has ${backend}`);
    if (window === plan.window) return plan;
    throw dataDiffer(window, plan.window);
  }

  async #opened(run: string, recipe: Recipe): Promise<OpenedWindow> {
    if (this.#open?.run === run && this.#work?.isAlive() === true) return this.#open.opened;
    this.#open = null;
    const opened = await this.#process().open(this.#options.dataDir, recipe);
    this.#open = { run, opened };
    return opened;
  }

  #process(): WindowWork {
    if (this.#work?.isAlive() !== true) this.#work = new WindowWork();
    return this.#work;
  }

  async #endWork(): Promise<void> {
    const work = this.#work;
    this.#work = null;
    this.#open = null;
    await work?.end();
  }

  /** A job of a run that is over, or that somebody else has by now, is not worked on. */
  async #beat(taken: TakenJob): Promise<void> {
    const { queue, logger } = this.#options;
    const { job } = taken;
    try {
      const isOurs = await queue.beat(taken);
      if (isOurs && (job.kind === 'due' || (await this.#isAtWork(job.run)))) return;
      // It may have come to its end meanwhile.
      if (this.#taken !== taken) return;
      logger.warn({ job }, 'a job is given up: its run is over, or another worker has it');
      await this.#endWork();
    } catch (thrown) {
      logger.warn({ err: asPlimsollError(thrown) }, 'the queue could not be told that a job is worked on');
    }
  }

  async #isAtWork(run: string): Promise<boolean> {
    return (await this.#options.queue.run(run))?.isAtWork ?? false;
  }

  async #failed(taken: TakenJob, error: PlimsollError): Promise<void> {
    const { queue, clock, metrics, logger } = this.#options;
    const { job, isLastTry } = taken;
    const run = job.kind === 'due' ? null : job.run;
    const isStopping = this.#stopping.signal.aborted;
    if (run !== null && REFUSAL_CODES.includes(error.code)) {
      this.#refused.push(run);
      this.#refused.splice(0, this.#refused.length - MOST_REFUSED);
      metrics.refused();
      logger.warn({ job, err: error }, 'a training is left to other workers');
    } else if (isStopping) logger.info({ job }, 'a job goes back to the others');
    else logger.error({ job, err: error }, 'a job of a training failed');
    const isOver = FINAL_CODES.includes(error.code) || (isLastTry && !isStopping);
    try {
      if (run !== null && isOver) {
        const ended = await queue.fail(run, error.message, clock.now());
        if (ended !== null) this.#tell(ended);
      }
      await queue.giveBack(taken, error);
    } catch (thrown) {
      // Its lease comes to an end by itself.
      logger.error({ err: asPlimsollError(thrown) }, 'a job could not be given back');
    }
  }

  /** What was made is not thrown away because the database is away for a while. */
  async #persist(hand: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      try {
        await hand();
        return;
      } catch (thrown) {
        if (signal.aborted || asPlimsollError(thrown).code !== 'DATABASE_UNAVAILABLE') throw thrown;
      }
      await wait(LOOK_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    }
  }

  #tell({ id, result, modelVersion, message, startedAt }: TrainingRun): void {
    const { clock, metrics, logger } = this.#options;
    const hasSucceeded = result === 'succeeded';
    logger[hasSucceeded ? 'info' : 'error']({ run: id, result, modelVersion, message }, 'training ended');
    metrics.trainingEnded(hasSucceeded ? 'succeeded' : 'failed', (clock.now() - startedAt) / 1000);
  }
}

function ours(): Pick<Plan, 'program' | 'features'> {
  return { program: PROGRAM_VERSION, features: featureSpecHash() };
}

function notOurs(why: string): PlimsollError {
  return new PlimsollError('CONFIG_INVALID', `a training is not for this worker: ${why}`, {
    remedy: 'Run the same release with the same packages on all workers.',
  });
}
