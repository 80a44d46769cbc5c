import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PostgresStateStore } from '../data/postgres/postgres-state-store.ts';
import { OwnServer, TestDatabase } from '../data/postgres/test-server.ts';
import { decisionDraft, FIRST_DECISION, HOUR, nextBook } from '../data/test-books.ts';
import { ManualClock } from '../src/clock.ts';
import { resolveConfig } from '../src/config.ts';
import { limitsEvent } from '../src/control/feed/feed-event.ts';
import type { LimitBook } from '../src/limits/types.ts';
import { type RunningService, startService } from '../src/main.ts';

/** Two readers on one database, with a server of their own that may go away; the leader is played by a store. */
let server: OwnServer;
let database: TestDatabase;
let folder: string;
let leader: PostgresStateStore;
let newest: LimitBook;
const readers: RunningService[] = [];
/** A second behind each decision. */
const clock = new ManualClock(FIRST_DECISION + 1000);

async function publish(leverage: number): Promise<LimitBook> {
  const previous = await leader.latestBook();
  const book = nextBook(previous, { AURUSDT: leverage });
  clock.advance(previous === null ? 0 : HOUR);
  await leader.publish(book, decisionDraft(book), undefined, [limitsEvent(book, previous)]);
  newest = book;
  return book;
}

async function startReader(name: string): Promise<RunningService> {
  const environment = {
    PLIMSOLL_DATABASE_URL: database.url,
    PLIMSOLL_ROLE: 'serve',
    PLIMSOLL_DATA_DIR: join(folder, name),
    PLIMSOLL_PORT: '0',
  };
  const { values: config } = resolveConfig({ flags: {}, environment });
  return startService({ config, clock, logger: pino({ level: 'silent' }) });
}

beforeAll(async () => {
  server = await OwnServer.start();
  database = await TestDatabase.create({ url: (name) => server.url(name) });
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-scaling-'));
  leader = await PostgresStateStore.open({ url: database.url, name: 'leader', term: () => 0 });
  await publish(50);
  readers.push(await startReader('a'), await startReader('b'));
});

