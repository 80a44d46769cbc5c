import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AccountBook, type AccountRecord } from './account-book.ts';
import { NameTable } from './name-table.ts';
import { captureBook, restoreBook } from './snapshot.ts';
import { anyRecord, testMarkets } from './test-accounts.ts';

/** What must hold of a book whose accounts are known. */
function expectToHold(book: AccountBook, known: ReadonlyMap<string, AccountRecord>): void {
  expect(book.accounts).toBe(known.size);
  for (const record of known.values()) {
    const row = book.find(record.accountId);
    expect(book.recordOf(row)).toEqual(record);
    expect(book.accountsOf(record.userId)).toContain(row);
  }
  for (const userId of new Set([...known.values()].map((record) => record.userId))) {
    const owned = [...known.values()].filter((record) => record.userId === userId);
    expect(book.accountsOf(userId)).toHaveLength(owned.length);
  }
  for (let market = 0; market < book.markets.markets; market++) {
    const holders = [...known.values()].flatMap(({ accountId, positions }) =>
      positions.filter((one) => one.market === market).map(() => accountId),
    );
    const { values, length } = book.holdersOf(market);
    const listed = [...values.subarray(0, length)].map((row) => book.accountIdOf(row));
    expect(listed.sort()).toEqual(holders.sort());
  }
}

describe('the account book', () => {
  test('says of every account what it was told last, whatever came in between, and goes on so from a snapshot', () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { maxLength: 60 }),
        fc.array(anyRecord, { maxLength: 20 }),
        (records, more) => {
          const known = new Map<string, AccountRecord>();
          const book = new AccountBook(testMarkets());
          for (const record of records) {
            book.put(record);
            known.set(record.accountId, record);
          }
          expectToHold(book, known);
          const snapshot = captureBook(book, { any: 'thing' });
          for (const record of more) book.put(record);
          const restored = restoreBook([...snapshot]);
          expect(restored.beside).toEqual({ any: 'thing' });
          expectToHold(restored.book, known);
          for (const record of more) {
            restored.book.put(record);
            known.set(record.accountId, record);
          }
          expectToHold(restored.book, known);
          expectToHold(book, known);
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });

  test('uses the room of positions that are gone again', () => {
    const book = new AccountBook(testMarkets());
    const position = { market: 0, quantity: 1, entryPrice: 30_000, isolatedMargin: Number.NaN };
    const put = (count: number, name: string): void => {
      const positions = Array.from({ length: count }, () => position);
      book.put({ accountId: name, userId: name, isIsolated: false, collateral: 1, sequence: 0, positions });
    };
    for (let round = 0; round < 100; round++) {
      put(3, 'a');
      put(0, 'a');
      put(3, 'b');
      put(1, 'b');
    }
    expect(book.positions).toBeLessThanOrEqual(7);
  });

  test('does not read a snapshot that is cut or of another kind', () => {
    const book = new AccountBook(testMarkets());
    for (const record of fc.sample(anyRecord, { seed: 2, numRuns: 20 })) book.put(record);
    const pieces = [...captureBook(book, null)];
    expect(() => restoreBook(pieces.slice(0, -1))).toThrow('a piece is missing');
    expect(() => restoreBook([])).toThrow('without a piece');
    expect(() => restoreBook([new TextEncoder().encode('{"format":0}')])).toThrow('another format');
  });
});

describe('names', () => {
  test('have the number of their first coming, and are found again as in a map', () => {
    const anyName = fc.stringMatching(/^[\w.:-]{0,64}$/);
    fc.assert(
      fc.property(fc.array(fc.oneof(anyName, fc.nat(300).map(String)), { maxLength: 400 }), (names) => {
        const table = new NameTable();
        const known = new Map<string, number>();
        for (const name of names) {
          if (!known.has(name)) known.set(name, known.size);
          expect(table.add(name)).toBe(known.get(name));
        }
        const { bytes, length } = table.content;
        for (const same of [table, NameTable.restore(bytes.slice(), length.slice())]) {
          expect(same.count).toBe(known.size);
          for (const [name, row] of known) expect([same.find(name), same.nameOf(row)]).toEqual([row, name]);
          expect(same.find('never seen')).toBe(-1);
        }
      }),
      { seed: 3, numRuns: 100 },
    );
  });

  test('takes less than 200 bytes an account of three positions at any size, with the room that is left for more', () => {
    const book = new AccountBook(testMarkets());
    const positions = [0, 1, 2].map((market) => ({
      ...{ market, quantity: 1, entryPrice: 100, isolatedMargin: Number.NaN },
    }));
    let most = 0;
    for (let row = 0; row < 120_000; row++) {
      const accountId = `user-${row}`;
      book.put({ accountId, userId: accountId, isIsolated: false, collateral: 1, sequence: 1, positions });
      if (row >= 10_000 && row % 500 === 0) most = Math.max(most, book.bytes / (row + 1));
    }
    expect(most).toBeGreaterThan(150);
    expect(most).toBeLessThan(200);
  });
});
