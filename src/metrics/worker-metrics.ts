import { Counter, collectDefaultMetrics, Gauge, Registry } from '@prometheus-io/client';
import { MISNAMED_DEFAULTS, WITHOUT_VALUE } from './labels.ts';

const PREFIX = 'plimsoll_';
const RESULTS = ['succeeded', 'failed'] as const;

/** The metrics of a process that trains and does nothing else: none of those of limits, which would stand at 0 here. */
export class WorkerMetrics {
  readonly #registry = new Registry();
  readonly #busy = this.#gauge('worker_busy', '1 while the worker has a job');
  readonly #pieces = this.#counter('worker_pieces_total', 'Pieces of trainings that this worker made');
  readonly #pieceSeconds = this.#counter('worker_piece_seconds_total', 'Time that it took for them');
  readonly #refusals = this.#counter(
    'worker_refused_total',
    'Trainings that were left to others: their bars or their program are not those of this worker',
  );
  readonly #ended = this.#counter(
    'worker_trainings_total',
    'Trainings that came to their end at this worker, by result',
    ['result'],
  );
  readonly #seconds = this.#gauge(
    'worker_training_duration_seconds',
    'Duration of the last of them, from when it was asked for',
  );
  readonly #info = this.#gauge('build_info', 'The program; the value is 1', ['version']);

  constructor(version: string) {
    this.#info.set({ version }, 1);
    for (const result of RESULTS) this.#ended.inc({ result }, 0);
    collectDefaultMetrics({ register: this.#registry, prefix: PREFIX });
    for (const name of MISNAMED_DEFAULTS) this.#registry.removeSingleMetric(PREFIX + name);
  }

  async scrape(): Promise<{ readonly text: string; readonly contentType: string }> {
    const text = (await this.#registry.metrics()).replaceAll(WITHOUT_VALUE, '');
    return { text, contentType: this.#registry.contentType };
  }

  /** Names of all of them. */
  names(): readonly string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name);
  }

  busy(isBusy: boolean): void {
    this.#busy.set(isBusy ? 1 : 0);
  }

  pieceMade(seconds: number): void {
    this.#pieces.inc();
    this.#pieceSeconds.inc(seconds);
  }

  refused(): void {
    this.#refusals.inc();
  }

  trainingEnded(result: (typeof RESULTS)[number], seconds: number): void {
    this.#ended.inc({ result });
    this.#seconds.set(seconds);
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> {
    return new Gauge({ name: PREFIX + name, help, labelNames, registers: [this.#registry] });
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[] = []): Counter<Label> {
    return new Counter({ name: PREFIX + name, help, labelNames, registers: [this.#registry] });
  }
}
