import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { PlimsollError } from '../errors.ts';

/** The lines of an NDJSON file that are not empty; what is no JSON is undefined. */
export async function* jsonLinesOf(
  path: string,
): AsyncGenerator<{ readonly line: number; readonly value: unknown }> {
  const file = createReadStream(path);
  try {
    let line = 0;
    for await (const text of createInterface({ input: file, crlfDelay: Number.POSITIVE_INFINITY })) {
      line++;
      if (text.trim() === '') continue;
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        value = undefined;
      }
      yield { line, value };
    }
  } catch (cause) {
    throw new PlimsollError('FILE_UNREADABLE', `${path} cannot be read`, {
      remedy: 'Give a file of one JSON object a line.',
      cause,
    });
  }
}
