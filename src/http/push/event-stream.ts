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
 * Node keeps the head of an answer for as long as it is open, as a tree of some fifty pieces that it was put together of. Whoever looks for
 * a pattern in it makes one text of it, in a third of the memory.
 */
function asOneText(response: ServerResponse): void {
  const { _header: head } = response as ServerResponse & { readonly _header?: unknown };
  if (typeof head === 'string') END_OF_HEAD.test(head);
}

const END_OF_HEAD = /\r\n\r\n$/;

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
    asOneText(response);
    response.socket?.setNoDelay(true);
    if (this.#isPacked) response.write(GZIP_HEADER);
    else response.flushHeaders();
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
