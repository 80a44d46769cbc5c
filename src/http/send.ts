import { hash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { gzipSync } from 'node:zlib';
import { PROBLEM_TYPE, problemOf, refuse } from './problem.ts';

export const SECURITY_HEADERS: readonly (readonly [string, string])[] = [
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
  ['x-frame-options', 'DENY'],
  [
    'content-security-policy',
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
];

export const JSON_TYPE = 'application/json; charset=utf-8';
export const STALE_WARNING = '110 plimsoll "the validity of these limits is over"';

/** An answer that needs nothing but to be sent. */
export interface PreparedRead {
  readonly plain: Representation;
  /** The same compressed; null where it does not pay. */
  readonly gzip: Compressed | null;
}

/** Compression takes longer than all else that a read needs, so it is done for the first who asks for it. */
export class Compressed {
  readonly etag: string;
  readonly #make: () => Representation;
  #made: Representation | undefined;

  constructor(etag: string, make: () => Representation) {
    this.etag = etag;
    this.#make = make;
  }

  get representation(): Representation {
    this.#made ??= this.#make();
    return this.#made;
  }
}

/** Bytes with everything that goes before them: made once, sent often. */
export interface Representation {
  readonly etag: string;
  /** Names and values in turns, as `writeHead` takes them without looking at each. */
  readonly head: readonly string[];
  readonly notModifiedHead: readonly string[];
  /** A small answer is text: Node then sends head and body in one piece. */
  readonly body: Buffer | string;
}

export interface ReadOptions {
  readonly contentType: string;
  readonly cacheControl: string;
  /** The book's validity was over when this was made. */
  readonly isExpired: boolean;
  readonly isCompressed: boolean;
  /** Beyond those that every read has. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

/** Smaller answers fit into one packet anyway. */
const GZIP_FROM_BYTES = 1400;
/** Text is copied behind the head; a larger body is cheaper to send beside it. */
const TEXT_UP_TO_BYTES = 65_536;

/** Makes an answer ready: representations, strong ETags, heads. */
export function makeRead(text: string, options: ReadOptions): PreparedRead {
  const bytes = Buffer.from(text);
  const tag = strongTag(bytes);
  const isCompressed = options.isCompressed && bytes.length >= GZIP_FROM_BYTES;
  const isAscii = bytes.length === text.length;
  const body = isAscii && bytes.length <= TEXT_UP_TO_BYTES ? text : bytes;
  const plain = represent(body, bytes.length, `"${tag}"`, null, isCompressed, options);
  if (!isCompressed) return { plain, gzip: null };
  const etag = `"${tag}-gzip"`;
  const gzip = new Compressed(etag, () => {
    const packed = gzipSync(bytes);
    return represent(packed, packed.length, etag, 'gzip', true, options);
  });
  return { plain, gzip };
}

function represent(
  body: Buffer | string,
  length: number,
  etag: string,
  encoding: string | null,
  isVaried: boolean,
  { contentType, cacheControl, isExpired, headers = [] }: ReadOptions,
): Representation {
  const notModifiedHead = ['etag', etag, 'cache-control', cacheControl, ...headers.flat()];
  if (isVaried) notModifiedHead.push('vary', 'accept-encoding');
  if (isExpired) notModifiedHead.push('warning', STALE_WARNING);
  const head = [...notModifiedHead, 'content-type', contentType, ...SECURITY_HEADERS.flat()];
  if (encoding !== null) head.push('content-encoding', encoding);
  head.push('content-length', String(length));
  return { etag, head, notModifiedHead, body };
}

/** A strong ETag: other bytes have another one, whatever book or program version they come from. */
function strongTag(body: Buffer): string {
  return hash('sha256', body, 'hex').slice(0, 32);
}

/** JSON made for one request, so that it is sent, compared and refused like a prepared read. */
export function jsonRead(json: unknown, isExpired: boolean): PreparedRead {
  const options = {
    contentType: JSON_TYPE,
    cacheControl: 'private, no-cache',
    isExpired,
    isCompressed: false,
  };
  return makeRead(JSON.stringify(json), options);
}

/** @param extra headers of this request alone, names and values in turns. */
export function sendRead(
  request: IncomingMessage,
  response: ServerResponse,
  read: PreparedRead,
  extra: readonly string[] = NO_HEADERS,
): void {
  const packed = acceptsGzip(request.headers['accept-encoding']) ? read.gzip : null;
  const { head, notModifiedHead, body } = packed?.representation ?? read.plain;
  const condition = request.headers['if-none-match'];
  if (condition !== undefined && isNotModified(condition, read)) {
    response.writeHead(304, withHeaders(notModifiedHead, extra));
    response.end();
    return;
  }
  response.writeHead(200, withHeaders(head, extra));
  if (request.method === 'HEAD') response.end();
  else response.end(body, 'latin1');
}

const NO_HEADERS: readonly string[] = [];

function withHeaders(head: readonly string[], extra: readonly string[]): string[] {
  return extra.length === 0 ? (head as string[]) : [...head, ...extra];
}

/** A refusal in the form of an exchange. */
export function sendRefusal(
  response: ServerResponse,
  { status, json }: { readonly status: number; readonly json: unknown },
): void {
  const body = Buffer.from(JSON.stringify(json));
  response.statusCode = status;
  response.setHeader('content-type', JSON_TYPE);
  response.setHeader('cache-control', 'no-store');
  response.setHeader('content-length', body.length);
  if (status === 503) response.setHeader('retry-after', '5');
  response.end(body);
}

/** Whether gzip is acceptable (RFC 9110 section 12.5.3): named or by `*`, with a weight above 0. */
export function acceptsGzip(header: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const item of (header ?? '').toLowerCase().split(',')) {
    const [coding, ...parameters] = item.split(';').map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    weights.set(coding, weight === undefined ? 1 : Number(weight.slice(2)));
  }
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0;
}

/** If-None-Match by weak comparison (RFC 9110 section 13.1.2), against either encoding's tag. */
function isNotModified(condition: string, { plain, gzip }: PreparedRead): boolean {
  if (condition.trim() === '*') return true;
  const given = condition.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return given.includes(plain.etag) || (gzip !== null && given.includes(gzip.etag));
}

/** The whole answer, head and body, to what could not be read as a request. */
export function unreadableRequestAnswer(cause: NodeJS.ErrnoException): string {
  const [status, detail, remedy] = REFUSED_BY_PARSER[cause.code ?? ''] ?? NOT_HTTP;
  const problem = { ...problemOf(refuse('INPUT_INVALID', detail, remedy), ''), status };
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

const NOT_HTTP = [400, 'this is not an HTTP request', 'Send HTTP/1.1.'] as const;
const REFUSED_BY_PARSER: Readonly<Record<string, readonly [number, string, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the address and headers are too large', 'Send fewer and shorter ones.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not arrive in time', 'Send it at once.'],
};
