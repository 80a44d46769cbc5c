import type { Server } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { PlimsollError } from '../errors.ts';
import { BOUNDS } from './bounds.ts';

/** Where to listen: an address of our own, or a socket that listens already and was handed over. */
export type ListenAt =
  | { readonly host: string; readonly port: number }
  /** A descriptor that this process has inherited. */
  | { readonly descriptor: number };

/** An open connection is told with its next answer that it ends; one that asks nothing for so long is closed. */
const LINGER_MILLISECONDS = 1000;
const LOOK_MILLISECONDS = 10;

/** Takes connections, and lets go of them without one failed request. */
export class Listener {
  readonly #server: Server;
  readonly #logger: Logger;
  readonly #open = new Set<Socket>();
  #isDraining = false;

  constructor(server: Server, logger: Logger) {
    this.#server = server;
    this.#logger = logger;
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket));
    });
  }

  /** From here on every answer ends its connection, so that its client comes again elsewhere. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** @throws PlimsollError CONFIG_INVALID when the port is taken or not to be had. */
  start(at: ListenAt): Promise<AddressInfo> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      const onError = (cause: NodeJS.ErrnoException): void => reject(notToBeHad(at, cause));
      server.once('error', onError);
      const { backlog } = BOUNDS;
      const where = 'descriptor' in at ? { fd: at.descriptor } : { host: at.host, port: at.port };
      server.listen({ ...where, backlog }, () => {
        server.off('error', onError);
        // A connection that could not be taken must not end the service.
        server.on('error', (err) => this.#logger.error({ err }, 'the listener failed'));
        resolve(server.address() as AddressInfo);
      });
    });
  }

  /** From now on every answer ends its connection; until `stop` everything is answered, new connections too. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Takes no new connection, answers what still comes on open ones, and cuts off what has not ended by the deadline. */
  async stop(deadlineMilliseconds: number): Promise<void> {
    this.#isDraining = true;
    const server = this.#server;
    if (!server.listening) return;
    // The server's own `close` would cut idle connections at once, also those whose next request is on its way.
    const closed = new Promise<void>((resolve) => {
      NetServer.prototype.close.call(server, () => resolve());
    });
    const cut = setTimeout(() => server.closeAllConnections(), deadlineMilliseconds);
    await this.#linger();
    // Again and again, for those that answered their last request meanwhile and were not told so.
    const sweep = setInterval(() => server.closeIdleConnections(), LOOK_MILLISECONDS);
    await closed;
    clearInterval(sweep);
    clearTimeout(cut);
    server.close();
  }

  async #linger(): Promise<void> {
    for (let waited = 0; waited < LINGER_MILLISECONDS && this.#open.size > 0; waited += LOOK_MILLISECONDS)
      await wait(LOOK_MILLISECONDS);
  }
}

function notToBeHad(at: ListenAt, cause: NodeJS.ErrnoException): PlimsollError {
  const why = cause.code === 'EADDRINUSE' ? 'another program listens there' : cause.message;
  if ('descriptor' in at)
    return new PlimsollError(
      'CONFIG_INVALID',
      `descriptor ${at.descriptor} is no socket to listen on: ${why}`,
      {
        remedy: 'Leave PLIMSOLL_LISTEN_DESCRIPTOR out, or hand a listening socket over under this number.',
        cause,
      },
    );
  return new PlimsollError('CONFIG_INVALID', `cannot listen on ${at.host}:${at.port}: ${why}`, {
    remedy: 'Choose another port: --port 8081, or PLIMSOLL_PORT.',
    cause,
  });
}
