import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SqliteStateStore } from '../../../data/sqlite-state-store.ts';
import { decisionDraft, nextBook } from '../../../data/test-books.ts';
import type { Intervention } from '../../accounts/interventions/intervention.ts';
import { Feed } from './feed.ts';
import { type FeedEvent, limitsEvent } from './feed-event.ts';

let folder: string;
let store: SqliteStateStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-feed-'));
  store = SqliteStateStore.open(folder);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const INTERVENTIONS = Array.from(
  { length: 2500 },
  (_, i): Intervention => ({
    ...{ sequence: i + 1, at: i, kind: 'warning', mode: 'advise', cause: 'price', movedMarkets: [] },
    ...{
      accountId: 'a',
      userId: 'u',
      symbol: null,
      side: null,
      status: 'warning',
      previousStatus: 'healthy',
    },
    ...{
      marginRatio: 0.6,
      equity: 10,
      maintenanceMargin: 6,
      shortfall: 0,
      stage: 0,
      plan: [],
      limitsVersion: 1,
    },
  }),
);

function feedOf(known: () => readonly Intervention[], failures: Error[] = []): Promise<Feed> {
  return Feed.recover({
    outbox: store.outbox,
    interventionsAfter: async (sequence, limit) => known().slice(sequence, sequence + limit),
    onFailure: (error) => failures.push(error),
  });
}

test('interventions that were stored before a crash are told after it, each once and in their order', async () => {
  let stored = 10;
  const before = await feedOf(() => INTERVENTIONS.slice(0, stored));
  await before.pump();
  expect(before.last).toBe(10);
  // The process dies here: more are stored, and none of them was told.
  stored = INTERVENTIONS.length;
  const after = await feedOf(() => INTERVENTIONS);
  const told: FeedEvent[] = [];
  after.onEvents((events) => told.push(...events));
  await Promise.all([after.pump(), after.pump()]);
  await after.pump();
  expect(told.map(({ sequence }) => sequence)).toEqual(
    INTERVENTIONS.slice(10).map(({ sequence }) => sequence),
  );
  expect(told.map(({ body }) => JSON.parse(body).sequence)).toEqual(told.map(({ sequence }) => sequence));
});

test('a book and its event are stored together, and what did not change is not told', async () => {
  const first = nextBook(null, { AUSDT: 20, BUSDT: 10 });
  await store.publish(first, decisionDraft(first), undefined, [limitsEvent(first, null)]);
  const second = nextBook(first, { AUSDT: 20, CUSDT: 5 });
  await store.publish(second, decisionDraft(second), undefined, [limitsEvent(second, first)]);
  const conflicting = store.publish(second, decisionDraft(second), undefined, [limitsEvent(second, first)]);
  await expect(conflicting).rejects.toThrow('does not fo');
  const bodies = (await store.outbox.eventsAfter(0, 10)).map(({ body }) => JSON.parse(body));
  expect(bodies.map(({ version, removed }) => [version, removed])).toEqual([
    [1, []],
    [2, ['BUSDT']],
  ]);
  const symbols = bodies.map(({ changed }) => changed.map(({ symbol }: { symbol: string }) => symbol));
  expect(symbols).toEqual([['AUSDT', 'BUSDT'], ['CUSDT']]);
});

test('a failure is told, and made up for by the next call', async () => {
  const failures: Error[] = [];
  let isBroken = true;
  const feed = await feedOf(() => {
    if (isBroken) throw new Error('broken');
    return INTERVENTIONS.slice(0, 3);
  }, failures);
  await feed.pump();
  expect(failures.map(({ message }) => message)).toEqual(['broken']);
  isBroken = false;
  await feed.pump();
  expect(feed.last).toBe(3);
  await feed.close();
  await feed.pump();
  expect(feed.last).toBe(3);
});
