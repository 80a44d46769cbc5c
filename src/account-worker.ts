import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { pino } from 'pino';
import type { NatsOptions } from '../data/nats/nats-broker.ts';
import { SqliteAccountStore } from '../data/sqlite-account-store.ts';
import { AccountVersions } from './accounts/book/account-versions.ts';
import { UserFilter } from './accounts/book/user-filter.ts';
import { systemClock as clock } from './clock.ts';
import type { Config } from './config.ts';
import { AccountDesk, type ShardPlace } from './control/accounts/account-desk.ts';
import { AccountLoop } from './control/accounts/account-loop.ts';
import { KnownLiquidity } from './control/accounts/known-liquidity.ts';
import { plannerFor } from './control/accounts/planner.ts';
import { SystemThread } from './control/accounts/system-thread.ts';
import type { AccountMessage, AccountRequest } from './control/accounts/worker-messages.ts';
import type { AccountStore } from './control/ports.ts';
import { LeaseTime } from './control/streams/lease-time.ts';
import { ShardAccounts } from './control/streams/shard-accounts.ts';
import { siblingUrl } from './program.ts';

/** Where the accounts come through streams. */
export interface AccountStreams {
  readonly nats: NatsOptions;
  readonly worker: string;
  readonly session: string;
  /** Memory of a `LeaseTime`, shared with whoever renews the lease. */
  readonly leaseTime: SharedArrayBuffer;
  /** Has a folder for each partition that was ever held. */
  readonly folder: string;
}

/** What the thread of the accounts is given: it opens its own store. */
export interface AccountWorkerData {
  readonly config: Pick<Config, 'dataDir' | 'policy' | 'logLevel'>;
  /** Memory of a `UserFilter`, shared with whoever asks. */
  readonly holders: SharedArrayBuffer;
  /** Memory of `AccountVersions`, shared likewise. */
  readonly versions: SharedArrayBuffer;
  /** Null where the accounts are one file of the data folder. */
  readonly streams: AccountStreams | null;
}

/** What is answered here: by one loop over one store, or by whoever holds a partition. */
interface Answering {
  ask(request: AccountRequest): void;
  end(): Promise<void>;
}

const { config, holders, versions, streams } = workerData as AccountWorkerData;
const logger = pino(
  { level: config.logLevel, base: { part: 'accounts' } },
  pino.destination({ dest: 2, sync: true }),
);
const { policy } = config;
const liquidity = new KnownLiquidity();
const system = new SystemThread(siblingUrl(import.meta.url, 'system-worker'), policy);
const post = (message: AccountMessage): void => parentPort?.postMessage(message);

function loopOver(
  store: AccountStore,
  send: (message: AccountMessage) => void,
  shard?: ShardPlace,
): AccountLoop {
  const loop = new AccountLoop({
    askSystem: (question, { liquidity: known, ...picture }) => system.ask(question, [picture], known),
    liquidity,
    recover: () =>
      AccountDesk.recover({
        store,
        policy: policy.accounts,
        plannerOf: (book) => plannerFor(book, policy, liquidity),
        holders: new UserFilter(holders),
        versions: new AccountVersions(versions),
        ...(shard === undefined ? {} : { shard }),
      }),
    clock,
    send,
    onSnapshotFailure: (err) => logger.error({ err }, 'no snapshot of the accounts could be written'),
  });
  loop.lookAtAll();
  return loop;
}

function ownFile(): Answering {
  const store = SqliteAccountStore.open(config.dataDir);
  const loop = loopOver(store, post);
  return {
    ask: (request) => loop.ask(request),
    end: async () => {
      await loop.end();
      store.close();
    },
  };
}

async function partition({ nats, worker, session, leaseTime, folder }: AccountStreams): Promise<Answering> {
  const { NatsBroker } = await import('../data/nats/nats-broker.ts');
  const broker = await NatsBroker.open(nats);
  const shard = new ShardAccounts({
    ...{ broker, worker, session, clock, send: post, leaseTime: new LeaseTime(leaseTime) },
    openLocal: (number) => {
      const own = join(folder, String(number));
      mkdirSync(own, { recursive: true });
      return SqliteAccountStore.open(own);
    },
    makeLoop: (store, place, send) => loopOver(store, send, place),
    onRefused: (event, [first, ...others]) =>
      logger.warn(
        { event, lines: others.length + 1, line: first.line, accountId: first.accountId, code: first.code },
        `lines of a stream have no effect: ${first.message}`,
      ),
  });
  return {
    ask: (request) => shard.ask(request),
    end: async () => {
      await shard.end();
      await broker.close();
    },
  };
}

const answering = streams === null ? ownFile() : await partition(streams);
parentPort?.on('message', (request: AccountRequest) => {
  if (request.kind !== 'end') {
    answering.ask(request);
    return;
  }
  void answering.end().then(async () => {
    await system.close();
    parentPort?.postMessage({ id: request.id, answer: null });
    parentPort?.close();
  });
});
