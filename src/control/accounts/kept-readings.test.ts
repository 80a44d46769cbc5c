import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SqliteAccountStore } from '../../../data/sqlite-account-store.ts';
import type { AccountWorkerData } from '../../account-worker.ts';
import { AccountVersions } from '../../accounts/book/account-versions.ts';
import { UserFilter } from '../../accounts/book/user-filter.ts';
import { BOOK } from '../../accounts/test-cap-accounts.ts';
import { ManualClock } from '../../clock.ts';
import { resolveConfig } from '../../config.ts';
import { DEFAULT_POLICY } from '../../limits/policy.ts';
import { Accounts } from './account-access.ts';
import { AccountDesk, type AccountReading } from './account-desk.ts';
import { KeptReadings } from './kept-readings.ts';
import { WorkerAccounts } from './worker-accounts.ts';

function readingOf(userId: string, symbols: readonly string[] = []): AccountReading {
  const positions = symbols.map((symbol) => {
    return { symbol, quantity: 1, entryPrice: 1, isolatedMargin: null };
  });
  const account = { accountId: userId, userId, marginMode: 'cross' as const, collateral: 1, sequence: 0 };
  return { account: { ...account, positions }, status: 'healthy', marks: {}, markedAt: {} };
}

describe('what was read of accounts', () => {
  test('is given out until the user or a market that is held changes', () => {
    const versions = new AccountVersions();
    const kept = new KeptReadings(versions);
    const readings = [readingOf('ann', ['BTCUSDT'])];
    expect(kept.find('ann')).toBeNull();
    for (const change of [
      () => versions.userChanges('ann'),
      () => versions.marketChanges('BTCUSDT'),
      () => versions.everythingChanges(),
    ]) {
      kept.keep('ann', { readings, version: versions.sumOf(versions.wordsOf('ann', ['BTCUSDT'])) });
      expect(kept.find('ann')).toBe(readings);
      versions.userChanges('bob');
      versions.marketChanges('ETHUSDT');
      expect(kept.find('ann')).toBe(readings);
      change();
      expect(kept.find('ann')).toBeNull();
    }
  });

  test('is not kept where it had changed before it was told', () => {
    const versions = new AccountVersions();
    const kept = new KeptReadings(versions);
    const version = versions.sumOf(versions.wordsOf('ann', []));
    versions.userChanges('ann');
    kept.keep('ann', { readings: [readingOf('ann')], version });
    expect(kept.find('ann')).toBeNull();
  });

  test('is not given out while an answer is awaited, whether it comes or fails', async () => {
    const versions = new AccountVersions();
    const kept = new KeptReadings(versions);
    kept.keep('ann', { readings: [readingOf('ann')], version: 0 });
    for (const isKept of [true, false]) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const settled = kept.until(promise).catch(() => undefined);
      expect(kept.find('ann')).toBeNull();
      if (isKept) resolve();
      else reject(new Error('gone'));
      await settled;
      expect(kept.find('ann')).not.toBeNull();
    }
  });

  test('has a bound: what was kept first goes, and what is large is not kept at all', () => {
    const kept = new KeptReadings(new AccountVersions());
    const large = [readingOf('whale', Array(64).fill('BTCUSDT'))];
    kept.keep('whale', { readings: large, version: 0 });
    expect(kept.find('whale')).toBeNull();
    // Two to a user with an account, and one for each position.
    for (let user = 0; user < 10_000; user++)
      kept.keep(`user-${user}`, {
        readings: [readingOf(`user-${user}`, ['BTCUSDT', 'ETHUSDT'])],
        version: 0,
      });
    const found = Array.from({ length: 10_000 }, (_, user) => kept.find(`user-${user}`) !== null);
    expect(found.filter(Boolean)).toHaveLength(8192);
    expect(found.indexOf(true)).toBe(10_000 - 8192);
  });
});

test('a desk that reads its store anew makes all that was read of the one before worthless', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-kept-'));
  const versions = new AccountVersions();
  const store = SqliteAccountStore.open(folder);
  const recover = () =>
    AccountDesk.recover({ store, policy: DEFAULT_POLICY.accounts, plannerOf: () => () => [], versions });
  const read = recover().versionedReadings('ann');
  expect(read?.version).toBe(versions.sumOf(versions.wordsOf('ann', [])));
  recover();
  expect(read?.version).not.toBe(versions.sumOf(versions.wordsOf('ann', [])));
  store.close();
  rmSync(folder, { recursive: true });
});

test('readings from the thread of the accounts are kept until it has taken in what changes them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-kept-'));
  const { values: config } = resolveConfig({ flags: {}, environment: { PLIMSOLL_DATA_DIR: folder } });
  const [holders, versions] = [new UserFilter(), new AccountVersions()];
  const workerData: AccountWorkerData = {
    ...{ config, streams: null },
    holders: holders.memory,
    versions: versions.memory,
  };
  const failures: Error[] = [];
  const thread = new WorkerAccounts({
    entry: new URL('../../account-worker.ts', import.meta.url),
    ...{ workerData, clock: new ManualClock(BOOK.decidedAt) },
    onTold: () => undefined,
    onLost: (error) => failures.push(error),
  });
  const accounts = new Accounts(thread, (error) => failures.push(error), holders, versions);
  accounts.published(BOOK, DEFAULT_POLICY, { closes: { BTCUSDT: { asOf: BOOK.decidedAt, price: 100 } } });
  const put = (quantity: string, userId = 'ann') =>
    accounts.take({
      ...{ accountId: 'a', userId, marginMode: 'cross', equity: '1000' },
      positions: [{ symbol: 'BTCUSDT', side: 'net', quantity, entryPrice: '100' }],
    });
  expect(await put('1')).toBeNull();
  expect(accounts.keptReadings('ann')).toBeNull();
  const first = await accounts.readingsOfUser('ann');
  expect(first[0]).toMatchObject({ marks: { BTCUSDT: 100 }, account: { positions: [{ quantity: 1 }] } });
  expect(accounts.keptReadings('ann')).toBe(first);

  expect(await put('2')).toBeNull();
  expect(accounts.keptReadings('ann')).toBeNull();
  const second = await accounts.readingsOfUser('ann');
  expect(second[0]?.account.positions[0]?.quantity).toBe(2);

  const marked = accounts.mark([{ symbol: 'BTCUSDT', price: 101, at: BOOK.decidedAt + 1 }]);
  expect(accounts.keptReadings('ann')).toBeNull();
  await marked;
  expect(accounts.keptReadings('ann')).toBeNull();
  const third = await accounts.readingsOfUser('ann');
  expect(third[0]?.marks).toEqual({ BTCUSDT: 101 });
  await accounts.mark([{ symbol: 'ETHUSDT', price: 50, at: BOOK.decidedAt + 1 }]);
  expect(accounts.keptReadings('ann')).toBe(third);

  expect(await put('2', 'bob')).toBeNull();
  expect(accounts.keptReadings('ann')).toBeNull();
  expect(await accounts.readingsOfUser('ann')).toEqual([]);
  await thread.close();
  expect(failures).toEqual([]);
  rmSync(folder, { recursive: true });
});
