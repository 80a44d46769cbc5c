import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SqliteStateStore } from '../../data/sqlite-state-store.ts';
import { decisionDraft, FIRST_DECISION, HOUR, nextBook } from '../../data/test-books.ts';
import { ManualClock } from '../clock.ts';
import { PlimsollError } from '../errors.ts';
import { type GovernanceState, NO_GOVERNANCE } from '../limits/governance.ts';
import { DEFAULT_POLICY } from '../limits/policy.ts';
import type { LimitBook } from '../limits/types.ts';
import { type BookProposer, type CycleObserver, DecisionCycle } from './decision-cycle.ts';
import { NOTHING_SEEN } from './nothing-seen.fixture.ts';
import type { StateStore } from './ports.ts';

const FACTS = {
  fallbackReason: null,
  lastObservationBySource: {},
  coverage: [],
  origins: [],
  seen: NOTHING_SEEN,
  seconds: 0,
};

let folder: string;
let store: SqliteStateStore;
let clock: ManualClock;
let published: LimitBook[];
let failures: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-cycle-'));
  store = SqliteStateStore.open(folder);
  clock = new ManualClock(FIRST_DECISION);
  published = [];
  failures = [];
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

type Propose = BookProposer['propose'];

const follow: Propose = async (previous) => ({ book: nextBook(previous, { AURUSDT: 20 }), facts: FACTS });

function cycleWith(
  propose: Propose,
  {
    observer,
    stateStore,
    current,
    governance,
  }: {
    observer?: CycleObserver;
    stateStore?: StateStore;
    current?: LimitBook;
    governance?: () => GovernanceState;
  } = {},
): DecisionCycle {
  const proposer: BookProposer = { propose };
  return new DecisionCycle({
    proposer,
    store: stateStore ?? store,
    clock,
    policy: DEFAULT_POLICY,
    observer: observer ?? {
      published: (book) => published.push(book),
      failed: (error) => failures.push((error as PlimsollError).code),
    },
    current: current ?? null,
    ...(governance === undefined ? {} : { governance }),
  });
}

/** The newest version that another process would find on disk. */
function versionOnDisk(): number | null {
  const database = new DatabaseSync(join(folder, 'state.sqlite'), { readOnly: true });
  const row = database.prepare('SELECT max(version) AS version FROM book').get();
  database.close();
  return row?.version as number | null;
}

