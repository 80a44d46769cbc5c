import { type AccountColumns, CONTRACT_KIND, type MarketColumns } from '../book/columns.ts';
import { knownMarkets } from './group-index.ts';
import type { ImpactColumns } from './price-impact.ts';

/** How crowded each market of the book is: a row a market. A ratio is NaN where what it is over is not known. */
export interface Crowding {
  /** The larger of what is open long and short: the two are the same where all of the market is in the book. */
  readonly openInterest: Float64Array;
  /** Open interest over the hourly volume that is counted on: hours of the whole market's trading. */
  readonly volumeHours: Float64Array;
  /** Open interest over what rests in the order book within its band. */
  readonly depthRatio: Float64Array;
  /** Open interest over the insurance fund. */
  readonly fundRatio: Float64Array;
  /** Share of the largest account, and of the ten largest, in all notional of the market, both sides. */
  readonly largestShare: Float64Array;
  readonly tenLargestShare: Float64Array;
  /** Herfindahl index: the sum of the squares of all accounts' shares, from 1 / accounts to 1. */
  readonly herfindahl: Float64Array;
  /** Accounts with a position. */
  readonly holders: Int32Array;
}

const LARGEST = 10;

/**
 * One pass over the positions. Shares are of accounts, whatever margin stands behind their positions; both sides of an
 * account in hedge mode count.
 *
 * @param insuranceFund in the quote asset; NaN where it is not known.
 */
export function crowding(
  accounts: AccountColumns,
  markets: MarketColumns,
  impact: ImpactColumns,
  insuranceFund: number,
): Crowding {
  const count = markets.markets;
  const [long, short, squares] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  const largest = new Float64Array(count * LARGEST);
  const holders = new Int32Array(count);
  const isKnown = knownMarkets(markets);
  // What the account that is looked at holds of a market, until the next account that holds it.
  const held = new Float64Array(count);
  const { firstPosition, positionCount, market, quantity } = accounts;
  for (let a = 0; a < accounts.accounts; a++) {
    const first = firstPosition[a];
    const end = first + positionCount[a];
    for (let p = first; p < end; p++) {
      const m = market[p];
      if (quantity[p] === 0 || isKnown[m] === 0) continue;
      const size = Math.abs(quantity[p]) * markets.contractSize[m];
      const notional = markets.contractKind[m] === CONTRACT_KIND.linear ? size * markets.mark[m] : size;
      if (quantity[p] > 0) long[m] += notional;
      else short[m] += notional;
      held[m] += notional;
    }
    for (let p = first; p < end; p++) {
      const m = market[p];
      const own = held[m];
      if (own === 0) continue;
      held[m] = 0;
      holders[m]++;
      squares[m] += own * own;
      keepLargest(largest, m * LARGEST, own);
    }
  }
  const column = (of: (m: number) => number): Float64Array =>
    Float64Array.from({ length: count }, (_, m) => of(m));
  const openInterest = column((m) => Math.max(long[m], short[m]));
  const total = column((m) => long[m] + short[m]);
  const sumOfLargest = (m: number): number => {
    let sum = 0;
    for (let i = 0; i < LARGEST; i++) sum += largest[m * LARGEST + i];
    return sum;
  };
  return {
    openInterest,
    volumeHours: column((m) => over(openInterest[m], impact.hourlyVolume[m])),
    depthRatio: column((m) => over(openInterest[m], impact.depthNotional[m])),
    fundRatio: column((m) => over(openInterest[m], insuranceFund)),
    largestShare: column((m) => share(largest[m * LARGEST], total[m])),
    tenLargestShare: column((m) => share(sumOfLargest(m), total[m])),
    herfindahl: column((m) => share(squares[m], total[m] * total[m])),
    holders,
  };
}

function over(a: number, b: number): number {
  return b > 0 ? a / b : Number.NaN;
}

function share(part: number, whole: number): number {
  return whole > 0 ? Math.min(part / whole, 1) : 0;
}

/** Ten falling numbers from a place on. */
function keepLargest(largest: Float64Array, from: number, value: number): void {
  let at = from + LARGEST - 1;
  if (value <= largest[at]) return;
  while (at > from && largest[at - 1] < value) {
    largest[at] = largest[at - 1];
    at--;
  }
  largest[at] = value;
}
