import type { ServerResponse } from 'node:http';
import type { z } from 'zod';
import { asPlimsollError, ERROR_CATALOGUE, type ErrorCode, PlimsollError } from '../errors.ts';
import type { problemSchema } from './schemas.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** What a client can do something about, or wait for, although nothing was wrong with the request. */
const TOLD: ReadonlySet<ErrorCode> = new Set([
  'NOTHING_PUBLISHED',
  'OVERLOADED',
  'NOT_READY',
  'NOT_LEADING',
  'ACCOUNTS_ELSEWHERE',
  'SHARD_LOST',
  'SHARD_NOT_HELD',
]);

/** Failures of the service itself. Their text stays in the log, because it may hold paths or worse. */
export function isServiceFault(error: PlimsollError): boolean {
  return error.httpStatus >= 500 && !TOLD.has(error.code);
}

/** A failure as RFC 9457 problem details. What is not a PlimsollError is a defect. */
export function problemOf(thrown: unknown, requestId: string): z.infer<typeof problemSchema> {
  const error = asPlimsollError(thrown);
  const isHidden = isServiceFault(error);
  const remedy = isHidden ? (HIDDEN_REMEDIES[error.code] ?? HIDDEN_REMEDY) : error.remedy;
  const errors = error.details.errors as { path: string; message: string }[] | undefined;
  return {
    type: `/docs/errors#${error.code}`,
    title: ERROR_CATALOGUE[error.code].title,
    status: error.httpStatus,
    code: error.code,
    detail: isHidden ? 'The service failed to answer.' : error.message,
    ...(remedy === undefined ? {} : { remedy }),
    instance: requestId,
    ...(errors === undefined || isHidden ? {} : { errors }),
  };
}

const HIDDEN_REMEDY = 'The log of the service has the reason under the request id in "instance".';
const HIDDEN_REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  IO_FAILED:
    'Nothing of it was kept. Send it again once the disk of the service has room and may be written; reads go on.',
  STREAM_UNAVAILABLE:
    'Come again in a few seconds. Whether a write was done is not known: an account may be sent again with the same sequence. Limits, checks and margins are answered meanwhile.',
  STREAM_LOST:
    'Accounts are not taken until the streams are restored; the log of the service names the one that is lost. Limits and checks are answered meanwhile.',
  DATABASE_UNAVAILABLE:
    'Come again in a few seconds. Whether a write was done is not known: read first, or send it with an Idempotency-Key. Limits and checks are answered meanwhile.',
};

/** Sends a problem on a bare response; used before and behind Express alike. */
export function sendProblem(
  response: ServerResponse,
  thrown: unknown,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const problem = problemOf(thrown, requestId);
  const body = Buffer.from(JSON.stringify(problem));
  response.statusCode = problem.status;
  response.setHeader('content-type', PROBLEM_TYPE);
  response.setHeader('cache-control', 'no-store');
  response.setHeader('content-length', body.length);
  if (problem.status === 503) response.setHeader('retry-after', '5');
  if (problem.status === 401) response.setHeader('www-authenticate', 'Bearer realm="plimsoll"');
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(body);
}

/** An answer names at most so many faults, and so much of each: what was sent must not come back at length. */
const MOST_FAULTS = 20;
const LONGEST_FAULT = 200;

/** Input that a schema refused, with its faults at once. */
export function invalidInput(what: string, error: z.ZodError): PlimsollError {
  const errors = error.issues.slice(0, MOST_FAULTS).map((issue) => ({
    path: issue.path.map(String).join('.').slice(0, LONGEST_FAULT) || what,
    message: issue.message.slice(0, LONGEST_FAULT),
  }));
  const summary = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new PlimsollError('INPUT_INVALID', `the ${what} is not valid: ${summary.slice(0, 500)}`, {
    remedy: 'Compare it with the schema of this route at /docs.',
    details: { errors },
  });
}

export function refuse(code: ErrorCode, message: string, remedy: string): PlimsollError {
  return new PlimsollError(code, message, { remedy });
}