describe('a cycle', () => {
  test('shows a book to nobody before it is on disk', async () => {
    const seen: (number | null)[] = [];
    const cycle = cycleWith(follow, {
      observer: { published: () => seen.push(versionOnDisk()), failed: () => seen.push(-1) },
    });
    await cycle.runOnce();
    await cycle.runOnce();
    expect(seen).toEqual([1, 2]);
  });

  test('proposes from the book in force, at the time of the clock, and audits what it published', async () => {
    const asked: [number | undefined, number][] = [];
    const cycle = cycleWith((previous, now, governance) => {
      asked.push([previous?.version, now]);
      return follow(previous, now, governance);
    });
    await cycle.runOnce();
    clock.advance(HOUR);
    const second = await cycle.runOnce();
    expect(asked).toEqual([
      [undefined, FIRST_DECISION],
      [1, FIRST_DECISION + HOUR],
    ]);
    const entries = await store.auditAfter(0, 10);
    expect(entries.map(({ kind, subject, reason }) => [kind, subject, reason])).toEqual([
      ['decision', 'book 1', 'first decision'],
      ['decision', 'book 2', 'cycle'],
    ]);
    expect(entries[1].details).toMatchObject({ hash: second?.hash, moves: { hold: 1 } });
    expect(published).toEqual([await store.bookByVersion(1), second]);
  });

  test('keeps the track of the markets that it decided, with the policy that decided', async () => {
    const leverages = { AURUSDT: 20, BOREUSDT: 10 };
    const cycle = cycleWith(async (previous) => ({
      book: nextBook(previous, leverages),
      facts: previous === null ? FACTS : { ...FACTS, guarded: ['BOREUSDT'] },
    }));
    const first = await cycle.runOnce();
    const second = await cycle.runOnce();
    const versions = async (symbol: string): Promise<number[]> =>
      (await store.track(symbol, 0, second?.asOf ?? 0, 9)).map(({ version }) => version);
    expect([await versions('AURUSDT'), await versions('BOREUSDT')]).toEqual([[1], [1, 2]]);
    expect(await store.track('AURUSDT', 0, first?.asOf ?? 0, 9)).toMatchObject([
      { horizonHours: 4, confidence: 0.99, maxLeverage: 20, close: null, longValueAtRisk: null },
    ]);
  });

  test('goes on from a recovered book', async () => {
    const stored = nextBook(null, { AURUSDT: 20 });
    await store.publish(stored, decisionDraft(stored));
    await cycleWith(follow, { current: stored }).runOnce();
    expect(published.map(({ version }) => version)).toEqual([2]);
  });

  test('that has nothing to decide writes and shows nothing', async () => {
    expect(await cycleWith(async () => null).runOnce()).toBeNull();
    expect([versionOnDisk(), published, failures]).toEqual([null, [], []]);
  });

  test('that fails keeps the last book and says so; the next one decides from it', async () => {
    let isBroken = false;
    const cycle = cycleWith((previous, now, governance) => {
      if (isBroken) throw new PlimsollError('IO_FAILED', 'the disk is gone');
      return follow(previous, now, governance);
    });
    await cycle.runOnce();
    isBroken = true;
    expect(await cycle.runOnce()).toBeNull();
    expect([versionOnDisk(), failures]).toEqual([1, ['IO_FAILED']]);
    isBroken = false;
    expect((await cycle.runOnce())?.version).toBe(2);
  });

  test('shows nothing of a book that the store refuses', async () => {
    const cycle = cycleWith(async (previous) => {
      const book = nextBook(previous, { AURUSDT: 20 });
      return { book: { ...book, degraded: true }, facts: FACTS };
    });
    expect(await cycle.runOnce()).toBeNull();
    expect([versionOnDisk(), published, failures]).toEqual([null, [], ['CHAIN_BROKEN']]);
  });

  test('that meets the book of another process reads it and decides from it the next time', async () => {
    const cycle = cycleWith(follow);
    const first = await cycle.runOnce();
    const foreign = nextBook(first, { AURUSDT: 7 });
    await store.publish(foreign, decisionDraft(foreign));
    expect(await cycle.runOnce()).toBeNull();
    expect(failures).toEqual(['CONFLICT']);
    const third = await cycle.runOnce();
    expect([third?.version, third?.previousHash]).toEqual([3, foreign.hash]);
  });

  test('never rejects, even where the store cannot be read and the listener fails: nothing may end the process', async () => {
    const conflict = new PlimsollError('CONFLICT', 'someone was first');
    const broken = {
      publish: () => Promise.reject(conflict),
      latestBook: () => Promise.reject(new Error('unreadable')),
    } as unknown as StateStore;
    expect(await cycleWith(follow, { stateStore: broken }).runOnce()).toBeNull();
    expect(failures).toEqual(['CONFLICT']);
    const observer = {
      published: () => {
        throw new Error('cannot show');
      },
      failed: () => {
        throw new Error('cannot log');
      },
    };
    expect((await cycleWith(follow, { observer }).runOnce())?.version).toBe(1);
    expect(await cycleWith(() => Promise.reject(conflict), { observer }).runOnce()).toBeNull();
  });

  test('whose listener fails after the publication has published all the same, and says that something failed', async () => {
    const cycle = cycleWith(follow, {
      observer: {
        published: () => {
          throw new Error('cannot show');
        },
        failed: (error) => failures.push(error.message),
      },
    });
    expect((await cycle.runOnce())?.version).toBe(1);
    expect((await cycle.runOnce())?.version).toBe(2);
    expect(failures).toEqual(['cannot show', 'cannot show']);
  });
});

