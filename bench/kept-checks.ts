import { mkdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { AccountWorkerData } from '../src/account-worker.ts';
import { AccountVersions } from '../src/accounts/book/account-versions.ts';
import { UserFilter } from '../src/accounts/book/user-filter.ts';
import { table } from '../src/cli/command.ts';
import { Accounts } from '../src/control/accounts/account-access.ts';
import { WorkerAccounts } from '../src/control/accounts/worker-accounts.ts';
import type { ControlReads } from '../src/control/reads.ts';
import type { RouteContext } from '../src/http/routes.ts';
import { CHECK_ROUTE } from '../src/http/user-routes.ts';
import { DEFAULT_POLICY } from '../src/limits/policy.ts';
import { ACCOUNT, MARKETS, serviceWithAccount } from './account-holder.ts';
import { median, print } from './measure.ts';

/**
 * What a check of an account costs its handler, by where the account is: kept from the check before, asked for in the same thread, and
 * asked for in a thread of its own, as after every change of it. Without HTTP.
 */
const ROUNDS = 15;
const TURNS = 200;
/** Checks that come in one turn of the event loop. */
const TOGETHER = 50;

const service = await serviceWithAccount();
const [holders, versions] = [new UserFilter(), new AccountVersions()];
const workerData: AccountWorkerData = {
  config: { dataDir: `${service.folder}/thread`, policy: DEFAULT_POLICY, logLevel: 'error' },
  holders: holders.memory,
  versions: versions.memory,
  streams: null,
};
const fail = (error: Error): never => {
  throw error;
};
mkdirSync(workerData.config.dataDir);
const thread = new WorkerAccounts({
  entry: new URL('../src/account-worker.ts', import.meta.url),
  ...{ workerData, clock: service.clock, onTold: () => undefined, onLost: fail },
});
const inThread = new Accounts(thread, fail, holders, versions);
const book = service.plane.currentBook();
if (book === null) throw new Error('nothing is published');
const asOf = service.clock.now();
const closes = Object.fromEntries(MARKETS.map((symbol) => [symbol, { asOf, price: 100 }]));
inThread.published(book, DEFAULT_POLICY, { closes });
await inThread.take(ACCOUNT);

const nothingKept = { keptReadings: () => null };
const readsWith = (accounts: object): ControlReads => instead(service.plane, { accounts });
const places: readonly (readonly [string, ControlReads])[] = [
  ['kept', readsWith(inThread)],
  ['asked for in the same thread', readsWith(instead(service.plane.accounts, nothingKept))],
  ['asked for in its own thread', readsWith(instead(inThread, nothingKept))],
];
const body = CHECK_ROUTE.body?.parse({
  ...{ userId: 'holder', symbol: 'BTCUSDT', side: 'long', notional: '1000', leverage: 5 },
});
const input = { params: {}, query: {}, body, caller: null, headers: {} };
const found = new Map<string, { own: number; all: number; text: string }[]>();
// The first round warms the compilers up and is thrown away.
for (let round = 0; round <= ROUNDS; round++)
  for (const [name, reads] of places) {
    const context = { reads, clock: service.clock } as unknown as RouteContext;
    let text = '';
    const [ownBefore, allBefore] = [process.threadCpuUsage(), process.cpuUsage()];
    for (let at = 0; at < TURNS; at++) {
      const answers = await Promise.all(
        Array.from({ length: TOGETHER }, () => CHECK_ROUTE.handle(context, input)),
      );
      text = JSON.stringify(answers[0]);
      await turn();
    }
    const per = ({ user, system }: { user: number; system: number }): number =>
      (user + system) / (TURNS * TOGETHER);
    const own = per(process.threadCpuUsage(ownBefore));
    const all = per(process.cpuUsage(allBefore));
    if (round > 0) found.set(name, [...(found.get(name) ?? []), { own, all, text }]);
  }
const texts = new Set([...found.values()].flat().map(({ text }) => text));
if (texts.size !== 1) throw new Error('the places answer differently');
print(`medians of ${ROUNDS} rounds of ${TURNS} × ${TOGETHER} checks, places in turns`);
print(
  table(
    ['an account that is', 'µs a check, thread of requests', 'all threads'],
    places.map(([name]) => {
      const rounds = found.get(name) ?? [];
      return [
        name,
        median(rounds.map(({ own }) => own)).toFixed(1),
        median(rounds.map(({ all }) => all)).toFixed(1),
      ];
    }),
  ),
);
await thread.close();
await service.stop();

/** The same object, but for what is given instead. */
function instead<T extends object>(from: T, changes: object): T {
  return new Proxy(from, {
    get: (target, name) => {
      if (name in changes) return changes[name as keyof typeof changes];
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
