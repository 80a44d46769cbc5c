import {
  LOG_UNIT,
  MAXIMUM_QUOTE_VOLUME,
  MOVE_UNIT,
  nextPrefix,
  onLattice,
  signedDifference,
  unsignedDifference,
  VOLUME_UNIT,
} from './lattice.ts';
import { RollingMaximum } from './rolling-extreme.ts';
import {
  logVolatilityFeature,
  MAXIMUM_GAP_HOURS,
  MAXIMUM_HOURS_SINCE_SHOCK,
  MAXIMUM_LOG_MOVE,
  MEDIUM_MEMORY_BARS,
  MEMORY_BARS,
  SHOCK_SIGMAS,
  VARIANCE_FLOOR,
} from './spec.ts';

/** Quantities whose prefix sums are kept for the medium memory, by their place in a slot. */
export const SIGNED_RETURN = 0;
export const ABSOLUTE_RETURN = 1;
export const DOWNSIDE_SQUARE = 2;
export const BIPOWER = 3;
export const PARKINSON = 4;
export const ROGERS_SATCHELL = 5;
export const LOG_RANGE = 6;
export const LOG_RANGE_SQUARE = 7;
export const QUOTE_VOLUME = 8;
export const ZERO_VOLUME = 9;
export const MISSING = 10;
export const FUNDING = 11;
export const FUNDING_COUNT = 12;
const QUANTITIES = 13;

/** A slot holds the prefix sums up to and including its hour, so n hours back needs n + 1 slots. */
const LONG_SLOTS = MEMORY_BARS + 1;
const MEDIUM_LENGTH = (MEDIUM_MEMORY_BARS + 1) * QUANTITIES;

/** Funding rates count at most this much, 5 % per interval, far beyond any venue's cap. */
const MAXIMUM_FUNDING_RATE = 0.05;
const PARKINSON_FACTOR = 1 / (4 * Math.LN2);
/** Log variances of a bar's range are summed around this centre to keep their squares small. */
const LOG_RANGE_CENTRE = -11;

/**
 * What the features need to remember of one market: prefix sums of per-hour terms over the last 2160 hours, the
 * highest high and lowest low of the last 720, and when the last shock was. Advances one hour at a time, with a bar
 * or without.
 */
export class MarketMemory {
  /** Hours with a return since the memory (re)started; 0 while there is only the first close, −1 while asleep. */
  age = -1;
  /** Price of the newest bar, as its log. */
  logClose = 0;
  /** Log return of the newest hour, clipped; 0 for a missing hour. */
  lastReturn = 0;
  /** Where the windows of the last hours begin, for `sum` and `signedSum`; set by `refresh`. */
  start1 = 0;
  start4 = 0;
  start24 = 0;
  start72 = 0;
  start168 = 0;
  start720 = 0;
  /** Variance per hour and log return over 24 and 168 hours; set by `refresh`. */
  variance24 = 0;
  variance168 = 0;
  logVolatility24 = 0;
  logVolatility168 = 0;
  return24 = 0;
  return168 = 0;

  readonly #squares = new Float64Array(LONG_SLOTS);
  readonly #prefixes = new Float64Array(MEDIUM_LENGTH);
  #longHead = 0;
  /** Offset of the newest hour's slot in `#prefixes`. */
  #newest = 0;
  #missingInARow = 0;
  #lastShockAge = Number.NEGATIVE_INFINITY;
  #lastFundingAge = Number.NEGATIVE_INFINITY;
  #lastFundingRate = 0;
  readonly #highs = new RollingMaximum(MEDIUM_MEMORY_BARS);
  readonly #negatedLows = new RollingMaximum(MEDIUM_MEMORY_BARS);

