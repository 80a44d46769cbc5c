import type { AccountColumns } from './columns.ts';
import { grownTightly, IntList } from './growing.ts';
import type { MarketRows } from './market-rows.ts';
import { NameTable } from './name-table.ts';

/** One account as it comes in and is read back. */
export interface AccountRecord {
  readonly accountId: string;
  readonly userId: string;
  readonly isIsolated: boolean;
  /** Without unrealised profit, in the settlement asset. */
  readonly collateral: number;
  /** The sender's own count of its updates; 0 where it keeps none. */
  readonly sequence: number;
  readonly positions: readonly PositionRecord[];
}

export interface PositionRecord {
  /** Row of the market. */
  readonly market: number;
  /** Above 0 long, below 0 short. */
  readonly quantity: number;
  readonly entryPrice: number;
  /** NaN where the position shares the account's collateral. */
  readonly isolatedMargin: number;
}

const NONE = -1;
export const MOST_POSITIONS = 1000;

/** Positions are kept in blocks of these lengths, so that an account that changes a little stays where it is. */
const BLOCK_LENGTHS = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1000];
const BLOCK_OF = blockOfCounts();

/**
 * All accounts in columns: about 65 bytes an account and 35 a position. Updates take an account's whole state; rows keep
 * their number for good.
 */
export class AccountBook implements AccountColumns {
  readonly markets: MarketRows;
  names: NameTable;
  accounts = 0;
  collateral: Float64Array;
  sequence: Float64Array;
  firstPosition: Int32Array;
  positionCount: Uint16Array;
  block: Uint8Array;
  isIsolated: Uint8Array;
  /** How many thresholds the account's shared margin has reached. */
  status: Uint8Array;
  /** Row of its id, and of its user's, among the names. */
  accountName: Int32Array;
  userName: Int32Array;
  /** The next account of the same user. */
  nextOfUser: Int32Array;
  /** By name: the account of that id, and the newest account of that user. */
  accountOfName: Int32Array;
  firstOfUser: Int32Array;

  /** Rows of positions that were ever in use. */
  positions = 0;
  market: Uint16Array;
  quantity: Float64Array;
  entryPrice: Float64Array;
  isolatedMargin: Float64Array;
  /** The same of an isolated position. */
  positionStatus: Uint8Array;
  /** Where the position stands in its market's list of holders. */
  holderSlot: Int32Array;

  /** By market: the accounts that hold it, once for each position. */
  readonly holders: IntList[] = [];
  /** Blocks that nobody has any more, by the number of their length. */
  readonly freeBlocks: readonly IntList[] = BLOCK_LENGTHS.map(() => new IntList());

  constructor(markets: MarketRows, capacity: { accounts: number; positions: number } = NOTHING) {
    this.markets = markets;
    this.names = new NameTable(capacity.accounts);
    this.collateral = new Float64Array(capacity.accounts);
    this.sequence = new Float64Array(capacity.accounts);
    this.firstPosition = new Int32Array(capacity.accounts);
    this.positionCount = new Uint16Array(capacity.accounts);
    this.block = new Uint8Array(capacity.accounts);
    this.isIsolated = new Uint8Array(capacity.accounts);
    this.status = new Uint8Array(capacity.accounts);
    this.accountName = new Int32Array(capacity.accounts);
    this.userName = new Int32Array(capacity.accounts);
    this.nextOfUser = new Int32Array(capacity.accounts);
    this.accountOfName = new Int32Array(capacity.accounts).fill(NONE);
    this.firstOfUser = new Int32Array(capacity.accounts).fill(NONE);
    this.market = new Uint16Array(capacity.positions);
    this.quantity = new Float64Array(capacity.positions);
    this.entryPrice = new Float64Array(capacity.positions);
    this.isolatedMargin = new Float64Array(capacity.positions);
    this.positionStatus = new Uint8Array(capacity.positions);
    this.holderSlot = new Int32Array(capacity.positions);
  }

  /** The row of an account; −1 where it is not known. */
  find(accountId: string): number {
    const name = this.names.find(accountId);
    return name === NONE ? NONE : this.accountOfName[name];
  }

  accountIdOf(row: number): string {
    return this.names.nameOf(this.accountName[row]);
  }

  userIdOf(row: number): string {
    return this.names.nameOf(this.userName[row]);
  }

