import type { MarketDataReader, SeriesSummary } from '../../data/ports.ts';
import { PlimsollError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';
import { type BarSeries, emptyBars, type MarketHistory, sliceBars } from '../../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import type { TrueBar } from './weather.ts';

/** How a bar can be wrong. Those of the second list look like prices: only other data can show that they are none. */
const IMPOSSIBLE = ['nan', 'negative', 'zero', 'crossed', 'infiniteVolume', 'offGrid'] as const;
const PLAUSIBLE = ['replayed', 'scaledUp', 'scaledDown', 'wick', 'standstill', 'future'] as const;
export type BarLie = (typeof IMPOSSIBLE)[number] | (typeof PLAUSIBLE)[number];

/** Per market and hour. */
const LIE_PROBABILITY = 1 / 250;
const GAP_PROBABILITY = 1 / 300;
const STALL_PROBABILITY = 1 / 900;
/** Per hour. */
const VENUE_STALL_PROBABILITY = 1 / 700;
const UNREADABLE_PROBABILITY = 1 / 400;
/** Of lies that look like prices. One of a hundred times the price would stay the worst that ever happened. */
const MENDED_SHARE = 0.9;
const ALWAYS_MENDED: ReadonlySet<BarLie> = new Set([...IMPOSSIBLE, 'scaledUp', 'scaledDown', 'wick']);

interface Stored {
  readonly symbol: string;
  /** Room for all bars that may come; the first `length` are stored. */
  bars: BarSeries;
  length: number;
  isListed: boolean;
  /** Nothing comes before this time. */
  stalledUntil: number;
  /** Bars that were held back, oldest first. */
  late: TrueBar[];
  /** True bars that a lie stands for, and when they take its place. */
  mending: { readonly at: number; readonly bar: TrueBar; readonly lieOpenTime: number }[];
}

/** What the service can read of the markets: mostly what really happened. Stored in the order of time, as a bar store does. */
export class SimulatedSource implements MarketDataReader {
  readonly #random: Random;
  readonly #capacity: number;
  readonly #stored = new Map<string, Stored>();
  readonly lies = new Map<string, number>();
  #edition = 0;
  #isUnreadable = false;
  #venueStalledUntil = 0;

  constructor(seed: number, capacityBars: number) {
    this.#random = Random.stream(seed, 'source');
    this.#capacity = capacityBars;
  }

  list(symbol: string): void {
    const known = this.#stored.get(symbol);
    if (known !== undefined) known.isListed = true;
    else
      this.#stored.set(symbol, {
        ...{ symbol, bars: emptyBars(this.#capacity, HOUR_MILLISECONDS), length: 0, isListed: true },
        ...{ stalledUntil: 0, late: [], mending: [] },
      });
    this.#edition++;
  }

  delist(symbol: string): void {
    const known = this.#stored.get(symbol);
    if (known !== undefined) known.isListed = false;
    this.#edition++;
  }

  isListed(symbol: string): boolean {
    return this.#stored.get(symbol)?.isListed ?? false;
  }

  /** A bar of the past: as it was. */
  begin(symbol: string, bar: TrueBar): void {
    this.#put(this.#of(symbol), bar);
  }

  /** An hour has closed: what the venue makes of it. */
  close(bars: ReadonlyMap<string, TrueBar>, now: number): void {
    const random = this.#random;
    this.#isUnreadable = random.uniform() < UNREADABLE_PROBABILITY;
    if (random.uniform() < VENUE_STALL_PROBABILITY) {
      this.#venueStalledUntil = now + (1 + random.integer(12)) * HOUR_MILLISECONDS;
      this.#told('stall of the venue');
    }
    for (const [symbol, bar] of bars) this.#close(this.#of(symbol), bar, now);
  }

  #close(stored: Stored, bar: TrueBar, now: number): void {
    const random = this.#random;
    for (const { bar: truth, lieOpenTime } of stored.mending.filter(({ at }) => at <= now)) {
      if (lieOpenTime !== truth.openTime) this.#remove(stored, lieOpenTime);
      this.#put(stored, truth);
    }
    stored.mending = stored.mending.filter(({ at }) => at > now);
    if (random.uniform() < STALL_PROBABILITY) {
      stored.stalledUntil = now + (1 + random.integer(60)) * HOUR_MILLISECONDS;
      this.#told('stall');
    }
    if (now < Math.max(stored.stalledUntil, this.#venueStalledUntil)) {
      stored.late.push(bar);
      return;
    }
    if (stored.late.length > 0) {
      if (random.uniform() < 0.8) for (const late of stored.late) this.#put(stored, late);
      else this.#told('gap');
      stored.late = [];
    }
    if (random.uniform() < GAP_PROBABILITY) this.#told('gap');
    else if (random.uniform() < LIE_PROBABILITY) this.#lie(stored, bar, now);
    else this.#put(stored, bar);
  }

  #lie(stored: Stored, truth: TrueBar, now: number): void {
    const random = this.#random;
    const isImpossible = random.uniform() < 0.5;
    const kinds: readonly BarLie[] = isImpossible ? IMPOSSIBLE : PLAUSIBLE;
    const kind = kinds[random.integer(kinds.length)];
    const lie = this.#lieOf(kind, stored, truth);
    this.#put(stored, lie);
    this.#told(kind);
    if (!ALWAYS_MENDED.has(kind) && random.uniform() >= MENDED_SHARE) return;
    const at = now + (1 + random.integer(isImpossible ? 6 : 48)) * HOUR_MILLISECONDS;
    stored.mending.push({ at, bar: truth, lieOpenTime: lie.openTime });
  }

  #lieOf(kind: BarLie, { bars, length }: Stored, bar: TrueBar): TrueBar {
    const { openTime, open, high, low, close } = bar;
    const times = (factor: number): TrueBar => ({
      ...{ openTime, quoteVolume: bar.quoteVolume },
      ...{ open: open * factor, high: high * factor, low: low * factor, close: close * factor },
    });
    switch (kind) {
      case 'nan':
        return { ...bar, close: Number.NaN };
      case 'negative':
        return times(-1);
      case 'zero':
        return times(0);
      case 'crossed':
        return { ...bar, high: low, low: high * 1.01 };
      case 'infiniteVolume':
        return { ...bar, quoteVolume: Number.POSITIVE_INFINITY };
      case 'offGrid':
        return { ...bar, openTime: openTime + 60_000 };
      case 'replayed':
        return length === 0 ? bar : { ...barAt(bars, length - 1), openTime };
      case 'scaledUp':
        return times(100);
      case 'scaledDown':
        return times(0.01);
      case 'wick':
        return { ...bar, high: high * 3, low: low / 3 };
      case 'standstill':
        return { ...bar, high: open, low: open, close: open, quoteVolume: 0 };
      case 'future':
        return { ...bar, openTime: openTime + 5 * HOUR_MILLISECONDS };
    }
  }

  #told(what: string): void {
    this.lies.set(what, (this.lies.get(what) ?? 0) + 1);
  }

  #of(symbol: string): Stored {
    const stored = this.#stored.get(symbol);
    if (stored === undefined) throw new Error(`${symbol} is not listed`);
    return stored;
  }

  /** One bar a time: a later one takes the place of an earlier one. */
  #put(stored: Stored, bar: TrueBar): void {
    this.#edition++;
    const { bars, length } = stored;
    if (length === 0 || bar.openTime > bars.openTime[length - 1]) {
      write(bars, length, bar);
      stored.length++;
      return;
    }
    // Others may still look at what was: what is changed is changed in a copy.
    const kept = Array.from({ length }, (_, i) => barAt(bars, i)).filter(
      ({ openTime }) => openTime !== bar.openTime,
    );
    this.#replace(
      stored,
      [...kept, bar].sort((a, b) => a.openTime - b.openTime),
    );
  }

  #remove(stored: Stored, openTime: number): void {
    const all = Array.from({ length: stored.length }, (_, i) => barAt(stored.bars, i));
    this.#replace(
      stored,
      all.filter((one) => one.openTime !== openTime),
    );
  }

  #replace(stored: Stored, bars: readonly TrueBar[]): void {
    this.#edition++;
    stored.bars = emptyBars(this.#capacity, HOUR_MILLISECONDS);
    for (const [i, one] of bars.entries()) write(stored.bars, i, one);
    stored.length = bars.length;
  }

  async catalogue(): Promise<readonly SeriesSummary[]> {
    return [];
  }

  async fingerprint(): Promise<string> {
    return String(this.#edition);
  }

  async loadMarkets(): Promise<readonly MarketHistory[]> {
    if (this.#isUnreadable) throw new PlimsollError('IO_FAILED', 'the simulated disk cannot be read');
    return [...this.#stored.values()]
      .filter(({ isListed, length }) => isListed && length > 0)
      .sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
      .map(({ symbol, bars, length }) => ({
        ...{
          symbol,
          source: `${symbol}-simulated-perp-1h`,
          simulated: true,
          funding: null,
          openInterest: null,
          mark: null,
        },
        bars: sliceBars(bars, 0, length),
      }));
  }

  get isUnreadable(): boolean {
    return this.#isUnreadable;
  }

  /** Close of the newest stored bar that can be believed at a time, by a rule of its own; null where there is none. */
  newestCloseOf(symbol: string, now: number): number | null {
    const stored = this.#stored.get(symbol);
    if (stored?.isListed !== true) return null;
    for (let i = stored.length - 1; i >= 0; i--) {
      const { openTime, open, high, low, close, quoteVolume } = barAt(stored.bars, i);
      const prices = [open, high, low, close];
      const isWhole =
        prices.every((price) => Number.isFinite(price) && price > 0) && Number.isFinite(quoteVolume);
      const isInOrder = Math.max(...prices) === high && Math.min(...prices) === low && quoteVolume >= 0;
      const closes = openTime + HOUR_MILLISECONDS;
      if (isWhole && isInOrder && openTime % HOUR_MILLISECONDS === 0 && closes <= now) return closes;
    }
    return null;
  }

  /** Whether the newest bar that closed by a time is the true one. */
  closesAt(symbol: string, time: number, price: number): boolean {
    const stored = this.#stored.get(symbol);
    if (stored === undefined) return false;
    for (let i = stored.length - 1; i >= 0; i--)
      if (stored.bars.openTime[i] + HOUR_MILLISECONDS === time) return stored.bars.close[i] === price;
    return false;
  }
}

function barAt(bars: BarSeries, i: number): TrueBar {
  return {
    openTime: bars.openTime[i],
    open: bars.open[i],
    high: bars.high[i],
    low: bars.low[i],
    close: bars.close[i],
    quoteVolume: bars.quoteVolume[i],
  };
}

function write(bars: BarSeries, i: number, bar: TrueBar): void {
  bars.openTime[i] = bar.openTime;
  bars.open[i] = bar.open;
  bars.high[i] = bar.high;
  bars.low[i] = bar.low;
  bars.close[i] = bar.close;
  bars.quoteVolume[i] = bar.quoteVolume;
  bars.volume[i] = bar.quoteVolume / bar.close;
}
