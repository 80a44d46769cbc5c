import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { endOfThread, startThread } from './thread.ts';

const run = promisify(execFile);
const FIXTURE = new URL('./thread.fixture.ts', import.meta.url);
/** V8 says what machine code it frees, and frees it as soon as it can. */
const TRACED = ['--expose-gc', '--stress-wasm-code-gc', '--trace-wasm-code-gc'];
const FREED = /Freeing \d+ wrapper/;

async function said(what: 'alone' | 'with-thread' | 'ends-a-query'): Promise<string> {
  const flags = what === 'ends-a-query' ? [] : TRACED;
  return (await run(process.execPath, [...flags, fileURLToPath(FIXTURE), what])).stdout;
}

describe('a thread', () => {
  test('has code of WebAssembly that is shared with other threads never freed in its process', async () => {
    expect(await said('alone')).toMatch(FREED);
    expect(await said('with-thread')).not.toMatch(FREED);
  });

  test('that is ended from outside within a query comes to the end of it first, and begins no other', async () => {
    expect(await said('ends-a-query')).toBe('ended after [1]');
  });

  test.each([
    ['ends by itself where it is asked to', 'end', 60_000, 0],
    ['is ended from outside where it hangs beyond the deadline', 'hang', 500, 1],
  ] as const)('%s', async (_, request, deadlineMilliseconds, code) => {
    const worker = startThread(FIXTURE, null);
    const codes: number[] = [];
    worker.once('exit', (exitCode) => codes.push(exitCode));
    const ended = endOfThread(worker, deadlineMilliseconds);
    worker.postMessage(request);
    await ended;
    expect(codes).toEqual([code]);
  });
});
