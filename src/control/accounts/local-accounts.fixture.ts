import { SqliteAccountStore } from '../../../data/sqlite-account-store.ts';
import { AccountVersions } from '../../accounts/book/account-versions.ts';
import { UserFilter } from '../../accounts/book/user-filter.ts';
import type { Clock } from '../../clock.ts';
import type { PlimsollError } from '../../errors.ts';
import { PlimsollError as Failure } from '../../errors.ts';
import type { Policy } from '../../limits/policy.ts';
import { type AccountAnswerer, Accounts } from './account-access.ts';
import { AccountDesk } from './account-desk.ts';
import { AccountLoop } from './account-loop.ts';
import { KnownLiquidity } from './known-liquidity.ts';
import { plannerFor } from './planner.ts';
import { answerSystem } from './system-desk.ts';
import type { AccountMessage, AccountRequest } from './worker-messages.ts';

/** The accounts of a data folder in this thread: everything but the thread itself is what the service runs. */
export function localAccounts(
  dataDir: string,
  clock: Clock,
  policy: Policy,
): { readonly accounts: Accounts; readonly desk: AccountDesk; close(): Promise<void> } {
  const store = SqliteAccountStore.open(dataDir);
  const liquidity = new KnownLiquidity();
  const plannerOf = (book: Parameters<typeof plannerFor>[0]) => plannerFor(book, policy, liquidity);
  const holders = new UserFilter();
  const versions = new AccountVersions();
  const recover = (): AccountDesk =>
    AccountDesk.recover({ store, policy: policy.accounts, plannerOf, holders, versions });
  const waiting = new Map<
    number,
    { resolve: (answer: never) => void; reject: (error: PlimsollError) => void }
  >();
  const receive = (message: AccountMessage): void => {
    if ('told' in message) {
      accounts.tell(message.told);
      return;
    }
    if ('shard' in message) return;
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if ('failure' in message) asked?.reject(new Failure(message.failure.code, message.failure.message));
    else asked?.resolve(message.answer as never);
  };
  const loop = new AccountLoop({
    askSystem: async (question, picture) => answerSystem(question, picture, policy),
    liquidity,
    recover,
    clock,
    send: receive,
    onSnapshotFailure: (error) => {
      throw error;
    },
  });
  let id = 0;
  const ask: AccountAnswerer['ask'] = (kind, request) =>
    new Promise((resolve, reject) => {
      waiting.set(++id, { resolve, reject });
      loop.ask({ id, kind, at: clock.now(), ...request } as AccountRequest);
    });
  const setTerms: AccountAnswerer['setTerms'] = async (terms, version) => {
    await ask('terms', { terms, version });
  };
  let isClosed = false;
  const onFailure = (error: Error): void => {
    if (!isClosed) throw error;
  };
  const accounts = new Accounts({ ask, setTerms }, onFailure, holders, versions);
  return {
    accounts,
    get desk() {
      return loop.desk;
    },
    close: async () => {
      isClosed = true;
      await loop.end();
      store.close();
    },
  };
}
