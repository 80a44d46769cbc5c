import { GROUP_STATE } from './group-index.ts';
import { type GroupBook, VALUE, VALUES, valueGroup } from './valuation.ts';

/**
 * Finds who has fallen after marks moved, without looking at everybody. A group that was looked at has a slack,
 * liquidation ratio · equity − maintenance margin, which no move of marks by less than slack / reach uses up, wherever they
 * go. A clock sums the largest relative move of each step; a group sleeps until the clock says that it could have fallen.
 *
 * After steps of r₁ … rₖ no mark is further from where it was than e^(r₁ + … + rₖ) − 1, and x / (1 + x) ≤ ln (1 + x), so
 * that a group sleeps for slack / (slack + reach): never too long.
 */
export class FallenScan {
  readonly #book: GroupBook;
  readonly #ratio: number;
  readonly #wakeAt: Float64Array;
  /** The step in which a group was looked at last. */
  readonly #seen: Int32Array;
  readonly #out = new Float64Array(VALUES);
  readonly #found: Int32Array;
  /** Groups to look at whatever the marks do. */
  readonly #touched: number[] = [];
  #count = 0;
  #clock = 0;
  #gross = 0;
  #step = 0;

  constructor(book: GroupBook, liquidationRatio: number) {
    this.#book = book;
    this.#ratio = liquidationRatio;
    const { groups, state } = book.index;
    this.#wakeAt = new Float64Array(groups);
    this.#seen = new Int32Array(groups);
    this.#found = new Int32Array(groups);
    for (let g = 0; g < groups; g++)
      if (state[g] !== GROUP_STATE.known) this.#wakeAt[g] = Number.POSITIVE_INFINITY;
  }

  /** Looks at all groups: who is at or beyond its liquidation ratio. The answer holds until the next question. */
  all(): Int32Array {
    this.#begin();
    this.#gross = 0;
    const wakeAt = this.#wakeAt;
    for (let g = 0; g < wakeAt.length; g++) if (wakeAt[g] < Number.POSITIVE_INFINITY) this.#look(g);
    return this.#end();
  }

  /** Notional of all groups at the last look at all of them. */
  get grossNotional(): number {
    return this.#gross;
  }

  /**
   * Looks at those who may have fallen since marks moved.
   *
   * @param moved markets whose mark moved in this step. @param largestMove of them, as a share of the mark before.
   */
  after(moved: readonly number[], largestMove: number): Int32Array {
    this.#begin();
    this.#clock += largestMove;
    const { index } = this.#book;
    const clock = this.#clock;
    const wakeAt = this.#wakeAt;
    let held = 0;
    for (const m of moved) held += index.firstOfMarket[m + 1] - index.firstOfMarket[m];
    // In the order of memory all groups cost less than a few positions out of it.
    if (held * SCATTERED_COST > index.groups) {
      for (let g = 0; g < wakeAt.length; g++) if (wakeAt[g] <= clock) this.#look(g);
    } else {
      for (const m of moved) {
        for (let i = index.firstOfMarket[m]; i < index.firstOfMarket[m + 1]; i++) {
          const g = index.groupOfPosition[index.rowsOfMarket[i]];
          if (wakeAt[g] <= clock) this.#look(g);
        }
      }
    }
    for (const g of this.#touched) if (wakeAt[g] < Number.POSITIVE_INFINITY) this.#look(g);
    this.#touched.length = 0;
    return this.#end();
  }

  /** The group's positions or margin were changed: it is looked at in the next step. */
  touch(group: number): void {
    this.#touched.push(group);
  }

  get hasTouched(): boolean {
    return this.#touched.length > 0;
  }

  /** The group is gone. */
  drop(group: number): void {
    this.#wakeAt[group] = Number.POSITIVE_INFINITY;
  }

  isGone(group: number): boolean {
    return this.#wakeAt[group] === Number.POSITIVE_INFINITY;
  }

  #begin(): void {
    this.#count = 0;
    this.#step++;
  }

  #end(): Int32Array {
    // In the order of rows, however they were found.
    return this.#found.subarray(0, this.#count).sort();
  }

  #look(group: number): void {
    if (this.#seen[group] === this.#step) return;
    this.#seen[group] = this.#step;
    const out = this.#out;
    valueGroup(this.#book, group, out);
    this.#gross += out[VALUE.gross];
    const slack = this.#ratio * out[VALUE.equity] - out[VALUE.maintenance];
    if (slack <= 0) {
      this.#found[this.#count++] = group;
      this.#wakeAt[group] = Number.NEGATIVE_INFINITY;
    } else if (out[VALUE.gross] === 0) {
      this.drop(group);
    } else {
      const reach = this.#ratio * out[VALUE.equityReach] + out[VALUE.maintenanceReach];
      this.#wakeAt[group] = this.#clock + (SURELY * slack) / (slack + reach);
    }
  }
}

/** One position out of the order of memory costs as much as so many groups within it. */
const SCATTERED_COST = 8;
/** Room for the rounding of sums. */
const SURELY = 1 - 1e-9;
