import { type ChildProcess, spawn } from 'node:child_process';
import net, { isIP } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { stopwatchSeconds } from './clock.ts';
import { PlimsollError } from './errors.ts';

export interface SupervisorOptions {
  readonly host: string;
  readonly port: number;
  /** Arguments of Node that run the service: it takes the socket as descriptor 3 and waits for the data folder. */
  readonly serviceArguments: readonly string[];
  readonly logger: Logger;
  /** Is told where the socket is, before anything answers there. */
  readonly onListening: (url: string) => void;
  /** When to end. */
  readonly terminated: AbortSignal;
  /** Calls its listener when the service is to be started anew. */
  readonly onRestart: (listener: () => void) => void;
}

/** What the service says to whoever supervises it. */
export const SERVICE_MESSAGES = { waiting: 'waiting for the data folder', answering: 'answering' } as const;

/** Under which number a service finds the socket. */
export const SERVICE_DESCRIPTOR = 3;
/** A service that lives shorter is not started again at once. */
const SHORT_LIFE_SECONDS = 10;
const LONGEST_PAUSE_SECONDS = 30;

interface Child {
  readonly process: ChildProcess;
  readonly bornAt: number;
  readonly waits: Promise<void>;
  readonly ended: Promise<number | null>;
}

/**
 * Holds the port while services come and go behind it: connections that arrive in between wait in the queue of the socket and
 * are answered by the next one. A restart loads the next service first, then lets the running one come to its end; a service
 * that dies is started again.
 *
 * @returns the exit code: that of the service that was told to end.
 * @throws PlimsollError CONFIG_INVALID when the port is not to be had.
 */
export async function supervise(options: SupervisorOptions): Promise<number> {
  const { logger, terminated, onRestart, onListening } = options;
  const socket = boundSocket(options.host, options.port);
  onListening(socket.url);
  const services: { running: Child; next: Child | null } = {
    running: startChild(options, socket.descriptor),
    next: null,
  };
  onRestart(() => void restart());
  terminated.addEventListener('abort', () => {
    for (const child of [services.running, services.next]) child?.process.kill('SIGTERM');
  });

  async function restart(): Promise<void> {
    if (services.next !== null || terminated.aborted) return;
    const next = startChild(options, socket.descriptor);
    services.next = next;
    const isReady = await Promise.race([next.waits.then(() => true), next.ended.then(() => false)]);
    if (isReady) {
      logger.info(
        { running: services.running.process.pid, next: next.process.pid },
        'the next service takes over',
      );
      services.running.process.kill('SIGTERM');
    } else {
      services.next = null;
      logger.error('the next service does not start; the running one goes on');
    }
  }

  for (let short = 0; ; ) {
    const code = await services.running.ended;
    const { next } = services;
    if (terminated.aborted) {
      await next?.ended;
      return code ?? 0;
    }
    if (next !== null) {
      services.running = next;
      services.next = null;
      continue;
    }
    short = stopwatchSeconds() - services.running.bornAt < SHORT_LIFE_SECONDS ? short + 1 : 0;
    const pause = short === 0 ? 0 : Math.min(2 ** (short - 1), LONGEST_PAUSE_SECONDS);
    logger.error({ code, pause }, 'the service ended by itself; it is started again');
    await wait(pause * 1000, undefined, { signal: terminated }).catch(() => undefined);
    if (terminated.aborted) return code ?? 0;
    services.running = startChild(options, socket.descriptor);
  }
}

function startChild({ serviceArguments }: SupervisorOptions, descriptor: number): Child {
  const child = spawn(process.execPath, serviceArguments, {
    stdio: ['ignore', 'inherit', 'inherit', descriptor, 'ipc'],
  });
  const waits = new Promise<void>((resolve) =>
    child.on('message', (said) => {
      if (said === SERVICE_MESSAGES.waiting) resolve();
    }),
  );
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(1));
    child.once('exit', resolve);
  });
  return { process: child, bornAt: stopwatchSeconds(), waits, ended };
}

/** What `node:net` makes servers and cluster workers from. It binds and does not listen: nothing is taken here. */
interface NetInternals {
  _createServerHandle(address: string, port: number, family: 4 | 6): BoundHandle | number;
}
interface BoundHandle {
  readonly fd: number;
  getsockname(into: { address?: string; port?: number }): number;
}

/** Kept, so that the socket lives as long as this process. */
let held: BoundHandle | undefined;

/**
 * A socket that is bound and taken over by children. A server of Node itself would take connections here as well, where nobody
 * answers them.
 */
function boundSocket(host: string, port: number): { readonly descriptor: number; readonly url: string } {
  const address = host === 'localhost' ? '127.0.0.1' : host;
  const family = isIP(address) === 6 ? 6 : 4;
  const handle = (net as unknown as NetInternals)._createServerHandle(address, port, family);
  const bound: { address?: string; port?: number } = {};
  // A port that is taken is told when it is listened on; until then the socket has none.
  if (
    typeof handle === 'number' ||
    handle.getsockname(bound) !== 0 ||
    !bound.port ||
    (port !== 0 && bound.port !== port)
  ) {
    throw new PlimsollError(
      'CONFIG_INVALID',
      `cannot listen on ${host}:${port}: another program listens there, or it may not be`,
      {
        remedy: 'Choose another port: --port 8081, or PLIMSOLL_PORT.',
      },
    );
  }
  held = handle;
  return { descriptor: held.fd, url: `http://${family === 6 ? `[${address}]` : address}:${bound.port}` };
}