/** A proposer that waits until it is let go. */
function gate() {
  let calls = 0;
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const propose: Propose = async (previous, now, governance) => {
    calls++;
    await opened;
    return follow(previous, now, governance);
  };
  return { propose, open: () => open(), calls: () => calls };
}

describe('several cycles', () => {
  test('that overlap share the one that runs', async () => {
    const { propose, open, calls } = gate();
    const cycle = cycleWith(propose);
    const runs = [cycle.runOnce(), cycle.runOnce(), cycle.runOnce()];
    open();
    const books = await Promise.all(runs);
    expect(new Set(books).size).toBe(1);
    expect([calls(), published.length, versionOnDisk()]).toEqual([1, 1, 1]);
    await cycle.runOnce();
    expect(calls()).toBe(2);
  });

  test('follow one another once started, also after one that failed, until they are stopped', async () => {
    let calls = 0;
    let enough = (): void => {};
    const reached = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const cycle = cycleWith(async (previous, now, governance) => {
      calls++;
      if (calls === 2) throw new Error('once');
      if (calls === 5) enough();
      return follow(previous, now, governance);
    });
    cycle.start(1);
    await reached;
    await cycle.stop();
    const atStop = calls;
    await setTimeout(20);
    expect(calls).toBe(atStop);
    expect(failures).toEqual(['INTERNAL']);
    expect(published.map(({ version }) => version)).toEqual(published.map((_, i) => i + 1));
    expect(published.length).toBe(calls - 1);
  });

  test('stopping waits for the one that runs, whose book is then durable and shown', async () => {
    const { propose, open } = gate();
    const cycle = cycleWith(propose);
    cycle.start(1);
    let isStopped = false;
    const stopping = cycle.stop().then(() => {
      isStopped = true;
    });
    for (let i = 0; i < 5; i++) await setImmediate();
    expect(isStopped).toBe(false);
    open();
    await stopping;
    expect([published.length, versionOnDisk()]).toEqual([1, 1]);
  });
});

describe('what people change', () => {
  const frozen = (id: string): GovernanceState => ({
    ...NO_GOVERNANCE,
    freezes: [
      { id, symbol: null, reason: 'a test', frozenBy: 'ann', frozenAt: FIRST_DECISION, expiresAt: null },
    ],
  });

  test('while a book is made discards it: no book is published that does not know of it', async () => {
    let current = NO_GOVERNANCE;
    const seen: GovernanceState[] = [];
    const cycle = cycleWith(
      async (previous, now, governance) => {
        seen.push(governance);
        // Somebody freezes while the first is made.
        current = frozen('freeze-1');
        return follow(previous, now, governance);
      },
      { governance: () => current },
    );
    expect(await cycle.runOnce()).toBeNull();
    expect(published).toEqual([]);
    await cycle.runOnce();
    expect(published.map(({ version }) => version)).toEqual([1]);
    expect(seen).toEqual([NO_GOVERNANCE, frozen('freeze-1')]);
  });

  test('wakes the cycle at once, and once more where it runs already', async () => {
    let current = NO_GOVERNANCE;
    let asked = 0;
    let release: (() => void) | undefined;
    const cycle = cycleWith(
      async (previous, now, governance) => {
        asked++;
        if (asked === 2)
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        return asked > 3 ? null : follow(previous, now, governance);
      },
      { governance: () => current },
    );
    cycle.wake();
    expect(asked).toBe(0);
    cycle.start(3_600_000);
    while (published.length < 1) await setTimeout(1);
    cycle.wake();
    while (release === undefined) await setTimeout(1);
    current = frozen('freeze-1');
    cycle.wake();
    cycle.wake();
    release();
    while (published.length < 2) await setTimeout(1);
    await cycle.stop();
    cycle.wake();
    // The second proposal was overtaken and discarded; the third knew of the freeze.
    expect([asked, published.map(({ version }) => version)]).toEqual([3, [1, 2]]);
  });
});
