import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { DECIDED_AT, HOUR } from '../../limits/test-inputs.ts';
import { marketInputs, OPERATOR, OPERATOR_KEY, sha256Of, TestService } from '../test-service.ts';

let service: TestService;

beforeEach(async () => {
  service = await TestService.start();
});
afterEach(() => service.stop());

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('waited in vain');
}

/** Open once the promise is kept. */
async function open(path: string, at = service, headers: Record<string, string> = {}) {
  const socket = new WebSocket(`${at.url.replace('http', 'ws')}${path}`, { headers });
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever came.
  const messages: any[] = [];
  socket.on('message', (text) => messages.push(JSON.parse(text.toString())));
  const status = await new Promise<number>((resolve) => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
  });
  return { socket, messages, status };
}

const publishOther = (hours: number, tail: number) =>
  service.publish(marketInputs(tail), DECIDED_AT + hours * HOUR);

test('a reader of !contractInfo gets changed tables in the form of Binance, and nothing else', async () => {
  const raw = await open('/ws/!contractInfo');
  const encoded = await open('/ws/%21contractInfo');
  const asked = await open('/ws?streams=!contractInfo');
  const combined = await open('/stream?streams=!contractInfo');
  const book = await publishOther(1, 0.03);
  await publishOther(2, 0.03);
  await publishOther(3, 0.05);
  const readers = [raw, encoded, asked];
  await until(() => raw.messages.some(({ E }) => E === DECIDED_AT + 3 * HOUR));
  await until(() => [...readers, combined].every(({ messages }) => messages.length === raw.messages.length));
  const { json: tables } = await service.call('/fapi/v1/leverageBracket');
  const newest = raw.messages.findLast(({ s }) => s === 'BTCUSDT');
  expect(newest).toMatchObject({ e: 'contractInfo', ps: 'BTCUSDT', ct: 'PERPETUAL', cs: 'TRADING' });
  const table = tables.find(({ symbol }: { symbol: string }) => symbol === 'BTCUSDT');
  expect(newest.bks).toEqual(
    // biome-ignore lint/suspicious/noExplicitAny: as it came.
    table.brackets.map((row: any, i: number, rows: any[]) => ({
      bs: row.bracket,
      bnf: row.notionalFloor,
      bnc: row.notionalCap,
      mmr: row.maintMarginRatio,
      cf: row.cum,
      mi: i + 1 < rows.length ? rows[i + 1].initialLeverage + 1 : 1,
      ma: row.initialLeverage,
    })),
  );
  // Each says when its book was decided; the market that was as before is not among them.
  expect(raw.messages[0].E).toBe(book.decidedAt);
  expect(raw.messages.map(({ s }) => s)).not.toContain('RUNEUSDT');
  for (const { messages } of readers) expect(messages).toEqual(raw.messages);
  expect(combined.messages).toEqual(raw.messages.map((data) => ({ stream: '!contractInfo', data })));
  for (const { socket } of [...readers, combined]) socket.close();
});

test('a restart tells no table anew, and readers are told that the service ends', async () => {
  await service.restart();
  const reader = await open('/ws/!contractInfo');
  await publishOther(1, 0.008);
  await publishOther(2, 0.03);
  await until(() => reader.messages.length > 0);
  expect(reader.messages[0].E).toBe(DECIDED_AT + 2 * HOUR);
  const gone = new Promise((resolve) => reader.socket.on('close', resolve));
  await service.restart();
  expect(await gone).toBe(1001);
});

test('streams that are not told here are refused, and so is whoever has no key', async () => {
  for (const path of ['/ws/btcusdt@trade', '/ws/%E0%A4%A', '/ws?streams=!miniTicker@arr', '/stream'])
    expect([path, (await open(path)).status]).toEqual([path, 400]);
  expect((await open('/streams')).status).toBe(404);
  const key = { name: 'operator', role: 'operator', sha256: sha256Of(OPERATOR_KEY) } as const;
  const closed = await TestService.start({ keys: [key] });
  expect((await open('/ws/!contractInfo', closed)).status).toBe(401);
  const known = await open('/ws/!contractInfo', closed, OPERATOR);
  expect(known.status).toBe(101);
  known.socket.close();
  await closed.stop();
});
