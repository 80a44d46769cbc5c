import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { type CycleFacts, movesOf } from './control/decision-cycle.ts';
import type { AnsweredRequest } from './http/request-log.ts';
import type { Trace } from './http/trace.ts';
import type { LimitBook } from './limits/types.ts';

/** One finished piece of work, as a collector of traces takes it. */
export interface FinishedSpan {
  readonly name: string;
  /** A request that was answered, or work of our own. */
  readonly kind: 'server' | 'internal';
  /** 32 hex digits; a trace of its own without one. */
  readonly traceId?: string;
  /** 16 hex digits; drawn without one. */
  readonly spanId?: string;
  /** That of whoever asked. */
  readonly parentSpanId?: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly seconds: number;
  readonly isFailed: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

export interface SpanExportOptions {
  /** Of an OTLP collector over HTTP, such as `http://127.0.0.1:4318`. */
  readonly endpoint: string;
  readonly version: string;
  readonly logger: Logger;
}

const FLUSH_MILLISECONDS = 2000;
const MOST_WAITING = 4096;
const MOST_AT_ONCE = 512;
const DEADLINE_MILLISECONDS = 5000;
const KINDS = { internal: 1, server: 2 } as const;
const STATUS_ERROR = 2;

/**
 * Sends finished spans to an OpenTelemetry collector: OTLP/HTTP with JSON (OTLP 1.x). Nobody waits for it; what a collector does not
 * take, or what comes faster than it takes, is let go.
 */
export class SpanExport {
  readonly #options: SpanExportOptions;
  readonly #url: string;
  readonly #timer: NodeJS.Timeout;
  #waiting: FinishedSpan[] = [];
  #lost = 0;
  #isTold = false;
  #sending: Promise<void> | null = null;

  constructor(options: SpanExportOptions) {
    this.#options = options;
    this.#url = `${options.endpoint.replace(/\/+$/, '')}/v1/traces`;
    this.#timer = setInterval(() => void this.#flush(), FLUSH_MILLISECONDS);
    this.#timer.unref();
  }

  /** Spans that no collector took. */
  get lost(): number {
    return this.#lost;
  }

  add(span: FinishedSpan): void {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(span);
    else this.#lost++;
  }

  /** Sends what waits, and ends. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sending;
    await this.#flush();
  }

  async #flush(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const spans = this.#waiting.slice(0, MOST_AT_ONCE);
      this.#waiting = this.#waiting.slice(spans.length);
      const why = await this.#send(spans);
      if (why === null) {
        this.#isTold = false;
        continue;
      }
      this.#lost += spans.length;
      // Once, and not for each batch.
      if (!this.#isTold) this.#options.logger.warn({ why }, 'the collector takes no spans; they are let go');
      this.#isTold = true;
      return;
    }
  }

  /** @returns why they were not taken; null where they were. */
  async #send(spans: readonly FinishedSpan[]): Promise<string | null> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(exportRequest(spans, this.#options.version)),
        signal: AbortSignal.timeout(DEADLINE_MILLISECONDS),
      });
      await response.arrayBuffer();
      return response.ok ? null : `it answered ${response.status}`;
    } catch (thrown) {
      return (thrown as Error).message;
    }
  }
}

/** Names are those of the semantic conventions of OpenTelemetry for HTTP servers. @param now when it was answered. */
export function requestSpan(trace: Trace, answered: AnsweredRequest, now: number): FinishedSpan {
  const { route, method, code, seconds } = answered;
  return {
    name: `${method} ${route}`,
    kind: 'server',
    traceId: trace.id,
    spanId: trace.spanId,
    parentSpanId: trace.parentSpanId,
    startedAt: now - seconds * 1000,
    seconds,
    isFailed: code >= 500,
    attributes: {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': code,
    },
  };
}

/** A decision that was published, from the beginning of its proposal. */
export function decisionSpan(book: LimitBook, facts: CycleFacts, now: number): FinishedSpan {
  const moves = Object.entries(movesOf(book.markets)).map(([move, count]) => [
    `plimsoll.moves.${move}`,
    count,
  ]);
  return {
    name: facts.guarded === undefined ? 'decision' : 'decision of the guard',
    kind: 'internal',
    startedAt: now - facts.seconds * 1000,
    seconds: facts.seconds,
    isFailed: false,
    attributes: {
      'plimsoll.version': book.version,
      'plimsoll.markets': book.markets.length,
      'plimsoll.degraded': book.degraded,
      'plimsoll.model': book.model ?? 'none',
      ...Object.fromEntries(moves),
    },
  };
}

/** `ExportTraceServiceRequest` in the JSON of OTLP: ids in hex, 64-bit numbers as text. */
export function exportRequest(spans: readonly FinishedSpan[], version: string): unknown {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ 'service.name': 'plimsoll', 'service.version': version }) },
        scopeSpans: [{ scope: { name: 'plimsoll', version }, spans: spans.map(spanOf) }],
      },
    ],
  };
}

function spanOf(span: FinishedSpan): unknown {
  const { name, kind, startedAt, seconds, parentSpanId, attributes, isFailed } = span;
  return {
    traceId: span.traceId ?? randomBytes(16).toString('hex'),
    spanId: span.spanId ?? randomBytes(8).toString('hex'),
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanoseconds(startedAt),
    endTimeUnixNano: nanoseconds(startedAt + seconds * 1000),
    attributes: attributesOf(attributes),
    status: isFailed ? { code: STATUS_ERROR } : {},
  };
}

function nanoseconds(milliseconds: number): string {
  return String(BigInt(Math.round(milliseconds * 1000)) * 1000n);
}

function attributesOf(attributes: FinishedSpan['attributes']): unknown {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value:
      typeof value === 'string'
        ? { stringValue: value }
        : typeof value === 'boolean'
          ? { boolValue: value }
          : Number.isSafeInteger(value)
            ? { intValue: String(value) }
            : { doubleValue: value },
  }));
}
