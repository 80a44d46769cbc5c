import type { ServerResponse } from 'node:http';
import type { z } from 'zod';
import { asPlimsollError, ERROR_CATALOGUE, type ErrorCode, PlimsollError } from '../errors.ts';
import type { problemSchema } from './schemas.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/**
 * A failure as RFC 9457 problem details. What is not a PlimsollError is a defect: its text stays in the log, because
 * it may hold paths or worse.
 */
export function problemOf(thrown: unknown, requestId: string): z.infer<typeof problemSchema> {
  const error = asPlimsollError(thrown);
  const isDefect = error.code === 'INTERNAL';
  const errors = error.details.errors as { path: string; message: string }[] | undefined;
  return {
    type: `/docs/errors#${error.code}`,
    title: ERROR_CATALOGUE[error.code].title,
    status: error.httpStatus,
    code: error.code,
    detail: isDefect
      ? 'The service failed to answer. The log has the reason under this request id.'
      : error.message,
    ...(error.remedy === undefined || isDefect ? {} : { remedy: error.remedy }),
    instance: requestId,
    ...(errors === undefined ? {} : { errors }),
  };
}

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

/** Input that a schema refused, with every fault at once. */
export function invalidInput(what: string, error: z.ZodError): PlimsollError {
  const errors = error.issues.map((issue) => ({
    path: issue.path.map(String).join('.') || what,
    message: issue.message,
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
