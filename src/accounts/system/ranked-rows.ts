import { grown } from '../book/growing.ts';

/**
 * Rows of several lists with their ranks, each list told best first; of equal ones the first row. A heap a list, because few of
 * many are told as a rule.
 */
export class RankedRows {
  /** As they were added. */
  readonly #new = new Entries();
  #list = new Int32Array(0);
  #newCount = 0;
  /** By list; a list lies between its place in `#first` and the next. */
  readonly #sorted = new Entries();
  #first = new Int32Array(1);
  /** The heap that is told. */
  #from = 0;
  #count = 0;
  #lastRank = Number.NaN;
  #lastContracts = Number.NaN;

  /** Rows that were added are forgotten; lists that were sorted out stay. */
  clear(): void {
    this.#newCount = 0;
  }

  add(list: number, row: number, rank: number, contracts: number): void {
    const at = this.#newCount++;
    if (at === this.#list.length) {
      this.#list = grown(this.#list, at + 1);
      this.#new.reserve(this.#list.length);
    }
    this.#list[at] = list;
    this.#new.set(at, row, rank, contracts);
  }

  /** Sorts what was added into lists 0 … `lists` − 1, in place of those before. */
  sortOut(lists: number): void {
    const first = new Int32Array(lists + 1);
    for (let i = 0; i < this.#newCount; i++) first[this.#list[i] + 1]++;
    for (let list = 0; list < lists; list++) first[list + 1] += first[list];
    this.#sorted.reserve(this.#newCount);
    const at = first.slice();
    for (let i = 0; i < this.#newCount; i++) this.#sorted.copy(this.#new, i, at[this.#list[i]]++);
    this.#first = first;
  }

  /** Tells this list from its best on. */
  begin(list: number): void {
    this.#order(this.#first[list], this.#first[list + 1] - this.#first[list]);
  }

  /** −1 when there are no more. */
  next(): number {
    if (this.#count === 0) return -1;
    const { row, rank, contracts } = this.#sorted;
    const best = row[this.#from];
    this.#lastRank = rank[this.#from];
    this.#lastContracts = contracts[this.#from];
    this.#sorted.copy(this.#sorted, this.#from + --this.#count, this.#from);
    this.#sink(0);
    return best;
  }

  /** Of the row that was told last. */
  get lastRank(): number {
    return this.#lastRank;
  }

  get lastContracts(): number {
    return this.#lastContracts;
  }

  /** Contracts of the rows of this list that were not told yet. */
  get contractsLeft(): number {
    let sum = 0;
    for (let i = 0; i < this.#count; i++) sum += this.#sorted.contracts[this.#from + i];
    return sum;
  }

  #order(from: number, count: number): void {
    this.#from = from;
    this.#count = count;
    for (let i = (count >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  #sink(start: number): void {
    const { row, rank, contracts } = this.#sorted;
    const from = this.#from;
    const end = from + this.#count;
    let at = from + start;
    const own = { row: row[at], rank: rank[at], contracts: contracts[at] };
    for (;;) {
      let child = 2 * (at - from) + 1 + from;
      if (child >= end) break;
      const next = child + 1;
      if (next < end && (rank[next] > rank[child] || (rank[next] === rank[child] && row[next] < row[child])))
        child = next;
      if (!(rank[child] > own.rank || (rank[child] === own.rank && row[child] < own.row))) break;
      this.#sorted.copy(this.#sorted, child, at);
      at = child;
    }
    this.#sorted.set(at, own.row, own.rank, own.contracts);
  }
}

class Entries {
  row = new Int32Array(0);
  rank = new Float64Array(0);
  contracts = new Float64Array(0);

  reserve(count: number): void {
    if (count <= this.row.length) return;
    this.row = grown(this.row, count);
    this.rank = grown(this.rank, count);
    this.contracts = grown(this.contracts, count);
  }

  set(at: number, row: number, rank: number, contracts: number): void {
    this.row[at] = row;
    this.rank[at] = rank;
    this.contracts[at] = contracts;
  }

  copy({ row, rank, contracts }: Entries, from: number, to: number): void {
    this.set(to, row[from], rank[from], contracts[from]);
  }
}
