import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client';
import { type CoverageCount, type CycleFacts, decidedMarkets } from '../control/decision-cycle.ts';
import type { Pair, ShadowSummary } from '../control/shadow-record.ts';
import { CONFIDENCES, HORIZONS_HOURS } from '../forecast/predictor.ts';
import { BOUND_NAMES, type LimitBook, type MarketLimit } from '../limits/types.ts';
import { DAY_MILLISECONDS } from '../units.ts';
import { AccessMetrics } from './access-metrics.ts';
import { AccountMetrics } from './account-metrics.ts';
import { CHANGE_RATIOS, REQUEST_SECONDS } from './buckets.ts';
import { ForecastMetrics } from './forecast-metrics.ts';
import { GovernanceMetrics, type MetricMaker } from './governance-metrics.ts';
import { IntakeMetrics } from './intake-metrics.ts';
import { METHODS, MISNAMED_DEFAULTS, SOURCES, sourceLabel, WITHOUT_VALUE } from './labels.ts';
import { OPEN_METRICS_TYPE, openMetricsOf } from './open-metrics.ts';
import { StorageMetrics } from './storage-metrics.ts';
import { StoreMetrics } from './store-metrics.ts';

const PREFIX = 'plimsoll_';
const SECONDS = 1000;

/** Why the classical predictors decide. Anything else is counted under "other", so that labels stay bounded. */
export const FALLBACK_REASONS = [
  'no_champion',
  'model_damaged',
  'model_failed',
  'history_short',
  'other',
] as const;
export type FallbackReason = (typeof FALLBACK_REASONS)[number];

export interface MetricsOptions {
  /** Markets that get a series of their own; all others are in distributions only. */
  readonly watchList: readonly string[];
  readonly version: string;
}

export interface MetricDescription {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

/** What no event tells: asked for when the metrics are read. */
export interface LiveState {
  readonly isDegraded: boolean;
  readonly auditEntries: number;
}

/** Every metric of Plimsoll. Base units; labels from closed lists, each known value starting at 0. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #watched: ReadonlySet<string>;
  /** Top leverage a day ago and at the first book seen, by watched market. */
  readonly #dayAgo = new Map<string, { at: number; leverage: number }[]>();
  readonly #baseline = new Map<string, number>();

