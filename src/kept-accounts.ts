import type { Logger } from 'pino';
import type { AccountWorkerData } from './account-worker.ts';
import { AccountVersions } from './accounts/book/account-versions.ts';
import { UserFilter } from './accounts/book/user-filter.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { Accounts } from './control/accounts/account-access.ts';
import { NO_ACCOUNTS_HERE } from './control/accounts/no-accounts.ts';
import { SystemThread } from './control/accounts/system-thread.ts';
import { WorkerAccounts } from './control/accounts/worker-accounts.ts';
import type { Metrics } from './metrics/metrics.ts';
import { siblingUrl } from './program.ts';
import type { Streams } from './streams.ts';

export interface AccountsInput {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Where accounts come through streams. */
  readonly streams: Streams | null;
  /** Whether this process keeps any. */
  readonly keepsAccounts: boolean;
}

export interface KeptAccounts {
  readonly accounts: Accounts;
  /** Null where another process keeps them. */
  readonly thread: WorkerAccounts | null;
  stop(): Promise<void>;
}

/**
 * The accounts of this process, in their thread, and with streams those of all others. Caps and checks are those of users alone where none
 * are kept, and none can be asked for.
 */
export function startAccounts(input: AccountsInput): KeptAccounts {
  const { config, clock, logger, metrics, streams, keepsAccounts } = input;
  const holders = new UserFilter();
  const versions = new AccountVersions();
  if (!keepsAccounts) holders.complete();
  const thread = !keepsAccounts
    ? null
    : new WorkerAccounts({
        entry: siblingUrl(import.meta.url, 'account-worker'),
        workerData: workerDataOf(input, holders, versions),
        clock,
        onShard: (shard) => {
          streams?.onShard(shard);
          // The owner before may have stored what it did not come to tell.
          if (shard.state === 'kept') accounts.tell([]);
        },
        onTold: (interventions) => {
          metrics.accounts.intervened(interventions);
          accounts.tell(interventions);
        },
        onLost: (err) => {
          logger.error({ err }, 'the thread of the accounts is gone; it starts anew when it is asked');
          void streams?.onThreadLost();
        },
      });
  thread?.start();
  const onUnpublished = (err: Error): void =>
    logger.error({ err }, 'the accounts do not have the limits that were published');
  const answerer = thread ?? NO_ACCOUNTS_HERE;
  const system = new SystemThread(siblingUrl(import.meta.url, 'system-worker'), config.policy);
  const all =
    streams?.answererOver(answerer, { clock, askSystem: (...asked) => system.ask(...asked) }) ?? answerer;
  const mayHave = (userId: string): boolean => streams?.keepsAll === false || holders.mayHave(userId);
  const accounts = new Accounts(
    all,
    onUnpublished,
    { mayHave },
    // With streams a part of what a user holds may be elsewhere, and change there.
    thread !== null && streams === null ? versions : null,
  );
  return {
    ...{ accounts, thread },
    stop: async () => {
      await thread?.close();
      await system.close();
    },
  };
}

function workerDataOf(
  { config, streams }: AccountsInput,
  { memory: holders }: UserFilter,
  { memory: versions }: AccountVersions,
): AccountWorkerData {
  const { dataDir, policy, logLevel } = config;
  return { config: { dataDir, policy, logLevel }, holders, versions, streams: streams?.workerData ?? null };
}
