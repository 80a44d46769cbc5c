import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SqliteAccountStore } from '../../../data/sqlite-account-store.ts';
import { mergedPicture, pictureOf } from '../../accounts/book/picture.ts';
import { schedule, TEST_MARKS, TEST_TERMS } from '../../accounts/book/test-accounts.ts';
import { systemClock } from '../../clock.ts';
import { DEFAULT_POLICY } from '../../limits/policy.ts';
import { Random } from '../../random.ts';
import type { AccountAnswerer } from '../accounts/account-access.ts';
import type { AccountDesk } from '../accounts/account-desk.ts';
import { impactOnHolders } from '../accounts/holder-impact.ts';
import { NO_ACCOUNTS_HERE } from '../accounts/no-accounts.ts';
import { answerSystem } from '../accounts/system-desk.ts';
import { MemoryBroker } from './memory-broker.ts';
import { partitionOf } from './partition.ts';
import { PartitionAsker } from './partition-asker.ts';
import { PartitionedAccounts } from './partitioned-accounts.ts';
import { knowMarkets, type Owner, ownShard, prepareShard, shardDesk } from './shard-owner.fixture.ts';

const PARTITIONS = 3;
const LEASE_MILLISECONDS = 1_500;

function lines(count: number, seed: number): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const account = random.integer(200);
    const markets = TEST_TERMS.slice(0, 3).filter(() => random.uniform() < 0.5);
    return JSON.stringify({
      accountId: `account-${account}`,
      userId: `user-${account % 23}`,
      marginMode: 'cross',
      equity: (100_000 * random.uniform()).toFixed(2),
      positions: markets.map(({ symbol }) => ({
        ...{ symbol, side: random.uniform() < 0.6 ? 'long' : 'short' },
        ...{
          quantity: String((1 + random.integer(64)) / 8),
          entryPrice: String(16 + random.integer(30_000)),
        },
      })),
    });
  });
}

