import { afterEach, beforeEach, expect, test } from 'vitest';
import { nextBook } from '../../../data/test-books.ts';
import type { LimitBook } from '../../limits/types.ts';
import type { StoreHeads, UserPolicy } from '../ports.ts';
import { StoreFollower, type StoreReason } from './store-follower.ts';

/** Rules of following that a real database is too well-behaved to show: a store that is behind, or another one. */
const first = nextBook(null, { AURUSDT: 50 });
const second = nextBook(first, { AURUSDT: 40 });
const third = nextBook(second, { AURUSDT: 30 });
const USER = { userId: 'u1', maxLeverage: 5 } as UserPolicy;

let stored: LimitBook[];
let heads: Partial<StoreHeads>;
let isAway: boolean;
let shown: LimitBook | null;
let revision: number;
let users: [string, number][];
let reasons: (StoreReason | null)[];
let follower: StoreFollower;

beforeEach(() => {
  [stored, heads, isAway, shown, revision, users, reasons] = [[first], {}, false, null, 0, [], []];
  follower = new StoreFollower({
    store: {
      heads: async () => {
        if (isAway) throw new Error('away');
        const { version, hash } = stored.at(-1) as LimitBook;
        return { version, hash, revision: 0, users: 0, events: 0, ...heads };
      },
      bookHash: async (version) => stored.find((book) => book.version === version)?.hash ?? null,
      latestBook: async () => stored.at(-1) ?? null,
      usersAfter: async (sequence) => (sequence < 7 ? [{ policy: USER, sequence: 7 }] : []),
    },
    target: {
      governance: {
        revision: () => revision,
        refresh: async () => {
          revision = heads.revision ?? 0;
        },
      },
      feed: { last: 0, pump: async () => undefined },
      currentBook: () => shown,
      follow: (book) => {
        shown = book;
      },
      userSet: ({ userId }, sequence) => users.push([userId, sequence]),
    },
    usersSeen: 0,
    onState: (reason) => reasons.push(reason),
  });
});
afterEach(() => follower.stop());

test('the newest book is shown, what people decided is read again, and users once', async () => {
  stored = [first, second];
  heads = { revision: 3, users: 7 };
  await follower.look();
  await follower.look();
  expect([shown?.version, revision, users, reasons]).toEqual([2, 3, [['u1', 7]], []]);
});

test('a store that is away is told once, and the last book stays', async () => {
  await follower.look();
  isAway = true;
  await follower.look();
  await follower.look();
  expect([shown?.version, follower.reason, reasons]).toEqual([1, 'STORE_UNREACHABLE', ['STORE_UNREACHABLE']]);
  isAway = false;
  stored = [first, second];
  await follower.look();
  expect([shown?.version, follower.reason, reasons.at(-1)]).toEqual([2, null, null]);
});

test('a store that went back, as after a restore, is not followed back', async () => {
  stored = [first, second];
  await follower.look();
  stored = [first];
  await follower.look();
  expect([shown?.version, follower.reason]).toEqual([2, 'STORE_BEHIND']);
  stored = [first, second, third];
  await follower.look();
  expect([shown?.version, follower.reason]).toEqual([3, null]);
});

test('a store with another book under a number that was shown is not followed, however far it goes', async () => {
  stored = [first, second];
  await follower.look();
  const other = nextBook(first, { AURUSDT: 7 });
  stored = [first, other];
  await follower.look();
  expect([shown?.hash, follower.reason]).toEqual([second.hash, 'STORE_DIVERGED']);
  stored = [first, other, nextBook(other, { AURUSDT: 100 })];
  await follower.look();
  expect([shown?.hash, follower.reason]).toEqual([second.hash, 'STORE_DIVERGED']);
});
