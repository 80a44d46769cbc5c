import { createHmac } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { Random } from '../../random.ts';
import type { OutboxStore } from '../ports.ts';
import type { Feed } from './feed.ts';
import type { FeedEvent, FeedKind } from './feed-event.ts';

export interface Webhook {
  readonly name: string;
  readonly url: string;
  /** What both sides know; never logged, never shown. */
  readonly secret: string;
  readonly kinds: readonly FeedKind[];
}

/** Sends one request. @returns the status of the answer; throws where there was none. */
export type WebhookPost = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
) => Promise<number>;

/** An event on its way to a receiver. */
export interface Delivery {
  readonly hook: string;
  readonly sequence: number;
  /** 32 hex digits: of the trace that all its calls are part of. */
  readonly traceId: string;
}

/** What becomes of a delivery. */
export interface WebhookObserver {
  delivered(delivery: Delivery): void;
  failed(delivery: Delivery, reason: string, attempt: number): void;
  buried(delivery: Delivery, reason: string): void;
}

export interface WebhookOptions {
  readonly hook: Webhook;
  readonly outbox: OutboxStore;
  readonly feed: Feed;
  readonly post: WebhookPost;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: WebhookObserver;
  /** Resolves after so many milliseconds, or at once when the signal comes. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** From a second to five minutes, doubling: a receiver may be away for some three hours before an event is given up. */
const FIRST_PAUSE_MILLISECONDS = 1000;
const LONGEST_PAUSE_MILLISECONDS = 300_000;
const MOST_ATTEMPTS = 56;
const PAGE = 100;

/**
 * Calls one receiver with the events that it wants, in their order, one at a time. How far it has come is stored, so a restart
 * repeats at most the delivery that had no answer; the number of the event is its id, by which a receiver knows a repetition.
 * An event that is refused for hours is buried with its reason, and the next ones go on.
 */
export class WebhookSender {
  readonly #options: WebhookOptions;
  readonly #ending = new AbortController();
  #wake: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #forget: (() => void) | null = null;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  start(): void {
    this.#forget = this.#options.feed.onEvents(() => this.#wake?.());
    this.#running = this.#run();
  }

  /** A delivery that runs comes to its end. */
  async stop(): Promise<void> {
    this.#forget?.();
    this.#ending.abort();
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { hook, outbox, feed } = this.#options;
    let cursor = await outbox.cursor(hook.name);
    // A receiver that is new begins with what is new.
    if (cursor === null) {
      cursor = feed.last;
      await outbox.setCursor(hook.name, cursor);
    }
    while (!this.#ending.signal.aborted) {
      const events = await outbox.eventsAfter(cursor, PAGE);
      if (events.length === 0) await this.#untilWoken();
      for (const event of events) {
        if (this.#ending.signal.aborted) return;
        if (hook.kinds.includes(event.kind) && !(await this.#deliver(event))) return;
        cursor = event.sequence;
        await outbox.setCursor(hook.name, cursor);
      }
    }
  }

  /** @returns false where the service ends before it was delivered or buried. */
  async #deliver(event: FeedEvent): Promise<boolean> {
    const { hook, outbox, clock, observer, pause, random } = this.#options;
    const text = `{"type":"${event.kind}","sequence":${event.sequence},"data":${event.body}}`;
    const traceId = traceIdOf(hook.secret, text);
    const delivery = { hook: hook.name, sequence: event.sequence, traceId };
    let reason = '';
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      reason = await this.#attempt(delivery, text, attempt);
      if (reason === '') {
        observer.delivered(delivery);
        return true;
      }
      observer.failed(delivery, reason, attempt);
      const longest = Math.min(FIRST_PAUSE_MILLISECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_MILLISECONDS);
      // Half of it by chance, so that receivers that failed together are not called together.
      await pause(longest * (0.5 + 0.5 * random.uniform()), this.#ending.signal);
      if (this.#ending.signal.aborted) return false;
    }
    await outbox.bury({ reader: hook.name, sequence: event.sequence, reason, at: clock.now() });
    observer.buried(delivery, reason);
    return true;
  }

  /** @returns why it failed; empty where it was taken. */
  async #attempt({ sequence, traceId }: Delivery, text: string, attempt: number): Promise<string> {
    const { hook, clock, post } = this.#options;
    const now = clock.now();
    const signed = signedHeaders(hook.secret, `plimsoll-${sequence}`, Math.floor(now / 1000), text);
    const spanId = spanIdOf(hook.secret, traceId, attempt, now);
    try {
      const status = await post(hook.url, { ...signed, traceparent: `00-${traceId}-${spanId}-01` }, text);
      return status >= 200 && status < 300 ? '' : `answered ${status}`;
    } catch (thrown) {
      return thrown instanceof Error ? thrown.message : String(thrown);
    }
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#ending.signal.aborted) resolve();
      this.#wake = resolve;
    });
  }
}

/**
 * The trace of a delivery (W3C Trace Context), the same for each call of it, also after a restart and in another process that goes on
 * with it. Keyed, so that nobody else can tell it beforehand; never all zeros, which would not be valid.
 */
function traceIdOf(secret: string, text: string): string {
  return hexOf(secret, `trace\n${text}`, 32);
}

/** One call of a delivery. */
function spanIdOf(secret: string, traceId: string, attempt: number, now: number): string {
  return hexOf(secret, `span\n${traceId}\n${attempt}\n${now}`, 16);
}

function hexOf(secret: string, text: string, digits: number): string {
  return `${createHmac('sha256', secret)
    .update(text)
    .digest('hex')
    .slice(0, digits - 1)}1`;
}

/** As the Standard Webhooks specification has them, so that receivers verify with any of its libraries. */
export function signedHeaders(
  secret: string,
  id: string,
  seconds: number,
  body: string,
): Readonly<Record<string, string>> {
  const signature = createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  };
}
