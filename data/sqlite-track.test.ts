import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { publishTracked } from './conformance/tracks.fixture.ts';
import { takeBackTo } from './older-schema.fixture.ts';
import { SqliteStateStore } from './sqlite-state-store.ts';

let folder: string;
let store: SqliteStateStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-track-'));
  store = SqliteStateStore.open(folder);
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

test('a store of an older version is opened, and its books hold without a track', async () => {
  const { books } = await publishTracked(store, 2);
  await store.close();
  const database = new DatabaseSync(join(folder, 'state.sqlite'));
  takeBackTo(database, 9);
  database.close();
  store = SqliteStateStore.open(folder);
  expect(await store.track('AUSDT', 0, Number.MAX_SAFE_INTEGER, 9)).toEqual([]);
  expect(await store.trackSince(0)).toEqual([]);
  expect((await store.verify()).firstBadBook).toBeNull();
  expect(await store.latestBook()).toEqual(books[1]);
});
