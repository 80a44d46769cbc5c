import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../clock.ts';
import type { AccountMessage } from '../accounts/worker-messages.ts';
import { MemoryBroker } from './memory-broker.ts';
import { partitionOf } from './partition.ts';
import { eventOf, type Owner, ownShard, prepareShard } from './shard-owner.fixture.ts';

let folder: string;
let owners: Owner[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-shard-'));
  owners = [];
});
afterEach(async () => {
  await Promise.all(owners.map((owner) => owner.stop()));
  rmSync(folder, { recursive: true });
});

async function owner(broker: MemoryBroker, worker: string, states: string[] = []): Promise<Owner> {
  const onMessage = (message: AccountMessage): void => {
    if ('shard' in message) states.push(message.shard.state);
  };
  const own = await ownShard({
    ...{
      broker,
      worker,
      session: `${worker} now`,
      folder: join(folder, worker),
      snapshotBytes: 1e9,
      onMessage,
    },
  });
  owners.push(own);
  return own;
}

test('an account has the partition that FNV-1a gives it', () => {
  // Of the published test vectors (draft-eastlake-fnv): fnv32a("") = 2166136261, fnv32a("a") = 3826002220, fnv32a("foobar") = 3214735720.
  expect(['', 'a', 'foobar'].map((id) => partitionOf(id, 2 ** 32))).toEqual([
    2166136261, 3826002220, 3214735720,
  ]);
  expect(partitionOf('foobar', 10)).toBe(0);
});

describe('a shard', () => {
  let broker: MemoryBroker;
  let states: string[];

  beforeEach(async () => {
    broker = new MemoryBroker(1, systemClock, 600);
    states = [];
    await prepareShard(broker, 0, mkdtempSync(join(folder, 'prepared')));
  });

  test('answers lines by their number, over the events that a large request becomes, in the words of the accounts', async () => {
    const one = await owner(broker, 'a', states);
    while (!states.includes('kept')) await wait(1);
    const lines = Array.from({ length: 1500 }, (_, i) => eventOf(i, 100));
    lines[700] = 'nonsense';
    lines[900] = '';
    lines[1100] = eventOf(3, 100).replace('BTCUSDT', 'NOUSDT');
    lines.push(`{"accountId":"${'x'.repeat(200_000)}"}`);
    const report = await one.ask('lines', { text: lines.join('\n'), at: 0 });
    expect((await broker.log.extent('accounts.0')).last).toBeGreaterThan(1);
    expect([report.total, report.accepted]).toEqual([1500, 1497]);
    expect(report.refused.map(({ line, code }) => [line, code])).toEqual([
      [701, 'ACCOUNT_INVALID'],
      [1101, 'MARKET_UNKNOWN'],
      [1501, 'ACCOUNT_INVALID'],
    ]);
    expect(await one.ask('put', { value: JSON.parse(eventOf(7, 100)), at: 0 })).toBeNull();
    expect(await one.ask('put', { value: { accountId: 'a' }, at: 0 })).toMatchObject({
      code: 'ACCOUNT_INVALID',
    });
  });

  test('who lets go leaves it to whoever waits, with all that came in; one that holds nothing says so', async () => {
    const one = await owner(broker, 'a', states);
    while (!states.includes('kept')) await wait(1);
    await one.ask('put', { value: { ...JSON.parse(eventOf(1, 1)), equity: '123' }, at: 0 });
    const later: string[] = [];
    const two = await owner(broker, 'b', later);
    await expect(two.ask('reading', { accountId: 'account-0' })).rejects.toMatchObject({
      code: 'SHARD_NOT_HELD',
    });
    expect(await two.ask('interventions', { after: 0, limit: 10, filter: {} })).toEqual([]);
    const before = await one.ask('interventions', { after: 0, limit: 100, filter: {} });
    await one.stop();
    owners = [two];
    while (!later.includes('kept')) await wait(1);
    expect((await two.ask('reading', { accountId: 'account-0' }))?.account.collateral).toBe(123);
    expect(before.length).toBeGreaterThan(0);
    expect(await two.ask('interventions', { after: 0, limit: 100, filter: {} })).toEqual(before);
  });

  test('a stream that goes less far than what was taken in is told, and nothing more is taken', async () => {
    const one = await owner(broker, 'a', states);
    while (!states.includes('kept')) await wait(1);
    await one.ask('put', { value: JSON.parse(eventOf(1, 1)), at: 0 });
    await one.stop();
    const emptied = new MemoryBroker(1, systemClock, 600);
    const later: string[] = [];
    const again = await owner(emptied, 'a', later);
    while (!later.includes('lost')) await wait(1);
    await expect(again.ask('lines', { text: eventOf(2, 1), at: 0 })).rejects.toMatchObject({
      code: 'STREAM_LOST',
    });
    owners = [again];
  });

  test('a name that lives is not given twice; that of a process which died is free after the time of a lease', async () => {
    await owner(broker, 'a', states);
    await expect(owner(broker, 'a')).rejects.toMatchObject({ code: 'WORKER_NAME_TAKEN' });
    const dead = await broker.leases.take('worker.b', 'died');
    expect(dead).not.toBeNull();
    await owner(broker, 'b');
  });
});
