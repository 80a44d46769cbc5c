import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { booksConform } from './conformance/books.fixture.ts';
import { governanceConforms } from './conformance/governance.fixture.ts';
import { keysConform } from './conformance/keys.fixture.ts';
import { proofConforms } from './conformance/proof.fixture.ts';
import { recordsConform } from './conformance/records.fixture.ts';
import type { StorePlace } from './conformance/store-place.fixture.ts';
import { tracksConform } from './conformance/tracks.fixture.ts';
import { SqliteStateStore } from './sqlite-state-store.ts';

async function dataFolder(): Promise<StorePlace> {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-state-'));
  const path = join(folder, 'state.sqlite');
  const withFile = <T>(work: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(path);
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  return {
    open: async (options) => SqliteStateStore.open(folder, options),
    tamper: async (sql, ...values) =>
      withFile((database) => {
        database.exec('PRAGMA foreign_keys = OFF');
        if (values.length === 0) database.exec(sql);
        else database.prepare(sql).run(...values);
      }),
    read: async (sql) => withFile((database) => database.prepare(sql).all()),
    wipe: async () => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
    },
    remove: async () => rmSync(folder, { recursive: true }),
  };
}

booksConform(dataFolder);
governanceConforms(dataFolder);
keysConform(dataFolder);
proofConforms(dataFolder);
recordsConform(dataFolder);
tracksConform(dataFolder);