  /** One hour that has a bar. Prices are positive and finite; quoteVolume is at least 0. */
  advance(open: number, high: number, low: number, close: number, quoteVolume: number): void {
    const logOpen = Math.log(open);
    const logHigh = Math.log(high);
    const logLow = Math.log(low);
    const logClose = Math.log(close);
    if (this.age < 0) {
      this.#restart(logClose);
      return;
    }
    const previousReturn = this.lastReturn;
    const move = clipMove(logClose - this.logClose);
    this.logClose = logClose;
    this.lastReturn = move;
    this.age++;
    this.#missingInARow = 0;

    const highToClose = Math.min(logHigh - logClose, MAXIMUM_LOG_MOVE);
    const closeToLow = Math.min(logClose - logLow, MAXIMUM_LOG_MOVE);
    this.#highs.push(this.age, logClose + highToClose);
    this.#negatedLows.push(this.age, closeToLow - logClose);

    const square = move * move;
    this.#noteShock(square);
    const range = Math.min(logHigh - logLow, MAXIMUM_LOG_MOVE);
    const parkinson = range * range * PARKINSON_FACTOR;
    const rogersSatchell = Math.min(
      highToClose * clipMove(logHigh - logOpen) + closeToLow * clipMove(logOpen - logLow),
      1,
    );
    const logRange = Math.log(parkinson + VARIANCE_FLOOR) - LOG_RANGE_CENTRE;

    const at = this.#openSlot(square);
    const p = this.#prefixes;
    add(p, at + SIGNED_RETURN, onLattice(move, MOVE_UNIT));
    add(p, at + ABSOLUTE_RETURN, onLattice(Math.abs(move), MOVE_UNIT));
    if (move < 0) add(p, at + DOWNSIDE_SQUARE, onLattice(square, MOVE_UNIT));
    add(p, at + BIPOWER, onLattice(Math.abs(move * previousReturn), MOVE_UNIT));
    add(p, at + PARKINSON, onLattice(parkinson, MOVE_UNIT));
    add(p, at + ROGERS_SATCHELL, onLattice(rogersSatchell, MOVE_UNIT));
    add(p, at + LOG_RANGE, onLattice(logRange, LOG_UNIT));
    add(p, at + LOG_RANGE_SQUARE, onLattice(logRange * logRange, LOG_UNIT));
    add(p, at + QUOTE_VOLUME, onLattice(Math.min(quoteVolume, MAXIMUM_QUOTE_VOLUME), VOLUME_UNIT));
    if (quoteVolume === 0) add(p, at + ZERO_VOLUME, 1);
  }

