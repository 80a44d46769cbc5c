import { PlimsollError } from '../../errors.ts';
import type { BarSeries } from '../bars.ts';
import { refusal, requireWhole, requireWithin } from '../numeric/inputs.ts';
import { type FillAccount, fillLives } from './factor-fill.ts';

/** The bars of one market. */
export interface MarketBars {
  readonly market: string;
  readonly bars: BarSeries;
}

/** How a cell of the joint grid came about. */
export const CELL = { measured: 0, carried: 1, filled: 2 } as const;

export interface AlignOptions {
  /** Epoch milliseconds: bars that open before are left out. */
  readonly from?: number;
  /** Epoch milliseconds: bars that open at or after are left out. */
  readonly until?: number;
  /** Of the residuals drawn for filled bars. The same seed fills alike, whatever the order of the markets. */
  readonly seed?: number;
  /** The least beta that a filled bar moves by. 1 unless given: a young market is not believed to be the calm one. */
  readonly leastBeta?: number;
}

/** What is there of one market and what is not. Counts are slots of the joint grid and add up to all of them. */
export interface MarketAccount {
  readonly market: string;
  readonly measured: number;
  readonly carried: number;
  readonly filled: number;
  /** Slots of its first and last own bar. */
  readonly firstSlot: number;
  readonly lastSlot: number;
  /** By stretch of the grid over which the same markets lived. */
  readonly fills: readonly FillAccount[];
}

/** Several markets on one grid of times, with a price in every cell. */
export interface AlignedMarkets {
  readonly markets: readonly string[];
  readonly intervalMilliseconds: number;
  readonly slots: number;
  /** Open time of each slot, ascending: every time at which at least one market has a bar. */
  readonly time: Float64Array;
  /** Market by market: the entry of market m at slot t is m · slots + t. */
  readonly close: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  /** A `CELL` by the same index. */
  readonly cell: Uint8Array;
  readonly accounts: readonly MarketAccount[];
}

/**
 * Joins the bars of several markets on their times. A slot is a time at which at least one market has a bar. Where a
 * market has none there are two cases, and every cell says which it is:
 *
 * carried: a hole within the market's life. Its last close stands until it trades again, and the move over the hole falls
 * whole on the bar after it, as it does on whoever holds a position.
 *
 * filled: before its first bar or after its last. The bar is made up from the markets that lived then, by `fillLives`: beta
 * times their mean move, plus a residual. The prices are chained to the first open and to the last close. A beta that is
 * never below one is on the safe side for whoever holds the young market itself; as a hedge it may look better than it
 * is, which is what `correlationBreak` is for.
 *
 * @throws PlimsollError INPUT_INVALID for two markets of one name, bars of different intervals or off each other's clock,
 * times that do not ascend and prices that are not positive; DATA_INSUFFICIENT for no market, one without bars, and where
 * bars have to be filled of a market with fewer than 24 bars or with no hour in common with any other.
 */
