import type { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { ModelRegistry } from '../models/registry.ts';
import type { Clock } from './clock.ts';
import type { StateStore } from './control/ports.ts';
import type { ShadowSummary } from './control/shadow-record.ts';
import { SHADOW_ENTRIES, type ShadowStep, ShadowWatch } from './control/shadow-watch.ts';
import { asPlimsollError } from './errors.ts';
import type { Metrics } from './metrics/metrics.ts';
import { SHIPPED_MODELS, siblingUrl } from './program.ts';
import { predictorId, shadowedBy } from './registry-view.ts';
import type { ShadowAnswer, ShadowRequest, ShadowWorkerData } from './shadow-worker.ts';
import { endOfThread, startThread } from './thread.ts';
import { HOUR_MILLISECONDS } from './units.ts';

export interface ShadowScoringOptions {
  readonly store: StateStore;
  readonly registry: ModelRegistry;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dataDir: string;
  /** How long the challenger may take for one origin, its load included. */
  readonly budgetMilliseconds?: number;
}

const DEFAULT_BUDGET_MILLISECONDS = 60_000;
/** A challenger that was too slow is tried again after an hour, then two, at last once a day. */
const LONGEST_PAUSE_HOURS = 24;
/** Far beyond one origin, and what is read of the market data for it; a challenger that hangs is then ended from outside. */
const END_DEADLINE_MILLISECONDS = 20_000;

/**
 * Shadow scoring beside the decisions, in a thread of its own: told of each published book, and heard by nobody who decides.
 * A challenger that throws, hangs or answers nonsense costs its own score and nothing else.
 */
export class ShadowScoring {
  readonly #options: ShadowScoringOptions;
  #worker: Worker | undefined;
  #running: Promise<void> | undefined;
  #giveUp: (() => void) | undefined;
  #slowInARow = 0;
  #pausedUntil = 0;
  #isEnding = false;

  constructor(options: ShadowScoringOptions) {
    this.#options = options;
  }

  /** A book was published. Returns at once; while a challenger still works on the book before, this one is left out. */
  published(): void {
    void this.run();
  }

  /** One step; overlapping calls share the one that runs. Failures are counted and logged, never thrown. */
  run(): Promise<void> {
    this.#running ??= this.#step()
      .catch((thrown) => {
        const error = asPlimsollError(thrown);
        if (!this.#isEnding)
          this.#options.logger.error({ err: error }, 'shadow scoring failed; limits are not touched');
        return this.#drop();
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    this.#giveUp?.();
    await this.#running;
    await this.#drop();
  }

  async #step(): Promise<void> {
    const { registry, clock, metrics, store } = this.#options;
    const now = clock.now();
    if (this.#isEnding || now < this.#pausedUntil) return;
    if ((await registry.versionOf('challenger')) === null) {
      metrics.shadow(null);
      await this.#drop();
      return;
    }
    const answer = await this.#ask({ now });
    if (this.#isEnding) return;
    if (answer === 'slow') {
      await this.#drop();
      await this.#tooSlow(now);
      return;
    }
    if ('error' in answer) throw new Error(answer.error);
    this.#slowInARow = 0;
    if (answer.step === null) return;
    await store.putWatchEntries(answer.step.changes);
    this.#tell(answer.step);
  }

  /** The time that the challenger did not keep is on its record, as an answer that it threw would be. */
  async #tooSlow(now: number): Promise<void> {
    const { registry, store } = this.#options;
    this.#slowInARow++;
    const pause = Math.min(2 ** (this.#slowInARow - 1), LONGEST_PAUSE_HOURS);
    this.#pausedUntil = now + pause * HOUR_MILLISECONDS;
    const models = await registry.list();
    const named = (alias: 'champion' | 'challenger') =>
      models.find(({ aliases }) => aliases.includes(alias))?.manifest ?? null;
    const challenger = named('challenger');
    if (challenger === null) return;
    const watch = new ShadowWatch(await store.watchEntries(SHADOW_ENTRIES));
    const why = `it gave no answer in ${this.#budget / 1000} seconds; it is tried again in ${pause} hours`;
    const step = watch.failed(shadowedBy(named('champion')), predictorId(challenger), now, 'slow', why);
    await store.putWatchEntries(step.changes);
    this.#tell(step);
  }

  #tell({ summary }: ShadowStep): void {
    const { metrics, logger } = this.#options;
    metrics.shadow(summary);
    if (summary.lastFailure !== '')
      logger.debug({ reason: summary.lastFailure }, 'the challenger has failed');
    logger.debug(logged(summary), 'shadow scores');
  }

  /** Ends a worker, with what it has begun: the next step starts another from what is stored. */
  async #drop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker === undefined) return;
    const ended = endOfThread(worker, END_DEADLINE_MILLISECONDS);
    worker.postMessage(null);
    await ended;
  }

  get #budget(): number {
    return this.#options.budgetMilliseconds ?? DEFAULT_BUDGET_MILLISECONDS;
  }

  async #ask(request: ShadowRequest): Promise<ShadowAnswer | 'slow'> {
    this.#worker ??= await this.#start();
    const worker = this.#worker;
    return new Promise((resolve) => {
      const died = (error: Error): void => settle({ error: `its thread died: ${error.message}` });
      const ended = (code: number): void => settle({ error: `its thread ended with code ${code}` });
      const settle = (answer: ShadowAnswer | 'slow'): void => {
        clearTimeout(deadline);
        worker.off('message', settle).off('error', died).off('exit', ended);
        this.#giveUp = undefined;
        resolve(answer);
      };
      const deadline = setTimeout(() => settle('slow'), this.#budget);
      this.#giveUp = () => settle({ error: 'the service is ending' });
      worker.on('message', settle).on('error', died).on('exit', ended);
      worker.postMessage(request);
    });
  }

  async #start(): Promise<Worker> {
    const { store, dataDir } = this.#options;
    const entries = await store.watchEntries(SHADOW_ENTRIES);
    const data: ShadowWorkerData = { dataDir, shippedModels: SHIPPED_MODELS, entries };
    const worker = startThread(siblingUrl(import.meta.url, 'shadow-worker'), data);
    // One that dies between two steps is found dead by the next.
    worker.on('error', () => {});
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    return worker;
  }
}

function logged({ champion, challenger, observations, pinball, eValues, verdict }: ShadowSummary) {
  return { champion, challenger, observations, pinballRatio: pinball?.ratio ?? null, eValues, verdict };
}
