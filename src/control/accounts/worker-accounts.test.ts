import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AccountWorkerData } from '../../account-worker.ts';
import { AccountVersions } from '../../accounts/book/account-versions.ts';
import { UserFilter } from '../../accounts/book/user-filter.ts';
import { ManualClock } from '../../clock.ts';
import { resolveConfig } from '../../config.ts';
import type { PlimsollError } from '../../errors.ts';
import { WorkerAccounts } from './worker-accounts.ts';

const clock = new ManualClock(1_760_000_000_000);

let folder: string;
let lost: PlimsollError[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-thread-'));
  lost = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function accountsIn(entry: string, workerData: unknown): WorkerAccounts {
  return new WorkerAccounts({
    ...{ entry: new URL(entry, import.meta.url), workerData, clock },
    onTold: () => undefined,
    onLost: (error) => lost.push(error),
  });
}

describe('the end of the thread of the accounts', () => {
  test('comes after its own thread has answered for all accounts together and is gone', async () => {
    const { values: config } = resolveConfig({ flags: {}, environment: { PLIMSOLL_DATA_DIR: folder } });
    const workerData: AccountWorkerData = {
      ...{ config, streams: null },
      holders: new UserFilter().memory,
      versions: new AccountVersions().memory,
    };
    const accounts = accountsIn('../../account-worker.ts', workerData);
    const asked = [accounts.ask('system', {}), accounts.ask('stress', { move: -0.1, moves: {} })];
    await Promise.all([accounts.close(), ...asked]);
    expect(await asked[0]).toMatchObject({ accounts: 0 });
    expect(lost).toEqual([]);
  });

  test('is no loss where it is the one that was asked for, and is one where it is another', async () => {
    const ends = accountsIn('./ending-thread.fixture.ts', { code: 0, answers: true });
    ends.start();
    const closed = ends.close();
    // Its answer and its end are both there when they are looked at.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
    await closed;
    expect(lost).toEqual([]);
    const dies = accountsIn('./ending-thread.fixture.ts', { code: 3, answers: false });
    dies.start();
    await dies.close();
    expect(lost.map(({ message }) => message)).toEqual(['the thread of the accounts ended with code 3']);
  });
});
