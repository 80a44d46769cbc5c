import { DAY_MILLISECONDS } from '../../units.ts';
import { refusal, requireWhole } from '../numeric/inputs.ts';
import { type Unavailable, unavailable } from '../outcome.ts';
import type { AlignedMarkets } from './aligned-returns.ts';
import { factorOf, type Life, linkToFactor, livingReturns } from './factor-link.ts';
import type { MarketShock, Scenario } from './scenarios.ts';

/**
 * When an episode was.
 *
 * range: from the last close at or before `from` to the last one at or before `until`. worst: among all windows of some bars
 * within the range, the one in which the mean adverse excursion of a side over the markets was largest: longs for a fall, shorts
 * for a rise. instant: some bars from a given time on. Times in epoch milliseconds.
 */
export type EpisodeWindow =
  | { readonly kind: 'range'; readonly from: number; readonly until: number }
  | {
      readonly kind: 'worst';
      readonly from: number;
      readonly until: number;
      readonly bars: number;
      readonly direction: 'fall' | 'rise';
    }
  | { readonly kind: 'instant'; readonly from: number; readonly bars: number };

export interface Episode {
  readonly id: string;
  readonly description: string;
  readonly window: EpisodeWindow;
}

const DATES: readonly (readonly [date: string, description: string])[] = [
  ['2020-03-12', 'Pandemic crash'],
  ['2021-05-19', 'Deleveraging of all markets within two hours'],
  ['2022-06-13', 'Withdrawals stopped at lenders'],
  ['2022-11-08', 'Failure of FTX'],
  ['2024-08-05', 'Unwinding of the yen carry trade'],
  ['2025-10-10', 'Largest liquidation of leveraged positions so far'],
];

/**
 * The bad days that are asked about most, to be read from whatever history there is: of each, the window of some bars in which
 * markets fell furthest, within the two days (UTC) that begin with its date.
 */
export function namedEpisodes(bars: number): readonly Episode[] {
  return DATES.map(([id, description]) => {
    const from = Date.parse(`${id}T00:00:00Z`);
    const until = from + 2 * DAY_MILLISECONDS;
    return { id, description, window: { kind: 'worst', from, until, bars, direction: 'fall' } };
  });
}

export type EpisodeReading = { readonly available: true; readonly scenario: Scenario } | Unavailable;

/**
 * Reads what an episode did to each market from an aligned history. A market that lived through the window is measured: its
 * return, and its worst excursion of either side from the bars' extremes. One that did not gets what beta times the mean of
 * those would have been, its beta that of its own life against their mean (see `linkToFactor`) and at least `leastBeta`; it
 * is marked as implied.
 *
 * @returns unavailable where no market lived through the window or no window of the range is whole.
 * @throws PlimsollError INPUT_INVALID for a range or number of bars that is none.
 */
export function readEpisode(
  aligned: AlignedMarkets,
  { id, description, window }: Episode,
  leastBeta = 1,
): EpisodeReading {
  const found = slotsOf(aligned, window);
  if ('reason' in found) return found;
  const { entry, exit } = found;
  const { markets, slots, close, accounts, time, intervalMilliseconds } = aligned;
  const isMeasured = accounts.map((life) => livesThrough(life, entry, exit));
  const members = [...accounts.keys()].filter((m) => isMeasured[m]);
  const measured = members.map((m): MarketShock => {
    const entryPrice = close[m * slots + entry];
    const move = close[m * slots + exit] / entryPrice - 1;
    const { long, short } = excursions(aligned, m, entry, exit);
    return { market: markets[m], move, long, short, basis: 'measured', beta: null };
  });
  const mean = (of: (shock: MarketShock) => number): number =>
    measured.reduce((total, shock) => total + of(shock), 0) / measured.length;
  const typical = { move: mean((s) => s.move), long: mean((s) => s.long), short: mean((s) => s.short) };
  const returns = livingReturns(aligned, accounts);
  const factor = factorOf(returns, accounts, members);
  let next = 0;
  const shocks = accounts.map((life, m): MarketShock => {
    if (isMeasured[m]) return measured[next++];
    const beta = Math.max(linkToFactor(returns, m, life, factor).beta, leastBeta);
    return {
      market: markets[m],
      move: Math.max(beta * typical.move, -1),
      long: Math.min(beta * typical.long, 1),
      short: beta * typical.short,
      basis: 'factor-implied',
      beta,
    };
  });
  const from = time[entry] + intervalMilliseconds;
  const until = time[exit] + intervalMilliseconds;
  return { available: true, scenario: { id, description, from, until, shocks } };
}

