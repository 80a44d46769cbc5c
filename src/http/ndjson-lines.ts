import type { z } from 'zod';
import { refuse } from './problem.ts';

/** More than that are not judged in one request. */
const MOST_LINES = 20_000;

/** A line of a body that is judged line by line. */
export interface BodyLine<T> {
  /** Counted from 1, empty ones with the others. */
  readonly line: number;
  /** Null where it cannot be read. */
  readonly value: T | null;
  /** Why not. */
  readonly fault?: string;
}

/**
 * The lines of an NDJSON body that are not empty, each read on its own.
 *
 * @throws PlimsollError BODY_TOO_LARGE for more lines than are judged in one request.
 */
export function readLines<T>(body: unknown, schema: z.ZodType<T>): readonly BodyLine<T>[] {
  const lines = (typeof body === 'string' ? body : '')
    .split('\n')
    .map((content, i) => ({ content, line: i + 1 }))
    .filter(({ content }) => content.trim() !== '');
  if (lines.length > MOST_LINES)
    throw refuse(
      'BODY_TOO_LARGE',
      `there are more than ${MOST_LINES} lines`,
      'Send them in several requests.',
    );
  return lines.map(({ content, line }) => ({ line, ...readLine(content, schema) }));
}

function readLine<T>(content: string, schema: z.ZodType<T>): Omit<BodyLine<T>, 'line'> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return { value: null, fault: 'not valid JSON' };
  }
  const read = schema.safeParse(value);
  return read.success ? { value: read.data } : { value: null, fault: faultOf(read.error) };
}

function faultOf({ issues: [first] }: z.ZodError): string {
  return `${first.path.join('.') || 'the line'}: ${first.message}`;
}
