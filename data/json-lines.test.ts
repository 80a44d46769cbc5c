import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { appendJsonLine, readJsonLines } from './json-lines.ts';

describe('a file of JSON lines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-lines-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('keeps what was added, in order, and a file that is not there has nothing', async () => {
    const path = join(folder, 'deep', 'own.jsonl');
    expect(await readJsonLines(path)).toEqual({ values: [], damaged: 0 });
    await appendJsonLine(path, { a: 1 });
    await appendJsonLine(path, { b: 'two\nlines' });
    expect(await readJsonLines(path)).toEqual({ values: [{ a: 1 }, { b: 'two\nlines' }], damaged: 0 });
  });

  test('a line cut at any byte costs only itself: read as damaged, gone with the next line', async () => {
    const whole = `${JSON.stringify({ n: 1 })}\n`;
    const torn = JSON.stringify({ n: 2, text: 'schön' });
    const bytes = Buffer.from(torn);
    for (let length = 1; length < bytes.length; length += 3) {
      const path = join(folder, `torn-${length}.jsonl`);
      writeFileSync(path, whole);
      appendFileSync(path, bytes.subarray(0, length));
      expect(await readJsonLines(path)).toEqual({ values: [{ n: 1 }], damaged: 1 });
      await appendJsonLine(path, { n: 3 });
      expect(readFileSync(path, 'utf8')).toBe(`${whole}{"n":3}\n`);
    }
  });

  test('a file that is one torn line starts anew', async () => {
    const path = join(folder, 'only-torn.jsonl');
    writeFileSync(path, '{"n":');
    await appendJsonLine(path, { n: 1 });
    expect(readFileSync(path, 'utf8')).toBe('{"n":1}\n');
  });

  test('a line that lacks only its end is kept', async () => {
    const path = join(folder, 'unended.jsonl');
    writeFileSync(path, '{"n":1}');
    await appendJsonLine(path, { n: 2 });
    expect(readFileSync(path, 'utf8')).toBe('{"n":1}\n{"n":2}\n');
  });

  test('writers at the same time lose nothing', async () => {
    const path = join(folder, 'many.jsonl');
    await Promise.all(Array.from({ length: 12 }, (_, n) => appendJsonLine(path, { n })));
    const { values, damaged } = await readJsonLines(path);
    expect(damaged).toBe(0);
    const numbers = values.map((value) => (value as { n: number }).n);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, n) => n));
  });
});
