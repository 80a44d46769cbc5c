import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PlimsollError } from '../../src/errors.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { prepareDatabase } from './migrate.ts';
import { PostgresStateStore } from './postgres-state-store.ts';
import { TestDatabase, type TestServer, testServer } from './test-server.ts';
import { type TakenJob, TrainingQueue } from './training-queue.ts';
import { WorkerName } from './worker-name.ts';

/** Trainings that several processes share, on a real server. */
let server: TestServer;
let database: TestDatabase;
const queues: TrainingQueue[] = [];

beforeAll(async () => {
  server = await testServer();
  database = await TestDatabase.create(server);
  await prepareDatabase(database.url);
  queues.push(await openQueue(), await openQueue());
});
afterAll(async () => {
  await Promise.all(queues.map((queue) => queue.close()));
  await database.drop();
  await server.stop();
});
beforeEach(async () => {
  await database.query('DELETE FROM plimsoll_jobs.job');
});
afterEach(() => database.empty());

const openQueue = (): Promise<TrainingQueue> =>
  TrainingQueue.open({
    ...{ url: database.url, name: 'test', works: false },
    onFailure: (thrown) => {
      throw thrown;
    },
  });

const terms = { limitMinutes: 60, terms: '{}' };
const AT = Date.UTC(2026, 0, 1, 3, 17);
const ask = (queue: TrainingQueue, at = AT, limitMinutes = 60): Promise<string | null> =>
  queue.ask({ trigger: 'schedule', why: '', at, limitMinutes, terms: '{}' });
const bytes = (text: string): Buffer => Buffer.from(text);
const version = { version: '20260101-0123abcd', files: [{ name: 'manifest.json', bytes: bytes('{}') }] };
const made = { version, isChallenger: true, aliases: { champion: '20250101-0123abcd' } };

/** A run that was asked for and planned with some pieces. */
async function openRun(pieces: readonly string[]): Promise<string> {
  const run = (await ask(queues[0])) ?? '';
  const plan = await taken(queues[0]);
  expect(plan.job).toEqual({ kind: 'plan', run });
  await queues[0].open(run, '{}', pieces);
  await queues[0].done(plan);
  return run;
}

async function taken(queue: TrainingQueue, refused: readonly string[] = []): Promise<TakenJob> {
  const job = await queue.take(refused);
  if (job === null) throw new Error('there is no job');
  return job;
}

async function collected(pieces: ReturnType<TrainingQueue['pieces']>) {
  const all = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}

const trainingRuns = () => database.query('SELECT id, result, model_version, message FROM training_run');

describe('a training that is asked for', () => {
  test('is one for its window and one at a time, however many ask at once', async () => {
    const asked = await Promise.all([...queues, ...queues].map((queue) => ask(queue)));
    const [run, ...others] = asked.filter((one) => one !== null);
    expect(others).toEqual([]);
    // Another window, while the first is at work.
    expect(await ask(queues[1], AT + HOUR_MILLISECONDS)).toBeNull();
    await queues[0].succeed(run, made, 'done', AT);
    // Later in the same hour: the data are the same.
    expect(await ask(queues[1], AT + 40 * 60_000)).toBeNull();
    expect(await ask(queues[1], AT + HOUR_MILLISECONDS)).not.toBeNull();
    expect((await trainingRuns()).length).toBe(2);
  });

  test('may be asked for again where it failed; what it left is gone', async () => {
    const run = await openRun(['a', 'b']);
    const job = await taken(queues[0]);
    await queues[0].keep(job, { run, name: 'a', worker: 'w', bytes: bytes('a') }, 2);
    expect(await queues[1].fail(run, 'no', AT)).toMatchObject({ id: run, result: 'failed', message: 'no' });
    expect(await queues[0].fail(run, 'again', AT)).toBeNull();
    const store = await PostgresStateStore.open({ url: database.url, name: 'test' });
    expect(await store.auditAfter(0, 9)).toMatchObject([
      { kind: 'training', actor: 'schedule', subject: run, reason: 'failed', details: { message: 'no' } },
    ]);
    await store.close();
    expect(await database.query('SELECT * FROM training_piece')).toEqual([]);
    expect(await ask(queues[0])).not.toBeNull();
  });

  test('has failed once its time is over, and changes nothing after that', async () => {
    const run = (await ask(queues[0], AT, 0)) ?? '';
    expect(await queues[1].run(run)).toMatchObject({ isAtWork: false });
    expect(await queues[1].endOverdue(AT)).toMatchObject([{ id: run, result: 'failed' }]);
    expect(await queues[0].succeed(run, made, '', AT)).toBeNull();
    expect(await queues[0].models.versions(9)).toEqual([]);
    expect(await queues[0].models.aliases()).toBeNull();
  });

  test('by the clock is kept in the database, changed and taken away', async () => {
    const crons = () => database.query('SELECT cron FROM plimsoll_jobs.schedule');
    await queues[0].schedule('17 3 * * *', terms);
    await queues[1].schedule('30 4 * * *', terms);
    expect(await crons()).toEqual([{ cron: '30 4 * * *' }]);
    await queues[0].schedule(null, terms);
    expect(await crons()).toEqual([]);
  });
});

