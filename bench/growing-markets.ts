import { emptyBars, type FundingSeries, type MarketHistory, sliceBars } from '../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';

/** Bars that a market of the benchmark has before the first decision: a year of origins and the memory of their volatility. */
const HISTORY_BARS = 9_600;
/** How many bars earlier each further copy of a history ends, so that no two markets have the same bars at the same time. */
const SHIFT_BARS = 211;

/** Any number of markets, made of real histories, that get a new bar each hour. */
export class GrowingMarkets {
  readonly #whole: readonly MarketHistory[];
  readonly #hours: number;

  /**
   * @param stored histories to copy; those that are too short for a copy are left out of it. @param hours how many
   * bars there are to add.
   */
  constructor(stored: readonly MarketHistory[], markets: number, hours: number) {
    const bars = HISTORY_BARS + hours;
    const long = stored.filter((history) => history.bars.length >= bars);
    const whole: MarketHistory[] = [];
    for (let copy = 0; whole.length < markets; copy++) {
      for (const history of long) {
        const end = history.bars.length - copy * SHIFT_BARS;
        const from = end < bars ? (copy * SHIFT_BARS) % (history.bars.length - bars + 1) : end - bars;
        if (whole.length < markets) whole.push(shifted(history, from, from + bars, copy));
      }
    }
    this.#whole = whole.sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
    this.#hours = hours;
  }

  /** What is known after some of the hours: views on the same memory, so that handing a bar over costs nothing. */
  after(hours: number): readonly MarketHistory[] {
    return this.#whole.map((history) => ({
      ...history,
      bars: sliceBars(history.bars, 0, history.bars.length - this.#hours + hours),
    }));
  }

  /** When the newest of those bars closes, epoch milliseconds. */
  closeAfter(hours: number): number {
    return END_MILLISECONDS + (1 + hours - this.#hours) * HOUR_MILLISECONDS;
  }
}

/** Bars [from, to) under another name, as if the last one were the newest of all: one an hour, ending at one time for all markets. */
function shifted(
  { symbol, source, bars, funding }: MarketHistory,
  from: number,
  to: number,
  copy: number,
): MarketHistory {
  const own = emptyBars(to - from, bars.intervalMilliseconds);
  const last = bars.openTime[to - 1];
  const by = END_MILLISECONDS - last;
  // Another price level, so that no two markets share a number.
  const level = 1 + copy / 100;
  for (let i = 0; i < own.length; i++) {
    own.openTime[i] = bars.openTime[from + i] + by;
    own.open[i] = bars.open[from + i] * level;
    own.high[i] = bars.high[from + i] * level;
    own.low[i] = bars.low[from + i] * level;
    own.close[i] = bars.close[from + i] * level;
    own.volume[i] = bars.volume[from + i];
    own.quoteVolume[i] = bars.quoteVolume[from + i] * level;
  }
  return {
    symbol: `${symbol}X${copy}`,
    source,
    simulated: false,
    bars: own,
    funding: funding === null ? null : shiftedFunding(funding, bars.openTime[from], last, by),
    openInterest: null,
    mark: null,
  };
}

function shiftedFunding({ time, rate }: FundingSeries, from: number, to: number, by: number): FundingSeries {
  const kept = Array.from(time.keys()).filter((i) => time[i] >= from && time[i] <= to);
  return {
    length: kept.length,
    time: Float64Array.from(kept, (i) => time[i] + by),
    rate: Float64Array.from(kept, (i) => rate[i]),
  };
}

/** Open time of the last bar of every market. */
const END_MILLISECONDS = 490_000 * HOUR_MILLISECONDS;
