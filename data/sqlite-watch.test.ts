import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeBackTo } from './older-schema.fixture.ts';
import { SqliteStateStore } from './sqlite-state-store.ts';

let folder: string;
let store: SqliteStateStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-watch-'));
  store = SqliteStateStore.open(folder);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a store of before the watches is brought up to date with its training runs; a drift can then be a trigger', async () => {
  const run = {
    ...{ id: 'a', startedAt: 1, finishedAt: 2, modelVersion: 'v', message: '' },
    result: 'succeeded',
  } as const;
  await store.recordTrainingRun({ ...run, trigger: 'schedule' });
  await store.close();
  const database = new DatabaseSync(join(folder, 'state.sqlite'));
  takeBackTo(database, 1);
  database.close();
  store = SqliteStateStore.open(folder);
  await store.recordTrainingRun({ ...run, id: 'b', startedAt: 2, trigger: 'drift' });
  expect(await store.trainingRuns(9)).toEqual([
    { ...run, id: 'b', startedAt: 2, trigger: 'drift' },
    { ...run, trigger: 'schedule' },
  ]);
});
