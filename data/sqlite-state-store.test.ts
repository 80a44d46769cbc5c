import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LimitBook } from '../src/limits/types.ts';
import { SqliteStateStore } from './sqlite-state-store.ts';
import { decisionDraft, nextBook } from './test-books.ts';

let folder: string;
let store: SqliteStateStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-state-'));
  store = SqliteStateStore.open(folder);
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

async function publish(previous: LimitBook | null, leverages: Record<string, number>): Promise<LimitBook> {
  const book = nextBook(previous, leverages);
  await store.publish(book, decisionDraft(book));
  return book;
}

/** Does to the file what nobody should. */
function tamper(sql: string): void {
  const database = new DatabaseSync(join(folder, 'state.sqlite'));
  database.exec(`PRAGMA foreign_keys = OFF; ${sql}`);
  database.close();
}

describe('opening', () => {
  test('read-only sees what another process publishes, and cannot write', async () => {
    const first = await publish(null, { AURUSDT: 50 });
    const reader = SqliteStateStore.open(folder, { readOnly: true });
    expect(await reader.latestBook()).toEqual(first);
    const second = await publish(first, { AURUSDT: 40 });
    expect(await reader.latestBook()).toEqual(second);
    expect(await reader.verify()).toMatchObject({ books: 2, firstBadBook: null });
    const third = nextBook(second, { AURUSDT: 30 });
    await expect(reader.publish(third, decisionDraft(third))).rejects.toMatchObject({ code: 'IO_FAILED' });
    await reader.close();
    expect(await store.latestBook()).toEqual(second);
  });

  test('read-only works on a store that nobody has open', async () => {
    const book = await publish(null, { AURUSDT: 50 });
    await store.close();
    const reader = SqliteStateStore.open(folder, { readOnly: true });
    expect(await reader.latestBook()).toEqual(book);
    await reader.close();
  });

  test('read-only never makes a store', () => {
    const missing = join(folder, 'elsewhere');
    expect(() => SqliteStateStore.open(missing, { readOnly: true })).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', remedy: expect.stringContaining('plimsoll serve') }),
    );
  });

  test('a store of a newer Plimsoll is refused and left as it is', async () => {
    await publish(null, { AURUSDT: 50 });
    await store.close();
    const database = new DatabaseSync(join(folder, 'state.sqlite'));
    const present = database.prepare('PRAGMA user_version').get()?.user_version;
    database.close();
    tamper('PRAGMA user_version = 99');
    for (const readOnly of [false, true]) {
      expect(() => SqliteStateStore.open(folder, { readOnly })).toThrow(
        expect.objectContaining({
          code: 'CONFIG_INVALID',
          message: expect.stringContaining('schema version 99'),
        }),
      );
    }
    tamper(`PRAGMA user_version = ${present}`);
    store = SqliteStateStore.open(folder);
    expect((await store.latestBook())?.version).toBe(1);
  });

  test('a file that is no database, or not our database, is refused', async () => {
    const noDatabase = mkdtempSync(join(folder, 'a-'));
    writeFileSync(
      join(noDatabase, 'state.sqlite'),
      'not a database, but long enough to be looked at. '.repeat(40),
    );
    expect(() => SqliteStateStore.open(noDatabase)).toThrow(
      expect.objectContaining({ code: 'STORE_DAMAGED' }),
    );
    const foreign = mkdtempSync(join(folder, 'b-'));
    const database = new DatabaseSync(join(foreign, 'state.sqlite'));
    database.exec('CREATE TABLE bookmarks (url TEXT)');
    database.close();
    expect(() => SqliteStateStore.open(foreign)).toThrow(
      expect.objectContaining({ code: 'STORE_DAMAGED', message: expect.stringContaining('not a Plimsoll') }),
    );
  });

  test('a folder that cannot be made is an IO failure', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => SqliteStateStore.open(join(file, 'data'))).toThrow(
      expect.objectContaining({ code: 'IO_FAILED' }),
    );
  });

  test('a writer that waits too long for another is told who is in the way', async () => {
    await store.close();
    store = SqliteStateStore.open(folder, { busyTimeoutMilliseconds: 10 });
    const other = new DatabaseSync(join(folder, 'state.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    const book = nextBook(null, { AURUSDT: 50 });
    await expect(store.publish(book, decisionDraft(book))).rejects.toMatchObject({ code: 'LOCKED' });
    expect(await store.latestBook()).toBeNull();
    other.exec('ROLLBACK');
    other.close();
    await store.publish(book, decisionDraft(book));
    expect(await store.latestBook()).toEqual(book);
  });

  test('the file keeps a write-ahead log, so that readers and the writer do not wait for each other', () => {
    const database = new DatabaseSync(join(folder, 'state.sqlite'));
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    database.close();
  });
});
