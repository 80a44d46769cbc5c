import type { Clock } from '../clock.ts';
import type { AnsweredWriteStore } from '../control/ports.ts';
import type { ControlReads } from '../control/reads.ts';
import type { PlimsollError } from '../errors.ts';
import type { Identities } from './access/identities.ts';
import type { RateLimits } from './access/rate-limits.ts';
import type { AccessObserver } from './access/refusal-log.ts';
import type { Keyring } from './auth.ts';
import type { ConnectionPatience } from './bounds.ts';
import type { RequestLogOptions } from './request-log.ts';
import type { RouteNeed } from './routes.ts';

export interface ServiceOptions extends RequestLogOptions {
  readonly reads: ControlReads;
  readonly clock: Clock;
  readonly accessObserver: AccessObserver;
  /** The text of `/metrics` and its content type. */
  readonly metrics: (
    isOpenMetrics: boolean,
  ) => Promise<{ readonly text: string; readonly contentType: string }>;
  readonly keyring: Keyring;
  /** Where the console was built. */
  readonly consoleFolder: string;
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
  /** Is told when the service itself failed, and not who asked. */
  readonly onFault?: (failure: PlimsollError) => void;
  readonly patience?: ConnectionPatience;
}
