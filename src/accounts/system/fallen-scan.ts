import { CONTRACT_KIND } from '../book/columns.ts';
import { endOf, firstOf, GROUP_STATE } from './group-index.ts';
import { FETCHED_TOGETHER, fetchGroups, type GroupBook, VALUE, VALUES, valueGroup } from './valuation.ts';

/**
 * Finds who has fallen after marks moved, without looking at everybody. A group that was looked at has a slack,
 * liquidation ratio · equity − maintenance margin, which no move against it of its marks by less than slack / reach uses
 * up. Each market has two clocks that sum the falls and the rises of its mark; a group sleeps until the falls of what it
 * is long in, or the rises of what it is short in, say that it could have fallen: moves in its favour never hurt, where no
 * maintenance rate is above the liquidation ratio. Otherwise, and for inverse contracts, whose margin falls with the base
 * asset, both clocks count.
 *
 * After rises of r₁ … rₖ a mark is no higher than e^(r₁ + … + rₖ) times what it was, and x / (1 + x) ≤ ln (1 + x); after falls
 * no lower than 1 − r₁ − … − rₖ. So a group sleeps for slack / (slack + reach): never too long.
 */
export class FallenScan {
  readonly #book: GroupBook;
  readonly #ratio: number;
  /** By market: whether moves in favour of a position cannot hurt it. */
  readonly #isOneSided: Uint8Array;
  readonly #hasOneSidedOnly: boolean;
  /** By group: 1 for those that fell or hold nothing, and those of which nothing is known. */
  readonly isGone: Uint8Array;
  /** By market. */
  readonly #falls: Float64Array;
  readonly #rises: Float64Array;
  /** By place in the positions of markets, on the clocks of its market: what is looked through lies in the order of memory. */
  readonly #wakeAtFalls: Float64Array;
  readonly #wakeAtRises: Float64Array;
  /** Groups to look at in this step. */
  readonly #isAwake: Uint8Array;
  readonly #out = new Float64Array(VALUES);
  readonly #found: Int32Array;
  /** Groups that are looked at in this step. */
  readonly #awake: Int32Array;
  /** Groups to look at whatever the marks do. */
  readonly #touched: number[] = [];
  #count = 0;
  #gross = 0;