  /** Rows of a user's accounts, the newest first. */
  accountsOf(userId: string): number[] {
    const name = this.names.find(userId);
    const rows: number[] = [];
    for (let row = name === NONE ? NONE : this.firstOfUser[name]; row !== NONE; row = this.nextOfUser[row])
      rows.push(row);
    return rows;
  }

  recordOf(row: number): AccountRecord {
    const first = this.firstPosition[row];
    const positions = Array.from({ length: this.positionCount[row] }, (_, i) => ({
      market: this.market[first + i],
      quantity: this.quantity[first + i],
      entryPrice: this.entryPrice[first + i],
      isolatedMargin: this.isolatedMargin[first + i],
    }));
    return {
      accountId: this.accountIdOf(row),
      userId: this.userIdOf(row),
      isIsolated: this.isIsolated[row] === 1,
      collateral: this.collateral[row],
      sequence: this.sequence[row],
      positions,
    };
  }

  /**
   * Takes an account's state in place of the one before. Statuses stay until margins are looked at again; an isolated
   * position keeps its own while its market and side stay.
   *
   * @returns its row.
   */
  put(record: AccountRecord): number {
    const row = this.#rowOf(record.accountId);
    const isOwnUser = record.userId === record.accountId;
    this.#setUser(row, isOwnUser ? this.accountName[row] : this.#nameRow(record.userId));
    this.isIsolated[row] = record.isIsolated ? 1 : 0;
    this.collateral[row] = record.collateral;
    this.sequence[row] = record.sequence;
    const statuses = this.#isolatedStatuses(row);
    this.#leaveHolders(row);
    this.#reserve(row, record.positions.length);
    const first = this.firstPosition[row];
    for (let i = 0; i < record.positions.length; i++) {
      const { market, quantity, entryPrice, isolatedMargin } = record.positions[i];
      const position = first + i;
      this.market[position] = market;
      this.quantity[position] = quantity;
      this.entryPrice[position] = entryPrice;
      this.isolatedMargin[position] = isolatedMargin;
      const isOwn = !Number.isNaN(isolatedMargin);
      this.positionStatus[position] = isOwn ? (statuses?.get(sideKey(market, quantity)) ?? 0) : 0;
      this.holderSlot[position] = this.holdersOf(market).push(row);
    }
    return row;
  }

  /** The accounts that hold a market, once for each position. */
  holdersOf(market: number): IntList {
    while (this.holders.length <= market) this.holders.push(new IntList());
    return this.holders[market];
  }

  /** What all of it takes in memory: columns with the room that is kept for more, names, holders. */
  get bytes(): number {
    const columns = Object.values(this).filter((value) => ArrayBuffer.isView(value));
    const lists = [...this.holders, ...this.freeBlocks].map(({ values }) => values);
    return [...columns, ...lists].reduce((sum, { byteLength }) => sum + byteLength, this.names.bytes);
  }

  /** Fills in everything that follows from the columns themselves. */
  rebuild(): void {
    this.accountOfName = new Int32Array(this.names.count).fill(NONE);
    this.firstOfUser = new Int32Array(this.names.count).fill(NONE);
    this.nextOfUser = new Int32Array(this.accounts);
    this.holderSlot = new Int32Array(this.positions);
    for (let row = 0; row < this.accounts; row++) {
      this.accountOfName[this.accountName[row]] = row;
      this.nextOfUser[row] = this.firstOfUser[this.userName[row]];
      this.firstOfUser[this.userName[row]] = row;
      const first = this.firstPosition[row];
      for (let position = first; position < first + this.positionCount[row]; position++)
        this.holderSlot[position] = this.holdersOf(this.market[position]).push(row);
    }
  }

