import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PostgresDatabase } from '../data/postgres/database.ts';
import { prepareDatabase } from '../data/postgres/migrate.ts';
import { PostgresModelStore } from '../data/postgres/postgres-model-store.ts';
import { PostgresStateStore } from '../data/postgres/postgres-state-store.ts';
import { TestDatabase, type TestServer, testServer } from '../data/postgres/test-server.ts';
import { TrainingQueue } from '../data/postgres/training-queue.ts';
import { ModelRegistry } from '../models/registry.ts';
import { ManualClock } from '../src/clock.ts';
import { Metrics } from '../src/metrics/metrics.ts';
import { SHIPPED_MODELS } from '../src/program.ts';
import { SharedModels } from '../src/shared-models.ts';
import { SharedTraining } from '../src/shared-training.ts';
import { DEFAULT_GATE_POLICY } from '../training/judge/gate-policy.ts';
import { plimsoll } from './run-plimsoll.ts';

/** Models and trainings of several processes on one database, each process with a folder of its own. */
const NONE = join(tmpdir(), 'plimsoll-no-models');
const shipped: string = JSON.parse(readFileSync(join(SHIPPED_MODELS, 'aliases.json'), 'utf8')).champion;
const root = mkdtempSync(join(tmpdir(), 'plimsoll-shared-models-'));
const logged: string[] = [];
const logger = pino({ level: 'info' }, { write: (line: string) => logged.push(line) });
let server: TestServer;
let database: TestDatabase;
const open: SharedModels[] = [];
let folders = 0;

beforeAll(async () => {
  server = await testServer();
  database = await TestDatabase.create(server);
  await prepareDatabase(database.url);
});
afterAll(async () => {
  await database.drop();
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((models) => models.stop()));
  await database.empty();
});

/** A process with a folder of its own; with the shipped version in it where it is said to have one. */
function process({ leads = false, has = false, shippedModels = NONE, as = shipped } = {}) {
  const dataDir = join(root, String(folders++));
  const folder = join(dataDir, 'models', 'versions', as);
  if (has) {
    cpSync(join(SHIPPED_MODELS, 'versions', shipped), folder, { recursive: true });
    const manifest = readFileSync(join(folder, 'manifest.json'), 'utf8');
    writeFileSync(join(folder, 'manifest.json'), manifest.replaceAll(`"${shipped}"`, `"${as}"`));
  }
  const registry = new ModelRegistry(shippedModels, dataDir);
  const models = new SharedModels({ url: database.url, registry, logger, leads: () => leads });
  open.push(models);
  return { dataDir, registry, models };
}

