import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { type ListenAt, Listener } from './listener.ts';

export interface WorkerServiceOptions {
  readonly logger: Logger;
  /** Why no job is taken now; null where they are. */
  readonly fault: () => string | null;
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
}

/** What a worker answers: probes and metrics. It has no limits, no users and nothing that needs a key. */
export class WorkerService {
  readonly #options: WorkerServiceOptions;
  readonly #server: Server;
  readonly #listener: Listener;

  constructor(options: WorkerServiceOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#listener = new Listener(this.#server, options.logger);
  }

  /** @throws PlimsollError CONFIG_INVALID when the port is taken or not to be had. */
  start(at: ListenAt): Promise<AddressInfo> {
    return this.#listener.start(at);
  }

  stop(): Promise<void> {
    return this.#listener.stop(0);
  }

  async #answer({ method, url = '/' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = url.split('?', 1)[0];
    const isRead = method === 'GET' || method === 'HEAD';
    if (!isRead) send(response, 405, JSON_TYPE, { ready: false, reasons: ['METHOD_NOT_ALLOWED'] });
    else if (path === '/livez') send(response, 200, JSON_TYPE, { live: true });
    else if (path === '/readyz') {
      const fault = this.#options.fault();
      send(response, fault === null ? 200 : 503, JSON_TYPE, {
        ready: fault === null,
        reasons: fault === null ? [] : [fault],
      });
    } else if (path === '/metrics') {
      const { text, contentType } = await this.#options.metrics();
      send(response, 200, contentType, text);
    } else
      send(response, 404, JSON_TYPE, {
        code: 'NOT_FOUND',
        message: 'a worker answers /livez, /readyz and /metrics',
      });
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';

function send(response: ServerResponse, status: number, type: string, body: unknown): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(typeof body === 'string' ? body : `${JSON.stringify(body)}\n`);
}
