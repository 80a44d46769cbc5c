import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NATS_SERVER, OwnNats, SKIPPED, testPrefix } from '../data/nats/test-server.ts';
import { PostgresStateStore } from '../data/postgres/postgres-state-store.ts';
import { TestDatabase, type TestServer, testServer } from '../data/postgres/test-server.ts';
import { SqliteStateStore } from '../data/sqlite-state-store.ts';
import { decisionDraft, FIRST_DECISION, nextBook } from '../data/test-books.ts';
import { ManualClock } from '../src/clock.ts';
import { resolveConfig } from '../src/config.ts';
import { partitionOf } from '../src/control/streams/partition.ts';
import { type RunningService, startService } from '../src/main.ts';
import { plimsoll } from './run-plimsoll.ts';

if (NATS_SERVER === null) process.stderr.write(`${SKIPPED}\n`);

/** A second behind the decision of every book here. */
const clock = new ManualClock(FIRST_DECISION + 1000);
const book = nextBook(null, { AURUSDT: 50 });

let server: OwnNats;
let nats: NatsConnection;
let folder: string;
const running: RunningService[] = [];

async function start(
  name: string,
  prefix: string,
  more: Record<string, string> = {},
): Promise<RunningService> {
  const environment = {
    ...{ PLIMSOLL_NATS_URL: server.url, PLIMSOLL_NATS_PREFIX: prefix, PLIMSOLL_SAMPLE_MARKET: 'false' },
    ...{ PLIMSOLL_DATA_DIR: join(folder, name), PLIMSOLL_PORT: '0', ...more },
  };
  const { values: config } = resolveConfig({ flags: {}, environment });
  const service = await startService({ config, clock, logger: pino({ level: 'silent' }) });
  running.push(service);
  return service;
}

async function stop(service: RunningService): Promise<void> {
  running.splice(running.indexOf(service), 1);
  await service.stop();
}

/** A folder with limits in force, so that accounts are taken. */
async function withBook(name: string): Promise<string> {
  const store = SqliteStateStore.open(join(folder, name));
  await store.publish(book, decisionDraft(book));
  await store.close();
  return name;
}

