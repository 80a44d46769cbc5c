import type { MarketHistory } from '../risk/bars.ts';
import { HOUR_MILLISECONDS } from '../units.ts';
import { Replay } from './replay.ts';
import { FEATURE_COUNT, LOAD_HOURS } from './spec.ts';

/** The newest row of each market, one per market and in their order. */
export interface LatestFeatures {
  readonly asOf: number;
  /** Row-major, `FEATURE_COUNT` per market; zeros where not ready. */
  readonly values: Float64Array;
  /** By market: 1 where the row is complete. */
  readonly ready: Uint8Array;
  /** By market: index of the newest bar known at `asOf`; −1 where there is none. */
  readonly barIndex: Int32Array;
}

/**
 * The newest rows of markets that grow: steps through the hours that are new since it was last asked. Where the markets are
 * others, or a bar came late, it begins anew from the last `LOAD_HOURS`; the bits are the same.
 */
export class LiveFeatures {
  #replay: Replay | null = null;

  /**
   * What is known of every market at a time, for a forecast now. A market whose newest bar is some hours old gets a row
   * that counts those hours as missing; after `MAXIMUM_GAP_HOURS` it is no longer ready.
   *
   * @param asOf epoch milliseconds; bars that close later are not looked at. Taken down to the full hour.
   */
  latest(markets: readonly MarketHistory[], asOf: number): LatestFeatures {
    const end = Math.floor(asOf / HOUR_MILLISECONDS) * HOUR_MILLISECONDS;
    const values = new Float64Array(markets.length * FEATURE_COUNT);
    const ready = new Uint8Array(markets.length);
    const before = this.#replay;
    // Given up while it works: one that threw in the middle is not gone on with.
    this.#replay = null;
    const isNext = before !== null && end >= before.asOf && before.continueWith(markets);
    const replay = isNext ? before : new Replay(markets, end - LOAD_HOURS * HOUR_MILLISECONDS);
    while (replay.next(end)) {}
    for (let m = 0; m < markets.length; m++) {
      replay.engine.writeRow(m, values, m * FEATURE_COUNT);
      ready[m] = replay.engine.isReady(m) ? 1 : 0;
    }
    this.#replay = replay;
    return { asOf: end, values, ready, barIndex: replay.newestBar.slice() };
  }
}

/** The same for one time. */
export function latestFeatures(markets: readonly MarketHistory[], asOf: number): LatestFeatures {
  return new LiveFeatures().latest(markets, asOf);
}