describe('accounts in partitions', () => {
  let folder: string;
  let broker: MemoryBroker;
  let owners: Owner[];
  /** All accounts in one place: the reference. */
  let whole: AccountDesk;
  let store: SqliteAccountStore;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-partitions-'));
    broker = new MemoryBroker(PARTITIONS, systemClock, LEASE_MILLISECONDS);
    owners = [];
    for (let partition = 0; partition < PARTITIONS; partition++) {
      await prepareShard(broker, partition, mkdtempSync(join(folder, 'prepared')));
      const kept = Promise.withResolvers<void>();
      const worker = `worker ${partition}`;
      owners.push(
        await ownShard({
          ...{ broker, worker, session: worker, folder: join(folder, worker), snapshotBytes: 1e9 },
          onMessage: (message) => {
            if ('shard' in message && message.shard.state === 'kept') kept.resolve();
          },
        }),
      );
      await kept.promise;
    }
    store = SqliteAccountStore.open(mkdtempSync(join(folder, 'whole')));
    whole = shardDesk(store, 1e9);
    knowMarkets(whole);
  });
  afterAll(async () => {
    await Promise.all(owners.map((owner) => owner.stop()));
    store.close();
    rmSync(folder, { recursive: true });
  });

  /** As a process has them that keeps a partition, or none. */
  function accountsOf(partition: number | null, isCertain = true): PartitionedAccounts {
    const own: AccountAnswerer =
      partition === null
        ? NO_ACCOUNTS_HERE
        : {
            setTerms: async () => undefined,
            ask: (kind, request) => owners[partition].ask(kind, { ...request, at: 0 } as never),
          };
    return new PartitionedAccounts({
      ...{ own, partitions: PARTITIONS, clock: systemClock, asker: new PartitionAsker(broker.questions) },
      ...{ ownPartition: () => partition, isCertain: () => isCertain },
      askSystem: async (question, pictures, liquidity) =>
        answerSystem(question, { ...mergedPicture(pictures), liquidity }, DEFAULT_POLICY),
    });
  }

  describe('answer as one process that has them all', () => {
    let batch: string[];

    beforeEach(async () => {
      batch = lines(600, 7);
      batch[100] = 'nonsense';
      batch[200] = batch[200].replace('"cross"', '"crossed"');
      batch[300] = '';
      const report = await accountsOf(1).ask('lines', { text: batch.join('\n') });
      const expected = whole.takeLines(batch.join('\n'), 0);
      await whole.commit();
      expect(report).toEqual(expected);
      expect(report.refused.map(({ line }) => line)).toEqual([101, 201]);
    });

    test.each([
      ['that keeps one', 0],
      ['that keeps none', null],
    ] as const)('a process %s', async (_, kept) => {
      const accounts = accountsOf(kept);
      for (let account = 0; account < 200; account += 7) {
        const accountId = `account-${account}`;
        expect(await accounts.ask('reading', { accountId })).toEqual(whole.reading(accountId));
      }
      expect(await accounts.ask('reading', { accountId: 'nobody' })).toBeNull();
      for (let user = 0; user < 23; user++) {
        const readings = await accounts.ask('readingsOfUser', { userId: `user-${user}` });
        const expected = whole.readingsOfUser(`user-${user}`);
        const byId = (some: typeof readings) => new Map(some.map((one) => [one.account.accountId, one]));
        expect(readings).toHaveLength(expected.length);
        expect(byId(readings)).toEqual(byId(expected));
      }
      const table = schedule([20, 10, 5, 2, 1]);
      const tables = { brackets: table, maintenance: table };
      const [before] = TEST_TERMS;
      const impact = await accounts.ask('impact', { symbol: 'BTCUSDT', before, after: tables });
      const expected = impactOnHolders(whole.book, { symbol: 'BTCUSDT', before, after: tables });
      expect(impact?.breaching).toBeGreaterThan(0);
      expect({ ...impact, hit: null }).toEqual({ ...expected, hit: null });
      expect(new Set(impact?.hit)).toEqual(new Set(expected?.hit));
    });

    test('everybody as one system, and a shock of it', async () => {
      const accounts = accountsOf(2);
      const pictures = await Promise.all(owners.map((owner) => owner.ask('picture', {})));
      const picture = { ...mergedPicture(pictures), liquidity: {} };
      const system = await accounts.ask('system', {});
      const now = Date.parse(system.asOf);
      expect(system).toEqual(answerSystem({ kind: 'system', now }, picture, DEFAULT_POLICY));
      const together = { ...pictureOf(whole.book), liquidity: {} };
      const one = answerSystem({ kind: 'system', now }, together, DEFAULT_POLICY) as typeof system;
      expect(system.accounts).toBe(one.accounts);
      // Sums in another order.
      expect(system.leverage.gross / one.leverage.gross).toBeCloseTo(1, 12);
      expect(Number(system.leverage.equity) / Number(one.leverage.equity)).toBeCloseTo(1, 12);
      const crowdingOf = ({ markets }: typeof system) =>
        markets.map(({ symbol, longs, shorts, crowding }) => [symbol, longs, shorts, crowding.holders]);
      expect(crowdingOf(system)).toEqual(crowdingOf(one));
      const stress = { move: -0.2, moves: {} };
      expect(await accounts.ask('stress', stress)).toEqual(
        answerSystem({ kind: 'stress', ...stress }, picture, DEFAULT_POLICY),
      );
      const input = await accounts.ask('stressInput', {});
      const asked = answerSystem({ kind: 'stressInput', now }, picture, DEFAULT_POLICY) as typeof input;
      expect(input?.leverage).toEqual(asked?.leverage);
    });

    test('one account, sent to whoever is asked', async () => {
      for (const accountId of ['account-1', 'account-2', 'account-3', 'account-4']) {
        const value = { ...JSON.parse(batch[0]), accountId, equity: '77', sequence: 5 };
        expect(await accountsOf(null).ask('put', { value })).toBeNull();
        expect((await accountsOf(0).ask('reading', { accountId }))?.account.collateral).toBe(77);
        expect(await accountsOf(1).ask('put', { value })).toMatchObject({ code: 'ACCOUNT_OUT_OF_ORDER' });
      }
      expect(await accountsOf(0).ask('put', { value: { equity: '1' } })).toMatchObject({
        code: 'ACCOUNT_INVALID',
      });
    });
  });

  test('marks are those that everybody has', async () => {
    const marks = await accountsOf(null).ask('marks', {});
    expect(marks.map(({ symbol, price }) => [symbol, price])).toEqual(
      TEST_TERMS.map(({ symbol }, i) => [symbol, TEST_MARKS[i]]),
    );
    expect(await accountsOf(1).ask('marks', {})).toEqual(marks);
  });

  test('what only a process itself is asked stays there', async () => {
    expect(await accountsOf(null).ask('interventions', { after: 0, limit: 1, filter: {} })).toEqual([]);
    await expect(accountsOf(null).ask('summary', {})).rejects.toMatchObject({ code: 'ACCOUNTS_ELSEWHERE' });
    const { accounts } = await accountsOf(1).ask('summary', {});
    expect(accounts).toBeLessThan(whole.summary().accounts);
  });

  test('an owner that may have been replaced asks itself no more than others do', async () => {
    const accountId = Array.from({ length: 200 }, (_, i) => `account-${i}`).find(
      (id) => partitionOf(id, PARTITIONS) === 0,
    );
    const doubting = accountsOf(0, false);
    const reading = await doubting.ask('reading', { accountId: accountId ?? '' });
    expect(reading).toEqual(await owners[0].ask('reading', { accountId: accountId ?? '' }));
    owners[0].time.over();
    await expect(doubting.ask('reading', { accountId: accountId ?? '' })).rejects.toMatchObject({
      code: 'SHARD_NOT_HELD',
    });
    while (!owners[0].time.isHeld) await wait(5);
    expect(await doubting.ask('reading', { accountId: accountId ?? '' })).toEqual(reading);
  });

  test('where one partition has no owner nothing is said of a user, of everybody, or of its accounts', async () => {
    await owners.pop()?.stop();
    const accounts = accountsOf(0);
    const asked = [
      () => accounts.ask('readingsOfUser', { userId: 'user-1' }),
      () => accounts.ask('system', {}),
      () => accounts.ask('stressInput', {}),
      () => accounts.ask('lines', { text: lines(60, 9).join('\n') }),
    ];
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'SHARD_NOT_HELD' });
    const known = Array.from({ length: 200 }, (_, i) => `account-${i}`).filter(
      (accountId) => whole.reading(accountId) !== null,
    );
    for (const accountId of known.slice(0, 30)) {
      const reading = accounts.ask('reading', { accountId });
      if (partitionOf(accountId, PARTITIONS) === 2)
        await expect(reading).rejects.toMatchObject({ code: 'SHARD_NOT_HELD' });
      else expect(await reading).toMatchObject({ account: { accountId } });
    }
  });
});