  /** One hour without a bar: a return of 0 and no volume, until the gap is too long to bridge. */
  advanceMissing(): void {
    if (this.age < 0) return;
    this.#missingInARow++;
    if (this.#missingInARow > MAXIMUM_GAP_HOURS) {
      this.age = -1;
      this.lastReturn = 0;
      return;
    }
    this.age++;
    this.lastReturn = 0;
    this.#highs.expire(this.age);
    this.#negatedLows.expire(this.age);
    const at = this.#openSlot(0);
    add(this.#prefixes, at + ZERO_VOLUME, 1);
    add(this.#prefixes, at + MISSING, 1);
  }

  /** A funding rate settled within the newest hour. Call after the hour was advanced. */
  settleFunding(rate: number): void {
    if (this.age <= 0) return;
    const clipped = Math.max(-MAXIMUM_FUNDING_RATE, Math.min(MAXIMUM_FUNDING_RATE, rate));
    const at = this.#newest;
    add(this.#prefixes, at + FUNDING, onLattice(clipped, MOVE_UNIT));
    add(this.#prefixes, at + FUNDING_COUNT, 1);
    this.#lastFundingAge = this.age;
    this.#lastFundingRate = clipped;
  }

  /** Computes what the cross-section and the row both need. */
  refresh(): void {
    this.start1 = this.#startOf(1);
    this.start4 = this.#startOf(4);
    this.start24 = this.#startOf(24);
    this.start72 = this.#startOf(72);
    this.start168 = this.#startOf(168);
    this.start720 = this.#startOf(720);
    this.variance24 = this.variance(24);
    this.variance168 = this.variance(168);
    this.logVolatility24 = logVolatilityFeature(this.variance24);
    this.logVolatility168 = logVolatilityFeature(this.variance168);
    this.return24 = this.signedSum(SIGNED_RETURN, this.start24) * MOVE_UNIT;
    this.return168 = this.signedSum(SIGNED_RETURN, this.start168) * MOVE_UNIT;
  }

  /** Hours of a window that the market has: the whole window, or its age where it is younger. */
  available(hours: number): number {
    return this.age < hours ? this.age : hours;
  }

  /** Mean squared return per hour over the last hours, at most 2160. */
  variance(hours: number): number {
    const available = this.available(hours);
    if (available <= 0) return 0;
    let slot = this.#longHead - available;
    if (slot < 0) slot += LONG_SLOTS;
    const sum = unsignedDifference(this.#squares[this.#longHead], this.#squares[slot]);
    return (sum * MOVE_UNIT) / available;
  }

  /** Sum, in lattice units, of a quantity that is never negative, over the hours of a window since `start`. */
  sum(quantity: number, start: number): number {
    return unsignedDifference(this.#prefixes[this.#newest + quantity], this.#prefixes[start + quantity]);
  }

  /** The same for a quantity of either sign. */
  signedSum(quantity: number, start: number): number {
    return signedDifference(this.#prefixes[this.#newest + quantity], this.#prefixes[start + quantity]);
  }

  /** Largest squared return of the last hours. */
  largestSquare(hours: number): number {
    const squares = this.#squares;
    let largest = 0;
    let slot = this.#longHead;
    let prefix = squares[slot];
    for (let i = this.available(hours); i > 0; i--) {
      slot = slot === 0 ? LONG_SLOTS - 1 : slot - 1;
      const square = unsignedDifference(prefix, squares[slot]);
      prefix = squares[slot];
      if (square > largest) largest = square;
    }
    return largest * MOVE_UNIT;
  }

  /** Log distance from the last close up to the highest high of 720 hours, at least 0. */
  distanceFromHigh(): number {
    return Math.max(this.#highs.maximum() - this.logClose, 0);
  }

  /** Log distance from the last close down to the lowest low of 720 hours, at least 0. */
  distanceFromLow(): number {
    return Math.max(this.logClose + this.#negatedLows.maximum(), 0);
  }

  /** Hours since the newest shock (0: the newest hour was one), at most `MAXIMUM_HOURS_SINCE_SHOCK`. */
  hoursSinceShock(): number {
    return Math.min(this.age - this.#lastShockAge, MAXIMUM_HOURS_SINCE_SHOCK);
  }

  /** The newest funding rate settled within the last hours; 0 where there is none. */
  lastFundingRate(hours: number): number {
    return this.age - this.#lastFundingAge < hours ? this.#lastFundingRate : 0;
  }

  #restart(logClose: number): void {
    this.age = 0;
    this.logClose = logClose;
    this.lastReturn = 0;
    this.#missingInARow = 0;
    this.#lastShockAge = Number.NEGATIVE_INFINITY;
    this.#lastFundingAge = Number.NEGATIVE_INFINITY;
    this.#lastFundingRate = 0;
    this.#highs.clear();
    this.#negatedLows.clear();
  }

  /** The shock is judged by the volatility of the 168 hours before it, with at least a day of them. */
  #noteShock(square: number): void {
    const before = Math.min(this.age - 1, 168);
    if (before < 24) return;
    let slot = this.#longHead - before;
    if (slot < 0) slot += LONG_SLOTS;
    const sum = unsignedDifference(this.#squares[this.#longHead], this.#squares[slot]);
    const variance = (sum * MOVE_UNIT) / before + VARIANCE_FLOOR;
    if (square > SHOCK_SIGMAS * SHOCK_SIGMAS * variance) this.#lastShockAge = this.age;
  }

  /** Starts the newest hour's slots as copies of the hour before, the square added; returns where the medium one is. */
  #openSlot(square: number): number {
    const previousLong = this.#longHead;
    this.#longHead = previousLong + 1 === LONG_SLOTS ? 0 : previousLong + 1;
    this.#squares[this.#longHead] = nextPrefix(this.#squares[previousLong], onLattice(square, MOVE_UNIT));
    const from = this.#newest;
    const to = from + QUANTITIES === MEDIUM_LENGTH ? 0 : from + QUANTITIES;
    this.#newest = to;
    for (let q = 0; q < QUANTITIES; q++) this.#prefixes[to + q] = this.#prefixes[from + q];
    return to;
  }

  /** Offset of the slot before the last hours, or before the market's first where it is younger; at most 720. */
  #startOf(hours: number): number {
    const start = this.#newest - this.available(hours) * QUANTITIES;
    return start < 0 ? start + MEDIUM_LENGTH : start;
  }
}

function add(prefixes: Float64Array, at: number, term: number): void {
  prefixes[at] = nextPrefix(prefixes[at], term);
}

function clipMove(move: number): number {
  if (move > MAXIMUM_LOG_MOVE) return MAXIMUM_LOG_MOVE;
  return move < -MAXIMUM_LOG_MOVE ? -MAXIMUM_LOG_MOVE : move;
}
