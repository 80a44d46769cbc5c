/** Words of users; two of the same word are asked about once too often, never once too seldom. */
const USERS = 2 ** 18;
/** Words of markets, behind those of users; behind them is one for everything. */
const MARKETS = 2 ** 12;
const EVERYTHING = USERS + MARKETS;

/**
 * Counts what happens to accounts, in memory that two threads share: whoever keeps what it was told of a user's accounts learns without
 * waiting whether it still holds. Words are counted up before what they stand for changes, in the thread that changes it. So what that
 * thread reads holds for as long as the words that it read beside it stay as they are.
 */
export class AccountVersions {
  readonly memory: SharedArrayBuffer;
  readonly #words: Uint32Array;

  /** @param memory of others that these are to be the same as. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer((EVERYTHING + 1) * 4)) {
    this.memory = memory;
    this.#words = new Uint32Array(memory);
  }

  /** An account of the user, or its status, changes. */
  userChanges(userId: string): void {
    Atomics.add(this.#words, userWord(userId), 1);
  }

  /** The mark of a market changes. */
  marketChanges(symbol: string): void {
    Atomics.add(this.#words, marketWord(symbol), 1);
  }

  /** The accounts are read anew from what is stored. */
  everythingChanges(): void {
    Atomics.add(this.#words, EVERYTHING, 1);
  }

  /** Where it is counted what a user's accounts are, that hold these markets. */
  wordsOf(userId: string, symbols: Iterable<string>): readonly number[] {
    return [EVERYTHING, userWord(userId), ...new Set([...symbols].map(marketWord))];
  }

  /** The counts of some words together. As none falls, the sum is the same only where each is. */
  sumOf(words: readonly number[]): number {
    let sum = 0;
    for (const word of words) sum += Atomics.load(this.#words, word);
    return sum;
  }
}

function userWord(userId: string): number {
  return hashOf(userId) & (USERS - 1);
}

function marketWord(symbol: string): number {
  return USERS + (hashOf(symbol) & (MARKETS - 1));
}

/** FNV-1a of 32 bits, with its upper half mixed in. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}
