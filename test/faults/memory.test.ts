import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SAMPLE_MARKETS } from '../../data/sample/markets.ts';
import { plimsoll, type Served, serve, serveFirst } from '../run-plimsoll.ts';

/** A service with next to no memory for what it is sent: it stays up, or ends and recovers; what it answered is there. */
const HEAP_MEGABYTES = 64;
let running: Served;
let dataDir: string;
let key: string;
let remove: () => void;

beforeAll(async () => {
  const first = await serveFirst('memory');
  ({ dataDir, key, remove } = first);
  expect(await first.served.end('SIGTERM')).toBe(0);
  running = await serve(dataDir, ['--training-schedule', 'off', '--log-level', 'fatal'], {
    NODE_OPTIONS: `--max-old-space-size=${HEAP_MEGABYTES}`,
  });
}, 120_000);
afterAll(async () => {
  await running.end('SIGKILL');
  remove();
});

const [{ symbol }] = SAMPLE_MARKETS;
/** Almost the four megabytes that a batch may have: none of the accounts is in another one. */
function batchOf(number: number): string {
  const lines: string[] = [];
  for (let i = 0; i < 15_000; i++)
    lines.push(
      JSON.stringify({
        accountId: `account-${number}-${i}`,
        userId: `user-${number}-${i}`,
        marginMode: 'cross',
        equity: '1000',
        positions: [{ symbol, side: 'long', quantity: '0.01', entryPrice: '1' }],
      }),
    );
  return lines.join('\n');
}

test('floods of large batches at once: every answer is one of the contract, and all that was acknowledged is there after it', async () => {
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    running.process.once('exit', () => {
      hasEnded = true;
      resolve();
    });
  });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' };
  const batches = Array.from({ length: 12 }, (_, number) => number);
  const statuses = await Promise.all(
    batches.map(async (number) => {
      const sent = { method: 'POST', headers, body: batchOf(number) };
      const response = await fetch(`${running.url}/v1/accounts/batch`, sent).catch(() => null);
      const answer = await response?.json().catch(() => null);
      return [number, answer == null ? 'none' : (response?.status ?? 'none')] as const;
    }),
  );
  const acknowledged = statuses.filter(([, status]) => status === 200).map(([number]) => number);
  const others = statuses.filter(([, status]) => status !== 200 && status !== 503);
  // No answer at all is what a process that has ended gives, and nothing else may; its end is told a little later.
  if (others.some(([, status]) => status === 'none')) await Promise.race([ended, wait(10_000)]);
  if (!hasEnded) expect(others).toEqual([]);
  process.stderr.write(
    `memory: ${acknowledged.length} of ${batches.length} batches acknowledged, the service ${hasEnded ? 'ended' : 'stayed up'}\n`,
  );
  if (!hasEnded) expect((await fetch(`${running.url}/livez`)).status).toBe(200);
  await running.end('SIGKILL');
  running = await serve(dataDir, ['--training-schedule', 'off']);
  await running.inForce;
  for (const number of acknowledged)
    for (const i of [0, 7_000, 14_999]) {
      const { status } = await fetch(`${running.url}/v1/accounts/account-${number}-${i}/margin`);
      expect([number, i, status]).toEqual([number, i, 200]);
    }
  expect((await plimsoll(['audit', 'verify', '--data-dir', dataDir])).code).toBe(0);
}, 120_000);
