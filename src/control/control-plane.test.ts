import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SqliteStateStore } from '../../data/sqlite-state-store.ts';
import { decisionDraft, FIRST_DECISION, nextBook } from '../../data/test-books.ts';
import { ManualClock } from '../clock.ts';
import { DEFAULT_POLICY } from '../limits/policy.ts';
import type { LimitBook } from '../limits/types.ts';
import { localAccounts } from './accounts/local-accounts.fixture.ts';
import { ControlPlane } from './control-plane.ts';
import { NOTHING_SEEN } from './nothing-seen.fixture.ts';
import type { UserPolicy } from './ports.ts';

const FACTS = {
  fallbackReason: null,
  lastObservationBySource: {},
  coverage: [],
  origins: [],
  seen: NOTHING_SEEN,
  seconds: 0,
};
const USER: UserPolicy = {
  userId: 'user-17',
  maxLeverage: 8,
  accountCreatedAt: null,
  ownInitialMarginRatePpm: 50_000,
  notionalCoefMicros: null,
  experienceClass: null,
  overrideMaxLeverage: null,
  overrideExpiresAt: null,
  overrideReason: null,
  updatedAt: FIRST_DECISION,
};

let folder: string;
let store: SqliteStateStore;
let clock: ManualClock;
let local: ReturnType<typeof localAccounts>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-plane-'));
  store = SqliteStateStore.open(folder);
  clock = new ManualClock(FIRST_DECISION);
  local = localAccounts(folder, clock, DEFAULT_POLICY);
});

afterEach(async () => {
  await local.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

function recover(): Promise<ControlPlane> {
  const { accounts } = local;
  return ControlPlane.recover({
    store,
    clock,
    policy: DEFAULT_POLICY,
    accounts,
    onFailure: () => undefined,
    listModels: async () => [],
  });
}

async function stored(previous: LimitBook | null): Promise<LimitBook> {
  const book = nextBook(previous, { AURUSDT: 20 });
  await store.publish(book, decisionDraft(book));
  return book;
}

const START = {
  at: 1,
  kind: 'user-policy',
  actor: 'test',
  subject: '',
  reason: 'test',
  details: {},
} as const;

describe('a start', () => {
  test('shows the newest stored book and every stored user, without being told', async () => {
    const newest = await stored(await stored(null));
    await store.putUser(USER, { ...START, subject: USER.userId });
    const plane = await recover();
    expect(plane.currentBook()).toEqual(newest);
    expect(plane.userNow('user-17')).toEqual(USER);
    expect(plane.userNow('user-18')).toBeNull();
    expect(plane.status()).toEqual({
      ready: true,
      degraded: false,
      reasons: [],
      dataAsOf: newest.asOf,
      lastDecisionAt: newest.decidedAt,
      leads: true,
    });
  });

  test('on an empty folder is not ready, and says why', async () => {
    expect((await recover()).status()).toEqual({
      ready: false,
      degraded: true,
      reasons: ['NOTHING_PUBLISHED'],
      dataAsOf: null,
      lastDecisionAt: null,
      leads: true,
    });
  });

  test('refuses a store whose newest book was changed, rather than showing it', async () => {
    await stored(null);
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(join(folder, 'state.sqlite'));
    database.exec(`UPDATE book SET body = replace(body, '"maxLeverage":20', '"maxLeverage":99')`);
    database.close();
    await expect(recover()).rejects.toMatchObject({ code: 'CHAIN_BROKEN' });
  });
});

describe('a publication', () => {
  test('is told to every listener in turn, until it is no longer wanted', async () => {
    const plane = await recover();
    const told: string[] = [];
    const forget = plane.onPublish((book) => told.push(`a${book.version}`));
    plane.onPublish((book) => told.push(`b${book.version}`));
    const first = nextBook(null, { AURUSDT: 20 });
    plane.show(first, FACTS);
    forget();
    plane.show(nextBook(first, { AURUSDT: 20 }), FACTS);
    expect(told).toEqual(['a1', 'b1', 'b2']);
  });

  test('reaches all others where one listener fails, is in force all the same, and the failure is not lost', async () => {
    const plane = await recover();
    const told: number[] = [];
    plane.onPublish(({ version }) => told.push(version));
    plane.onPublish(() => {
      throw new Error('this listener is broken');
    });
    plane.onPublish(({ version }) => told.push(version));
    const book = nextBook(null, { AURUSDT: 20 });
    expect(() => plane.show(book, FACTS)).toThrow('this listener is broken');
    expect(told).toEqual([1, 1]);
    expect(plane.currentBook()).toBe(book);
    expect(plane.status()).toMatchObject({ ready: true, lastDecisionAt: book.decidedAt });
  });
});

describe('the status', () => {
  test('names every doubt, each once, and none any more when it is over', async () => {
    const plane = await recover();
    const book = nextBook(null, { AURUSDT: 20 });
    const reasons = () => plane.status().reasons;
    plane.show(book, FACTS);
    expect(plane.status()).toMatchObject({ ready: true, degraded: false, reasons: [] });

    plane.decisionFailed(new Error('no data'));
    expect(plane.status()).toMatchObject({ ready: true, degraded: true, reasons: ['DECISION_FAILED'] });
    plane.show(book, FACTS);
    expect(reasons()).toEqual([]);

    plane.show(book, { ...FACTS, fallbackReason: 'model_failed' });
    expect(reasons()).toEqual(['CLASSICAL_FALLBACK']);
    plane.show({ ...book, degraded: true, reasons: ['DATA_STALE', 'SIMULATED'] }, FACTS);
    expect(reasons()).toEqual(['DATA_STALE', 'SIMULATED']);

    plane.show(book, FACTS);
    clock.set(book.validUntil);
    expect(reasons()).toEqual([]);
    clock.advance(1);
    expect(plane.status()).toMatchObject({ ready: true, degraded: true, reasons: ['LIMITS_EXPIRED'] });
  });
});

describe('a user policy', () => {
  test('is durable and audited when the call returns, and survives a restart', async () => {
    const plane = await recover();
    await plane.putUser(USER, 'operator');
    expect(plane.userNow('user-17')).toEqual(USER);
    expect(await store.user('user-17')).toEqual(USER);
    expect((await store.auditAfter(0, 10)).at(-1)).toMatchObject({
      at: clock.now(),
      kind: 'user-policy',
      actor: 'operator',
      subject: 'user-17',
      details: { ...USER },
    });
    expect((await recover()).userNow('user-17')).toEqual(USER);
  });

  test('that cannot be stored is not in force', async () => {
    const plane = await recover();
    await plane.putUser(USER, 'operator');
    await store.close();
    await expect(plane.putUser({ ...USER, maxLeverage: 100 }, 'operator')).rejects.toThrow();
    expect(plane.userNow('user-17')?.maxLeverage).toBe(8);
    store = SqliteStateStore.open(folder);
  });
});

test('older books, history and audit are read from the store', async () => {
  const first = await stored(null);
  const second = await stored(first);
  const plane = await recover();
  expect(await plane.bookAsOf(second.effectiveAt - 1)).toEqual(first);
  expect((await plane.history('AURUSDT', 5)).map(({ version }) => version)).toEqual([1]);
  expect((await plane.audit(1, 5)).map(({ sequence }) => sequence)).toEqual([2]);
  expect((await plane.auditEntry(1))?.subject).toBe('book 1');
  expect([await plane.models(), await plane.trainingRuns(5)]).toEqual([[], []]);
  expect(plane.policy()).toBe(DEFAULT_POLICY);
});
