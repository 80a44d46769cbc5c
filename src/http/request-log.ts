import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Response } from 'express';
import type { Logger } from 'pino';
import { type Trace, traceOfRequest } from './trace.ts';

/** What the service tells about a request that it has answered. */
export interface RequestObserver {
  observeRequest(route: string, method: string, code: number, seconds: number): void;
}

/** One answer, as a trace tells of it. */
export interface AnsweredRequest {
  readonly route: string;
  readonly method: string;
  readonly code: number;
  readonly seconds: number;
}

export interface RequestLogOptions {
  readonly logger: Logger;
  readonly observer: RequestObserver;
  /** Is told of answers to requests whose trace is recorded. */
  readonly onTraced?: (trace: Trace, answered: AnsweredRequest) => void;
  /** Seconds of a monotonic clock, for the duration of requests. */
  readonly stopwatch: () => number;
}

/** Tells of every answer, however it came about: to metrics, to the log, and to the trace that it is part of. */
export class RequestLog {
  readonly #options: RequestLogOptions;

  constructor(options: RequestLogOptions) {
    this.#options = options;
  }

  /** @param pattern of the route; null where the answer itself knows. @param started by the stopwatch. */
  answered(
    request: IncomingMessage,
    response: ServerResponse,
    pattern: string | null,
    started: number,
  ): void {
    const { stopwatch, observer, onTraced, logger } = this.#options;
    const method = request.method ?? 'GET';
    const route = pattern ?? (response as Response).locals?.route ?? 'none';
    const seconds = stopwatch() - started;
    const code = response.writableFinished ? response.statusCode : 499;
    observer.observeRequest(route, method, code, seconds);
    const trace = onTraced === undefined ? null : traceOfRequest(request);
    if (trace?.isRecorded) onTraced?.(trace, { route, method, code, seconds });
    const { requestId, traceId } = (response as Response).locals ?? {};
    const told = { route, code, seconds, requestId, traceId };
    if (code >= 500 && code !== 503) logger.error(told, 'request failed');
    else logger.debug(told, 'request');
  }
}
