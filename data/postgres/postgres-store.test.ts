import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LimitBook } from '../../src/limits/types.ts';
import { decisionDraft, nextBook, someInputs } from '../test-books.ts';
import { prepareDatabase } from './migrate.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';
import { PostgresStateStore, type PostgresStoreOptions } from './postgres-state-store.ts';
import { TestDatabase, type TestServer, testServer } from './test-server.ts';

/** What PostgreSQL has beside the conformance of every state store: the fence, the schema, the way to the server. */
let server: TestServer;
let database: TestDatabase;

beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  database = await TestDatabase.create(server);
});
afterEach(() => database.drop());

const open = (options: Partial<PostgresStoreOptions> = {}) =>
  PostgresStateStore.open({ url: database.url, name: 'test', sessions: 2, term: () => 0, ...options });

async function publish(store: PostgresStateStore, previous: LimitBook | null): Promise<LimitBook> {
  const inputs = someInputs(previous?.version ?? 0);
  const book = nextBook(previous, { AURUSDT: 2 + ((previous?.version ?? 0) % 7) }, inputs.hash);
  await store.publish(book, decisionDraft(book), inputs);
  return book;
}

describe('the fence', () => {
  test('lets the newest term publish and no other, and what was refused leaves no trace', async () => {
    let term: number | null = 0;
    const old = await open({ term: () => term });
    const first = await publish(old, null);
    await database.query('UPDATE writer SET term = 1');
    const others = await open({ term: () => 1 });
    await expect(publish(old, first)).rejects.toMatchObject({ code: 'NOT_LEADING' });
    term = null;
    await expect(publish(old, first)).rejects.toMatchObject({ code: 'NOT_LEADING' });
    expect(await old.verify()).toMatchObject({ books: 1, replayable: 1, auditEntries: 1 });
    await publish(others, first);
    expect(await database.query('SELECT version::int, term::int FROM book ORDER BY version')).toEqual([
      { version: 1, term: 0 },
      { version: 2, term: 1 },
    ]);
    await Promise.all([old.close(), others.close()]);
  });

  test('waits for whoever writes, but not for ever; then nothing was done', async () => {
    const store = await open();
    await database.query('BEGIN; SELECT term FROM writer FOR UPDATE');
    await expect(publish(store, null)).rejects.toMatchObject({ code: 'LOCKED' });
    await database.query('ROLLBACK');
    await publish(store, null);
    await store.close();
  });
});

test('a nonce is new once to all processes, until it is over', async () => {
  const [one, other] = [await open(), await open()];
  const claims = await Promise.all([one, other].map((store) => store.claimNonce('key nonce', 1_000, 0)));
  expect(claims.sort()).toEqual([false, true]);
  expect(await other.claimNonce('key nonce', 1_000, 1_000)).toBe(false);
  expect(await one.claimNonce('key nonce', 2_000, 1_001)).toBe(true);
  await Promise.all([one.close(), other.close()]);
});

describe('the schema', () => {
  const expanded: Migration[] = [
    ...MIGRATIONS,
    { worksFrom: 1, sql: 'ALTER TABLE book ADD COLUMN note text; CREATE TABLE extra (id int PRIMARY KEY)' },
  ];
  test('is made once when processes start together', async () => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => open()));
    await publish(stores[0], null);
    expect(await stores[4].latestBook()).toMatchObject({ version: 1 });
    const versions = await database.query('SELECT version FROM schema_version');
    expect(versions.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, i) => i + 1));
    await Promise.all(stores.map((store) => store.close()));
  });

  test('that a later release only added to is worked on; one that it took from is refused and left', async () => {
    const store = await open();
    const first = await publish(store, null);
    await prepareDatabase(database.url, true, expanded);
    const again = await open();
    const second = await publish(again, first);
    expect(await store.latestBook()).toEqual(second);
    await Promise.all([store.close(), again.close()]);
    await database.query("INSERT INTO schema_version VALUES (99, 98); UPDATE book SET note = 'kept'");
    await expect(open()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('schema version 99'),
      remedy: expect.stringContaining('newer Plimsoll'),
    });
    expect(await database.query('SELECT note FROM book')).toEqual([{ note: 'kept' }, { note: 'kept' }]);
  });

  test('that is older is refused where it may not be changed', async () => {
    await expect(open({ mayMigrate: false })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      remedy: expect.stringContaining('plimsoll migrate'),
    });
    expect(await database.query("SELECT to_regclass('plimsoll.book') AS found")).toEqual([{ found: null }]);
  });

  test('of a step that fails stays as it was', async () => {
    await prepareDatabase(database.url);
    const broken = [...MIGRATIONS, { worksFrom: 1, sql: 'CREATE TABLE half (id int); SELECT nothing' }];
    await expect(prepareDatabase(database.url, true, broken)).rejects.toThrow();
    expect(await database.query("SELECT to_regclass('plimsoll.half') AS found")).toEqual([{ found: null }]);
    await (await open()).close();
  });

  test('is upgraded while the release before reads and writes: nothing fails', async () => {
    const before = await open();
    let book = await publish(before, null);
    let isOver = false;
    let reads = 0;
    const reading = (async () => {
      for (; !isOver; reads++) expect((await before.latestBook())?.version).toBeGreaterThan(0);
    })();
    const writing = (async () => {
      while (!isOver) book = await publish(before, book);
    })();
    const upgraded = await prepareDatabase(database.url, true, expanded);
    const after = await open({ migrations: expanded });
    isOver = true;
    await Promise.all([reading, writing]);
    expect(upgraded).toMatchObject({ before: MIGRATIONS.length, after: MIGRATIONS.length + 1 });
    book = await publish(after, book);
    expect(await before.verify()).toMatchObject({ books: book.version, firstBadBook: null });
    expect(reads).toBeGreaterThan(0);
    await Promise.all([before.close(), after.close()]);
  });
});

describe('the way to the server', () => {
  const at = (change: (url: URL) => void): string => {
    const url = new URL(database.url);
    change(url);
    return url.href;
  };

  test.each([
    ['nobody listens', (url: URL) => Object.assign(url, { port: '9' }), 'DATABASE_UNAVAILABLE'],
    [
      'there is no such host',
      (url: URL) => Object.assign(url, { hostname: 'no.invalid' }),
      'DATABASE_UNAVAILABLE',
    ],
    [
      'there is no such database',
      (url: URL) => Object.assign(url, { pathname: '/none' }),
      'DATABASE_REFUSED',
    ],
    ['there is no such user', (url: URL) => Object.assign(url, { username: 'nobody' }), 'DATABASE_REFUSED'],
  ])('where %s is told before anything starts, without the password', async (_, change, code) => {
    const url = at((one) => {
      one.password = 'top-secret';
      change(one);
    });
    const thrown = await open({ url }).catch((error) => error);
    expect(thrown).toMatchObject({ code, remedy: expect.any(String) });
    expect(`${thrown.message} ${thrown.remedy} ${JSON.stringify(thrown.details)}`).not.toContain(
      'top-secret',
    );
  });

  test('of a user who owns nothing there is refused', async () => {
    const role = `plimsoll_guest_${process.pid}`;
    await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'guest'`);
    try {
      const url = at((one) => Object.assign(one, { username: role, password: 'guest' }));
      await expect(open({ url })).rejects.toMatchObject({ code: 'DATABASE_REFUSED' });
    } finally {
      await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });
});