describe('who is champion', () => {
  test('is said by the leader and counts everywhere, with the version itself', async () => {
    const [leader, other] = [process({ leads: true, has: true }), process()];
    await leader.models.promoting(() => leader.registry.promote(shipped, { override: true }));
    await other.models.look();
    expect(await other.registry.versionOf('champion')).toBe(shipped);
    expect((await other.registry.load(shipped)).id).toContain(shipped);
  });

  test('stays as it ships until somebody is promoted, and a follower says nothing', async () => {
    const [leader, follower] = [
      process({ leads: true, shippedModels: SHIPPED_MODELS }),
      process({ has: true }),
    ];
    await follower.registry.promote(shipped, { override: true });
    await follower.models.look();
    await leader.models.look();
    expect(await leader.registry.hasOwnAliases()).toBe(false);
    expect(await database.query('SELECT * FROM model_alias')).toEqual([]);
  });

  test('of a folder from before there was a database is told by the process that leads', async () => {
    const [leader, other] = [process({ leads: true, has: true }), process()];
    await leader.registry.promote(shipped, { override: true });
    await leader.models.look();
    await other.models.look();
    expect(await other.registry.versionOf('champion')).toBe(shipped);
  });

  test('is changed nowhere where the promotion is refused', async () => {
    const [leader, other] = [process({ leads: true, has: true }), process()];
    const refused = leader.models.promoting(() => leader.registry.promote('20200101-00000000'));
    await expect(refused).rejects.toMatchObject({ code: 'VERSION_UNKNOWN' });
    await other.models.look();
    expect(await other.registry.versionOf('champion')).toBeNull();
  });

  test('and challenger that a training named meanwhile are both kept', async () => {
    const [leader, other] = [process({ leads: true, has: true }), process()];
    const pool = new PostgresDatabase({ url: database.url, name: 'test', sessions: 1 });
    const trained = { version: '20260101-0123abcd', files: [{ name: 'card.md', bytes: Buffer.from('x') }] };
    await new PostgresModelStore(pool).put(trained, true, { champion: '20200101-00000000' });
    await pool.close();
    await leader.models.promoting(() => leader.registry.promote(shipped, { override: true }));
    await other.models.look();
    expect(await other.registry.aliases()).toMatchObject({ champion: shipped, challenger: trained.version });
    // What is no version was not taken over, told once, and kept nobody from the rest.
    expect(await other.registry.has(trained.version)).toBe(false);
    await other.models.look();
    const told = logged.filter((line) => line.includes(trained.version) && line.includes('cannot be used'));
    expect(told.length).toBe(2);
  });

  test('is told to running processes by the command line', async () => {
    const version = '20260101-0000abcd';
    const [desk, other] = [process({ has: true, as: version }), process()];
    const args = [
      'promote',
      version,
      '--override',
      '--reason',
      'a test',
      '--data-dir',
      desk.dataDir,
      '--json',
    ];
    const { code, stderr } = await plimsoll(args, { PLIMSOLL_DATABASE_URL: database.url });
    expect([code, stderr]).toEqual([0, '']);
    await other.models.look();
    expect(await other.registry.versionOf('champion')).toBe(version);
  });
});

describe('the leader', () => {
  test('keeps the schedule in the queue, asks, and tells of what has ended, also of what nobody did in time', async () => {
    const store = await PostgresStateStore.open({ url: database.url, name: 'test', sessions: 1 });
    const queue = await TrainingQueue.open({
      ...{ url: database.url, name: 'test', works: false, onFailure: () => undefined },
    });
    const gates = DEFAULT_GATE_POLICY;
    const clock = new ManualClock(Date.UTC(2026, 0, 1, 3));
    const metrics = new Metrics({ watchList: [], version: '1' });
    const training = new SharedTraining({ queue, store, metrics, clock, logger, limitMinutes: 0, gates });
    await training.start('17 3 * * *');
    expect(await database.query('SELECT cron FROM plimsoll_jobs.schedule')).toEqual([{ cron: '17 3 * * *' }]);
    await training.run('coverage', 'VaR was exceeded');
    expect(await store.trainingRuns(9)).toMatchObject([{ result: 'running', trigger: 'coverage' }]);
    clock.advance(1000);
    await training.stop();
    // Whoever leads next.
    const next = new SharedTraining({ queue, store, metrics, clock, logger, limitMinutes: 60, gates });
    await next.start(null);
    expect(await database.query('SELECT cron FROM plimsoll_jobs.schedule')).toEqual([]);
    expect(await store.trainingRuns(9)).toMatchObject([
      { result: 'failed', message: expect.stringContaining('VaR was exceeded') },
    ]);
    expect((await store.auditAfter(0, 9)).map(({ kind, reason }) => [kind, reason])).toEqual([
      ['training', 'failed'],
    ]);
    await next.run('drift', 'again');
    const [{ id }] = await store.trainingRuns(1);
    clock.advance(5000);
    await queue.fail(id, 'no', clock.now());
    await next.look();
    const { text } = await metrics.scrape({ isDegraded: false, auditEntries: 0 });
    expect(text).toContain('plimsoll_training_runs_total{result="failed"} 1');
    expect(text).toContain('plimsoll_training_duration_seconds 5');
    await next.stop();
    await Promise.all([queue.close(), store.close()]);
  });
});
