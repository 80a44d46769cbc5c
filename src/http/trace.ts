import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { requestIdOf } from './request-id.ts';

/** A trace that a request is part of (W3C Trace Context). */
export interface Trace {
  /** 32 hex digits, the same in every log of the trace. */
  readonly id: string;
  /** 16 hex digits each: our own part, and that of whoever asked. */
  readonly spanId: string;
  readonly parentSpanId: string;
  /** Whether whoever asked records it. */
  readonly isRecorded: boolean;
  /** What is answered: the same trace, and our own part of it. */
  readonly traceparent: string;
}

/** Version 00 has four fields and nothing behind; a later one may have more, and is read as far as it is known. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The trace of a request, or null: one that is not valid to the letter is left alone, and none is begun. */
export function traceOf({ traceparent }: IncomingHttpHeaders): Trace | null {
  if (typeof traceparent !== 'string' || traceparent.length > 512) return null;
  const [, version, id, parent, flags, more] = TRACEPARENT.exec(traceparent) ?? [];
  if (id === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(id) || /^0+$/.test(parent)) return null;
  // Of the flags only the first is known to version 00: whether the trace is recorded.
  const isRecorded = (Number.parseInt(flags, 16) & 1) === 1;
  const spanId = ownSpanId();
  const own = `00-${id}-${spanId}-${isRecorded ? '01' : '00'}`;
  return { id, spanId, parentSpanId: parent, isRecorded, traceparent: own };
}

interface Traced extends IncomingMessage {
  trace?: Trace | null;
}

/** The same however often it is asked for. */
export function traceOfRequest(request: Traced): Trace | null {
  if (request.headers.traceparent === undefined) return null;
  request.trace ??= traceOf(request.headers);
  return request.trace;
}

function ownSpanId(): string {
  const bytes = randomBytes(8);
  // All zeros would not be valid.
  bytes[7] |= 1;
  return bytes.toString('hex');
}

/** What an answer before Express says of its request, where the request says something: names and values in turns. */
export function tracedHeaders(request: IncomingMessage, others: readonly string[]): readonly string[] {
  const { headers } = request;
  const trace = traceOfRequest(request);
  const id = headers['x-request-id'] === undefined ? null : requestIdOf(headers);
  if (trace === null && id === null) return others;
  return [
    ...others,
    ...(id === null ? [] : ['x-request-id', id]),
    ...(trace === null ? [] : ['traceparent', trace.traceparent]),
  ];
}
