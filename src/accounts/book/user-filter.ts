/** Bits behind the filter: two megabytes; with a million users one in some 400 others is taken for one of them. */
const BITS = 2 ** 24;
const WORDS = BITS / 32;
/** Bits of a user. */
const PROBES = 4;

/**
 * Which users may have an account, in memory that two threads share (Bloom 1970): whoever asks learns without waiting that a user has
 * none. It may take a user for one who has, never the other way round; until all that are stored are in it, it takes everybody
 * for one.
 */
export class UserFilter {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** @param memory of another filter that this one is to be the same as. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer((WORDS + 1) * 4)) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  /** All users that were known before are in it. */
  complete(): void {
    Atomics.store(this.#words, WORDS, 1);
  }

  add(userId: string): void {
    const [first, step] = hashesOf(userId);
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = (first + Math.imul(step, probe)) & (BITS - 1);
      Atomics.or(this.#words, bit >>> 5, 1 << (bit & 31));
    }
  }

  mayHave(userId: string): boolean {
    if (Atomics.load(this.#words, WORDS) === 0) return true;
    const [first, step] = hashesOf(userId);
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = (first + Math.imul(step, probe)) & (BITS - 1);
      if ((Atomics.load(this.#words, bit >>> 5) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }
}

/** Two FNV-1a hashes of 32 bits, the second from another start and odd; further ones follow from both (Kirsch and Mitzenmacher 2006). */
function hashesOf(text: string): readonly [number, number] {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b);
  }
  return [a ^ (a >>> 15), (b ^ (b >>> 13)) | 1];
}
