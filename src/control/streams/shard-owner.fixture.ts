import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SqliteAccountStore } from '../../../data/sqlite-account-store.ts';
import { TEST_MARKS, TEST_TERMS } from '../../accounts/book/test-accounts.ts';
import { systemClock } from '../../clock.ts';
import { PlimsollError } from '../../errors.ts';
import { DEFAULT_POLICY } from '../../limits/policy.ts';
import { Random } from '../../random.ts';
import { AccountDesk, type ShardPlace } from '../accounts/account-desk.ts';
import { AccountLoop } from '../accounts/account-loop.ts';
import { KnownLiquidity } from '../accounts/known-liquidity.ts';
import { plannerFor } from '../accounts/planner.ts';
import type { AccountStore } from '../accounts/ports.ts';
import type {
  AccountMessage,
  AccountRequest,
  AccountRequests,
  RequestKind,
} from '../accounts/worker-messages.ts';
import type { Broker } from './event-log.ts';
import { LeaseTime } from './lease-time.ts';
import { ShardAccounts } from './shard-accounts.ts';
import { ShardLease } from './shard-lease.ts';
import { ShardStore } from './shard-store.ts';

export interface OwnerOptions {
  readonly broker: Broker;
  readonly worker: string;
  readonly session: string;
  /** Has a folder for each partition. */
  readonly folder: string;
  readonly snapshotBytes: number;
  readonly onMessage: (message: AccountMessage) => void;
}

export interface Owner {
  readonly lease: ShardLease;
  readonly time: LeaseTime;
  ask<Kind extends RequestKind>(
    kind: Kind,
    request: AccountRequests[Kind]['ask'],
  ): Promise<AccountRequests[Kind]['answer']>;
  stop(): Promise<void>;
}

export function shardDesk(store: AccountStore, snapshotBytes: number, shard?: ShardPlace): AccountDesk {
  const policy = DEFAULT_POLICY;
  return AccountDesk.recover({
    ...{ store, snapshotBytes, policy: policy.accounts },
    plannerOf: (book) => plannerFor(book, policy, new KnownLiquidity()),
    ...(shard === undefined ? {} : { shard }),
  });
}

/** What a process of the service does with a shard, without the service: a lease, and whoever keeps the accounts. */
export async function ownShard(options: OwnerOptions): Promise<Owner> {
  const { broker, worker, session, folder, snapshotBytes, onMessage } = options;
  const waiting = new Map<number, { resolve(answer: never): void; reject(error: PlimsollError): void }>();
  const send = (message: AccountMessage): void => {
    if (!('id' in message)) {
      onMessage(message);
      return;
    }
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if ('answer' in message) asked?.resolve(message.answer as never);
    else asked?.reject(new PlimsollError(message.failure.code, message.failure.message));
  };
  const time = new LeaseTime();
  const shard = new ShardAccounts({
    ...{ broker, worker, session, clock: systemClock, send, leaseTime: time },
    openLocal: (partition) => {
      const own = join(folder, String(partition));
      mkdirSync(own, { recursive: true });
      return SqliteAccountStore.open(own);
    },
    makeLoop: (store, place, answer) =>
      new AccountLoop({
        askSystem: async () => null,
        liquidity: new KnownLiquidity(),
        recover: () => shardDesk(store, snapshotBytes, place),
        clock: systemClock,
        send: answer,
        onSnapshotFailure: () => undefined,
      }),
    onRefused: () => undefined,
  });
  let id = 0;
  const ask: Owner['ask'] = (kind, request) =>
    new Promise((resolve, reject) => {
      waiting.set(++id, { resolve, reject });
      shard.ask({ ...request, id, kind } as unknown as AccountRequest);
    });
  const lease = await ShardLease.enter({
    ...{ broker, worker, session, time },
    onHeld: (partition) => void ask('hold', { partition }),
    onLost: () => void ask('lose', {}),
  });
  lease.start();
  return {
    lease,
    time,
    ask,
    stop: async () => {
      await shard.end();
      await lease.stop();
    },
  };
}

/** A partition that knows markets and marks before anybody owns it. */
export async function prepareShard(broker: Broker, partition: number, folder: string): Promise<void> {
  const local = SqliteAccountStore.open(folder);
  const { log } = broker;
  const store = await ShardStore.claim({ log, partition, local, worker: 'test', onBroken: () => undefined });
  const desk = shardDesk(store, Number.POSITIVE_INFINITY);
  knowMarkets(desk);
  await desk.commit();
  local.close();
}

export function knowMarkets(desk: AccountDesk): void {
  desk.setTerms(TEST_TERMS, 1, 0);
  desk.mark(
    TEST_TERMS.map(({ symbol }, i) => ({ symbol, price: TEST_MARKS[i], at: 1 })),
    1,
  );
}

/** The state of an account, without a count of its sender's that would hide that it came twice; its equity goes up and down through all thresholds. */
export function eventOf(event: number, accounts: number): string {
  const random = new Random(event + 1);
  const account = random.integer(accounts);
  return JSON.stringify({
    accountId: `account-${account}`,
    userId: `user-${account % 7}`,
    marginMode: 'cross',
    equity: (600 * random.uniform() ** 2).toFixed(4),
    positions: [{ symbol: 'BTCUSDT', side: 'long', quantity: '1', entryPrice: '30000' }],
  });
}
