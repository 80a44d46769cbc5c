import type { LimitBook } from '../../src/limits/types.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import type { Invariant } from './invariants/invariant.ts';
import { unless } from './invariants/of-books.ts';
import type { TrueBar } from './weather.ts';

const HORIZON_HOURS = 4;
const SIDES = ['long', 'short'] as const;

interface Pending {
  readonly symbol: string;
  readonly asOf: number;
  readonly price: number;
  /** By side. */
  readonly valueAtRisk: readonly number[];
  readonly initialMargin: number;
  lowest: number;
  highest: number;
}

/** How often what really happened was worse than what was published. */
export interface ExceedanceCounts {
  readonly observations: number;
  /** Of the 99 % VaR over four hours. */
  readonly ofForecasts: number;
  /** Of the initial margin at the top leverage over the same hours. */
  readonly ofMargins: number;
}

/** Holds published books against the true prices, whatever the service was told of them. */
export class Exceedances {
  #pending: Pending[] = [];
  #observations = 0;
  #ofForecasts = 0;
  #ofMargins = 0;

  /** A market was decided on a true bar: its forecast and its margin count from here. */
  published(book: LimitBook, symbol: string, bar: TrueBar): void {
    const market = book.markets.find((one) => one.symbol === symbol);
    const asOf = bar.openTime + HOUR_MILLISECONDS;
    if (market?.asOf !== asOf) return;
    const valueAtRisk = SIDES.flatMap((side) =>
      market.forecasts
        .filter(
          (cell) => cell.side === side && cell.horizonHours === HORIZON_HOURS && cell.confidence === 0.99,
        )
        .map((cell) => cell.valueAtRisk),
    );
    if (valueAtRisk.length !== SIDES.length) return;
    const initialMargin = market.brackets[0].initialMarginRatePpm / 1e6;
    const price = bar.close;
    this.#pending.push({ symbol, asOf, price, valueAtRisk, initialMargin, lowest: price, highest: price });
  }

  /** Another hour of a market is over. */
  happened(symbol: string, bar: TrueBar): void {
    for (const one of this.#pending) {
      if (one.symbol !== symbol || bar.openTime < one.asOf) continue;
      one.lowest = Math.min(one.lowest, bar.low);
      one.highest = Math.max(one.highest, bar.high);
      if (bar.openTime + HOUR_MILLISECONDS === one.asOf + HORIZON_HOURS * HOUR_MILLISECONDS) this.#judge(one);
    }
    const kept = ({ asOf }: Pending) =>
      asOf + HORIZON_HOURS * HOUR_MILLISECONDS > bar.openTime + HOUR_MILLISECONDS;
    this.#pending = this.#pending.filter((one) => one.symbol !== symbol || kept(one));
  }

  #judge({ price, lowest, highest, valueAtRisk, initialMargin }: Pending): void {
    for (const [s, loss] of [1 - lowest / price, highest / price - 1].entries()) {
      this.#observations++;
      if (loss > valueAtRisk[s]) this.#ofForecasts++;
      if (loss > initialMargin) this.#ofMargins++;
    }
  }

  counts(): ExceedanceCounts {
    return { observations: this.#observations, ofForecasts: this.#ofForecasts, ofMargins: this.#ofMargins };
  }
}

/** Four hours overlap, markets move together and storms come in bunches: fewer say nothing about a rate. */
const LEAST_OBSERVATIONS = 50_000;
/** The target is 1 %. */
const MOST_OF_FORECASTS = 0.02;
const MOST_OF_MARGINS = 0.01;

export const EXCEEDANCE_INVARIANT: Invariant<ExceedanceCounts> = {
  name: 'exceedances-stay-in-bound',
  sentence:
    'Over a year the 99 % VaR of four hours is exceeded by at most 2 % of what happens, and the initial margin at the top leverage by at most 1 %.',
  faults: ({ observations, ofForecasts, ofMargins }) =>
    observations < LEAST_OBSERVATIONS
      ? []
      : [
          ...unless(
            ofForecasts / observations <= MOST_OF_FORECASTS,
            `${ofForecasts} of ${observations} losses were above their VaR`,
          ),
          ...unless(
            ofMargins / observations <= MOST_OF_MARGINS,
            `${ofMargins} of ${observations} losses were above their initial margin`,
          ),
        ],
};
