import { key, wantKey } from './session.ts';

/** What the service refused, in its own words (`application/problem+json`), or that it could not be reached. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly remedy: string;

  constructor(code: string, status: number, message: string, remedy: string) {
    super(message);
    this.code = code;
    this.status = status;
    this.remedy = remedy;
  }
}

export interface Write {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  /** The revision that was seen, for what others may have changed meanwhile. */
  readonly revision?: number;
}

/** The key with which something was read. Every key that the service knows may read something here. */
let knownKey: string | null = null;

interface Answer<T> {
  readonly data: T;
  readonly etag: string | null;
}

/** @returns null where nothing changed since `etag`. @throws Problem */
export async function read<T>(
  path: string,
  etag: string | null,
  signal: AbortSignal,
): Promise<Answer<T> | null> {
  const headers = new Headers(authorization());
  if (etag !== null) headers.set('if-none-match', etag);
  const sent = key();
  const response = await reach(path, { headers, signal, cache: 'no-store' });
  // Whether the service is ready is told to everybody.
  if (response.ok && path !== '/readyz') knownKey = sent;
  // The service says of a key that it does not know what it says of one that may not do that.
  if (response.status === 403 && sent !== knownKey) wantKey();
  if (response.status === 304) return null;
  // What is not ready says so in its body, which is an answer all the same.
  if (!response.ok && path !== '/readyz') throw await problemOf(response);
  return { data: (await response.json()) as T, etag: response.headers.get('etag') };
}

/** @throws Problem */
export async function write<T>(path: string, { method, body, revision }: Write): Promise<T> {
  const headers = new Headers(authorization());
  if (body !== undefined) headers.set('content-type', 'application/json');
  if (method !== 'PUT') headers.set('idempotency-key', crypto.randomUUID?.() ?? randomKey());
  if (revision !== undefined) headers.set('if-match', `"${revision}"`);
  const response = await reach(path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as T;
}

export function authorization(): Record<string, string> {
  const own = key();
  return own === null ? {} : { authorization: `Bearer ${own}` };
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'AbortError') throw thrown;
    throw new Problem(
      'UNREACHABLE',
      0,
      'the service cannot be reached',
      'What is shown may be out of date. It is tried again by itself.',
    );
  }
}

async function problemOf(response: Response): Promise<Problem> {
  if (response.status === 401) wantKey();
  const text = await response.text();
  try {
    const { code, detail, title, remedy = '' } = JSON.parse(text) as Record<string, string>;
    return new Problem(code, response.status, detail ?? title, remedy);
  } catch {
    return new Problem('UNREADABLE', response.status, `the service answered ${response.status}`, '');
  }
}

/** Where the page was opened without TLS from another machine, the browser has no randomUUID. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
