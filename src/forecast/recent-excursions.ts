import type { BarSeries } from '../risk/bars.ts';
import { excursionsOf } from '../risk/tail/excursions.ts';
import { HORIZON_COUNT, HORIZONS_HOURS, SIDES } from './predictor.ts';

/**
 * Excursions of the origins that last came into windows and last left them, by horizon. All windows of a series move
 * together, so that the second one finds what the first one has looked for in bars of a year ago.
 */
export class RecentExcursions {
  /** Of each place: the origin that it holds, and whether that is valid. */
  readonly #origins = new Int32Array(2 * HORIZON_COUNT).fill(-1);
  readonly #valid = new Uint8Array(2 * HORIZON_COUNT);
  readonly #pairs = new Float64Array(2 * HORIZON_COUNT * SIDES.length);
  readonly #pair = new Float64Array(SIDES.length);

  /**
   * @param bars of one lineage in all calls. @param horizon index. @param isNew the origin comes rather than leaves.
   * @returns where `excursion` finds the sides of this origin, until the next call; −1 where the origin is not valid.
   */
  placeOf(bars: BarSeries, origin: number, horizon: number, isNew: boolean): number {
    const place = 2 * horizon + (isNew ? 1 : 0);
    if (this.#origins[place] !== origin) {
      this.#origins[place] = origin;
      this.#valid[place] = excursionsOf(bars, origin, HORIZONS_HOURS[horizon], this.#pair) ? 1 : 0;
      this.#pairs.set(this.#pair, place * SIDES.length);
    }
    return this.#valid[place] === 1 ? place : -1;
  }

  excursion(place: number, side: number): number {
    return this.#pairs[place * SIDES.length + side];
  }
}
