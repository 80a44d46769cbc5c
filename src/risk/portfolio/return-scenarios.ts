import { PlimsollError } from '../../errors.ts';
import { refusal, requireWhole, requireWithin } from '../numeric/inputs.ts';
import { type AlignedMarkets, CELL } from './aligned-returns.ts';

/** What the scenarios hold of one market: counts of scenarios, by the worst of their bars after the entry. They add up to all. */
export interface ScenarioAccount {
  readonly market: string;
  /** Every bar measured. */
  readonly measured: number;
  /** None filled, some carried over a hole. */
  readonly carried: number;
  /** Some filled. */
  readonly filled: number;
}

/**
 * Joint paths of several markets. Scenario s enters at the close of slot entry[s] and lasts `steps` slots; the simple return
 * of market m after k of them is close[m · slots + entry[s] + k] / close[m · slots + entry[s]] − 1.
 */
export interface ReturnScenarios {
  readonly markets: readonly string[];
  readonly scenarios: number;
  readonly steps: number;
  readonly slots: number;
  readonly close: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly entry: Int32Array;
  readonly accounts: readonly ScenarioAccount[];
  readonly dropped: {
    /** Entries whose path has a time at which no market has a bar. */
    readonly broken: number;
    /** Entries of which too large a share of the cells is filled. */
    readonly filled: number;
  };
}

export interface ScenarioOptions {
  /** Slots from one entry to the next candidate; the horizon for scenarios that do not overlap. 1 unless given. */
  readonly stride?: number;
  /** A scenario is dropped when more than this share of its cells (markets × bars) is filled. 1 unless given: none is. */
  readonly mostFilledShare?: number;
}

/**
 * All joint paths of some bars in an aligned history, oldest first. With a stride below the horizon they overlap: each is as
 * likely as it was, but neighbours are not independent.
 *
 * @param horizonBars whole number, at least 1.
 * @throws PlimsollError INPUT_INVALID for a horizon, stride or share that is none; DATA_INSUFFICIENT where no path is left.
 */
export function returnScenarios(
  aligned: AlignedMarkets,
  horizonBars: number,
  { stride = 1, mostFilledShare = 1 }: ScenarioOptions = {},
): ReturnScenarios {
  requireWhole('the horizon', horizonBars, 1);
  requireWhole('the stride', stride, 1);
  requireWithin('the filled share', mostFilledShare, 0, 1);
  const { markets, slots, time, close, high, low, cell } = aligned;
  const span = horizonBars * aligned.intervalMilliseconds;
  const filledBefore = markets.map((_, m) => countBefore(cell, m * slots, slots, CELL.filled));
  const carriedBefore = markets.map((_, m) => countBefore(cell, m * slots, slots, CELL.carried));
  const entries: number[] = [];
  const counts = markets.map(() => ({ measured: 0, carried: 0, filled: 0 }));
  const dropped = { broken: 0, filled: 0 };
  for (let entry = 0; entry + horizonBars < slots; entry += stride) {
    if (time[entry + horizonBars] - time[entry] !== span) {
      dropped.broken++;
      continue;
    }
    const within = (before: Int32Array): number => before[entry + horizonBars + 1] - before[entry + 1];
    let cells = 0;
    for (const before of filledBefore) cells += within(before);
    if (cells > mostFilledShare * markets.length * horizonBars) {
      dropped.filled++;
      continue;
    }
    entries.push(entry);
    counts.forEach((count, m) => {
      if (within(filledBefore[m]) > 0) count.filled++;
      else if (within(carriedBefore[m]) > 0) count.carried++;
      else count.measured++;
    });
  }
  if (entries.length === 0)
    throw new PlimsollError('DATA_INSUFFICIENT', `no path of ${horizonBars} bars is whole`, {
      remedy: 'Give a longer history, a shorter horizon, or allow a larger filled share.',
      details: dropped,
    });
  return {
    markets,
    scenarios: entries.length,
    steps: horizonBars,
    slots,
    close,
    high,
    low,
    entry: Int32Array.from(entries),
    accounts: markets.map((market, m) => ({ market, ...counts[m] })),
    dropped,
  };
}

/**
 * Scenarios of one step from returns that are given, for simulated or made-up ones. They have no bars beside their closes.
 *
 * @param returns by market, each the simple returns of all scenarios; at least −1.
 * @throws PlimsollError INPUT_INVALID for a return that is none, unequal lengths, or names and returns that do not match.
 */
export function givenScenarios(
  markets: readonly string[],
  returns: readonly Float64Array[],
): ReturnScenarios {
  const scenarios = returns[0]?.length ?? 0;
  if (scenarios === 0 || markets.length !== returns.length || new Set(markets).size !== markets.length)
    throw refusal('returns and markets do not match', 'Give the returns of each market once.');
  const slots = 2 * scenarios;
  const close = new Float64Array(markets.length * slots);
  returns.forEach((values, m) => {
    if (values.length !== scenarios)
      throw refusal(`${markets[m]} has another number of returns`, 'Give one per scenario.');
    for (let s = 0; s < scenarios; s++) {
      if (!(values[s] >= -1 && values[s] < Number.POSITIVE_INFINITY))
        throw refusal(`${markets[m]}: return ${s + 1} is ${values[s]}`, 'Give finite returns from -1 on.');
      close[m * slots + 2 * s] = 1;
      close[m * slots + 2 * s + 1] = 1 + values[s];
    }
  });
  return {
    markets,
    scenarios,
    steps: 1,
    slots,
    close,
    high: close,
    low: close,
    entry: Int32Array.from({ length: scenarios }, (_, s) => 2 * s),
    accounts: markets.map((market) => ({ market, measured: scenarios, carried: 0, filled: 0 })),
    dropped: { broken: 0, filled: 0 },
  };
}

/** Simple returns at the end of each scenario, market by market: that of market m in scenario s is at m · scenarios + s. */
export function terminalReturns({
  markets,
  scenarios,
  steps,
  slots,
  close,
  entry,
}: ReturnScenarios): Float64Array {
  const returns = new Float64Array(markets.length * scenarios);
  for (let m = 0; m < markets.length; m++) {
    for (let s = 0; s < scenarios; s++) {
      const at = m * slots + entry[s];
      returns[m * scenarios + s] = close[at + steps] / close[at] - 1;
    }
  }
  return returns;
}

/** Entry t counts the cells of a kind among the first t. */
function countBefore(cell: Uint8Array, base: number, slots: number, kind: number): Int32Array {
  const before = new Int32Array(slots + 1);
  for (let t = 0; t < slots; t++) before[t + 1] = before[t] + (cell[base + t] === kind ? 1 : 0);
  return before;
}
