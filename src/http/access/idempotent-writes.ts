import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../clock.ts';
import { type AnsweredWriteStore, isWriteScope } from '../../control/ports.ts';
import type { Actor } from '../../control/reads.ts';
import { HOUR_MILLISECONDS } from '../../units.ts';
import { refuse } from '../problem.ts';
import type { Route, RouteAnswer } from '../routes.ts';

/** What a request asks for, as Express has it. */
interface Asked {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly originalUrl: string;
  readonly body: unknown;
}

/** What a write answers. */
export interface WriteAnswer {
  readonly status: number;
  readonly json: unknown;
}

const KEPT_MILLISECONDS = 24 * HOUR_MILLISECONDS;
/** A longer answer is not kept, and what is asked again is done again; it tells of lines that had no effect. */
const LONGEST_KEPT = 65_536;

/** @throws PlimsollError INPUT_INVALID for one that is not valid. */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined || (typeof key === 'string' && /^[\x21-\x7e]{1,200}$/.test(key))) return key;
  throw refuse(
    'INPUT_INVALID',
    'the Idempotency-Key is not valid',
    'Give 1 to 200 characters without spaces.',
  );
}

export function requestHashOf(method: string, address: string, body: unknown): string {
  return hash('sha256', JSON.stringify([method, address, body ?? null]), 'hex');
}

/**
 * The same write, asked again under its key, is not done again: it gets the answer that it got. Refusals are not kept, as nothing was
 * done. The answer is kept after the write is durable, so a crash between the two does it again; every write of this service sets a
 * whole state, so that this changes nothing.
 */
export class IdempotentWrites {
  readonly #store: AnsweredWriteStore;
  readonly #clock: Clock;
  readonly #running = new Set<string>();

  constructor(store: AnsweredWriteStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * The answer of a route: for a write that names an Idempotency-Key the one that was given first. Governance keeps its own, with
   * its audit entry.
   *
   * @throws PlimsollError what the route throws, INPUT_INVALID for a key that is not valid, and as `once`.
   */
  async answer(
    { scope, isJudgedByRules }: Pick<Route, 'scope' | 'isJudgedByRules'>,
    { method, headers, originalUrl, body }: Asked,
    caller: Actor | null,
    handle: () => Promise<RouteAnswer> | RouteAnswer,
  ): Promise<{ readonly answer: RouteAnswer; readonly isRepeat: boolean }> {
    const isWrite = scope !== 'open' && isWriteScope(scope) && !isJudgedByRules;
    const key = isWrite ? idempotencyKeyOf(headers) : undefined;
    if (key === undefined || caller === null) return { answer: await handle(), isRepeat: false };
    const answer = await this.once(caller.name, key, requestHashOf(method, originalUrl, body), async () => {
      const made = await handle();
      if (!('json' in made)) throw new TypeError('a write answers with JSON');
      return { status: made.status ?? 200, json: made.json };
    });
    return { answer, isRepeat: answer.isRepeat };
  }

  /** @throws PlimsollError IDEMPOTENCY_KEY_REUSED, CONFLICT while the first is not answered. */
  async once(
    actor: string,
    key: string,
    requestHash: string,
    write: () => Promise<WriteAnswer>,
  ): Promise<WriteAnswer & { readonly isRepeat: boolean }> {
    const running = `${actor} ${key}`;
    if (this.#running.has(running))
      throw refuse(
        'CONFLICT',
        'the first request with this Idempotency-Key is still being answered',
        'Ask again in a second.',
      );
    this.#running.add(running);
    try {
      const at = this.#clock.now();
      const since = at - KEPT_MILLISECONDS;
      const known = await this.#store.recall(actor, key, since);
      if (known !== null && known.requestHash !== requestHash)
        throw refuse(
          'IDEMPOTENCY_KEY_REUSED',
          'this Idempotency-Key was used for another request',
          'Take a new key for each request, and the same one only to repeat it.',
        );
      if (known !== null) return { status: known.status, json: JSON.parse(known.body), isRepeat: true };
      const { status, json } = await write();
      const body = JSON.stringify(json);
      if (body.length <= LONGEST_KEPT)
        await this.#store.keep({ actor, key, requestHash, at, status, body }, since);
      return { status, json, isRepeat: false };
    } finally {
      this.#running.delete(running);
    }
  }
}