async function ask(service: RunningService, method: string, path: string, body?: unknown) {
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: {
      ...(method === 'GET' ? {} : { authorization: `Bearer ${service.operatorKey?.created ?? key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const retryAfter = response.headers.get('retry-after');
  // biome-ignore lint/suspicious/noExplicitAny: whatever the service says
  return { status: response.status, retryAfter, json: (await response.json()) as any };
}
/** Of a folder whose key was made at an earlier start. */
let key = '';

function account(accountId: string, equity: string, more: object = {}) {
  const position = { symbol: 'AURUSDT', side: 'long', quantity: '1', entryPrice: '1000' };
  return { accountId, userId: accountId, marginMode: 'cross', equity, positions: [position], ...more };
}

async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await wait(20);
}

const equityOf = async (service: RunningService, id: string): Promise<string | undefined> =>
  (await ask(service, 'GET', `/v1/accounts/${id}/margin`)).json.equity;

describe.skipIf(NATS_SERVER === null)('accounts and prices through NATS', () => {
  beforeAll(async () => {
    server = await OwnNats.start();
    nats = await connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-streams-'));
  });
  afterEach(async () => {
    await Promise.all(running.map(stop));
  });
  afterAll(async () => {
    await nats.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  test('what comes by HTTP is in the stream, what comes by the stream is known by HTTP, and a venue has the limits', async () => {
    const prefix = testPrefix();
    const service = await start(await withBook('one'), prefix);
    key = service.operatorKey?.created ?? '';
    const put = await ask(service, 'PUT', '/v1/accounts/h1', account('h1', '1000'));
    expect([put.status, put.json]).toEqual([200, { accountId: 'h1', status: 'healthy' }]);
    const streams = await jetstreamManager(nats);
    const { state } = await streams.streams.info(`${prefix}_accounts_0`);
    expect(state.last_seq).toBe(1);
    const text = [account('s1', '500'), account('s2', '600')].map((one) => JSON.stringify(one)).join('\n');
    await jetstream(nats).publish(`${prefix}.accounts.0`, text);
    await until(async () => (await ask(service, 'GET', '/v1/accounts/s2/margin')).status === 200);
    const refused = await ask(service, 'PUT', '/v1/accounts/h1', account('h1', '-', {}));
    expect([refused.status, refused.json.code]).toEqual([400, 'INPUT_INVALID']);

    const mark = { symbol: 'AURUSDT', price: 1010, at: clock.now() };
    await jetstream(nats).publish(`${prefix}.marks`, JSON.stringify(mark));
    await until(async () => (await equityOf(service, 'h1')) === '1010');

    const bucket = await new Kvm(nats).open(`${prefix}_limits`);
    await until(async () => (await bucket.get('book')) !== null);
    const head = (await bucket.get('book'))?.json<{ version: number; markets: string[]; hash: string }>();
    expect(head).toMatchObject({
      version: 1,
      hash: book.hash,
      markets: book.markets.map(({ symbol }) => symbol),
    });
    for (const symbol of head?.markets ?? []) {
      const { json } = await ask(service, 'GET', `/v1/markets/${symbol}/brackets`);
      expect((await bucket.get(`market.${symbol}`))?.json()).toEqual(json);
    }
  });

  test('without NATS what changes accounts is refused with a code, reads go on, and nothing acknowledged is lost', async () => {
    const prefix = testPrefix();
    const service = await start(await withBook('away'), prefix);
    key = service.operatorKey?.created ?? '';
    expect((await ask(service, 'PUT', '/v1/accounts/h1', account('h1', '1000'))).status).toBe(200);
    await server.kill();
    await until(async () =>
      (await ask(service, 'GET', '/readyz')).json.reasons.includes('STREAMS_UNAVAILABLE'),
    );
    const put = await ask(service, 'PUT', '/v1/accounts/h2', account('h2', '1000'));
    expect([put.status, put.json.code, put.retryAfter]).toEqual([503, 'STREAM_UNAVAILABLE', '5']);
    expect((await ask(service, 'GET', '/v1/accounts/h1/margin')).status).toBe(200);
    expect((await ask(service, 'GET', '/v1/limits')).status).toBe(200);
    const order = { userId: 'h1', symbol: 'AURUSDT', side: 'long', notional: '1000', leverage: 2 };
    expect((await ask(service, 'POST', '/v1/checks', order)).status).toBe(200);
    await server.resume();
    await until(
      async () => (await ask(service, 'PUT', '/v1/accounts/h2', account('h2', '1000'))).status === 200,
    );
    expect((await ask(service, 'GET', '/v1/accounts/h1/margin')).status).toBe(200);
    await until(async () => (await ask(service, 'GET', '/readyz')).json.reasons.length === 0);
  });

  test('a start with a name that another process has, or with streams that are not those of the folder, is refused', async () => {
    const prefix = testPrefix();
    const service = await start(await withBook('named'), prefix, { PLIMSOLL_WORKER_NAME: 'risk-1' });
    await expect(start('other', prefix, { PLIMSOLL_WORKER_NAME: 'risk-1' })).rejects.toMatchObject({
      code: 'WORKER_NAME_TAKEN',
      remedy: expect.stringContaining('PLIMSOLL_WORKER_NAME'),
    });
    await stop(service);
    const manager = await jetstreamManager(nats);
    for await (const { config } of manager.streams.list())
      if (config.name.includes(prefix)) await manager.streams.delete(config.name);
    await expect(start('named', prefix)).rejects.toMatchObject({
      code: 'STREAM_LOST',
      remedy: expect.stringContaining('PLIMSOLL_NATS_PREFIX'),
    });
  });

  test('the doctor says whether they answer, and makes nothing there', async () => {
    const findings = async (url: string) => {
      const args = ['doctor', '--json', '--data-dir', join(folder, 'doctor')];
      const { code, stdout } = await plimsoll(args, { PLIMSOLL_NATS_URL: url });
      const { findings: found } = JSON.parse(stdout) as {
        findings: { what: string; state: string; detail: string }[];
      };
      return { code, ...found.find(({ what }) => what === 'streams') };
    };
    const manager = await jetstreamManager(nats);
    const before = await manager.getAccountInfo();
    expect(await findings(server.url)).toMatchObject({ code: 0, state: 'ok' });
    expect((await manager.getAccountInfo()).streams).toBe(before.streams);
    const { code, state, detail } = await findings('nats://ann:secret@127.0.0.1:1');
    expect([code, state]).toEqual([1, 'lacking']);
    expect(detail).toContain('nats://127.0.0.1:1: NATS does not answer');
    expect(detail).not.toContain('secret');
  });

  describe('in partitions, on a database', () => {
    let postgres: TestServer;
    let database: TestDatabase;

    beforeAll(async () => {
      postgres = await testServer();
      database = await TestDatabase.create(postgres);
      const leader = await PostgresStateStore.open({ url: database.url, name: 'leader', term: () => 0 });
      await leader.publish(book, decisionDraft(book));
      await leader.close();
    });
    afterAll(async () => {
      await Promise.all(running.map(stop));
      await database.drop();
      await postgres.stop();
    });

    test('each process keeps one; a third takes over what one leaves, and every intervention is told once', async () => {
      const prefix = testPrefix();
      const shared = {
        ...{
          PLIMSOLL_DATABASE_URL: database.url,
          PLIMSOLL_ROLE: 'accounts',
          PLIMSOLL_ACCOUNT_PARTITIONS: '2',
        },
      };
      const [zero, one] = [await start('p0', prefix, shared), await start('p1', prefix, shared)];
      const standby = await start('p2', prefix, shared);
      const ids = [0, 1].map((partition) => ids100.find((id) => partitionOf(id, 2) === partition) ?? '');
      const putOf = (service: RunningService, id: string, equity: string) =>
        ask(service, 'PUT', `/v1/accounts/${id}`, account(id, equity));
      await until(async () => (await putOf(zero, ids[0], '100000')).status === 200);
      await until(async () => (await putOf(one, ids[1], '100000')).status === 200);
      for (const service of [zero, one, standby])
        for (const id of ids) {
          expect([(await putOf(service, id, '100000')).status, id]).toEqual([200, id]);
          expect((await ask(service, 'GET', `/v1/accounts/${id}/margin`)).status).toBe(200);
        }
      expect((await ask(standby, 'GET', '/v1/limits')).status).toBe(200);

      await jetstream(nats).publish(
        `${prefix}.marks`,
        JSON.stringify({ symbol: 'AURUSDT', price: 1000, at: clock.now() }),
      );
      for (const [i, service] of [zero, one].entries()) {
        await until(async () => (await equityOf(service, ids[i])) === '100000');
        await putOf(service, ids[i], '1');
      }
      const told = async (): Promise<string[]> => {
        const rows = await database.query(
          "SELECT intervention_source || ':' || intervention AS name FROM outbox WHERE kind = 'intervention' ORDER BY sequence",
        );
        return rows.map(({ name }) => String(name));
      };
      await until(async () => (await told()).length >= 2);
      const before = (await told()).length;
      await stop(zero);
      await until(async () => (await ask(standby, 'GET', `/v1/accounts/${ids[0]}/margin`)).status === 200);
      expect(await equityOf(standby, ids[0])).toBe('1');
      expect((await ask(standby, 'GET', '/v1/interventions')).json.total).toBeGreaterThan(0);
      await putOf(standby, ids[0], '100000');
      await until(async () => (await told()).length > before);
      const all = await told();
      expect(new Set(all).size).toBe(all.length);
      expect(new Set(all.map((name) => name.split(':')[0]))).toEqual(new Set([`${prefix} 0`, `${prefix} 1`]));
    });

    test('a user with accounts in two partitions is told, at every process, what one process that has both says', async () => {
      const prefix = testPrefix();
      const shared = { PLIMSOLL_DATABASE_URL: database.url, PLIMSOLL_ACCOUNT_PARTITIONS: '2' };
      const roles = ['accounts', 'accounts', 'decide', 'serve'];
      const services: RunningService[] = [];
      for (const [i, role] of roles.entries())
        services.push(await start(`together${i}`, prefix, { ...shared, PLIMSOLL_ROLE: role }));
      const aside = testPrefix();
      const reference = await start(await withBook('alone'), aside);
      const ids = [0, 1].map((partition) => ids100.find((id) => partitionOf(id, 2) === partition) ?? '');
      const big = [{ symbol: 'AURUSDT', side: 'long', quantity: '90', entryPrice: '1000' }];
      const accounts = ids.map((id, i) =>
        account(id, '9000', { userId: 'both', positions: i === 0 ? big : [], sequence: 1 }),
      );
      const lines = accounts.map((one) => JSON.stringify(one)).join('\n');
      const post = (service: RunningService) =>
        fetch(`${service.url}/v1/accounts/batch`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${service.operatorKey?.created ?? key}`,
            'content-type': 'application/x-ndjson',
          },
          body: `${lines}\nnonsense`,
        });
      key = services[3].operatorKey?.created ?? '';
      await until(async () => (await post(services[3])).status === 200);
      const told = (await (await post(services[2])).json()) as { lines: { line: number }[] };
      expect(told).toMatchObject({ total: 3, ignored: 2, refused: 1 });
      expect(told.lines.map(({ line }) => line)).toEqual([1, 2, 3]);
      expect((await post(reference)).status).toBe(200);
      const mark = { symbol: 'AURUSDT', price: 1000, at: clock.now() };
      for (const own of [prefix, aside]) await jetstream(nats).publish(`${own}.marks`, JSON.stringify(mark));
      for (const service of [reference, ...services])
        for (const id of ids) await until(async () => typeof (await equityOf(service, id)) === 'string');

      const order = { userId: 'both', accountId: ids[1], symbol: 'AURUSDT', side: 'long' };
      const check = (service: RunningService, more: object) =>
        ask(service, 'POST', '/v1/checks', { ...order, notional: '1000', leverage: 2, ...more });
      const settled = ({ status, json }: Awaited<ReturnType<typeof ask>>) => {
        // A process that has just begun to decide is degraded for a moment.
        const { asOf: _, version: __, degraded: ___, ...rest } = json;
        return { status, ...rest };
      };
      for (const more of [
        {},
        { leverage: 20, notional: '50000' },
        { accountId: ids[0], notional: '80000' },
      ]) {
        const expected = settled(await check(reference, more));
        expect(expected.status).toBe(200);
        for (const service of services) expect(settled(await check(service, more))).toEqual(expected);
      }
      const unnamed = await check(services[3], { accountId: undefined });
      expect([unnamed.status, unnamed.json.code]).toEqual([400, 'INPUT_INVALID']);
      const everybody = (await ask(reference, 'GET', '/v1/system')).json.accounts;
      expect(everybody).toBeGreaterThan(0);
      for (const service of services)
        expect((await ask(service, 'GET', '/v1/system')).json.accounts).toBe(everybody);

      // Half of what a user holds is not what they hold.
      await stop(services[1]);
      for (const service of [services[0], services[2], services[3]]) {
        const refused = await check(service, {});
        expect([refused.status, refused.json.code, refused.retryAfter]).toEqual([503, 'SHARD_NOT_HELD', '5']);
        expect((await ask(service, 'GET', '/v1/limits')).status).toBe(200);
      }
    });
  });
});

const ids100 = Array.from({ length: 100 }, (_, i) => `account-${i}`);
