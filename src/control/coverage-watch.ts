import type { LimitBook, MarketLimit } from '../limits/types.ts';
import type { BarSeries, MarketHistory } from '../risk/bars.ts';
import type { OriginCount } from './coverage-alarms.ts';
import type { CoverageCount } from './decision-cycle.ts';
import { type JudgedCell, PendingForecast } from './pending-forecast.ts';
import { type Excursion, realisedExcursion } from './realised-excursion.ts';

/** A forecast of one market and horizon beside what happened. */
export interface JudgedForecast {
  readonly symbol: string;
  /** Whether the shock model made it rather than a classical one that stood in. */
  readonly isChampion: boolean;
  readonly asOf: number;
  readonly horizonHours: number;
  /** Those of this horizon. */
  readonly cells: readonly JudgedCell[];
  readonly realised: Excursion;
}

/**
 * Compares every published forecast with what then happened: as soon as a market's bars of a horizon are there, the
 * realised adverse excursion is held against the VaR of that time. Each forecast is judged once, whenever the bars come;
 * where a bar of the horizon is missing it cannot be judged and is left out.
 */
export class CoverageWatch {
  readonly #pending = new Map<string, PendingForecast[]>();
  /** By market: the newest origin taken in. A book decided anew on the same bars repeats the forecasts before. */
  readonly #newest = new Map<string, number>();
  #counts = new CountsByCell();
  /** By origin. */
  readonly #origins = new Map<number, CountsByCell>();
  readonly #onJudged: (judged: JudgedForecast) => void;

  /** @param onJudged is told of each forecast when it has been judged, the older before the newer of a market. */
  constructor(onJudged: (judged: JudgedForecast) => void = () => {}) {
    this.#onJudged = onJudged;
  }

  /**
   * Takes in a published book's forecasts, then judges what has come due.
   *
   * @returns counts by confidence and horizon since they were last `delivered`.
   */
  judge(published: LimitBook | null, markets: readonly MarketHistory[]): readonly CoverageCount[] {
    for (const market of published?.markets ?? []) this.#take(market, published?.model ?? null);
    for (const history of markets) {
      const pending = this.#pending.get(history.symbol);
      if (pending === undefined) continue;
      for (const forecast of pending) this.#judge(history.symbol, forecast, history.bars);
      while (pending.length > 0 && pending[0].due === Number.POSITIVE_INFINITY) pending.shift();
    }
    return this.#counts.all();
  }

  /** The same by origin, of the shock model's own forecasts. */
  origins(): readonly OriginCount[] {
    return [...this.#origins].flatMap(([asOf, counts]) => counts.all().map((count) => ({ asOf, ...count })));
  }

  /** The counts have reached those who add them up. */
  delivered(): void {
    this.#origins.clear();
    this.#counts = new CountsByCell();
  }

  #take({ symbol, asOf, forecasts, model }: MarketLimit, champion: string | null): void {
    if (asOf <= (this.#newest.get(symbol) ?? Number.NEGATIVE_INFINITY) || forecasts.length === 0) return;
    this.#newest.set(symbol, asOf);
    const pending = this.#pending.get(symbol) ?? [];
    pending.push(new PendingForecast(asOf, model === champion, forecasts));
    this.#pending.set(symbol, pending);
  }

  #judge(symbol: string, forecast: PendingForecast, bars: BarSeries): void {
    const { isChampion, asOf } = forecast;
    const newestClose = bars.length === 0 ? asOf : bars.openTime[bars.length - 1] + bars.intervalMilliseconds;
    if (newestClose < forecast.due) return;
    for (const horizonHours of forecast.takeDue(newestClose)) {
      const realised = realisedExcursion(bars, asOf, horizonHours);
      if (realised === null) continue;
      const cells = forecast.cells(horizonHours);
      for (const cell of cells) {
        this.#count(cell, realised);
        if (isChampion) this.#countOrigin(asOf, cell, realised);
      }
      this.#onJudged({ symbol, isChampion, asOf, horizonHours, cells, realised });
    }
  }

  #countOrigin(
    asOf: number,
    { confidence, horizonHours, side, valueAtRisk }: JudgedCell,
    realised: Excursion,
  ): void {
    const ofOrigin = entryOf(this.#origins, asOf, () => new CountsByCell());
    ofOrigin.add(confidence, horizonHours, realised[side] > valueAtRisk);
  }

  #count({ confidence, horizonHours, side, valueAtRisk }: JudgedCell, realised: Excursion): void {
    this.#counts.add(confidence, horizonHours, realised[side] > valueAtRisk);
  }
}

/** Forecasts judged, by horizon and confidence. */
class CountsByCell {
  readonly #counts = new Map<number, Map<number, { observations: number; exceedances: number }>>();

  add(confidence: number, horizonHours: number, isExceeded: boolean): void {
    const ofHorizon = entryOf(this.#counts, horizonHours, () => new Map());
    const count = entryOf(ofHorizon, confidence, () => ({ observations: 0, exceedances: 0 }));
    count.observations++;
    if (isExceeded) count.exceedances++;
  }

  all(): CoverageCount[] {
    return [...this.#counts].flatMap(([horizonHours, ofHorizon]) =>
      [...ofHorizon].map(([confidence, count]) => ({ confidence, horizonHours, ...count })),
    );
  }
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let entry = map.get(key);
  if (entry === undefined) {
    entry = make();
    map.set(key, entry);
  }
  return entry;
}
