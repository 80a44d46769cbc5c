import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Intervention } from '../src/control/ports.ts';
import { ACCOUNTS_FILE_NAME, SqliteAccountStore } from './sqlite-account-store.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-account-store-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function intervention(sequence: number, changes: Partial<Intervention> = {}): Intervention {
  return {
    ...{ sequence, at: sequence, kind: 'warning', mode: 'advise', cause: 'price', movedMarkets: [] },
    ...{ accountId: `a${sequence % 3}`, userId: `u${sequence % 2}`, symbol: null, side: null },
    ...{ status: 'warning', previousStatus: 'healthy', marginRatio: 0.6, equity: 10, maintenanceMargin: 6 },
    ...{ shortfall: 0, stage: 0, plan: [], limitsVersion: 1, ...changes },
  };
}

const batch = (byte: number, ...interventions: Intervention[]) => ({
  body: Uint8Array.of(byte),
  interventions,
});

function bytesOf(chunks: Iterable<Uint8Array>): number[] {
  return [...chunks].flatMap((chunk) => [...chunk]);
}

describe('the store of accounts', () => {
  test('gives batches back in their order, across a new start', async () => {
    const store = SqliteAccountStore.open(folder);
    expect(await store.append([batch(1), batch(2)])).toBe(2);
    expect(await store.append([batch(3)])).toBe(3);
    store.close();
    const again = SqliteAccountStore.open(folder);
    expect(await again.append([batch(4)])).toBe(4);
    expect([...again.batchesAfter(1)].map(({ sequence, body }) => [sequence, ...body])).toEqual([
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
    again.close();
  });

  test('how far streams were taken in is stored with what that caused, or not at all', async () => {
    const store = SqliteAccountStore.open(folder);
    expect(store.positions()).toEqual({});
    await store.append([{ ...batch(1, intervention(1)), positions: { accounts: 7, marks: 2 } }]);
    await store.append([{ ...batch(2), positions: { accounts: 9 } }, batch(3)]);
    // The number of an intervention is taken: nothing of that batch is stored.
    const failing = { ...batch(4, intervention(1)), positions: { accounts: 12 } };
    await expect(store.append([failing])).rejects.toThrow();
    store.close();
    const again = SqliteAccountStore.open(folder);
    expect(again.positions()).toEqual({ accounts: 9, marks: 2 });
    expect(await again.append([batch(4)])).toBe(4);
    again.close();
  });

  test('a snapshot from elsewhere takes the place of what was there, and all numbers go on behind it', async () => {
    const store = SqliteAccountStore.open(folder);
    await store.append([batch(1, intervention(1))]);
    const positions = { accounts: 40, journal: 90, interventions: 12 };
    await store.saveSnapshot({ upTo: 30, chunks: [Uint8Array.of(5)], positions });
    expect([store.lastIntervention(), store.positions()]).toEqual([12, positions]);
    expect(await store.append([batch(2, intervention(13))])).toBe(31);
    expect([...store.batchesAfter(30)].map(({ sequence }) => sequence)).toEqual([31]);
    store.close();
    const again = SqliteAccountStore.open(folder);
    expect([again.snapshot()?.upTo, again.lastIntervention()]).toEqual([30, 13]);
    again.close();
  });

  test('drops the batches that a snapshot holds, and numbers go on', async () => {
    const store = SqliteAccountStore.open(folder);
    await store.append([batch(1), batch(2), batch(3)]);
    expect(store.snapshot()).toBeNull();
    await store.saveSnapshot({ upTo: 2, chunks: [Uint8Array.of(7, 8), Uint8Array.of(9)] });
    expect([...store.batchesAfter(2)].map(({ sequence }) => sequence)).toEqual([3]);
    await store.saveSnapshot({ upTo: 3, chunks: [Uint8Array.of(5)] });
    store.close();
    const again = SqliteAccountStore.open(folder);
    const snapshot = again.snapshot();
    expect([snapshot?.upTo, bytesOf(snapshot?.chunks ?? [])]).toEqual([3, [5]]);
    expect(await again.append([batch(4)])).toBe(4);
    again.close();
  });

  test('that was interrupted in a snapshot has the one before, and makes the next one', async () => {
    const store = SqliteAccountStore.open(folder);
    await store.append([batch(1), batch(2)]);
    await store.saveSnapshot({ upTo: 1, chunks: [Uint8Array.of(1)] });
    function* broken(): Iterable<Uint8Array> {
      yield Uint8Array.of(2);
      throw new Error('the process ends here');
    }
    await expect(store.saveSnapshot({ upTo: 2, chunks: broken() })).rejects.toThrow('ends here');
    store.close();
    const again = SqliteAccountStore.open(folder);
    expect([again.snapshot()?.upTo, bytesOf(again.snapshot()?.chunks ?? [])]).toEqual([1, [1]]);
    expect([...again.batchesAfter(1)].map(({ sequence }) => sequence)).toEqual([2]);
    await again.saveSnapshot({ upTo: 2, chunks: [Uint8Array.of(3)] });
    expect(bytesOf(again.snapshot()?.chunks ?? [])).toEqual([3]);
    again.close();
  });

  test('says where something is missing, and reads nothing beyond it', async () => {
    const store = SqliteAccountStore.open(folder);
    await store.append([batch(1), batch(2), batch(3)]);
    await store.saveSnapshot({ upTo: 1, chunks: [Uint8Array.of(1), Uint8Array.of(2)] });
    store.close();
    const database = new DatabaseSync(join(folder, ACCOUNTS_FILE_NAME));
    database.exec('DELETE FROM batch WHERE sequence = 2; DELETE FROM snapshot_chunk WHERE part = 1');
    database.close();
    const damaged = SqliteAccountStore.open(folder);
    expect(() => [...damaged.batchesAfter(1)]).toThrow('batch 2 is missing');
    expect(() => bytesOf(damaged.snapshot()?.chunks ?? [])).toThrow('a piece of the snapshot is missing');
    damaged.close();
  });

  test('finds interventions by account, user and kind, with the batch that caused them or not at all', async () => {
    const store = SqliteAccountStore.open(folder);
    const all = [1, 2, 3, 4, 5, 6].map((sequence) =>
      intervention(sequence, sequence > 4 ? { kind: 'liquidation' } : {}),
    );
    await store.append([batch(1, ...all.slice(0, 3)), batch(2, ...all.slice(3))]);
    const found = (...[after, limit, filter]: Parameters<SqliteAccountStore['interventionsAfter']>) =>
      store.interventionsAfter(after, limit, filter).map(({ sequence }) => sequence);
    expect(store.interventionsAfter(0, 10)).toEqual(all);
    expect(found(2, 2)).toEqual([3, 4]);
    expect(found(0, 10, { accountId: 'a1' })).toEqual([1, 4]);
    expect(found(0, 10, { userId: 'u0' })).toEqual([2, 4, 6]);
    expect(found(0, 10, { userId: 'u0', kind: 'liquidation' })).toEqual([6]);
    expect(found(0, 10, { accountId: 'a2', userId: 'u1' })).toEqual([5]);
    // The same sequence again: the whole transaction is undone.
    await expect(store.append([batch(3, intervention(7)), batch(4, intervention(7))])).rejects.toThrow();
    expect([store.lastIntervention(), [...store.batchesAfter(2)]]).toEqual([6, []]);
    store.close();
  });

  test('keeps the newest interventions, and goes on with their numbers', async () => {
    const store = SqliteAccountStore.open(folder, 3);
    await store.append([batch(1, ...[1, 2, 3, 4, 5].map((sequence) => intervention(sequence)))]);
    expect(store.interventionsAfter(0, 10).map(({ sequence }) => sequence)).toEqual([3, 4, 5]);
    expect(store.lastIntervention()).toBe(5);
    store.close();
  });
});
