import { constants, deflateRawSync } from 'node:zlib';
import type { FeedEvent } from '../../control/reads.ts';

/** One message in the forms in which it is sent; each is made when the first reader needs it, and shared by all. */
export interface Frame {
  /** Server-sent events. */
  readonly text: Buffer;
  /** The same as part of an endless gzip stream. */
  readonly packed: Buffer;
  /** A WebSocket message. */
  readonly message: string;
}

/** A message whose kinds and bodies hold no line break. */
class LazyFrame implements Frame {
  readonly #id: number | null;
  readonly #kind: string;
  readonly #body: string;
  #text: Buffer | undefined;
  #packed: Buffer | undefined;
  #message: string | undefined;

  constructor(id: number | null, kind: string, body: string) {
    this.#id = id;
    this.#kind = kind;
    this.#body = body;
  }

  get text(): Buffer {
    const id = this.#id === null ? '' : `id: ${this.#id}\n`;
    this.#text ??= Buffer.from(`${id}event: ${this.#kind}\ndata: ${this.#body}\n\n`);
    return this.#text;
  }

  get packed(): Buffer {
    this.#packed ??= packed(this.text);
    return this.#packed;
  }

  get message(): string {
    this.#message ??= `{"type":"${this.#kind}","sequence":${this.#id},"data":${this.#body}}`;
    return this.#message;
  }
}

/**
 * Blocks that end on a byte and look back at nothing before them (a full flush): compressed once, they fit into the stream
 * of every reader, wherever it is.
 */
function packed(text: Buffer): Buffer {
  return deflateRawSync(text, { finishFlush: constants.Z_FULL_FLUSH });
}

/** What stands before the blocks of a gzip stream: no name, no time, any system (RFC 1952). */
export const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

export function eventFrame({ sequence, kind, body }: FeedEvent): Frame {
  return new LazyFrame(sequence, kind, body);
}

/** @param sequence of the newest event that is in it. @param limits the whole book as JSON. */
export function snapshotFrame(sequence: number, limits: string): Frame {
  return new LazyFrame(sequence, 'snapshot', limits);
}

/** Says that the connection lives. It has no number: nothing happened. */
export const HEARTBEAT: Frame = new LazyFrame(null, 'heartbeat', '{}');

/** The last message of a connection that the service ends. */
export function closingFrame(code: ClosingCode): Frame {
  return new LazyFrame(null, 'closing', JSON.stringify({ code, message: CLOSING[code] }));
}

const CLOSING = {
  SLOW_READER: 'more waits for this reader than is kept; come back with the last id, and read faster',
  KEY_ENDED:
    'the key or token that opened this counts no longer; come back with the last id and one that does',
  SERVICE_ENDS: 'the service ends; come back with the last id',
} as const;
export type ClosingCode = keyof typeof CLOSING;
