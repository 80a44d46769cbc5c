/** How long something may wait, in the order in which it is given up under load. */
export type Patience = 'never-shed' | 'working' | 'leisurely';

/** Requests that run at once, and how far the event loop is behind, from which on a kind of request is refused. */
const LIMITS: Readonly<
  Record<Exclude<Patience, 'never-shed'>, { requests: number; lagMilliseconds: number }>
> = {
  leisurely: { requests: 100, lagMilliseconds: 2000 },
  working: { requests: 1000, lagMilliseconds: 5000 },
};

const BEAT_MILLISECONDS = 50;

/** What an exchange needs while it trades: orders to check, accounts, prices and open interest to send, people to intervene. */
const WORKING =
  /^\/(v1\/(checks|prices|market-activity|accounts|users|user-policy|margin|freeze|emergency|overrides|approvals|stream|interventions)|fapi|v5|api)\b/;
const NEVER_SHED = new Set(['/livez', '/readyz', '/metrics']);

/** @param path without the query. */
export function patienceOf(path: string): Patience {
  if (NEVER_SHED.has(path)) return 'never-shed';
  return WORKING.test(path) ? 'working' : 'leisurely';
}

/**
 * Says what still gets an answer when more comes than can be done. Reads that are ready as bytes do not come here: they go out
 * first, always. What can wait is refused before what an exchange needs while it trades, so that work which was begun comes to its
 * end and the event loop stays near.
 */
export class LoadGauge {
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #expectedAt: number;
  #lagMilliseconds = 0;
  #running = 0;

  /** @param now milliseconds of a clock that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
    this.#expectedAt = now() + BEAT_MILLISECONDS;
    this.#timer = setInterval(() => this.#beat(), BEAT_MILLISECONDS);
    this.#timer.unref();
  }

  get running(): number {
    return this.#running;
  }

  /** How far the event loop was behind a moment ago. */
  get lagMilliseconds(): number {
    return this.#lagMilliseconds;
  }

  admits(patience: Patience): boolean {
    if (patience === 'never-shed') return true;
    const { requests, lagMilliseconds } = LIMITS[patience];
    return this.#running < requests && this.#lagMilliseconds < lagMilliseconds;
  }

  began(): void {
    this.#running++;
  }

  ended(): void {
    this.#running--;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The worst moment is forgotten by halves, so that it does not swing from refusing to taking everything and back. */
  #beat(): void {
    const now = this.#now();
    this.#lagMilliseconds = Math.max(now - this.#expectedAt, this.#lagMilliseconds / 2, 0);
    this.#expectedAt = now + BEAT_MILLISECONDS;
  }
}
