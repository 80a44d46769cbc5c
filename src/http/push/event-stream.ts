import type { IncomingMessage, ServerResponse } from 'node:http';
import { acceptsGzip } from '../send.ts';
import { type Frame, GZIP_HEADER } from './frames.ts';
import type { Reader } from './hub.ts';

/** A reader that was cut off and does not take its last message is disconnected after this. */
const END_MILLISECONDS = 5000;

/** What every stream says before it begins, names and values in turns. */
export const STREAM_HEAD: readonly string[] = [
  ...['content-type', 'text/event-stream; charset=utf-8', 'cache-control', 'no-store'],
  // Proxies that gather answers would hold events back.
  ...['x-accel-buffering', 'no', 'vary', 'accept-encoding'],
];
const PACKED_HEAD = ['content-encoding', 'gzip'];

/**
 * Node keeps the head of an answer for as long as it is open, two kilobytes in some fifty pieces, and asks of it no more than whether
 * there is one once it was sent.
 */
function forgetSentHead(response: ServerResponse): void {
  const kept = response as ServerResponse & { _header?: unknown };
  if (typeof kept._header === 'string' && response.headersSent) kept._header = SENT_HEAD;
}

const SENT_HEAD = 'sent';

/** A reader of server-sent events (WHATWG HTML, section 9.2). */
export class EventStreamReader implements Reader {
  readonly #response: ServerResponse;
  readonly #isPacked: boolean;

  /**
   * @param head what else the answer says before it begins, names and values in turns.
   * @param onGone is called once, however the connection ends.
   */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    head: readonly string[],
    onGone: (reader: Reader) => void,
  ) {
    this.#response = response;
    this.#isPacked = acceptsGzip(request.headers['accept-encoding']);
    response.writeHead(200, [...head, ...STREAM_HEAD, ...(this.#isPacked ? PACKED_HEAD : [])]);
    response.socket?.setNoDelay(true);
    if (this.#isPacked) response.write(GZIP_HEADER);
    else response.flushHeaders();
    forgetSentHead(response);
    response.on('close', () => onGone(this));
  }

  get isOpen(): boolean {
    return !this.#response.writableEnded && !this.#response.destroyed;
  }

  get waitingBytes(): number {
    return this.#response.writableLength;
  }

  send(frame: Frame): void {
    this.#response.write(this.#isPacked ? frame.packed : frame.text);
  }

  end(frame: Frame): void {
    this.#response.end(this.#isPacked ? frame.packed : frame.text);
    setTimeout(() => this.#response.destroy(), END_MILLISECONDS).unref();
  }
}
