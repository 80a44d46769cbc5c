import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { PlimsollError } from '../errors.ts';
import { BOUNDS } from './bounds.ts';

/** @throws PlimsollError CONFIG_INVALID when the port is taken or not to be had. */
export function listen(server: Server, host: string, port: number, logger: Logger): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => {
      const why = cause.code === 'EADDRINUSE' ? 'another program listens there' : cause.message;
      const remedy = 'Choose another port: --port 8081, or PLIMSOLL_PORT.';
      reject(
        new PlimsollError('CONFIG_INVALID', `cannot listen on ${host}:${port}: ${why}`, { remedy, cause }),
      );
    };
    server.once('error', onError);
    server.listen({ port, host, backlog: BOUNDS.backlog }, () => {
      server.off('error', onError);
      // A connection that could not be taken must not end the service.
      server.on('error', (err) => logger.error({ err }, 'the listener failed'));
      resolve(server.address() as AddressInfo);
    });
  });
}
