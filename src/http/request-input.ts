import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import type { z } from 'zod';
import { PlimsollError } from '../errors.ts';
import { invalidInput, refuse } from './problem.ts';

export const JSON_TYPE = 'application/json';
export const NDJSON_TYPE = 'application/x-ndjson';

/** @throws PlimsollError NOT_ACCEPTABLE_BODY for a body of another type. */
export function requireType(request: Request, type: string): void {
  if (request.is(type) === false || request.headers['content-type'] === undefined)
    throw refuse('NOT_ACCEPTABLE_BODY', `the body must be ${type}`, `Set the header content-type: ${type}.`);
}

/** @param what names it in the refusal. @throws PlimsollError INPUT_INVALID with every fault. */
export function parse(what: string, schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return {};
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalidInput(what, result.error);
}

/** What Express and its body parser throw for faults of the client, in our words. */
export function clientFault(thrown: unknown): PlimsollError | null {
  const { status, type, limit } = (thrown ?? {}) as { status?: number; type?: string; limit?: number };
  if (thrown instanceof PlimsollError || typeof status !== 'number' || status >= 500) return null;
  if (status === 413)
    return refuse(
      'BODY_TOO_LARGE',
      limit === undefined ? 'the body is too large' : `the body is larger than ${limit} bytes`,
      'Send a smaller one.',
    );
  if (status === 415)
    return refuse(
      'NOT_ACCEPTABLE_BODY',
      'the encoding of the body is not known',
      'Send plain or gzip UTF-8 JSON.',
    );
  if (type === 'entity.parse.failed')
    return refuse('INPUT_INVALID', 'the body is not valid JSON', 'Send one JSON object.');
  if (status === 404) return refuse('NOT_FOUND', 'there is nothing here', 'All routes are listed at /docs.');
  return refuse('INPUT_INVALID', 'the request could not be read', 'Check its address, headers and body.');
}

/** Whether a request brings a body, read or not. */
export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The route of a prepared read, for the metrics: symbols would make one series a market. */
export function patternOf(path: string): string {
  const [route] = path.split('?', 1);
  return route.replace(/^\/v1\/markets\/[^/]+\//, '/v1/markets/{symbol}/');
}
