import type { Server, ServerOptions } from 'node:http';
import { refuse } from './problem.ts';

/** Everything has a bound, so that no client can hold the service. */
export const BOUNDS = {
  bodyBytes: 64 * 1024,
  batchBytes: 4 * 1024 * 1024,
  headerBytes: 16 * 1024,
  headersMilliseconds: 10_000,
  requestMilliseconds: 15_000,
  keepAliveMilliseconds: 30_000,
  /** A connection on which nothing moves, whoever has to move, is cut; streams send something every 15 seconds. */
  silenceMilliseconds: 60_000,
  /** How often the times above are looked at. */
  checkMilliseconds: 1000,
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

/** How long connections may take, milliseconds. */
export interface ConnectionPatience {
  readonly headersMilliseconds: number;
  readonly requestMilliseconds: number;
  readonly keepAliveMilliseconds: number;
  readonly silenceMilliseconds: number;
  readonly checkMilliseconds: number;
}

export function serverOptions({ checkMilliseconds }: ConnectionPatience = BOUNDS): ServerOptions {
  return { maxHeaderSize: BOUNDS.headerBytes, connectionsCheckingInterval: checkMilliseconds };
}

export function boundConnections(server: Server, patience: ConnectionPatience = BOUNDS): void {
  server.headersTimeout = patience.headersMilliseconds;
  server.requestTimeout = patience.requestMilliseconds;
  server.keepAliveTimeout = patience.keepAliveMilliseconds;
  server.timeout = patience.silenceMilliseconds;
  server.maxConnections = BOUNDS.connections;
}
