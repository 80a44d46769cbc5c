import type { MarketDataReader, QualityReport } from '../../data/ports.ts';
import { asPlimsollError } from '../errors.ts';
import { type LatestFeatures, LiveFeatures } from '../features/live.ts';
import { antiProcyclicalPredictor } from '../forecast/anti-procyclical.ts';
import { requireWhole } from '../forecast/forecast-check.ts';
import { LevelTracking } from '../forecast/level-tracking.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCES,
  emptyForecast,
  type ForecastBatch,
  HORIZONS_HOURS,
  horizonIndex,
  PATHS_PER_MARKET,
  type Predictor,
  type PredictorInput,
  SIDES,
} from '../forecast/predictor.ts';
import { liquidityThatCounts } from '../limits/bounds/liquidity.ts';
import { decideBook } from '../limits/decide.ts';
import { encodeInputs } from '../limits/decision-inputs.ts';
import { type GovernanceState, inForceKey } from '../limits/governance.ts';
import { nextMoveAt } from '../limits/governor.ts';
import type { MarketInput, SourceForecast, SystemStressInput } from '../limits/market-input.ts';
import type { Policy } from '../limits/policy.ts';
import type { LimitBook } from '../limits/types.ts';
import { PROGRAM_VERSION } from '../program.ts';
import { type BarSeries, continueLineage, type MarketHistory } from '../risk/bars.ts';
import { RobustVolume } from '../risk/liquidity.ts';
import { openInterestAt } from '../risk/open-interest.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../units.ts';
import { CoverageWatch, type JudgedForecast } from './coverage-watch.ts';
import type { BookProposer, CycleFacts, Proposal } from './decision-cycle.ts';
import { type Preview, Trials } from './governance/trials.ts';
import { guardedDecision, withPrices } from './guard/guarded-decision.ts';
import { type IntrabarReport, NO_PRICES } from './guard/intrabar-guard.ts';
import { type ActivityReport, NO_ACTIVITY, withActivity } from './guard/live-activity.ts';
import { liquidityOf, marketWideOf } from './measured-inputs.ts';
import { closesOf, newestClose, newestCloseBySource } from './newest-closes.ts';
import { cellOf } from './pending-forecast.ts';
import type { LevelStore } from './ports.ts';
import { Seen } from './seen-by-decision.ts';
import { StressInputs } from './stress-inputs.ts';
import { nextClose, usableHistory } from './usable-bars.ts';

/** The traded volume that is counted on looks back this far: a month, all hours of the day and all weekdays. */
const VOLUME_LOOKBACK_HOURS = 30 * 24;
/** Stored open interest that is older is not looked at: it counts as missing, whatever the policy says. */
const OPEN_INTEREST_LOOKBACK_DAYS = 30;
/** Without a new bar a book is decided anew after this long, so that its validity never runs out by itself. */
const RENEWAL_MILLISECONDS = HOUR_MILLISECONDS;

/** The shock model in use, or why there is none. Asked each cycle: a promotion takes effect with the next book. */
export interface ChampionSource {
  champion(): Promise<{ readonly predictor: Predictor | null; readonly reason: string }>;
}

export interface DecisionEngineOptions {
  readonly reader: MarketDataReader;
  readonly judgeQuality: (history: MarketHistory, asOf: number) => QualityReport;
  readonly champion: ChampionSource;
  readonly historical: Predictor;
  readonly filtered: Predictor;
  readonly tail: Predictor;
  readonly policy: Policy;
  /** Keeps what the levels have learned over a restart. */
  readonly levels: LevelStore;
  /** Measures how long a proposal took; seconds of any monotonic clock. */
  readonly stopwatch: () => number;
}

/**
 * From stored bars to the next book: load, judge, compute features, forecast, decide. Everything but loading is a pure
 * function of what was loaded, the previous book and the time.
 */