afterAll(async () => {
  await Promise.all(readers.map((reader) => reader.stop()));
  await leader.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function ask(reader: RunningService, method: string, path: string, body?: unknown) {
  const response = await fetch(`${reader.url}${path}`, {
    method,
    headers: {
      ...(method === 'GET' ? {} : { authorization: `Bearer ${reader.operatorKey?.created}` }),
      ...(body === undefined
        ? {}
        : { 'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: whatever the service says
  return { status: response.status, json: (await response.json()) as any };
}

/** Asks until it is so; the deadline of the test says when it never will be. */
async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await wait(20);
}

describe('readers of one database', () => {
  test('show what the leader publishes, and never an older one after it', async () => {
    const seen: number[] = [];
    for (let leverage = 40; leverage > 30; leverage--) {
      const { version } = await publish(leverage);
      await until(async () => {
        const { json } = await ask(readers[1], 'GET', '/v1/limits');
        seen.push(json.version);
        return json.version === version;
      });
    }
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    await until(async () => (await ask(readers[0], 'GET', '/readyz')).json.version === newest.version);
    expect((await ask(readers[0], 'GET', '/readyz')).json).toMatchObject({
      ...{ ready: true, degraded: false, leads: false, reasons: [] },
    });
  });

  test('take users and what people decide, and tell each other', async () => {
    const [one, other] = readers;
    expect((await ask(one, 'PUT', '/v1/users/u1', { maxLeverage: 3 })).status).toBe(200);
    const order = { userId: 'u1', symbol: 'AURUSDT', side: 'long', notional: '1000', leverage: 10 };
    await until(async () => (await ask(other, 'POST', '/v1/checks', order)).json.maxLeverage === 3);
    const frozen = await ask(one, 'POST', '/v1/freeze', { symbol: 'AURUSDT', reason: 'a test' });
    expect([frozen.status, frozen.json.revision]).toEqual([200, 1]);
    await until(async () => (await ask(other, 'GET', '/v1/changes')).json.revision === 1);
    // On ground that is known now, the other may go on.
    expect((await ask(other, 'DELETE', '/v1/freeze?symbol=AURUSDT&reason=over')).status).toBe(200);
  });

  test.each([
    [
      'prices',
      'POST',
      '/v1/prices',
      '{"symbol":"AURUSDT","price":"1","time":"2024-01-01T00:00:00Z"}',
      'NOT_LEADING',
    ],
    [
      'open interest',
      'POST',
      '/v1/market-activity',
      '{"symbol":"AURUSDT","openInterest":"1","observedAt":"2024-01-01T00:00:00Z"}',
      'NOT_LEADING',
    ],
    [
      'accounts',
      'PUT',
      '/v1/accounts/a',
      { marginMode: 'cross', equity: '1', positions: [] },
      'ACCOUNTS_ELSEWHERE',
    ],
    ['margins', 'GET', '/v1/accounts/a/margin', undefined, 'ACCOUNTS_ELSEWHERE'],
    ['promotions', 'POST', '/v1/models/x/promote', { reason: 'a test' }, 'NOT_LEADING'],
  ])('say where %s go', async (_, method, path, body, code) => {
    const { status, json } = await ask(readers[0], method, path, body);
    expect([status, json.code]).toEqual([503, code]);
    expect(json.remedy).toMatch(/process/);
  });

  test('refuse a publication of what people have changed meanwhile', async () => {
    const previous = await leader.latestBook();
    const book = nextBook(previous, { AURUSDT: 9 });
    const revision = await leader.governance.revision();
    const frozen = await ask(readers[0], 'POST', '/v1/freeze', { symbol: 'AURUSDT', reason: 'at once' });
    expect([frozen.status, frozen.json.code]).toEqual([200, undefined]);
    await expect(
      leader.publish(book, decisionDraft(book), undefined, [], [], revision),
    ).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await leader.publish(book, decisionDraft(book), undefined, [], [], revision + 1);
    newest = book;
  });
});

describe('while the database is away', () => {
  test('readers serve the last valid book, say so, refuse writes with a code, and catch up afterwards', async () => {
    const [reader] = readers;
    await until(async () => (await ask(reader, 'GET', '/v1/limits')).json.version === newest.version);
    await server.halt();
    await until(async () => (await ask(reader, 'GET', '/readyz')).json.reasons.includes('STORE_UNREACHABLE'));
    const ready = await ask(reader, 'GET', '/readyz');
    expect(ready).toMatchObject({ status: 200, json: { ready: true, degraded: true } });
    expect((await ask(reader, 'GET', '/v1/limits')).json.version).toBe(newest.version);
    const order = { userId: 'u1', symbol: 'AURUSDT', side: 'long', notional: '1000', leverage: 10 };
    expect((await ask(reader, 'POST', '/v1/checks', order)).json.maxLeverage).toBe(3);
    const write = await ask(reader, 'PUT', '/v1/users/u1', { maxLeverage: 2 });
    expect([write.status, write.json.code]).toEqual([503, 'DATABASE_UNAVAILABLE']);
    expect(JSON.stringify(write.json)).not.toContain('127.0.0.1');
    const metrics = await (await fetch(`${reader.url}/metrics`)).text();
    expect(metrics).toContain('plimsoll_store_fault_active{reason="STORE_UNREACHABLE"} 1');
    await server.resume();
    const { version } = await publish(8);
    await until(async () => (await ask(reader, 'GET', '/v1/limits')).json.version === version);
    await until(async () => (await ask(reader, 'GET', '/readyz')).json.reasons.length === 0);
    expect((await ask(reader, 'PUT', '/v1/users/u1', { maxLeverage: 2 })).status).toBe(200);
  });
});