describe('the pieces of a training', () => {
  test('are taken once, kept once, and the last of them makes it ready, exactly once', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const run = await openRun(names);
    const jobs = await Promise.all(names.map((_, i) => taken(queues[i % 2])));
    expect(jobs.map(({ job }) => ('name' in job ? job.name : '')).sort()).toEqual(names);
    const keep = (job: TakenJob, i: number) =>
      queues[i % 2].keep(job, { run, name: names[i], worker: 'w', bytes: bytes(names[i]) }, names.length);
    await Promise.all(jobs.map(keep));
    // One whose lease was over makes its piece all the same.
    await keep(jobs[0], 0);
    expect((await taken(queues[0])).job).toEqual({ kind: 'assemble', run });
    expect(await queues[1].take([])).toBeNull();
    const pieces = await collected(queues[1].pieces(run));
    expect(pieces.map(([name, body]) => `${name}${Buffer.from(body)}`)).toEqual(names.map((n) => n + n));
  });

  test('are refused where two workers do not agree on their bits', async () => {
    const run = await openRun(['a', 'b']);
    const job = await taken(queues[0]);
    await queues[0].keep(job, { run, name: 'a', worker: 'one', bytes: bytes('a') }, 2);
    const other = { run, name: 'a', worker: 'other', bytes: bytes('b') };
    await expect(queues[1].keep(job, other, 2)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('go back to others when a worker refuses them, and it is not given them again', async () => {
    const run = await openRun(['a']);
    const job = await taken(queues[0]);
    await queues[0].giveBack(job, new PlimsollError('DATA_DIFFERS', 'not mine'));
    expect(await queues[0].take([run])).toBeNull();
    expect((await taken(queues[1])).job).toEqual(job.job);
  });

  test('are given to another once their worker is not heard; the first can say nothing of them any more', async () => {
    const run = await openRun(['a']);
    const lost = await taken(queues[0]);
    expect(await queues[0].beat(lost)).toBe(true);
    await database.query(`UPDATE plimsoll_jobs.job SET heartbeat_on = now() - interval '1 minute'`);
    const watching = await TrainingQueue.open({
      ...{ url: database.url, name: 'watch', works: true, onFailure: () => undefined },
    });
    let again: TakenJob | null = null;
    while (again === null) again = await queues[1].take([]);
    await watching.close();
    expect(again.job).toEqual({ kind: 'piece', run, name: 'a' });
    expect(await queues[0].beat(lost)).toBe(false);
    expect(await queues[1].beat(again)).toBe(true);
  });

  test('that were changed on the way are not believed', async () => {
    const run = await openRun(['a', 'b']);
    await queues[0].keep(await taken(queues[0]), { run, name: 'a', worker: 'w', bytes: bytes('a') }, 2);
    await database.query(`UPDATE training_piece SET body = 'b'`);
    await expect(collected(queues[0].pieces(run))).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });
});

describe('a version that was trained', () => {
  test('comes with its run, and is challenger; who is champion stays', async () => {
    const { models } = queues[1];
    await models.setChampion({ champion: '20240101-0123abcd' });
    const run = await openRun(['a']);
    await queues[0].succeed(run, made, '10 rows', AT);
    expect(await models.versions(9)).toEqual([version.version]);
    expect(await models.version(version.version)).toEqual(version);
    expect(await models.aliases()).toEqual({
      revision: 2,
      aliases: { champion: '20240101-0123abcd', challenger: version.version },
    });
    const store = await PostgresStateStore.open({ url: database.url, name: 'test' });
    expect(await store.trainingRuns(1)).toMatchObject([
      { id: run, result: 'succeeded', modelVersion: version.version, message: '10 rows', finishedAt: AT },
    ]);
    await store.close();
  });

  test('that is worse is kept and not the challenger', async () => {
    const run = await openRun(['a']);
    await queues[0].succeed(run, { ...made, isChallenger: false }, '', AT);
    expect(await queues[0].models.versions(9)).toEqual([version.version]);
    expect(await queues[0].models.aliases()).toBeNull();
  });

  test('that was changed in the database is refused, and one that is not there', async () => {
    const { models } = queues[0];
    await models.put(version, false, {});
    await database.query(`UPDATE model_file SET body = 'x'`);
    await expect(models.version(version.version)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
    await expect(models.version('20260101-ffffffff')).rejects.toMatchObject({ code: 'VERSION_UNKNOWN' });
  });
});

describe('the name of a worker', () => {
  test('is had by one at a time; the second is refused, and has it once the first is gone', async () => {
    const [first, second, other] = ['host/a', 'host/a', 'host/b'].map((n) => new WorkerName(database.url, n));
    await first.take(5_000);
    expect(first.isHeld()).toBe(true);
    await expect(second.take(50)).rejects.toMatchObject({ code: 'WORKER_NAME_TAKEN' });
    await second.stop();
    await other.take(5_000);
    await first.stop();
    const third = new WorkerName(database.url, 'host/a');
    await third.take(5_000);
    await Promise.all([third.stop(), other.stop()]);
  });
});
