import type { MarketHistory } from '../risk/bars.ts';
import { commonBetas } from '../risk/portfolio/common-betas.ts';
import {
  type CommonReturns,
  fillCorrelations,
  type MarketCorrelations,
  unitVectors,
} from '../risk/portfolio/common-correlations.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../units.ts';
import { newestClose } from './newest-closes.ts';

/** Returns of this many days count. */
const LOOKBACK_DAYS = 90;
/** A market that lacks more is left out: its positions net with nothing. */
const LEAST_KNOWN_SHARE = 0.9;
/** Rows of the matrix between two pauses: a few milliseconds for 500 markets. */
const ROWS_AT_ONCE = 10;

export interface CorrelationWatchOptions {
  /** Returns are of this many hours: the horizon that positions are netted over. */
  readonly horizonHours: number;
  /** Lets whatever waits go first. */
  readonly pause: () => Promise<unknown>;
  readonly made: (correlations: MarketCorrelations) => void;
}

/**
 * Measures how markets move together, at most once in a day of bars and piece by piece beside the decisions, which do not rest on it.
 * `docs/decisions/0014-correlations-beside-the-book.md` says why.
 */
export class CorrelationWatch {
  readonly #options: CorrelationWatchOptions;
  #asOf = Number.NEGATIVE_INFINITY;
  #isRunning = false;
  #isStopped = false;

  constructor(options: CorrelationWatchOptions) {
    this.#options = options;
  }

  /** Begins where it is due. @returns whether something was made. */
  async look(markets: readonly MarketHistory[]): Promise<boolean> {
    const asOf = newestClose(markets);
    if (markets.length === 0 || this.#isRunning || asOf - this.#asOf < DAY_MILLISECONDS) return false;
    this.#isRunning = true;
    try {
      const { horizonHours, pause, made } = this.#options;
      const returns = commonReturns(markets, asOf, horizonHours);
      const matrix = await this.#matrix(returns, pause);
      if (matrix === null) return false;
      this.#asOf = asOf;
      made({ asOf, markets: returns.markets, matrix, betas: commonBetas(returns) });
      return true;
    } finally {
      this.#isRunning = false;
    }
  }

  /** Leaves what is begun. */
  stop(): void {
    this.#isStopped = true;
  }

  async #matrix(returns: CommonReturns, pause: () => Promise<unknown>): Promise<Float64Array | null> {
    const size = returns.markets.length;
    const matrix = new Float64Array(size * size);
    if (size === 0) return matrix;
    const units = unitVectors(returns);
    for (let row = 0; row < size; row += ROWS_AT_ONCE) {
      await pause();
      if (this.#isStopped) return null;
      fillCorrelations(units, size, row, Math.min(row + ROWS_AT_ONCE, size), matrix);
    }
    return matrix;
  }
}

/**
 * Log returns of the last days in steps of the horizon, counted back from a time, of the markets that have nearly all of them and moved.
 * One is known where bars closed at both its ends.
 */
export function commonReturns(
  markets: readonly MarketHistory[],
  asOf: number,
  horizonHours: number,
): CommonReturns {
  const step = horizonHours * HOUR_MILLISECONDS;
  const slots = Math.floor((LOOKBACK_DAYS * DAY_MILLISECONDS) / step);
  const kept: { symbol: string; returns: Float64Array; known: Uint8Array }[] = [];
  for (const { symbol, bars } of markets) {
    const closes = closesAt(bars, asOf, step, slots + 1);
    const returns = new Float64Array(slots);
    const known = new Uint8Array(slots);
    let [count, moved] = [0, false];
    for (let t = 0; t < slots; t++) {
      if (!(closes[t] > 0 && closes[t + 1] > 0)) continue;
      returns[t] = Math.log(closes[t + 1] / closes[t]);
      known[t] = 1;
      count++;
      moved ||= returns[t] !== 0;
    }
    if (count >= LEAST_KNOWN_SHARE * slots && moved) kept.push({ symbol, returns, known });
  }
  const returns = new Float64Array(kept.length * slots);
  const known = new Uint8Array(kept.length * slots);
  for (const [m, one] of kept.entries()) {
    returns.set(one.returns, m * slots);
    known.set(one.known, m * slots);
  }
  return { markets: kept.map(({ symbol }) => symbol), slots, returns, known };
}

/** Closes at the ends of steps, oldest first; 0 where no bar closed then. */
function closesAt(
  { openTime, close, length, intervalMilliseconds }: MarketHistory['bars'],
  asOf: number,
  step: number,
  count: number,
): Float64Array {
  const closes = new Float64Array(count);
  let bar = length - 1;
  for (let t = count - 1; t >= 0; t--) {
    const end = asOf - (count - 1 - t) * step;
    while (bar >= 0 && openTime[bar] + intervalMilliseconds > end) bar--;
    if (bar >= 0 && openTime[bar] + intervalMilliseconds === end) closes[t] = close[bar];
  }
  return closes;
}
