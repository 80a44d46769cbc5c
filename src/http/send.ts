import { hash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { PROBLEM_TYPE, problemOf, refuse } from './problem.ts';

/** An answer that needs nothing but to be sent. */
export interface PreparedRead {
  readonly contentType: string;
  readonly body: Buffer;
  readonly etag: string;
  /** The same compressed, with an ETag of its own because its bytes are others; null where it does not pay. */
  readonly gzip: { readonly body: Buffer; readonly etag: string } | null;
  /** The book's validity was over when this was made. */
  readonly isExpired: boolean;
}

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

/** A strong ETag: other bytes have another one, whatever book or program version they come from. */
export function strongTag(body: Buffer): string {
  return hash('sha256', body, 'hex').slice(0, 32);
}

/** JSON made for one request, so that it is sent, compared and refused like a prepared read. */
export function jsonRead(json: unknown, isExpired: boolean): PreparedRead {
  const body = Buffer.from(JSON.stringify(json));
  return { contentType: JSON_TYPE, body, etag: `"${strongTag(body)}"`, gzip: null, isExpired };
}

export function sendRead(
  request: IncomingMessage,
  response: ServerResponse,
  read: PreparedRead,
  cacheControl = 'no-cache',
): void {
  const isCompressed = read.gzip !== null && acceptsGzip(request.headers['accept-encoding']);
  const compressed = isCompressed ? read.gzip : null;
  const { body, etag } = compressed ?? read;
  response.setHeader('etag', etag);
  response.setHeader('cache-control', cacheControl);
  if (read.gzip !== null) response.setHeader('vary', 'accept-encoding');
  if (read.isExpired) response.setHeader('warning', STALE_WARNING);
  if (isNotModified(request.headers['if-none-match'], read)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  response.setHeader('content-type', read.contentType);
  for (const [name, value] of SECURITY_HEADERS) response.setHeader(name, value);
  if (compressed !== null) response.setHeader('content-encoding', 'gzip');
  response.setHeader('content-length', body.length);
  response.statusCode = 200;
  response.end(request.method === 'HEAD' ? undefined : body);
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
function isNotModified(header: string | undefined, read: PreparedRead): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  const given = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return given.includes(read.etag) || (read.gzip !== null && given.includes(read.gzip.etag));
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
