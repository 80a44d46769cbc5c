import type { Clock } from '../clock.ts';
import { PlimsollError } from '../errors.ts';
import { DEFAULT_FALLBACK, type FallbackRules, fallbackFaults } from './fallback.ts';
import type { Observe } from './requests.ts';

export interface ClientOptions {
  /** Of the service: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Where the service has configured keys. A reader's is enough. */
  readonly key?: string;
  /** What becomes of caps when the server is gone; what is left out is as in `DEFAULT_FALLBACK`. */
  readonly fallback?: Partial<FallbackRules>;
  /** `connect` fails when no book has come after this. */
  readonly connectSeconds?: number;
  /** Limits of users are asked for again when they are older. */
  readonly userSeconds?: number;
  readonly firstPauseSeconds?: number;
  readonly longestPauseSeconds?: number;
  /** Told of connections, books, users and states. */
  readonly observe?: Observe;
  /** W3C trace context, sent with every request. */
  readonly traceparent?: string | (() => string | undefined);
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  /** Of the chance in pauses; another one for each client where it is left out. */
  readonly seed?: number | string;
}

export interface Settings {
  readonly fallback: FallbackRules;
  readonly connectSeconds: number;
  readonly userSeconds: number;
  readonly firstPauseSeconds: number;
  readonly longestPauseSeconds: number;
}

/** @throws PlimsollError INPUT_INVALID. */
export function settingsOf(options: ClientOptions): Settings {
  const settings = {
    fallback: { ...DEFAULT_FALLBACK, ...options.fallback },
    connectSeconds: options.connectSeconds ?? 10,
    userSeconds: options.userSeconds ?? 60,
    firstPauseSeconds: options.firstPauseSeconds ?? 0.25,
    longestPauseSeconds: options.longestPauseSeconds ?? 30,
  };
  const faults = fallbackFaults(settings.fallback);
  if (!/^https?:\/\//.test(options.url)) faults.push('url must begin with http:// or https://');
  for (const name of ['connectSeconds', 'userSeconds', 'firstPauseSeconds', 'longestPauseSeconds'] as const)
    if (!(settings[name] > 0 && settings[name] <= 86_400))
      faults.push(`${name} must be above 0, at most a day`);
  if (faults.length === 0) return settings;
  throw new PlimsollError('INPUT_INVALID', faults.join('; '), {
    remedy: 'Correct the options of the client.',
  });
}