type Slots = { readonly entry: number; readonly exit: number };

/** The slots at whose closes the window begins and ends. */
function slotsOf(aligned: AlignedMarkets, window: EpisodeWindow): Slots | Unavailable {
  const interval = aligned.intervalMilliseconds;
  if (window.kind !== 'range') requireWhole('the number of bars', window.bars, 1);
  const until = window.kind === 'instant' ? window.from + window.bars * interval : window.until;
  if (!(Number.isFinite(window.from) && until > window.from))
    throw refusal('the episode ends before it begins', 'Give a beginning before the end.');
  const entry = lastClosed(aligned, window.from);
  const exit = lastClosed(aligned, until);
  const isCovered =
    entry >= 0 &&
    aligned.time[aligned.slots - 1] + interval >= until &&
    window.from - (aligned.time[entry] + interval) <= interval;
  if (!isCovered || exit <= entry) return unavailable('the history does not reach over the episode');
  if (window.kind === 'worst') return worstWindow(aligned, entry, exit, window.bars, window.direction);
  return aligned.time[exit] - aligned.time[entry] === (exit - entry) * interval
    ? { entry, exit }
    : unavailable('there are times within the episode at which no market has a bar');
}

function worstWindow(
  aligned: AlignedMarkets,
  first: number,
  last: number,
  bars: number,
  direction: 'fall' | 'rise',
): Slots | Unavailable {
  const { accounts, time, intervalMilliseconds } = aligned;
  // Windows are compared over the same markets: those that lived through the whole range.
  const members = [...accounts.keys()].filter((m) => livesThrough(accounts[m], first, last));
  let worst: Slots | null = null;
  let largest = Number.NEGATIVE_INFINITY;
  for (let entry = first; entry + bars <= last && members.length > 0; entry++) {
    const exit = entry + bars;
    if (time[exit] - time[entry] !== bars * intervalMilliseconds) continue;
    let sum = 0;
    for (const m of members) {
      const { long, short } = excursions(aligned, m, entry, exit);
      sum += direction === 'fall' ? long : short;
    }
    if (sum > largest) {
      largest = sum;
      worst = { entry, exit };
    }
  }
  return worst ?? unavailable('no market has a whole window of so many bars in the episode');
}

/** Adverse excursions of one market after an entry, as `adverseExcursions` has them. */
function excursions(
  { slots, close, high, low }: AlignedMarkets,
  m: number,
  entry: number,
  exit: number,
): { readonly long: number; readonly short: number } {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = 0;
  for (let at = m * slots + entry + 1; at <= m * slots + exit; at++) {
    lowest = Math.min(lowest, low[at]);
    highest = Math.max(highest, high[at]);
  }
  const entryPrice = close[m * slots + entry];
  return { long: Math.max(1 - lowest / entryPrice, 0), short: Math.max(highest / entryPrice - 1, 0) };
}

function livesThrough({ firstSlot, lastSlot }: Life, entry: number, exit: number): boolean {
  return firstSlot <= entry && lastSlot >= exit;
}

/** The last slot that has closed at a time; −1 for none. */
function lastClosed({ time, slots, intervalMilliseconds }: AlignedMarkets, at: number): number {
  let low = -1;
  let high = slots - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (time[middle] + intervalMilliseconds <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}
