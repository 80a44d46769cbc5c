import type { BarSeries, FundingSeries, MarketHistory } from '../../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import type { SeriesSummary } from '../ports.ts';
import {
  continueSample,
  FUNDING_INTERVAL_HOURS,
  firstAnchor,
  initialSampleState,
  lastClosedHour,
  SAMPLE_VENUE,
} from './generate.ts';
import { SAMPLE_MARKETS } from './markets.ts';
import { readProgress, SAMPLE_GENERATOR, type SampleProgress, writeProgress } from './progress.ts';

/** The seed of every first run, so that two people who try Plimsoll see the same market moves. */
export const SAMPLE_SEED = 3;

const FUNDING_INTERVAL_MILLISECONDS = FUNDING_INTERVAL_HOURS * HOUR_MILLISECONDS;

/** What the sample needs of the bar store. Writing rows that are there already must change nothing. */
export interface SampleStore {
  catalogue(): Promise<readonly SeriesSummary[]>;
  writeSeries(
    series: {
      readonly symbol: string;
      readonly venue: string;
      readonly kind: string;
      readonly intervalMilliseconds: number;
      readonly simulated: boolean;
    },
    rows: BarSeries | FundingSeries,
    options?: { readonly replace?: boolean },
  ): Promise<unknown>;
}

export interface SampleUpdate {
  /** True when the whole history was made (first start, lost data, another generator), false when it was extended. */
  readonly generated: boolean;
  /** Hours simulated by this call; 0 when the store was up to date. */
  readonly hours: number;
  /** Open of the first bar and close of the last, epoch milliseconds. */
  readonly anchor: number;
  readonly until: number;
}

/** True while nothing but the sample itself is stored: who has imported real markets is not shown invented ones. */
export function sampleIsWanted(catalogue: readonly SeriesSummary[]): boolean {
  return catalogue.every((series) => series.venue === SAMPLE_VENUE);
}

/**
 * Keeps the simulated markets in the bar store up to the last closed hour. The data are written before the progress:
 * a crash in between makes the next call write the same rows again.
 */
export class SampleSource {
  readonly #store: SampleStore;
  readonly #dataDir: string;
  readonly #seed: number;

  constructor(options: { readonly store: SampleStore; readonly dataDir: string; readonly seed?: number }) {
    this.#store = options.store;
    this.#dataDir = options.dataDir;
    this.#seed = options.seed ?? SAMPLE_SEED;
  }

  /**
   * Makes or extends the sample up to the last hour that was closed at `now` (epoch milliseconds). Null when real
   * data are stored: then nothing is done.
   */
  async ensure(now: number): Promise<SampleUpdate | null> {
    const catalogue = await this.#store.catalogue();
    if (!sampleIsWanted(catalogue)) return null;
    const progress = await readProgress(this.#dataDir);
    if (progress !== null && holdsAll(catalogue, progress))
      return this.#extend(progress, lastClosedHour(now));
    const anchor = progress?.anchor ?? storedAnchor(catalogue) ?? firstAnchor(now);
    return this.#generate(progress?.seed ?? this.#seed, anchor, lastClosedHour(now));
  }

  async #generate(seed: number, anchor: number, until: number): Promise<SampleUpdate> {
    const { state, histories } = continueSample({ seed, anchor, until }, initialSampleState());
    await this.#write(histories, true);
    await writeProgress(this.#dataDir, {
      generator: SAMPLE_GENERATOR,
      seed,
      anchor,
      state,
    });
    return { generated: true, hours: state.hours, anchor, until };
  }

  async #extend(progress: SampleProgress, until: number): Promise<SampleUpdate> {
    const { seed, anchor } = progress;
    const reached = anchor + progress.state.hours * HOUR_MILLISECONDS;
    // A clock that was set back asks for nothing: what was simulated stays.
    if (until <= reached) return { generated: false, hours: 0, anchor, until: reached };
    const { state, histories } = continueSample({ seed, anchor, until }, progress.state);
    await this.#write(histories, false);
    await writeProgress(this.#dataDir, {
      generator: SAMPLE_GENERATOR,
      seed,
      anchor,
      state,
    });
    return { generated: false, hours: state.hours - progress.state.hours, anchor, until };
  }

  async #write(histories: readonly MarketHistory[], replace: boolean): Promise<void> {
    for (const { symbol, bars, funding } of histories) {
      const common = { symbol, venue: SAMPLE_VENUE, simulated: true };
      const perpetual = { ...common, kind: 'perp', intervalMilliseconds: HOUR_MILLISECONDS };
      await this.#store.writeSeries(perpetual, bars, { replace });
      if (funding === null || funding.length === 0) continue;
      const intervalMilliseconds = FUNDING_INTERVAL_HOURS * HOUR_MILLISECONDS;
      await this.#store.writeSeries({ ...common, kind: 'perp-funding', intervalMilliseconds }, funding, {
        replace,
      });
    }
  }
}

/** Whether every bar and every settlement that the progress speaks of is stored, by first and last stamp and count. */
function holdsAll(catalogue: readonly SeriesSummary[], progress: SampleProgress): boolean {
  const { anchor, state } = progress;
  const reached = anchor + state.hours * HOUR_MILLISECONDS;
  const lastSettlement = Math.floor(reached / FUNDING_INTERVAL_MILLISECONDS) * FUNDING_INTERVAL_MILLISECONDS;
  return SAMPLE_MARKETS.filter((market) => market.listedAtHour < state.hours).every(
    ({ symbol, listedAtHour }) => {
      const listed = anchor + listedAtHour * HOUR_MILLISECONDS;
      const find = (kind: string) =>
        catalogue.find((series) => series.symbol === symbol && series.kind === kind);
      const bars = find('perp');
      const barsHold =
        bars !== undefined &&
        bars.from === listed &&
        bars.to >= reached - HOUR_MILLISECONDS &&
        bars.rows === (bars.to - bars.from) / HOUR_MILLISECONDS + 1;
      return barsHold && (lastSettlement <= listed || (find('perp-funding')?.to ?? 0) >= lastSettlement);
    },
  );
}

/** Where a sample starts whose progress was lost: the first bar of a market that was always listed. */
function storedAnchor(catalogue: readonly SeriesSummary[]): number | null {
  const starts = catalogue.filter((series) => series.kind === 'perp').map((series) => series.from);
  return starts.length === 0 ? null : Math.min(...starts);
}