  #rowOf(accountId: string): number {
    const name = this.#nameRow(accountId);
    if (this.accountOfName[name] !== NONE) return this.accountOfName[name];
    const row = this.accounts++;
    if (row === this.collateral.length) this.#growAccounts(row + 1);
    this.accountName[row] = name;
    this.userName[row] = NONE;
    this.accountOfName[name] = row;
    return row;
  }

  #nameRow(name: string): number {
    const known = this.names.count;
    const row = this.names.add(name);
    if (row < known) return row;
    this.accountOfName = grownTightly(this.accountOfName, row + 1);
    this.firstOfUser = grownTightly(this.firstOfUser, row + 1);
    this.accountOfName[row] = NONE;
    this.firstOfUser[row] = NONE;
    return row;
  }

  /** @param user row of its name. */
  #setUser(row: number, user: number): void {
    const before = this.userName[row];
    if (user === before) return;
    if (before !== NONE) this.#leaveUser(row, before);
    this.userName[row] = user;
    this.nextOfUser[row] = this.firstOfUser[user];
    this.firstOfUser[user] = row;
  }

  #leaveUser(row: number, user: number): void {
    if (this.firstOfUser[user] === row) {
      this.firstOfUser[user] = this.nextOfUser[row];
      return;
    }
    let before = this.firstOfUser[user];
    while (this.nextOfUser[before] !== row) before = this.nextOfUser[before];
    this.nextOfUser[before] = this.nextOfUser[row];
  }

  /** Null where there is nothing to remember. */
  #isolatedStatuses(row: number): Map<number, number> | null {
    let statuses: Map<number, number> | null = null;
    const first = this.firstPosition[row];
    for (let position = first; position < first + this.positionCount[row]; position++) {
      if (this.positionStatus[position] === 0) continue;
      statuses ??= new Map();
      statuses.set(sideKey(this.market[position], this.quantity[position]), this.positionStatus[position]);
    }
    return statuses;
  }

  #leaveHolders(row: number): void {
    const first = this.firstPosition[row];
    for (let position = first; position < first + this.positionCount[row]; position++) {
      const market = this.market[position];
      const list = this.holders[market];
      const slot = this.holderSlot[position];
      const last = list.length - 1;
      const moved = list.pop();
      this.holderSlot[position] = NONE;
      if (slot === last) continue;
      list.values[slot] = moved;
      this.holderSlot[this.#positionAt(moved, market, last)] = slot;
    }
  }

  /** The position of an account in a market that stands at a slot of its holders. */
  #positionAt(row: number, market: number, slot: number): number {
    let position = this.firstPosition[row];
    while (this.market[position] !== market || this.holderSlot[position] !== slot) position++;
    return position;
  }

  /** Sees that the account's block holds so many positions. What was in it is lost. */
  #reserve(row: number, count: number): void {
    const block = BLOCK_OF[count];
    const before = this.block[row];
    this.positionCount[row] = count;
    if (block === before) return;
    if (before > 0) this.freeBlocks[before].push(this.firstPosition[row]);
    this.block[row] = block;
    this.firstPosition[row] = block === 0 ? 0 : this.#freeBlock(block);
  }

  #freeBlock(block: number): number {
    const free = this.freeBlocks[block];
    if (free.length > 0) return free.pop();
    const first = this.positions;
    this.positions += BLOCK_LENGTHS[block];
    if (this.positions > this.quantity.length) this.#growPositions(this.positions);
    return first;
  }

  #growAccounts(rows: number): void {
    this.collateral = grownTightly(this.collateral, rows);
    this.sequence = grownTightly(this.sequence, rows);
    this.firstPosition = grownTightly(this.firstPosition, rows);
    this.positionCount = grownTightly(this.positionCount, rows);
    this.block = grownTightly(this.block, rows);
    this.isIsolated = grownTightly(this.isIsolated, rows);
    this.status = grownTightly(this.status, rows);
    this.accountName = grownTightly(this.accountName, rows);
    this.userName = grownTightly(this.userName, rows);
    this.nextOfUser = grownTightly(this.nextOfUser, rows);
  }

  #growPositions(rows: number): void {
    this.market = grownTightly(this.market, rows);
    this.quantity = grownTightly(this.quantity, rows);
    this.entryPrice = grownTightly(this.entryPrice, rows);
    this.isolatedMargin = grownTightly(this.isolatedMargin, rows);
    this.positionStatus = grownTightly(this.positionStatus, rows);
    this.holderSlot = grownTightly(this.holderSlot, rows);
  }
}

const NOTHING = { accounts: 0, positions: 0 };

function sideKey(market: number, quantity: number): number {
  return market * 2 + (quantity > 0 ? 1 : 0);
}

/** The smallest block that holds a number of positions, by that number. */
function blockOfCounts(): Uint8Array {
  const blocks = new Uint8Array(MOST_POSITIONS + 1);
  for (let count = 0, block = 0; count <= MOST_POSITIONS; count++) {
    if (count > BLOCK_LENGTHS[block]) block++;
    blocks[count] = block;
  }
  return blocks;
}
