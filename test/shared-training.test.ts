import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BarStore } from '../data/bar-store.ts';
import { prepareDatabase } from '../data/postgres/migrate.ts';
import { PostgresStateStore } from '../data/postgres/postgres-state-store.ts';
import { TestDatabase, type TestServer, testServer } from '../data/postgres/test-server.ts';
import { TrainingQueue } from '../data/postgres/training-queue.ts';
import { ModelRegistry } from '../models/registry.ts';
import { SharedModels } from '../src/shared-models.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';
import { DEFAULT_GATE_POLICY } from '../training/judge/gate-policy.ts';
import { trainInChildProcess } from '../training/schedule.ts';
import { RANDOM_MARKET_START, randomMarket } from './random-market.ts';
import { plimsoll, type Served, serve } from './run-plimsoll.ts';

/** Workers as real processes on a real server; the leader is played by a queue. */
const HOURS = 5600;
const END = RANDOM_MARKET_START + HOURS * HOUR_MILLISECONDS;
const root = mkdtempSync(join(tmpdir(), 'plimsoll-shared-training-'));
let server: TestServer;
let database: TestDatabase;
let queue: TrainingQueue;
let store: PostgresStateStore;

async function folderWith(name: string, firstSeed = 1): Promise<string> {
  const dataDir = join(root, name);
  const bars = await BarStore.open(dataDir);
  for (let seed = firstSeed; seed < firstSeed + 6; seed++) {
    const market = randomMarket({ seed, hours: HOURS });
    const series = { symbol: market.symbol, venue: 'test', kind: 'perp', intervalMilliseconds: 3_600_000 };
    await bars.writeSeries({ ...series, simulated: true }, market.bars);
  }
  bars.close();
  return dataDir;
}

const environment = (name: string) => ({
  PLIMSOLL_DATABASE_URL: database.url,
  PLIMSOLL_ROLE: 'train',
  PLIMSOLL_WORKER_NAME: name,
});
const started: Served[] = [];
async function worker(dataDir: string, name: string): Promise<Served> {
  const served = await serve(dataDir, [], environment(name));
  started.push(served);
  return served;
}

/** Asks until it is so; the deadline of the test says when it never will be. */
async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await wait(100);
}

/** Names of pieces that a worker's log says it has made. */
const madeBy = ({ stderr }: Served): readonly string[] =>
  [...stderr().matchAll(/"piece":"([^"]+)"/g)].map(([, name]) => name);

const hashes = (dataDir: string, version: string): readonly string[] =>
  ['weights.bin', 'judgement.json', 'scores.csv'].map((name) =>
    createHash('sha256')
      .update(readFileSync(join(dataDir, 'models', 'versions', version, name)))
      .digest('hex'),
  );

beforeAll(async () => {
  server = await testServer();
  database = await TestDatabase.create(server);
  await prepareDatabase(database.url);
  queue = await TrainingQueue.open({
    ...{ url: database.url, name: 'test', works: false, onFailure: () => undefined },
  });
  store = await PostgresStateStore.open({ url: database.url, name: 'test', sessions: 1 });
});
afterAll(async () => {
  // Whatever a test that failed has left.
  for (const { process } of started) process.kill('SIGKILL');
  await Promise.all([queue.close(), store.close()]);
  await database.drop();
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});

