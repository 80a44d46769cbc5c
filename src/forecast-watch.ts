import type { Logger } from 'pino';
import type { ModelManifest } from '../models/manifest.ts';
import type { ModelRegistry } from '../models/registry.ts';
import type { Clock } from './clock.ts';
import { type CoverageAlarmState, newAlarms, withOrigins } from './control/coverage-alarms.ts';
import { type CoverageReport, coverageReport } from './control/coverage-report.ts';
import type { CycleFacts } from './control/decision-cycle.ts';
import {
  type DriftState,
  driftReport,
  newDrift,
  type SeenByDecision,
  withSeen,
} from './control/drift-watch.ts';
import type { StateStore, TrainingTrigger } from './control/ports.ts';
import { type AnsweredCauses, type StoredMarket, trainingCauses } from './control/training-triggers.ts';
import { asPlimsollError } from './errors.ts';
import type { LimitBook } from './limits/types.ts';
import type { Metrics } from './metrics/metrics.ts';
import { predictorId } from './registry-view.ts';
import { HOUR_MILLISECONDS } from './units.ts';

const ALARMS = 'coverage/alarms';
const DRIFT = 'drift/days';
const ANSWERED = 'training/answered';

export interface ForecastWatchOptions {
  readonly store: StateStore;
  readonly registry: ModelRegistry;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is stored of market data. */
  readonly catalogue: () => Promise<readonly StoredMarket[]>;
  /** Starts a training; null where none is to be started by itself. */
  readonly train: ((trigger: TrainingTrigger, why: string) => void) | null;
  /** Least hours between the start of any training and one that is triggered. */
  readonly triggerHours: number;
}

/**
 * Watches the published forecasts: alarms of coverage that are valid at any time, kept over a restart, and the trainings that
 * they and new markets start. Reads what was decided and changes nothing of it.
 */
export class ForecastWatch {
  readonly #options: ForecastWatchOptions;
  #alarms: CoverageAlarmState | null = null;
  #drift: DriftState | null = null;
  #drifted: readonly string[] = [];
  #answered: AnsweredCauses = { model: '', causes: [] };
  #isRestored = false;
  #last: Promise<void> = Promise.resolve();

  constructor(options: ForecastWatchOptions) {
    this.#options = options;
  }

  /** One book after the other. Failures are logged, never thrown. */
  published(book: LimitBook, facts: CycleFacts): Promise<void> {
    this.#last = this.#last
      .then(() => this.#watch(book, facts))
      .catch((thrown) => {
        // What is in memory may be ahead of what is stored.
        this.#isRestored = false;
        this.#options.logger.error(
          { err: asPlimsollError(thrown) },
          'the watch of forecasts failed; limits are not touched',
        );
      });
    return this.#last;
  }

