import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freeze, step } from './conformance/governance.fixture.ts';
import { takeBackTo } from './older-schema.fixture.ts';
import { SqliteStateStore } from './sqlite-state-store.ts';
import { FIRST_DECISION } from './test-books.ts';

let folder: string;
let store: SqliteStateStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-governance-'));
  store = SqliteStateStore.open(folder);
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const governance = () => store.governance;

test('a store of before governance is brought up to date with its chain', async () => {
  const at = FIRST_DECISION;
  const entry = await store.appendAudit({
    ...{ at, kind: 'start', actor: 'service', subject: 'service', reason: 'test', details: {} },
  });
  await store.close();
  const database = new DatabaseSync(join(folder, 'state.sqlite'));
  takeBackTo(database, 2);
  database.close();
  store = SqliteStateStore.open(folder);
  expect(await store.auditEntry(1)).toEqual(entry);
  expect([await governance().revision(), await governance().changes(9, 9)]).toEqual([0, []]);
  expect(await governance().record(step([freeze(1)], 0))).toBe(1);
});
