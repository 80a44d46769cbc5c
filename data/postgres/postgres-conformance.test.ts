import { afterAll, beforeAll } from 'vitest';
import { booksConform } from '../conformance/books.fixture.ts';
import { governanceConforms } from '../conformance/governance.fixture.ts';
import { keysConform } from '../conformance/keys.fixture.ts';
import { proofConforms } from '../conformance/proof.fixture.ts';
import { recordsConform } from '../conformance/records.fixture.ts';
import type { StorePlace } from '../conformance/store-place.fixture.ts';
import { tracksConform } from '../conformance/tracks.fixture.ts';
import { prepareDatabase } from './migrate.ts';
import { PostgresStateStore } from './postgres-state-store.ts';
import { TestDatabase, type TestServer, testServer } from './test-server.ts';

let server: TestServer;
let database: TestDatabase;

beforeAll(async () => {
  server = await testServer();
  database = await TestDatabase.create(server);
  await prepareDatabase(database.url);
});

afterAll(async () => {
  await database.drop();
  await server.stop();
});

/** One database for all tests of the file, emptied for each. */
async function emptyDatabase(): Promise<StorePlace> {
  const wipe = (): Promise<void> => database.empty();
  await wipe();
  return {
    open: (options) =>
      PostgresStateStore.open({ ...options, url: database.url, name: 'test', sessions: 2, term: () => 0 }),
    tamper: async (sql, ...values) => {
      let place = 0;
      const numbered = sql.replaceAll('?', () => `$${++place}`);
      // Foreign keys are not looked at then.
      await database.query('SET session_replication_role = replica');
      await database.query(numbered, values);
    },
    read: async (sql) => (await database.query(sql)).map(withNumbers),
    wipe,
    remove: async () => undefined,
  };
}

/** A connection of its own gives 64-bit integers as text. */
function withNumbers(row: Record<string, unknown>): Record<string, unknown> {
  const isCount = (value: unknown): boolean => typeof value === 'string' && /^\d{1,15}$/.test(value);
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, isCount(value) ? Number(value) : value]),
  );
}

booksConform(emptyDatabase);
governanceConforms(emptyDatabase);
keysConform(emptyDatabase);
proofConforms(emptyDatabase);
recordsConform(emptyDatabase);
tracksConform(emptyDatabase);
