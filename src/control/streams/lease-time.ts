import { monotonicMilliseconds } from '../../clock.ts';

/**
 * Until when a lease is certainly held, in memory that two threads share. It counts from before the renewal was sent, by a clock
 * that goes on while a process is stopped, so whoever stood still knows it before anything else.
 */
export class LeaseTime {
  readonly memory: SharedArrayBuffer;
  readonly #until: BigInt64Array;

  /** @param memory of another one that this is to be the same as. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.memory = memory;
    this.#until = new BigInt64Array(memory);
  }

  /** @param askedAt of `monotonicMilliseconds`, before the lease was asked for. */
  held(askedAt: number, milliseconds: number): void {
    Atomics.store(this.#until, 0, BigInt(Math.floor(askedAt + milliseconds)));
  }

  over(): void {
    Atomics.store(this.#until, 0, 0n);
  }

  get isHeld(): boolean {
    return BigInt(Math.ceil(monotonicMilliseconds())) < Atomics.load(this.#until, 0);
  }
}
