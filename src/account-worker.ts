import { parentPort, workerData } from 'node:worker_threads';
import { pino } from 'pino';
import { SqliteAccountStore } from '../data/sqlite-account-store.ts';
import { UserFilter } from './accounts/book/user-filter.ts';
import { systemClock as clock } from './clock.ts';
import type { Config } from './config.ts';
import { AccountDesk } from './control/accounts/account-desk.ts';
import { AccountLoop } from './control/accounts/account-loop.ts';
import { KnownLiquidity } from './control/accounts/known-liquidity.ts';
import { plannerFor } from './control/accounts/planner.ts';
import { SystemThread } from './control/accounts/system-thread.ts';
import type { AccountRequest } from './control/accounts/worker-messages.ts';
import { siblingUrl } from './program.ts';

/** What the thread of the accounts is given: it opens its own store. */
export interface AccountWorkerData {
  readonly config: Pick<Config, 'dataDir' | 'policy' | 'logLevel'>;
  /** Memory of a `UserFilter`, shared with whoever asks. */
  readonly holders: SharedArrayBuffer;
}

const { config, holders } = workerData as AccountWorkerData;
const logger = pino(
  { level: config.logLevel, base: { part: 'accounts' } },
  pino.destination({ dest: 2, sync: true }),
);
const store = SqliteAccountStore.open(config.dataDir);
const { policy } = config;
const liquidity = new KnownLiquidity();
const plannerOf = (book: Parameters<typeof plannerFor>[0]) => plannerFor(book, policy, liquidity);
const recover = (): AccountDesk =>
  AccountDesk.recover({
    store,
    policy: policy.accounts,
    plannerOf,
    holders: new UserFilter(holders),
  });
const system = new SystemThread(siblingUrl(import.meta.url, 'system-worker'), policy);
const loop = new AccountLoop({
  askSystem: (question, picture) => system.ask(question, picture),
  liquidity,
  recover,
  clock,
  send: (message) => parentPort?.postMessage(message),
  onSnapshotFailure: (err) => logger.error({ err }, 'no snapshot of the accounts could be written'),
});
loop.lookAtAll();
parentPort?.on('message', (request: AccountRequest) => {
  if (request.kind !== 'end') {
    loop.ask(request);
    return;
  }
  void loop.end().then(() => {
    system.close();
    store.close();
    parentPort?.postMessage({ id: request.id, answer: null });
    parentPort?.close();
  });
});
