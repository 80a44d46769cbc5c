import type { GuardPolicy } from '../../limits/guard-policy.ts';
import type { IntrabarInput } from '../../limits/market-input.ts';
import { HOUR_MILLISECONDS } from '../../units.ts';
import type { MarkPrice, PriceCode } from './prices.ts';

/** Where a market's newest bar ended. */
export interface BarClose {
  /** Epoch milliseconds. */
  readonly asOf: number;
  readonly price: number;
}

type Extremes = Pick<IntrabarInput, 'lowestPrice' | 'lowestAt' | 'highestPrice' | 'highestAt'>;
type Price = Pick<MarkPrice, 'price' | 'at'>;

/** Clocks of two machines differ by less. */
export const CLOCK_TOLERANCE_MILLISECONDS = 5_000;

/**
 * The believed prices of one market since its newest bar closed, as far as they were the lowest or the highest. What is
 * known of the last whole hour is kept apart, so that a bar that is decided on seconds after its close loses none of them.
 */
export class PriceWindow {
  #bar: BarClose | null = null;
  #extremes: Extremes | null = null;
  #hour: (Extremes & { readonly start: number }) | null = null;
  #last: Price | null = null;
  #held: Price | null = null;

  /** Takes a price in, unless something speaks against it. */
  take(price: Price, now: number, policy: GuardPolicy): PriceCode | null {
    const code = this.#against(price, now, policy);
    if (code !== null) return code;
    this.#believe(price);
    return null;
  }

  /** Takes up a price that was believed before a start. One that is not newer than all that is known changes nothing. */
  restore({ price, at }: Price): void {
    if (this.#bar === null || at <= this.#bar.asOf || (this.#last !== null && at <= this.#last.at)) return;
    this.#believe({ price, at });
  }

  /** From here on prices follow this bar. One that contradicts the last price takes it back: bars are checked data. */
  follow(bar: BarClose, { heldAboveRatio }: GuardPolicy): void {
    if (this.#bar?.asOf === bar.asOf && this.#bar.price === bar.price) return;
    this.#bar = bar;
    const last = this.#last !== null && this.#last.at >= bar.asOf ? this.#last : null;
    if (last === null || ratioOf(last.price, bar.price) > heldAboveRatio) {
      this.#extremes = null;
      this.#hour = null;
      if (last !== null) this.#last = null;
    } else {
      const isOfHour = this.#hour !== null && this.#hour.start >= bar.asOf;
      this.#extremes = isOfHour ? this.#hour : widened(null, last);
    }
  }

  /** The newest price that is believed: the last one since the bar closed, otherwise that close. Null while no bar is known. */
  mark(): Price | null {
    if (this.#bar === null) return null;
    const { asOf: at, price } = this.#bar;
    return this.#last !== null && this.#last.at >= at ? this.#last : { price, at };
  }

  /** Null while no price is known since the bar closed. */
  input(): IntrabarInput | null {
    if (this.#bar === null || this.#extremes === null) return null;
    const { lowestPrice, lowestAt, highestPrice, highestAt } = this.#extremes;
    const { asOf: since, price: referencePrice } = this.#bar;
    return { since, referencePrice, lowestPrice, lowestAt, highestPrice, highestAt };
  }

  #believe(price: Price): void {
    this.#held = null;
    this.#last = price;
    this.#extremes = widened(this.#extremes, price);
    const start = price.at - (price.at % HOUR_MILLISECONDS);
    this.#hour = { start, ...widened(this.#hour?.start === start ? this.#hour : null, price) };
  }

  #against({ price, at }: Price, now: number, policy: GuardPolicy): PriceCode | null {
    const bar = this.#bar;
    if (!(price > 0 && Number.isFinite(price)) || !Number.isSafeInteger(at)) return 'PRICE_INVALID';
    if (bar === null) return 'PRICE_UNJUDGED';
    if (at > now + CLOCK_TOLERANCE_MILLISECONDS) return 'PRICE_FUTURE';
    const last = this.#last;
    if (last !== null && at === last.at && price === last.price) return 'PRICE_REPEATED';
    if (now - at > policy.staleAfterSeconds * 1000) return 'PRICE_STALE';
    if (at < bar.asOf || (last !== null && at <= last.at)) return 'PRICE_OUT_OF_ORDER';
    const before = last !== null && last.at >= bar.asOf ? last.price : bar.price;
    const ratio = ratioOf(price, before);
    if (ratio > policy.refusedAboveRatio) return 'PRICE_IMPLAUSIBLE';
    if (ratio > policy.heldAboveRatio && !this.#isConfirmed({ price, at }, policy)) return 'PRICE_HELD';
    return null;
  }

  /** Whether the price that is held and this one say the same, far enough apart; if not, one of them is held on. */
  #isConfirmed(price: Price, { heldAboveRatio, confirmSeconds, staleAfterSeconds }: GuardPolicy): boolean {
    const held = this.#held;
    const seconds = held === null ? 0 : (price.at - held.at) / 1000;
    const isAlike =
      held !== null &&
      seconds >= 0 &&
      seconds <= staleAfterSeconds &&
      ratioOf(price.price, held.price) <= heldAboveRatio;
    if (!isAlike) this.#held = price;
    return isAlike && seconds >= confirmSeconds;
  }
}

function ratioOf(a: number, b: number): number {
  return Math.max(a / b, b / a);
}

function widened(extremes: Extremes | null, { price, at }: Price): Extremes {
  const isLowest = extremes === null || price < extremes.lowestPrice;
  const isHighest = extremes === null || price > extremes.highestPrice;
  return {
    lowestPrice: isLowest ? price : extremes.lowestPrice,
    lowestAt: isLowest ? at : extremes.lowestAt,
    highestPrice: isHighest ? price : extremes.highestPrice,
    highestAt: isHighest ? at : extremes.highestAt,
  };
}