  /** What is known of the forecasts now, once what runs has come to its end. @throws what the store throws. */
  report(): Promise<CoverageReport> {
    const made = this.#last.then(() => this.#report());
    this.#last = made.then(
      () => {},
      () => {},
    );
    return made;
  }

  /** Lets what runs come to its end. */
  stop(): Promise<void> {
    return this.#last;
  }

  async #watch({ model, asOf }: LimitBook, { origins, seen }: CycleFacts): Promise<void> {
    const { store, clock, metrics } = this.#options;
    await this.#restore();
    if (model === null) return;
    const before = this.#alarms?.model === model ? this.#alarms : newAlarms(model);
    const alarms = withOrigins(before, origins, asOf, clock.now());
    if (origins.length > 0 || before !== this.#alarms)
      await store.putWatchEntries([{ name: ALARMS, body: JSON.stringify(alarms) }]);
    this.#alarms = alarms;
    metrics.forecasts.coverage(alarms);
    this.#logNew(before, alarms);
    const manifest = await this.#manifestOf(model);
    if (manifest === null) return;
    await this.#watchDrift(model, manifest, seen, asOf);
    await this.#trigger(model, manifest);
  }

  async #report(): Promise<CoverageReport> {
    await this.#restore();
    const manifest = this.#alarms === null ? null : await this.#manifestOf(this.#alarms.model);
    return coverageReport(this.#alarms, this.#drift, manifest?.reference ?? null);
  }

  async #watchDrift(
    model: string,
    { reference }: ModelManifest,
    seen: SeenByDecision,
    asOf: number,
  ): Promise<void> {
    this.#drifted = [];
    if (reference === undefined) return;
    const before = this.#drift?.model === model ? this.#drift : newDrift(model);
    const isEmpty = seen.features.length === 0 && seen.horizons.length === 0;
    const drift = isEmpty ? before : withSeen(before, reference, seen, asOf);
    if (drift !== this.#drift)
      await this.#options.store.putWatchEntries([{ name: DRIFT, body: JSON.stringify(drift) }]);
    this.#drift = drift;
    const report = driftReport(drift, reference);
    this.#options.metrics.forecasts.drift(report);
    this.#drifted = report?.drifted ?? [];
  }

  async #restore(): Promise<void> {
    if (this.#isRestored) return;
    const { store } = this.#options;
    const bodyOf = async (name: string): Promise<string | null> =>
      (await store.watchEntries(name)).find((entry) => entry.name === name)?.body ?? null;
    const [alarms, drift, answered] = [await bodyOf(ALARMS), await bodyOf(DRIFT), await bodyOf(ANSWERED)];
    if (drift !== null) this.#drift = JSON.parse(drift) as DriftState;
    if (alarms !== null) this.#alarms = JSON.parse(alarms) as CoverageAlarmState;
    if (answered !== null) this.#answered = JSON.parse(answered) as AnsweredCauses;
    this.#isRestored = true;
  }

  #logNew(before: CoverageAlarmState, after: CoverageAlarmState): void {
    for (const [
      i,
      { horizonHours, confidence, observations, exceedances, alarmedAt },
    ] of after.tiers.entries()) {
      for (const direction of ['exceeded', 'overstated'] as const) {
        if (alarmedAt[direction] === null || before.tiers[i].alarmedAt[direction] !== null) continue;
        const facts = { horizonHours, confidence, observations, exceedances, model: after.model };
        this.#options.logger.warn(
          facts,
          `coverage was lost: VaR is ${direction === 'exceeded' ? 'exceeded too often' : 'overstated'}`,
        );
      }
    }
  }

  /** At most one training, and not soon after another, whatever started that. */
  async #trigger(model: string, { data }: ModelManifest): Promise<void> {
    const { train, triggerHours, store, clock, logger } = this.#options;
    if (train === null || triggerHours === 0) return;
    const trained = { model, markets: data.markets, simulated: data.simulated };
    const stored = await this.#options.catalogue();
    const causes = trainingCauses(trained, this.#alarms, stored, this.#drifted, this.#answered);
    if (causes.length === 0) return;
    const [newest] = await store.trainingRuns(1);
    if (newest !== undefined && clock.now() - newest.startedAt < triggerHours * HOUR_MILLISECONDS) return;
    const known = this.#answered.model === model ? this.#answered.causes : [];
    // One training sees all of them.
    this.#answered = { model, causes: [...known, ...causes.map(({ name }) => name)] };
    await store.putWatchEntries([{ name: ANSWERED, body: JSON.stringify(this.#answered) }]);
    const why = causes
      .map(({ words }) => words)
      .join('; ')
      .slice(0, 500);
    logger.info({ trigger: causes[0].trigger, why }, 'a training is triggered');
    train(causes[0].trigger, why);
  }

  /** Null where the model is no longer the champion. */
  async #manifestOf(model: string): Promise<ModelManifest | null> {
    const version = await this.#options.registry.versionOf('champion');
    if (version === null) return null;
    const manifest = await this.#options.registry.manifest(version);
    return predictorId(manifest) === model ? manifest : null;
  }
}
