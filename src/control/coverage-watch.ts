import type { LimitBook } from '../limits/types.ts';
import type { BarSeries, MarketHistory } from '../risk/bars.ts';
import type { OriginCount } from './coverage-alarms.ts';
import type { CoverageCount } from './decision-cycle.ts';
import { type CellOfHorizon, type DueHorizon, PendingForecast } from './pending-forecast.ts';
import { type Excursion, newestCloseOf, realisedExcursion } from './realised-excursion.ts';

/** A forecast of one market and horizon beside what happened. */
export interface JudgedForecast extends DueHorizon {
  readonly symbol: string;
  /** Whether the shock model made it rather than a classical one that stood in. */
  readonly isChampion: boolean;
  readonly asOf: number;
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
    if (published !== null) this.#take(published);
    for (const history of markets) {
      const pending = this.#pending.get(history.symbol);
      if (pending === undefined) continue;
      const newestClose = newestCloseOf(history.bars);
      for (const forecast of pending)
        if (forecast.due <= newestClose) this.#judge(history.symbol, forecast, history.bars, newestClose);
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

  #take({ markets, model: champion }: LimitBook): void {
    const values = new Float64Array(markets.reduce((sum, { forecasts }) => sum + forecasts.length, 0));
    let from = 0;
    for (const { symbol, asOf, forecasts, model } of markets) {
      const newest = this.#newest.get(symbol) ?? Number.NEGATIVE_INFINITY;
      if (asOf <= newest || forecasts.length === 0) continue;
      this.#newest.set(symbol, asOf);
      const pending = this.#pending.get(symbol) ?? [];
      pending.push(new PendingForecast(asOf, model === champion, forecasts, values, from));
      this.#pending.set(symbol, pending);
      from += forecasts.length;
    }
  }

  #judge(symbol: string, forecast: PendingForecast, bars: BarSeries, newestClose: number): void {
    const { isChampion, asOf } = forecast;
    for (const { horizonHours, cells, valuesAtRisk } of forecast.takeDue(newestClose)) {
      const realised = realisedExcursion(bars, asOf, horizonHours);
      if (realised === null) continue;
      this.#counts.add(horizonHours, cells, valuesAtRisk, realised);
      if (isChampion) this.#originOf(asOf).add(horizonHours, cells, valuesAtRisk, realised);
      this.#onJudged({ symbol, isChampion, asOf, horizonHours, cells, valuesAtRisk, realised });
    }
  }

  #originOf(asOf: number): CountsByCell {
    let ofOrigin = this.#origins.get(asOf);
    if (ofOrigin === undefined) {
      ofOrigin = new CountsByCell();
      this.#origins.set(asOf, ofOrigin);
    }
    return ofOrigin;
  }
}

interface Count {
  readonly confidence: number;
  observations: number;
  exceedances: number;
}

/** Forecasts judged, by horizon and confidence. There are few of both, so they are looked for one by one. */
class CountsByCell {
  readonly #counts: { readonly horizonHours: number; readonly counts: Count[] }[] = [];

  add(
    horizonHours: number,
    cells: readonly CellOfHorizon[],
    valuesAtRisk: readonly number[],
    realised: Excursion,
  ): void {
    const counts = this.#ofHorizon(horizonHours);
    for (let i = 0; i < cells.length; i++) {
      const { side, confidence } = cells[i];
      const count = countOf(counts, confidence);
      count.observations++;
      if ((side === 'long' ? realised.long : realised.short) > valuesAtRisk[i]) count.exceedances++;
    }
  }

  all(): CoverageCount[] {
    return this.#counts.flatMap(({ horizonHours, counts }) =>
      counts.map(({ confidence, ...count }) => ({ confidence, horizonHours, ...count })),
    );
  }

  #ofHorizon(horizonHours: number): Count[] {
    for (const own of this.#counts) if (own.horizonHours === horizonHours) return own.counts;
    const counts: Count[] = [];
    this.#counts.push({ horizonHours, counts });
    return counts;
  }
}

function countOf(counts: Count[], confidence: number): Count {
  for (const count of counts) if (count.confidence === confidence) return count;
  const count = { confidence, observations: 0, exceedances: 0 };
  counts.push(count);
  return count;
}
