import { ACTIVITY_CODES, type ActivityCode } from '../control/guard/live-activity.ts';
import { PRICE_CODES, type PriceCode } from '../control/guard/prices.ts';
import { ACTIVITY, PRICES } from './labels.ts';

type Source = typeof PRICES | typeof ACTIVITY;

/** What is told live of markets: how new the newest of it is, and what of it has no effect. */
export class IntakeMetrics {
  readonly #observed: (source: Source, at: number) => void;
  readonly #rejected: (source: Source, reason: string, count: number) => void;

  /** @param observed takes epoch milliseconds. */
  constructor(
    observed: (source: Source, at: number) => void,
    rejected: (source: Source, reason: string, count: number) => void,
  ) {
    this.#observed = observed;
    this.#rejected = rejected;
    this.pricesTaken(null, new Map(PRICE_CODES.map((code) => [code, 0])));
    this.activityTaken(null, new Map(ACTIVITY_CODES.map((code) => [code, 0])));
  }

  /** Prices that came in: the newest that counts, and how many do not. */
  pricesTaken(newestAt: number | null, rejected: ReadonlyMap<PriceCode, number>): void {
    if (newestAt !== null) this.#observed(PRICES, newestAt);
    for (const [code, count] of rejected) this.#rejected(PRICES, code.toLowerCase(), count);
  }

  /** Open interest and order books that came in: the newest that counts, and how many do not. */
  activityTaken(newestAt: number | null, rejected: ReadonlyMap<ActivityCode, number>): void {
    if (newestAt !== null) this.#observed(ACTIVITY, newestAt);
    for (const [code, count] of rejected) this.#rejected(ACTIVITY, code.toLowerCase(), count);
  }
}
