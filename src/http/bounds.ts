import { refuse } from './problem.ts';

/** Everything has a bound, so that no client can hold the service. */
export const BOUNDS = {
  bodyBytes: 64 * 1024,
  batchBytes: 4 * 1024 * 1024,
  headerBytes: 16 * 1024,
  headersMilliseconds: 10_000,
  requestMilliseconds: 15_000,
  keepAliveMilliseconds: 30_000,
  connections: 25_000,
  /** Connections that wait to be taken: after a restart all readers of the stream come back at once. */
  backlog: 4096,
  urlLength: 2_048,
} as const;

export const OVERLOADED = refuse(
  'OVERLOADED',
  'more comes than can be answered; what can wait is refused first',
  'Come again after Retry-After.',
);