describe('a training that workers share', () => {
  test('has the weights and the judgement of one machine, though a worker is killed in the midst of it and another has other bars', async () => {
    const single = await folderWith('single');
    const alone = trainInChildProcess(
      { dataDir: single, shippedModels: join(root, 'none'), gates: DEFAULT_GATE_POLICY },
      new AbortController().signal,
      () => {},
    );
    const killed = await worker(await folderWith('killed'), 'killed');
    const terms = JSON.stringify({ gates: DEFAULT_GATE_POLICY });
    const asked = { trigger: 'drift', why: 'a test', at: END, limitMinutes: 30, terms } as const;
    const run = (await queue.ask(asked)) ?? '';
    // Whoever plans it is the one whose bars count.
    await until(async () => /was planned/.test(killed.stderr()));
    const jobs = (what: string) =>
      database.query(`SELECT ${what} FROM plimsoll_jobs.job WHERE data->>'kind' = 'piece'`);
    await until(
      async () =>
        madeBy(killed).length > 0 && (await jobs(`bool_or(state = 'active') AS active`))[0].active === true,
    );
    await killed.end('SIGKILL');
    const foreign = await worker(await folderWith('foreign', 2), 'foreign');
    await until(async () => /"code":"DATA_DIFFERS"/.test(foreign.stderr()));
    const other = await worker(await folderWith('other'), 'killed');
    await until(async () => (await store.trainingRuns(1))[0].result !== 'running');
    const { version } = await alone;
    const [ended] = await store.trainingRuns(1);
    expect(ended).toMatchObject({ id: run, result: 'succeeded', trigger: 'drift', modelVersion: version });
    expect(ended.message).toContain('a test');
    expect(hashes(join(root, 'other'), version)).toEqual(hashes(single, version));
    expect(madeBy(foreign)).toEqual([]);
    // One that its worker was killed with, and one that was refused.
    expect(await jobs('sum(retry_count)::int AS again')).toEqual([{ again: 2 }]);
    // Together they made each piece once; what was handed over was not made again.
    const pieces = [...madeBy(killed), ...madeBy(other)];
    expect(pieces.length).toBeGreaterThan(4);
    expect(new Set(pieces).size).toBe(pieces.length);
    expect(await database.query('SELECT * FROM training_piece')).toEqual([]);
    const audit = await store.auditAfter(0, 10);
    expect(audit.map(({ kind, actor, subject }) => [kind, actor, subject])).toEqual([
      ['training', 'drift', version],
    ]);

    // A decider has it within seconds, whole.
    const registry = new ModelRegistry(join(root, 'none'), join(root, 'decider'));
    const logger = pino({ level: 'silent' });
    const models = new SharedModels({ url: database.url, registry, logger, leads: () => false });
    await models.look();
    await models.stop();
    expect((await registry.load(version)).id).toContain(version);
    expect(await Promise.all([foreign.end('SIGTERM'), other.end('SIGTERM')])).toEqual([0, 0]);
  }, 240_000);
});

describe('a worker', () => {
  test('answers probes and metrics and nothing else; a second one of its name is refused', async () => {
    const one = await worker(await folderWith('one'), 'same');
    const ask = async (path: string) => {
      const response = await fetch(`${one.url}${path}`);
      return [response.status, await response.text()] as const;
    };
    expect((await ask('/livez'))[0]).toBe(200);
    expect(await ask('/readyz')).toEqual([200, '{"ready":true,"reasons":[]}\n']);
    expect((await ask('/metrics'))[1]).toContain('plimsoll_worker_pieces_total 0');
    expect((await ask('/v1/limits'))[0]).toBe(404);
    const args = ['serve', '--port', '0', '--data-dir', join(root, 'single')];
    const second = await plimsoll(args, environment('same'));
    expect([second.code, second.stderr]).toEqual([6, expect.stringContaining('WORKER_NAME_TAKEN')]);
    expect(await one.end('SIGTERM')).toBe(0);
  });

  test.each([
    ['without a database', { PLIMSOLL_DATABASE_URL: '' }, 2, 'PLIMSOLL_DATABASE_URL'],
    [
      'with one that does not answer',
      { PLIMSOLL_DATABASE_URL: 'postgresql://u:hush@127.0.0.1:1/d' },
      1,
      'DATABASE_UNAVAILABLE',
    ],
    ['with a name that is none', { PLIMSOLL_WORKER_NAME: 'a b' }, 2, 'PLIMSOLL_WORKER_NAME'],
  ])('%s ends at once and says so, without its password', async (_, own, code, words) => {
    const dataDir = await folderWith('bad');
    const args = ['serve', '--port', '0', '--data-dir', dataDir];
    const ended = await plimsoll(args, { ...environment('bad'), ...own });
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(words)]);
    expect(ended.stderr).not.toContain('hush');
  });

  test('whose user the database refuses ends at once', async () => {
    const url = new URL(database.url);
    url.username = 'nobody_of_that_name';
    const dataDir = await folderWith('bad');
    const args = ['serve', '--port', '0', '--data-dir', dataDir];
    const ended = await plimsoll(args, { ...environment('bad'), PLIMSOLL_DATABASE_URL: url.href });
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('DATABASE_REFUSED')]);
  });

  test('without bars to train on ends at once, rather than refuse every training', async () => {
    const args = ['serve', '--port', '0', '--data-dir', join(root, 'empty')];
    const ended = await plimsoll(args, environment('empty'));
    expect([ended.code, ended.stderr]).toEqual([5, expect.stringContaining('DATA_INSUFFICIENT')]);
  });
});
