/** Where time comes from. Nothing outside this file reads the machine's clock; tests and replays bring their own. */
export interface Clock {
  /** Epoch milliseconds, UTC. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A clock that stands still until it is told to move. */
export class ManualClock implements Clock {
  #milliseconds: number;

  constructor(startMilliseconds: number) {
    this.#milliseconds = startMilliseconds;
  }

  now(): number {
    return this.#milliseconds;
  }

  advance(milliseconds: number): void {
    this.#milliseconds += milliseconds;
  }

  set(milliseconds: number): void {
    this.#milliseconds = milliseconds;
  }
}

/** Epoch milliseconds as ISO 8601 UTC, the form of every time at a boundary. */
export function isoTime(epochMilliseconds: number): string {
  return new Date(epochMilliseconds).toISOString();
}

/** Seconds of a monotonic clock, for durations. */
export function stopwatchSeconds(): number {
  return performance.now() / 1000;
}

/** Milliseconds of a monotonic clock that all threads of a process share, and that goes on while it is stopped. */
export function monotonicMilliseconds(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