  constructor(book: GroupBook, liquidationRatio: number) {
    this.#book = book;
    this.#ratio = liquidationRatio;
    const { groups, state, rowsOfMarket } = book.index;
    const { markets, contractKind, firstBracket, maintenanceRate } = book.markets;
    const steepest = (m: number): number => maintenanceRate[firstBracket[m + 1] - 1] ?? 0;
    this.#hasOneSidedOnly = Array.from({ length: markets }, (_, m) => m).every(
      (m) => contractKind[m] === CONTRACT_KIND.inverse || steepest(m) <= liquidationRatio,
    );
    this.#isOneSided = Uint8Array.from({ length: markets }, (_, m) =>
      this.#hasOneSidedOnly && contractKind[m] === CONTRACT_KIND.linear ? 1 : 0,
    );
    this.isGone = new Uint8Array(groups);
    for (let g = 0; g < groups; g++) if (state[g] !== GROUP_STATE.known) this.isGone[g] = 1;
    this.#falls = new Float64Array(book.mark.length);
    this.#rises = new Float64Array(book.mark.length);
    // Groups that are gone, or were never known, never wake.
    this.#wakeAtFalls = new Float64Array(rowsOfMarket.length).fill(NEVER);
    this.#wakeAtRises = new Float64Array(rowsOfMarket.length).fill(NEVER);
    this.#isAwake = new Uint8Array(groups);
    this.#found = new Int32Array(groups);
    this.#awake = new Int32Array(groups);
  }

  /** Looks at all groups: who is at or beyond its liquidation ratio. The answer holds until the next question. */
  all(): Int32Array {
    this.#count = 0;
    this.#gross = 0;
    const isGone = this.isGone;
    for (let g = 0; g < isGone.length; g++) if (isGone[g] === 0) this.#look(g);
    return this.#end();
  }

  /** Notional of all groups at the last look at all of them. */
  get grossNotional(): number {
    return this.#gross;
  }

  /**
   * Looks at those who may have fallen since marks moved.
   *
   * @param moved markets whose mark moved in this step. @param moves by market: by how much, as a share of the mark before.
   */
  after(moved: readonly number[], moves: Float64Array): Int32Array {
    this.#count = 0;
    const { firstOfMarket, groupOfPlace } = this.#book.index;
    const isAwake = this.#isAwake;
    for (const m of moved) {
      const isFall = moves[m] < 0;
      const clock = isFall ? this.#falls : this.#rises;
      const wakeAt = isFall ? this.#wakeAtFalls : this.#wakeAtRises;
      clock[m] += Math.abs(moves[m]);
      const now = clock[m];
      const end = firstOfMarket[m + 1];
      for (let i = firstOfMarket[m]; i < end; i++) if (wakeAt[i] <= now) isAwake[groupOfPlace[i]] = 1;
    }
    for (const g of this.#touched) isAwake[g] = 1;
    this.#touched.length = 0;
    // All that are awake in the order of memory, not market by market.
    const awake = this.#awake;
    let count = 0;
    for (let g = 0; g < isAwake.length; g++) {
      if (isAwake[g] === 0) continue;
      isAwake[g] = 0;
      if (this.isGone[g] === 0) awake[count++] = g;
    }
    for (let from = 0; from < count; from += FETCHED_TOGETHER) {
      const end = Math.min(from + FETCHED_TOGETHER, count);
      fetchGroups(this.#book, awake, from, end);
      for (let i = from; i < end; i++) this.#look(awake[i]);
    }
    return this.#end();
  }

  /** The group's positions or margin were changed: it is looked at in the next step. */
  touch(group: number): void {
    this.#touched.push(group);
  }

  /** The group is gone. */
  drop(group: number): void {
    this.isGone[group] = 1;
    this.#sleep(group, NEVER);
  }

  /** In the order of groups. */
  #end(): Int32Array {
    return this.#found.subarray(0, this.#count);
  }

  #look(group: number): void {
    const out = this.#out;
    valueGroup(this.#book, group, out);
    this.#gross += out[VALUE.gross];
    const slack = this.#ratio * out[VALUE.equity] - out[VALUE.maintenance];
    if (out[VALUE.gross] === 0) {
      this.drop(group);
    } else if (slack <= 0) {
      this.#found[this.#count++] = group;
    } else {
      const upkeep = this.#hasOneSidedOnly ? VALUE.shortMaintenanceReach : VALUE.maintenanceReach;
      const reach = this.#ratio * out[VALUE.equityReach] + out[upkeep];
      this.#sleep(group, (SURELY * slack) / (slack + reach));
    }
  }

  /** @param span of each clock that counts for the group, from now. */
  #sleep(group: number, span: number): void {
    const { accounts, index } = this.#book;
    const end = endOf(group, this.#book);
    for (let row = firstOf(group, this.#book); row < end; row++) {
      // A row that was closed is still in its market's list, and one that never had a quantity is not.
      if (index.groupOfPosition[row] !== group || accounts.quantity[row] === 0) continue;
      const m = accounts.market[row];
      const place = index.placeOfRow[row];
      const countsBoth = this.#isOneSided[m] === 0;
      if (countsBoth || accounts.quantity[row] > 0) this.#wakeAtFalls[place] = this.#falls[m] + span;
      if (countsBoth || accounts.quantity[row] < 0) this.#wakeAtRises[place] = this.#rises[m] + span;
    }
  }
}

const NEVER = Number.POSITIVE_INFINITY;
/** Room for the rounding of sums. */
const SURELY = 1 - 1e-9;
