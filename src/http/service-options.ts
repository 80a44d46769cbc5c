import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { AnsweredWriteStore } from '../control/ports.ts';
import type { ControlReads } from '../control/reads.ts';
import type { PlimsollError } from '../errors.ts';
import type { Identities } from './access/identities.ts';
import type { RateLimits } from './access/rate-limits.ts';
import type { AccessObserver } from './access/refusal-log.ts';
import type { Keyring } from './auth.ts';
import type { RouteNeed } from './routes.ts';

/** What the service tells about a request that it has answered. */
export interface RequestObserver {
  observeRequest(route: string, method: string, code: number, seconds: number): void;
}

export interface ServiceOptions {
  readonly reads: ControlReads;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: RequestObserver;
  readonly accessObserver: AccessObserver;
  /** The text of `/metrics` and its content type. */
  readonly metrics: (
    isOpenMetrics: boolean,
  ) => Promise<{ readonly text: string; readonly contentType: string }>;
  readonly keyring: Keyring;
  /** People by their tokens. */
  readonly identities?: Identities | null;
  /** None without them. */
  readonly rateLimits?: RateLimits;
  /** Answers to writes that may come again. */
  readonly answers: AnsweredWriteStore;
  /** Whether a nonce is new to all processes; without it this one is the only. */
  readonly claimNonce?: (nonce: string, until: number) => Promise<boolean>;
  /** Why this process does not take what a route needs; null where it does. */
  readonly refusalOf?: (needs: RouteNeed) => PlimsollError | null;
  readonly version: string;
  /** Seconds of a monotonic clock, for the duration of requests. */
  readonly stopwatch: () => number;
}