export class DecisionEngine implements BookProposer {
  readonly #options: DecisionEngineOptions;
  readonly #coverage = new CoverageWatch((judged) => {
    this.#learn(judged);
    this.#seen.judged(judged);
  });
  readonly #seen = new Seen();
  readonly #levels = new LevelTracking();
  /** Whether the levels of an earlier process have been asked for. */
  #isRestored = false;
  /** Since the levels were last kept. */
  #hasLearned = false;
  /** Of what is loaded. */
  #fingerprint = '';
  #markets: readonly MarketHistory[] = [];
  /** When a bar that is stored, but was not known yet at the load, becomes known. */
  #nextClose = Number.POSITIVE_INFINITY;
  /** What the last proposal rested on and what came of it; null where the last one failed. */
  #decided: {
    readonly fingerprint: string;
    readonly model: string | null;
    readonly governed: string;
    readonly hash: string;
    /** When all markets were decided last; the guard's decisions renew nothing. */
    readonly renewedAt: number;
    readonly facts: Pick<CycleFacts, 'fallbackReason' | 'lastObservationBySource'>;
    /**
     * When a market may move by itself, since all were decided last: a decision of the guard for others lets what came due
     * before it wait no longer.
     */
    readonly nextMoveAt: number;
    /** It was the guard's. */
    readonly isGuarded: boolean;
  } | null = null;
  /** By symbol, as last read. */
  #stored: ReadonlyMap<string, BarSeries> = new Map();
  readonly #features = new LiveFeatures();
  readonly #stress: StressInputs;
  readonly #volume: RobustVolume;
  readonly #trials = new Trials();
  /** Behind the policy's anti-procyclical floor; null where it has none. */
  readonly #antiProcyclical: Predictor | null;

  constructor(options: DecisionEngineOptions) {
    this.#options = options;
    this.#stress = new StressInputs(options.policy.marginCallHorizonHours);
    this.#volume = new RobustVolume(VOLUME_LOOKBACK_HOURS, options.policy.volumeQuantile);
    this.#antiProcyclical = antiProcyclicalPredictor(options.policy.bounds.antiProcyclical);
  }

  async propose(
    previous: LimitBook | null,
    now: number,
    governance: GovernanceState,
    intrabar: IntrabarReport = NO_PRICES,
    systemStress: SystemStressInput | null = null,
    activity: ActivityReport = NO_ACTIVITY,
  ): Promise<Proposal | null> {
    const { reader, champion, policy, stopwatch } = this.#options;
    const started = stopwatch();
    const decidedAt = Math.max(now, previous?.decidedAt ?? now);
    const governed = inForceKey(governance, decidedAt);
    const isPublished = previous !== null && previous.hash === this.#decided?.hash;
    if (isPublished) {
      this.#coverage.delivered();
      this.#seen.delivered();
    }
    const guard = () => (isPublished ? this.#guarded(previous, now, governance, intrabar, started) : null);
    // A move that is out of bounds waits for nothing; but a second one in a row lets what is due go first.
    const urgent = this.#decided?.isGuarded === false ? guard() : null;
    if (urgent !== null) return urgent;
    const fingerprint = await reader.fingerprint();
    const { predictor, reason } = await champion.champion();
    const isSettled =
      isPublished &&
      fingerprint === this.#decided?.fingerprint &&
      (predictor?.id ?? null) === this.#decided.model &&
      governed === this.#decided.governed &&
      now < this.#nextClose &&
      now < this.#decided.nextMoveAt &&
      now - this.#decided.renewedAt < RENEWAL_MILLISECONDS;
    if (isSettled) return guard();
    this.#decided = null;
    if (fingerprint !== this.#fingerprint || now >= this.#nextClose) await this.#load(fingerprint, now);
    if (previous === null && this.#markets.length === 0) return null;
    await this.#restoreLevels();
    const markets = this.#markets;
    // First what the last book's forecasts have taught, then the new ones.
    const coverage = this.#coverage.judge(previous, markets);
    await this.#saveLevels();
    const asOf = newestClose(markets);
    const forecasts = await this.#forecast(predictor, reason, asOf);
    this.#seen.features(forecasts.features);
    const inputs = markets.map((history, m) =>
      withActivity(withPrices(this.#input(history, m, forecasts, asOf, now), intrabar), activity),
    );
    const marketWide = marketWideOf(markets, asOf, forecasts.features);
    const model = forecasts.shockModel.unavailable.every((why) => why !== '')
      ? null
      : forecasts.shockModel.predictor;
    const context = {
      policy,
      axes: { horizonsHours: HORIZONS_HOURS, confidences: CONFIDENCES },
      // A clock that went back is seen by the decision itself.
      decidedAt: now,
      model,
      governance,
      marketWide,
      ...(systemStress === null ? {} : { systemStress }),
    };
    const encoded = encodeInputs({ markets: inputs, context, program: PROGRAM_VERSION });
    const decision = { ...context, inputsHash: encoded.hash };
    const book = decideBook(inputs, previous, decision);
    this.#trials.keep(inputs, decision);
    const facts = {
      fallbackReason: model === null ? forecasts.fallbackReason : null,
      lastObservationBySource: newestCloseBySource(markets),
    };
    this.#decided = {
      ...{ fingerprint, model: predictor?.id ?? null, governed, hash: book.hash },
      ...{ renewedAt: decidedAt, facts, nextMoveAt: nextMoveAt(book, policy), isGuarded: false },
    };
    return {
      book,
      inputs: encoded,
      facts: {
        ...facts,
        coverage,
        origins: this.#coverage.origins(),
        seen: this.#seen.all(),
        seconds: stopwatch() - started,
        closes: closesOf(markets),
        liquidity: Object.fromEntries(
          inputs.map(({ symbol, liquidity }) => [
            symbol,
            liquidityThatCounts(liquidity, policy, book.decidedAt),
          ]),
        ),
      },
    };
  }

  /** See `guardedDecision`; null where no market is to be decided by itself. */
  #guarded(
    previous: LimitBook,
    now: number,
    governance: GovernanceState,
    intrabar: IntrabarReport,
    started: number,
  ): Proposal | null {
    const kept = this.#trials.kept(intrabar.urgent);
    if (kept === null || this.#decided === null) return null;
    const decision = guardedDecision(kept, intrabar, previous, { decidedAt: now, governance });
    if (decision === null) return null;
    const { book, inputs, symbols } = decision;
    const moveAt = Math.min(this.#decided.nextMoveAt, nextMoveAt(book, this.#options.policy));
    this.#decided = { ...this.#decided, hash: book.hash, nextMoveAt: moveAt, isGuarded: true };
    return {
      book,
      inputs,
      facts: {
        ...this.#decided.facts,
        ...{ coverage: [], origins: [], seen: this.#seen.all() },
        seconds: this.#options.stopwatch() - started,
        guarded: symbols,
      },
    };
  }

  /** What the last decision of all markets read. */
  get markets(): readonly MarketHistory[] {
    return this.#markets;
  }

  /** See `Trials`. */
  preview: Preview = async (book, now, trials) => this.#trials.decide(book, now, trials);

  async #load(fingerprint: string, now: number): Promise<void> {
    const openInterestFrom = now - OPEN_INTEREST_LOOKBACK_DAYS * DAY_MILLISECONDS;
    const stored = await this.#options.reader.loadMarkets({ openInterestFrom });
    for (const { symbol, bars } of stored) {
      const before = this.#stored.get(symbol);
      if (before !== undefined) continueLineage(before, bars);
    }
    this.#stored = new Map(stored.map(({ symbol, bars }) => [symbol, bars]));
    const markets = stored
      .map((history) => usableHistory(history, now))
      .filter((history) => history.bars.length > 0);
    this.#markets = markets;
    this.#nextClose = nextClose(stored, now);
    this.#fingerprint = fingerprint;
  }

  /** All forecasters on the same input. A shock model that fails is absent; the classical ones decide without it. */
  async #forecast(champion: Predictor | null, absence: string, asOf: number): Promise<Forecasts> {
    const { historical, filtered, tail } = this.#options;
    const features = this.#features.latest(this.#markets, asOf);
    const input: PredictorInput = {
      asOf: features.asOf,
      markets: this.#markets,
      features: features.values,
      featuresReady: features.ready,
    };
    const common = {
      features,
      historical: await historical.predict(input),
      filtered: await filtered.predict(input),
      tail: await tail.predict(input),
      antiProcyclical:
        (await this.#antiProcyclical?.predict(input)) ??
        this.#absent('none', asOf, 'the policy has no floor'),
    };
    if (champion === null)
      return { ...common, shockModel: this.#absent('none', asOf, absence), fallbackReason: absence };
    try {
      const shockModel = this.#levels.adjusted(requireWhole(await champion.predict(input), this.#markets));
      return { ...common, shockModel, fallbackReason: 'history_short' };
    } catch (thrown) {
      const why = asPlimsollError(thrown).message;
      return { ...common, shockModel: this.#absent(champion.id, asOf, why), fallbackReason: 'model_failed' };
    }
  }

  /** Only from the shock model's forecasts: those that a classical one made in its place say nothing about it. */
  #learn({ symbol, isChampion, asOf, horizonHours, cells, valuesAtRisk, realised }: JudgedForecast): void {
    const horizon = horizonIndex(horizonHours);
    if (!isChampion || horizon < 0) return;
    const hits = SIDES.map((side) =>
      CONFIDENCES.map((confidence) => {
        const cell = cellOf(cells, side, confidence);
        return cell >= 0 && realised[side] > valuesAtRisk[cell];
      }),
    );
    this.#levels.observe(symbol, horizon, asOf, hits);
    this.#hasLearned = true;
  }

  async #restoreLevels(): Promise<void> {
    if (this.#isRestored) return;
    const state = await this.#options.levels.load().catch(() => null);
    this.#isRestored = true;
    if (state !== null) this.#levels.restore(state);
  }

  async #saveLevels(): Promise<void> {
    if (!this.#hasLearned) return;
    this.#hasLearned = false;
    await this.#options.levels.save(this.#levels.state()).catch(() => {});
  }

  #absent(id: string, asOf: number, reason: string): ForecastBatch {
    const symbols = this.#markets.map((history) => history.symbol);
    // An empty reason would say that the zeros are a forecast.
    return {
      ...emptyForecast(id, asOf, symbols),
      unavailable: symbols.map(() => reason || 'no reason given'),
    };
  }

  #input(history: MarketHistory, m: number, forecasts: Forecasts, asOf: number, now: number): MarketInput {
    const { policy, judgeQuality } = this.#options;
    const { bars } = history;
    const newest = bars.openTime[bars.length - 1] + bars.intervalMilliseconds;
    const quality = judgeQuality(history, asOf);
    return {
      symbol: history.symbol,
      simulated: history.simulated,
      asOf: newest,
      quality: quality.grade,
      qualityFindings: quality.findings.map((finding) => finding.detail),
      historyDays: (asOf - bars.openTime[0]) / DAY_MILLISECONDS,
      stale: now - newest > policy.staleAfterHours * HOUR_MILLISECONDS,
      shockModel: sourceOf(forecasts.shockModel, m),
      historical: sourceOf(forecasts.historical, m),
      filtered: sourceOf(forecasts.filtered, m),
      tail: sourceOf(forecasts.tail, m),
      antiProcyclical: sourceOf(forecasts.antiProcyclical, m),
      // Not as of the bar: what is known by now of a market whose bars are late tightens it all the same.
      openInterest: openInterestAt(history.openInterest, now),
      stress: this.#stress.of(bars),
      liquidity: liquidityOf(this.#volume.hourly(bars, asOf), forecasts.features, m),
    };
  }
}

interface Forecasts {
  readonly features: LatestFeatures;
  readonly historical: ForecastBatch;
  readonly filtered: ForecastBatch;
  readonly tail: ForecastBatch;
  readonly antiProcyclical: ForecastBatch;
  readonly shockModel: ForecastBatch;
  readonly fallbackReason: string;
}

function sourceOf(batch: ForecastBatch, m: number): SourceForecast {
  const cells = [m * CELLS_PER_MARKET, (m + 1) * CELLS_PER_MARKET] as const;
  const paths = [m * PATHS_PER_MARKET, (m + 1) * PATHS_PER_MARKET] as const;
  return {
    predictor: batch.predictor,
    unavailable: batch.unavailable[m],
    valueAtRisk: batch.valueAtRisk.subarray(...cells),
    expectedShortfall: batch.expectedShortfall.subarray(...cells),
    shockThreshold: batch.shockThreshold.subarray(...paths),
    shockProbability: batch.shockProbability.subarray(...paths),
  };
}
