import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../src/random.ts';
import { type Fault, faultRounds } from './fault-rounds.fixture.ts';
import { PostgresStateStore } from './postgres-state-store.ts';
import { TestDatabase, type TestServer, testServer } from './test-server.ts';

/** Whatever becomes of the leader: one term publishes at a time, and nothing that was acknowledged is lost. */
let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

test.each<[Fault, string]>([
  ['kill', 'is killed'],
  ['pause', 'is paused and resumed'],
  ['cut', 'is cut off and connected again'],
])(
  '%s: a leader that %s loses, forks and doubles nothing, and its standby takes over',
  async (fault) => {
    const database = await TestDatabase.create(server);
    try {
      const rounds = 2;
      const { acknowledged, takeoverSeconds } = await faultRounds(
        database.url,
        fault,
        rounds,
        new Random(`leadership ${fault}`),
      );
      expect(takeoverSeconds).toHaveLength(rounds);
      const stored = new Map(
        (await database.query('SELECT version::int, term::int FROM book ORDER BY version')).map(
          ({ version, term }) => [version as number, term as number],
        ),
      );
      const terms = [...stored.values()];
      expect(terms).toEqual([...terms].sort((a, b) => a - b));
      expect(new Set(terms).size).toBeGreaterThan(rounds);
      for (const { version, term } of acknowledged)
        expect([version, stored.get(version)]).toEqual([version, term]);
      expect(new Set(acknowledged.map(({ version }) => version)).size).toBe(acknowledged.length);
      const store = await PostgresStateStore.open({ url: database.url, name: 'test', sessions: 2 });
      expect(await store.verify()).toMatchObject({
        books: stored.size,
        firstBadBook: null,
        firstBadAuditEntry: null,
      });
      await store.close();
    } finally {
      await database.drop();
    }
  },
  180_000,
);