  readonly #maker: MetricMaker = {
    counter: (name, help, label) => {
      const counter = this.#counter(name, help, [label]);
      return (value, by) => counter.inc({ [label]: value }, by);
    },
    gauge: (name, help, label) => {
      const gauge = this.#gauge(name, help, [label]);
      return (value, level) => gauge.set({ [label]: value }, level);
    },
    levels: (name, help, labels) => {
      const gauge = this.#gauge(name, help, [...labels]);
      return { set: (of, level) => gauge.set(of, level), reset: () => gauge.reset() };
    },
  };
  readonly governance = new GovernanceMetrics(this.#maker);
  readonly accounts = new AccountMetrics(this.#maker);
  readonly access = new AccessMetrics(this.#maker);
  readonly store = new StoreMetrics(this.#maker);
  readonly storage = new StorageMetrics(this.#maker);
  readonly forecasts = new ForecastMetrics(this.#maker);
  readonly #requests = this.#histogram(
    'http_request_duration_seconds',
    'Time to answer a request',
    REQUEST_SECONDS,
    ['route', 'method', 'code'],
  );
  readonly #decisions = this.#counter('decisions_total', 'Decision cycles by outcome', ['outcome']);
  readonly #moves = this.#counter(
    'limit_moves_total',
    'Decisions of a market by the direction its limit moved',
    ['direction'],
  );
  readonly #leverage = this.#gauge('limit_leverage_ratio', 'Top leverage of a watched market', ['symbol']);
  readonly #drift = this.#gauge(
    'limit_drift_ratio',
    'Top leverage of a watched market over what it was a day ago, or at the first book since the start',
    ['symbol', 'against'],
  );
  readonly #change = this.#histogram(
    'limit_change_ratio',
    'Top leverage of a market over that of the book before, all markets',
    CHANGE_RATIOS,
    [],
  );
  readonly #binding = this.#gauge('binding_bound_markets', 'Markets by the bound that binds', ['bound']);
  readonly #published = this.#gauge(
    'limits_last_published_timestamp_seconds',
    'When the book in force was decided',
    [],
  );
  readonly #validUntil = this.#gauge(
    'limits_valid_until_timestamp_seconds',
    'When the validity of the book in force ends',
    [],
  );
  readonly #degraded = this.#gauge(
    'limits_degraded',
    '1 while the limits in force are degraded or expired, or none are',
    [],
  );
  readonly #markets = this.#gauge('limits_markets', 'Markets in the book in force', []);
  readonly #observed = this.#gauge(
    'data_last_observation_timestamp_seconds',
    'Close of the newest bar of a source; time of the newest mark price, open interest or order book that counts',
    ['source'],
  );
  readonly #rejected = this.#counter(
    'data_rejected_total',
    'Markets whose data were rejected in a decision, and prices, open interest and order books that had no effect',
    ['source', 'reason'],
  );
  readonly intake = new IntakeMetrics(
    (source, at) => this.#observed.set({ source }, at / SECONDS),
    (source, reason, count) => this.#rejected.inc({ source, reason }, count),
  );
  readonly #dueForecasts = this.#counter('forecast_observations_total', 'Published forecasts that came due', [
    'confidence',
    'horizon',
  ]);
  readonly #exceedances = this.#counter(
    'forecast_exceedances_total',
    'Published forecasts whose VaR was exceeded',
    ['confidence', 'horizon'],
  );
  readonly #shock = this.#gauge(
    'shock_probability',
    'Probability that an excursion eats the initial margin at the cap, worse side, of a watched market',
    ['symbol'],
  );
  readonly #model = this.#gauge('model_info', 'The shock model in use; the value is 1', [
    'name',
    'version',
    'alias',
  ]);
  readonly #trained = this.#gauge(
    'model_trained_timestamp_seconds',
    'When the shock model in use was trained',
    [],
  );
  readonly #runs = this.#counter('training_runs_total', 'Training runs by result', ['result']);
  readonly #lastTraining = this.#gauge(
    'training_last_success_timestamp_seconds',
    'End of the last training run that succeeded; 0 for none',
    [],
  );
  readonly #trainingInterval = this.#gauge(
    'training_interval_seconds',
    'Longest time between two scheduled trainings; 0 where none are scheduled',
    [],
  );
  readonly #trainingSeconds = this.#gauge(
    'training_duration_seconds',
    'Duration of the last training run',
    [],
  );
  readonly #audit = this.#counter('audit_entries_total', 'Entries of the audit chain', []);
  readonly #auditFailures = this.#counter(
    'audit_verification_failures_total',
    'Verifications of the chains that failed',
    [],
  );
  readonly #verified = this.#gauge(
    'audit_verified_timestamp_seconds',
    'When the chains were last found to hold; 0 for not since the start',
    [],
  );
  readonly #fallback = this.#gauge(
    'fallback_active',
    '1 while the classical predictors decide for this reason',
    ['reason'],
  );
  readonly #shadowObservations = this.#gauge(
    'shadow_observations',
    'Live forecasts on which challenger and champion were both scored',
    [],
  );
  readonly #shadowScore = this.#gauge('shadow_score', 'Mean score of live forecasts; lower is better', [
    'score',
    'forecaster',
  ]);
  readonly #shadowExceedances = this.#gauge(
    'shadow_exceedance_ratio',
    'Share of live forecasts whose VaR was exceeded, over what the confidences ask for',
    ['forecaster'],
  );
  readonly #shadowEvidence = this.#gauge(
    'shadow_e_value',
    'Evidence that the challenger is worse or better than the champion; 20 is significant at 5 % at any time',
    ['direction'],
  );
  readonly #shadowFailures = this.#gauge(
    'shadow_failures',
    'Origins that the challenger in the shadow did not forecast, by reason',
    ['reason'],
  );
  readonly #cycleSeconds = this.#gauge('decision_duration_seconds', 'Time that the last proposal took', []);
  readonly #info = this.#gauge('build_info', 'The program; the value is 1', ['version']);

  constructor(options: MetricsOptions) {
    this.#watched = new Set(options.watchList);
    this.#info.set({ version: options.version }, 1);
    for (const outcome of ['published', 'failed']) this.#decisions.inc({ outcome }, 0);
    for (const direction of ['initial', 'tighten', 'loosen', 'hold']) this.#moves.inc({ direction }, 0);
    for (const source of SOURCES) this.#rejected.inc({ source, reason: 'quality' }, 0);
    for (const bound of BOUND_NAMES) this.#binding.set({ bound }, 0);
    for (const reason of FALLBACK_REASONS) this.#fallback.set({ reason }, 0);
    for (const result of ['succeeded', 'failed']) this.#runs.inc({ result }, 0);
    for (const confidence of CONFIDENCES) {
      for (const horizon of HORIZONS_HOURS) {
        this.#dueForecasts.inc({ confidence: String(confidence), horizon: String(horizon) }, 0);
        this.#exceedances.inc({ confidence: String(confidence), horizon: String(horizon) }, 0);
      }
    }
    // Names of the default metrics with a suffix that the format reserves are left out by their own list.
    collectDefaultMetrics({ register: this.#registry, prefix: PREFIX });
    for (const name of MISNAMED_DEFAULTS) this.#registry.removeSingleMetric(PREFIX + name);
  }

  /** @param live what changes without an event: read at the scrape itself. */
  async scrape(
    live: LiveState,
    isOpenMetrics = false,
  ): Promise<{ readonly text: string; readonly contentType: string }> {
    this.#degraded.set(live.isDegraded ? 1 : 0);
    this.#audit.reset();
    this.#audit.inc(live.auditEntries);
    const text = (await this.#registry.metrics()).replaceAll(WITHOUT_VALUE, '');
    if (isOpenMetrics) return { text: openMetricsOf(text), contentType: OPEN_METRICS_TYPE };
    return { text, contentType: this.#registry.contentType };
  }

  /** Every metric there can be, whether it has a value yet or not. */
  described(): readonly MetricDescription[] {
    return this.#registry.getMetricsAsArray().map((metric) => {
      const { name, help, type, labelNames = [] } = metric as unknown as MetricDescription;
      return { name, help, type, labelNames };
    });
  }

  observeRequest(route: string, method: string, code: number, seconds: number): void {
    this.#requests.observe(
      { route, method: METHODS.has(method) ? method : 'other', code: String(code) },
      seconds,
    );
  }

  bookPublished(book: LimitBook, previous: LimitBook | null, facts: CycleFacts): void {
    this.#decisions.inc({ outcome: 'published' });
    this.#cycleSeconds.set(facts.seconds);
    this.bookInForce(book);
    const before = new Map(
      previous?.markets.map((market) => [market.symbol, market.brackets[0].maxLeverage]),
    );
    for (const market of decidedMarkets(book, facts)) {
      this.#moves.inc({ direction: market.governor.move });
      const formerly = before.get(market.symbol);
      if (formerly !== undefined) this.#change.observe(market.brackets[0].maxLeverage / formerly);
      if (market.quality === 'reject') this.#rejected.inc({ source: sourceLabel(book), reason: 'quality' });
    }
    this.#fallbackIs(facts.fallbackReason);
    for (const [source, at] of Object.entries(facts.lastObservationBySource))
      this.#observed.set({ source }, at / SECONDS);
    for (const count of facts.coverage) this.#coverage(count);
  }

  /** What holds of a book whether it was just decided or recovered from the store. */
  bookInForce(book: LimitBook): void {
    this.#published.set(book.decidedAt / SECONDS);
    this.#validUntil.set(book.validUntil / SECONDS);
    this.#markets.set(book.markets.length);
    const binding = new Map<string, number>(BOUND_NAMES.map((name) => [name, 0]));
    for (const market of book.markets) {
      binding.set(market.bindingBound, (binding.get(market.bindingBound) ?? 0) + 1);
      if (this.#watched.has(market.symbol))
        this.#watch(market.symbol, market.brackets[0].maxLeverage, book.decidedAt);
      if (this.#watched.has(market.symbol)) {
        this.#shockOf(market);
      }
    }
    for (const [bound, markets] of binding) this.#binding.set({ bound }, markets);
  }

  decisionFailed(): void {
    this.#decisions.inc({ outcome: 'failed' });
  }

  /** No shock model decides. */
  noModelInUse(): void {
    this.#model.reset();
  }

  modelInUse(name: string, version: string, trainedAt: number): void {
    this.#model.reset();
    this.#model.set({ name, version, alias: 'champion' }, 1);
    this.#trained.set(trainedAt / SECONDS);
  }

  /** What the service knew of trainings when it started. @param lastSuccessAt epoch milliseconds; null for none. */
  trainingRecovered(lastSuccessAt: number | null): void {
    if (lastSuccessAt !== null) this.#lastTraining.set(lastSuccessAt / SECONDS);
  }

  trainingScheduled(intervalSeconds: number): void {
    this.#trainingInterval.set(intervalSeconds);
  }

  trainingFinished(result: 'succeeded' | 'failed', seconds: number, at: number): void {
    this.#runs.inc({ result });
    this.#trainingSeconds.set(seconds);
    if (result === 'succeeded') this.#lastTraining.set(at / SECONDS);
  }

  /** How the challenger does beside the champion; null where there is none. */
  shadow(summary: ShadowSummary | null): void {
    const scores = [this.#shadowScore, this.#shadowExceedances, this.#shadowEvidence, this.#shadowFailures];
    for (const gauge of scores) gauge.reset();
    this.#shadowObservations.set(summary?.observations ?? 0);
    if (summary === null) return;
    const { pinball, fz0, eValues, failures, cells } = summary;
    const pairs: readonly [string, Pair | null][] = [
      ['pinball', pinball],
      ['fz0', fz0],
    ];
    for (const forecaster of ['champion', 'challenger'] as const) {
      for (const [score, pair] of pairs)
        if (pair !== null) this.#shadowScore.set({ score, forecaster }, pair[forecaster]);
      const expected = cells.reduce((sum, cell) => sum + (1 - cell.confidence) * cell.observations, 0);
      const exceeded = cells.reduce((sum, cell) => sum + cell.exceedances[forecaster], 0);
      if (expected > 0) this.#shadowExceedances.set({ forecaster }, exceeded / expected);
    }
    for (const direction of ['worse', 'better'] as const)
      this.#shadowEvidence.set({ direction }, eValues[direction]);
    for (const [reason, count] of Object.entries(failures)) this.#shadowFailures.set({ reason }, count);
  }

  /** @param at epoch milliseconds. */
  verified(at: number): void {
    this.#verified.set(at / SECONDS);
  }

  verificationFailed(): void {
    this.#auditFailures.inc();
  }

  /** A market without a forecast has no probability: its series ends rather than keeps an old value. */
  #shockOf({ symbol, shockProbability: { long, short } }: MarketLimit): void {
    if (long === null || short === null) this.#shock.remove({ symbol });
    else this.#shock.set({ symbol }, Math.max(long, short));
  }

  #fallbackIs(reason: string | null): void {
    const known = FALLBACK_REASONS.find((candidate) => candidate === reason) ?? 'other';
    for (const label of FALLBACK_REASONS)
      this.#fallback.set({ reason: label }, reason !== null && label === known ? 1 : 0);
  }

  #coverage({ confidence, horizonHours, observations, exceedances }: CoverageCount): void {
    const labels = { confidence: String(confidence), horizon: String(horizonHours) };
    this.#dueForecasts.inc(labels, observations);
    this.#exceedances.inc(labels, exceedances);
  }

  #watch(symbol: string, leverage: number, at: number): void {
    this.#leverage.set({ symbol }, leverage);
    const baseline = this.#baseline.get(symbol) ?? leverage;
    this.#baseline.set(symbol, baseline);
    const past = (this.#dayAgo.get(symbol) ?? []).filter((entry) => at - entry.at <= DAY_MILLISECONDS);
    past.push({ at, leverage });
    this.#dayAgo.set(symbol, past);
    this.#drift.set({ symbol, against: 'day' }, leverage / past[0].leverage);
    this.#drift.set({ symbol, against: 'baseline' }, leverage / baseline);
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name: PREFIX + name, help, labelNames, registers: [this.#registry] });
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: Label[]): Gauge<Label> {
    return new Gauge({ name: PREFIX + name, help, labelNames, registers: [this.#registry] });
  }

  #histogram<Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: Label[],
  ): Histogram<Label> {
    return new Histogram({ name: PREFIX + name, help, buckets, labelNames, registers: [this.#registry] });
  }
}