export function alignMarkets(
  markets: readonly MarketBars[],
  { from, until, seed = 1, leastBeta = 1 }: AlignOptions = {},
): AlignedMarkets {
  requireWithin('the least beta', leastBeta, 0, 100);
  const intervalMilliseconds = requireUsable(markets);
  const ranges = markets.map(({ market, bars }) => {
    const first = from === undefined ? 0 : lowerBound(bars, from);
    const end = until === undefined ? bars.length : lowerBound(bars, until);
    if (first >= end) throw insufficient(`${market} has no bar in the time asked for`);
    return { first, end };
  });
  const time = unionOfTimes(markets, ranges);
  const slots = time.length;
  const close = new Float64Array(markets.length * slots);
  const high = new Float64Array(markets.length * slots);
  const low = new Float64Array(markets.length * slots);
  const cell = new Uint8Array(markets.length * slots).fill(CELL.filled);
  const lives = markets.map(({ market, bars }, m) => {
    const { first, end } = ranges[m];
    let next = first;
    let firstSlot = -1;
    let lastSlot = -1;
    for (let t = 0; t < slots && next < end; t++) {
      const at = m * slots + t;
      if (bars.openTime[next] === time[t]) {
        close[at] = bars.close[next];
        high[at] = bars.high[next];
        low[at] = bars.low[next];
        cell[at] = CELL.measured;
        if (firstSlot < 0) firstSlot = t;
        lastSlot = t;
        next++;
      } else if (firstSlot >= 0) {
        close[at] = high[at] = low[at] = close[at - 1];
        cell[at] = CELL.carried;
      }
    }
    return { market, firstSlot, lastSlot, firstOpen: bars.open[first] };
  });
  const grid = { intervalMilliseconds, slots, close, high, low, cell };
  const fills = fillLives(grid, lives, { seed, leastBeta });
  const accounts = lives.map(({ market, firstSlot, lastSlot }, m): MarketAccount => {
    const counts = [0, 0, 0];
    for (let t = 0; t < slots; t++) counts[cell[m * slots + t]]++;
    const [measured, carried, filled] = counts;
    const stretches = fills[m].map((fill) => ({ ...fill, from: time[fill.fromSlot] }));
    return { market, measured, carried, filled, firstSlot, lastSlot, fills: stretches };
  });
  return { markets: markets.map(({ market }) => market), time, ...grid, accounts };
}

/** The interval that all share, after checks of every bar. */
function requireUsable(markets: readonly MarketBars[]): number {
  if (markets.length === 0) throw insufficient('there is no market');
  const names = new Set<string>();
  const interval = markets[0].bars.intervalMilliseconds;
  requireWhole('the interval', interval, 1);
  for (const { market, bars } of markets) {
    if (names.has(market)) throw refusal(`${market} is there twice`, 'Join its bars first.');
    names.add(market);
    if (bars.length === 0) throw insufficient(`${market} has no bar`);
    if (bars.intervalMilliseconds !== interval)
      throw refusal(`${market} has bars of another interval than the others`, 'Resample the finer ones.');
    const phase = markets[0].bars.openTime[0] % interval;
    for (let i = 0; i < bars.length; i++) {
      const prices = Math.min(bars.open[i], bars.high[i], bars.low[i], bars.close[i]);
      if (!(prices > 0) || !Number.isFinite(bars.open[i] + bars.high[i] + bars.low[i] + bars.close[i]))
        throw refusal(`${market}: bar ${i + 1} has a price that is none`, 'Leave the bar out, or mend it.');
      if (!Number.isFinite(bars.openTime[i]) || (i > 0 && !(bars.openTime[i] > bars.openTime[i - 1])))
        throw refusal(`${market}: the times do not ascend at bar ${i + 1}`, 'Sort the bars by time.');
      if (bars.openTime[i] % interval !== phase)
        throw refusal(`${market}: bar ${i + 1} opens off the others' clock`, 'Resample to one clock.');
    }
  }
  return interval;
}

function insufficient(what: string): PlimsollError {
  return new PlimsollError('DATA_INSUFFICIENT', what, { remedy: 'Import its history, or leave it out.' });
}

/** The first bar that opens at or after a time. */
function lowerBound({ openTime, length }: BarSeries, time: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (openTime[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function unionOfTimes(
  markets: readonly MarketBars[],
  ranges: readonly { readonly first: number; readonly end: number }[],
): Float64Array {
  let union = new Float64Array(0);
  for (let m = 0; m < markets.length; m++) {
    const times = markets[m].bars.openTime.subarray(ranges[m].first, ranges[m].end);
    const merged = new Float64Array(union.length + times.length);
    let length = 0;
    for (let i = 0, j = 0; i < union.length || j < times.length; length++) {
      const left = i < union.length ? union[i] : Number.POSITIVE_INFINITY;
      const right = j < times.length ? times[j] : Number.POSITIVE_INFINITY;
      merged[length] = Math.min(left, right);
      if (left <= right) i++;
      if (right <= left) j++;
    }
    union = merged.slice(0, length);
  }
  return union;
}
