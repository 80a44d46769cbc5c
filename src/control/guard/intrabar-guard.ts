import type { GuardPolicy } from '../../limits/guard-policy.ts';
import { type GuardedSides, intrabarMove, publishedSides } from '../../limits/intrabar.ts';
import type { IntrabarInput } from '../../limits/market-input.ts';
import type { LimitBook, MarketLimit } from '../../limits/types.ts';
import { type BarClose, PriceWindow } from './price-window.ts';
import type { MarkPrice, PriceCode, PriceIntake } from './prices.ts';

/** What the guard has to say to a decision: plain data, it goes to the worker. */
export interface IntrabarReport {
  /** The prices of each market that has any since its newest bar. */
  readonly prices: ReadonlyMap<string, IntrabarInput>;
  /** Markets whose move is out of bounds and not decided on. */
  readonly urgent: readonly string[];
}

export const NO_PRICES: IntrabarReport = { prices: new Map(), urgent: [] };

/** Is told what became of prices, and how many of each. */
export interface PriceObserver {
  pricesTaken(newestAt: number | null, rejected: ReadonlyMap<PriceCode, number>): void;
}

interface Guarded {
  readonly window: PriceWindow;
  sides: GuardedSides | null;
  horizonsHours: readonly number[];
  /** How far beyond its bound the move was that is in the book; 1 for none. */
  decided: number;
  /** The same in the decision that is being made. */
  asked: number;
  asOf: number | null;
}

/**
 * Watches mark prices between bars. A move beyond what was forecast for its time asks for a decision at once; the
 * decision itself is made where all are made, and judges the same prices again.
 */
export class IntrabarGuard implements PriceIntake {
  readonly #policy: GuardPolicy;
  readonly #observer: PriceObserver | undefined;
  readonly #markets = new Map<string, Guarded>();
  readonly #listeners = new Set<() => void>();

  constructor(policy: GuardPolicy, observer?: PriceObserver) {
    this.#policy = policy;
    this.#observer = observer;
  }

  /** Is told when a market must not wait for its next bar. */
  onUrgent(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  take(prices: readonly (MarkPrice | null)[], now: number): readonly (PriceCode | null)[] {
    const rejected = new Map<PriceCode, number>();
    let newestAt: number | null = null;
    let isUrgent = false;
    const codes = prices.map((price) => {
      const code = price === null ? 'PRICE_INVALID' : this.#take(price, now);
      if (code !== null) rejected.set(code, (rejected.get(code) ?? 0) + 1);
      else if (price !== null) {
        newestAt = Math.max(newestAt ?? price.at, price.at);
        const market = this.#markets.get(price.symbol);
        isUrgent ||= market !== undefined && this.#isUrgent(market);
      }
      return code;
    });
    this.#observer?.pricesTaken(newestAt, rejected);
    if (isUrgent) for (const listener of this.#listeners) listener();
    return codes;
  }

  /** Takes up what was believed before a start, of markets whose bar is known. The next decision judges it. */
  restore(prices: readonly MarkPrice[]): void {
    for (const price of prices) this.#markets.get(price.symbol)?.window.restore(price);
  }

  /** The newest price that is believed of a market; null while none is known. */
  markOf(symbol: string): MarkPrice | null {
    const mark = this.#markets.get(symbol)?.window.mark() ?? null;
    return mark === null ? null : { symbol, price: mark.price, at: mark.at };
  }

  /** For the next decision. */
  report(): IntrabarReport {
    const prices = new Map<string, IntrabarInput>();
    const urgent: string[] = [];
    for (const [symbol, market] of this.#markets) {
      const input = market.window.input();
      market.asked = 1;
      if (input === null) continue;
      prices.set(symbol, input);
      if (!this.#isUrgent(market)) continue;
      market.asked = this.#ratioOf(market, input);
      urgent.push(symbol);
    }
    return { prices, urgent };
  }

  /**
   * A book is in force.
   *
   * @param closes where the bars of its markets ended; absent where none were read for it.
   */
  published(book: LimitBook, closes?: Readonly<Record<string, BarClose>>): void {
    const before = new Map(this.#markets);
    this.#markets.clear();
    for (const market of book.markets) {
      const guarded = before.get(market.symbol) ?? newGuarded();
      this.#markets.set(market.symbol, guarded);
      this.#follow(guarded, market, closes?.[market.symbol]);
    }
  }

  #take(price: MarkPrice, now: number): PriceCode | null {
    const market = this.#markets.get(price.symbol);
    return market === undefined ? 'MARKET_UNKNOWN' : market.window.take(price, now, this.#policy);
  }

  #follow(guarded: Guarded, { forecasts, boundState, asOf }: MarketLimit, close: BarClose | undefined): void {
    guarded.sides = publishedSides(forecasts, this.#policy);
    guarded.horizonsHours = [...new Set(forecasts.map(({ horizonHours }) => horizonHours))];
    if (close !== undefined) guarded.window.follow(close, this.#policy);
    const state = boundState?.intrabar;
    const isSameBar = guarded.asOf === asOf;
    guarded.decided = Math.max(
      isSameBar ? Math.max(guarded.decided, guarded.asked) : 1,
      state !== undefined && state.since >= asOf ? state.ratio : 1,
    );
    guarded.asked = 1;
    guarded.asOf = asOf;
  }

  /** What the decision that is being made was told counts as decided. */
  #isUrgent(market: Guarded): boolean {
    const known = Math.max(market.decided, market.asked);
    const ratio = this.#ratioOf(market, market.window.input());
    return ratio > known * (known > 1 ? this.#policy.stepRatio : 1);
  }

  #ratioOf({ sides, horizonsHours }: Guarded, input: IntrabarInput | null): number {
    if (input === null || sides === null) return 1;
    return Math.max(intrabarMove(input, sides, horizonsHours, this.#policy).ratio, 1);
  }
}

function newGuarded(): Guarded {
  return { window: new PriceWindow(), sides: null, horizonsHours: [], decided: 1, asked: 1, asOf: null };
}
