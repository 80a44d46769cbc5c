import {
  LOG_UNIT,
  MAXIMUM_CROSS_SECTION_RETURN,
  MOVE_UNIT,
  nextPrefix,
  onLattice,
  RETURN_UNIT,
  signedDifference,
  unsignedDifference,
} from './lattice.ts';
import type { MarketMemory } from './market-memory.ts';
import { logVolatilityFeature, MEDIUM_MEMORY_BARS, VARIANCE_FLOOR, WARM_UP_BARS } from './spec.ts';

const SLOTS = MEDIUM_MEMORY_BARS + 1;
/** An average correlation, measured as a ratio of variances, may exceed 1 by chance; it counts at most this much. */
const MAXIMUM_CORRELATION = 1.5;

/**
 * What all markets do together: an equally weighted index, and the spread of the markets around it. Every sum over
 * markets is on the lattice, so the order of the markets changes no bit.
 */
export class CrossSection {
  indexLogVolatility24 = 0;
  indexLogVolatility168 = 0;
  indexLogVolatility720 = 0;
  meanLogVolatility24 = 0;
  meanLogVolatility168 = 0;
  logDispersion24 = 0;
  logDispersion168 = 0;
  averageCorrelation168 = 0;
  shockShare24 = 0;
  /** Log returns of the index in units of its own 168 h volatility over as many hours. */
  scaledReturn1 = 0;
  scaledReturn4 = 0;
  scaledReturn24 = 0;
  scaledReturn168 = 0;

  readonly #returns = new Float64Array(SLOTS);
  readonly #squares = new Float64Array(SLOTS);
  #head = 0;
  #hours = 0;

  /**
   * Closes one hour of the index: its return is the mean of the log returns of the markets that have a bar.
   *
   * @param returnUnits sum of those returns in units of `MOVE_UNIT`.
   * @param markets how many there are; an hour without any has the return 0.
   */
  advance(returnUnits: number, markets: number): void {
    const move = markets === 0 ? 0 : (returnUnits * MOVE_UNIT) / markets;
    const previous = this.#head;
    this.#head = previous + 1 === SLOTS ? 0 : previous + 1;
    this.#returns[this.#head] = nextPrefix(this.#returns[previous], onLattice(move, MOVE_UNIT));
    this.#squares[this.#head] = nextPrefix(this.#squares[previous], onLattice(move * move, MOVE_UNIT));
    if (this.#hours < MEDIUM_MEMORY_BARS) this.#hours++;
  }

  /** Recomputes everything that a row needs. The memories must have been refreshed at this hour. */
  refresh(memories: readonly MarketMemory[]): void {
    let markets = 0;
    let logVolatility24 = 0;
    let logVolatility168 = 0;
    let return24 = 0;
    let return168 = 0;
    let variance168 = 0;
    let shocked = 0;
    for (const memory of memories) {
      if (memory.age < WARM_UP_BARS) continue;
      markets++;
      logVolatility24 += onLattice(memory.logVolatility24, LOG_UNIT);
      logVolatility168 += onLattice(memory.logVolatility168, LOG_UNIT);
      return24 += onLattice(clipReturn(memory.return24), RETURN_UNIT);
      return168 += onLattice(clipReturn(memory.return168), RETURN_UNIT);
      variance168 += onLattice(memory.variance168, MOVE_UNIT);
      if (memory.hoursSinceShock() < 24) shocked++;
    }
    const indexVariance168 = this.#variance(168);
    this.indexLogVolatility24 = logVolatilityFeature(this.#variance(24));
    this.indexLogVolatility168 = logVolatilityFeature(indexVariance168);
    this.indexLogVolatility720 = logVolatilityFeature(this.#variance(720));
    const share = markets === 0 ? 0 : 1 / markets;
    this.meanLogVolatility24 = logVolatility24 * LOG_UNIT * share;
    this.meanLogVolatility168 = logVolatility168 * LOG_UNIT * share;
    this.#refreshDispersion(memories, return24 * RETURN_UNIT * share, return168 * RETURN_UNIT * share, share);
    const meanVariance = variance168 * MOVE_UNIT * share;
    this.averageCorrelation168 = Math.min(
      indexVariance168 / (meanVariance + VARIANCE_FLOOR),
      MAXIMUM_CORRELATION,
    );
    this.shockShare24 = shocked * share;
    this.scaledReturn1 = this.#scaledReturn(1, indexVariance168);
    this.scaledReturn4 = this.#scaledReturn(4, indexVariance168);
    this.scaledReturn24 = this.#scaledReturn(24, indexVariance168);
    this.scaledReturn168 = this.#scaledReturn(168, indexVariance168);
  }

  /** The spread of the markets' returns around their means, per hour, as log volatilities like the others. */
  #refreshDispersion(
    memories: readonly MarketMemory[],
    mean24: number,
    mean168: number,
    share: number,
  ): void {
    let squares24 = 0;
    let squares168 = 0;
    for (const memory of memories) {
      if (memory.age < WARM_UP_BARS) continue;
      const deviation24 = clipReturn(clipReturn(memory.return24) - mean24);
      const deviation168 = clipReturn(clipReturn(memory.return168) - mean168);
      squares24 += onLattice(deviation24 * deviation24, RETURN_UNIT);
      squares168 += onLattice(deviation168 * deviation168, RETURN_UNIT);
    }
    this.logDispersion24 = logVolatilityFeature((squares24 * RETURN_UNIT * share) / 24);
    this.logDispersion168 = logVolatilityFeature((squares168 * RETURN_UNIT * share) / 168);
  }

  #scaledReturn(hours: number, variance168: number): number {
    const slot = this.#slotBefore(hours);
    const move = signedDifference(this.#returns[this.#head], this.#returns[slot]) * MOVE_UNIT;
    return move / Math.sqrt(hours * (variance168 + VARIANCE_FLOOR));
  }

  #variance(hours: number): number {
    const available = Math.min(hours, this.#hours);
    if (available === 0) return 0;
    const sum = unsignedDifference(this.#squares[this.#head], this.#squares[this.#slotBefore(hours)]);
    return (sum * MOVE_UNIT) / available;
  }

  #slotBefore(hours: number): number {
    const slot = this.#head - Math.min(hours, this.#hours);
    return slot < 0 ? slot + SLOTS : slot;
  }
}

function clipReturn(value: number): number {
  return Math.max(-MAXIMUM_CROSS_SECTION_RETURN, Math.min(MAXIMUM_CROSS_SECTION_RETURN, value));
}
