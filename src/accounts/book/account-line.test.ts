import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAccount } from './account-line.ts';
import { JournalWriter, readBatch } from './journal.ts';
import { anyRecord, TEST_TERMS, testMarkets } from './test-accounts.ts';

const MARKETS = testMarkets();
const POSITION = { symbol: 'BTCUSDT', side: 'long', quantity: '0.5', entryPrice: '29000' };
const ACCOUNT = { accountId: 'a', userId: 'u', marginMode: 'cross', equity: '1000.5', positions: [POSITION] };

function read(changes: object, position?: object): unknown {
  const positions = position === undefined ? ACCOUNT.positions : [{ ...POSITION, ...position }];
  return readAccount({ ...ACCOUNT, positions, ...changes }, MARKETS);
}

describe('a line of an account', () => {
  test('is read with signs by side; a position of nothing is none', () => {
    const positions = [
      { ...POSITION, isolatedMargin: '12.5' },
      { ...POSITION, symbol: 'ETHUSDT', side: 'short', quantity: '2' },
      { ...POSITION, symbol: 'NEWUSDT', side: 'net', quantity: '-3' },
      { ...POSITION, side: 'short', quantity: '0' },
    ];
    const alone = Number.NaN;
    expect(read({ positions, sequence: 7 })).toEqual({
      ...{ accountId: 'a', userId: 'u', isIsolated: false, collateral: 1000.5, sequence: 7 },
      positions: [
        { market: 0, quantity: 0.5, entryPrice: 29_000, isolatedMargin: 12.5 },
        { market: 1, quantity: -2, entryPrice: 29_000, isolatedMargin: alone },
        { market: 2, quantity: -3, entryPrice: 29_000, isolatedMargin: alone },
      ],
    });
  });

  test.each([
    ['ACCOUNT_INVALID', { accountId: 'a b' }, undefined],
    ['ACCOUNT_INVALID', { userId: 5 }, undefined],
    ['ACCOUNT_INVALID', { marginMode: 'hedge' }, undefined],
    ['ACCOUNT_INVALID', { equity: 'NaN' }, undefined],
    ['ACCOUNT_INVALID', { equity: 1000 }, undefined],
    ['ACCOUNT_INVALID', { sequence: -1 }, undefined],
    ['ACCOUNT_INVALID', { positions: {} }, undefined],
    ['ACCOUNT_INVALID', { positions: [null] }, undefined],
    ['ACCOUNT_INVALID', { positions: Array.from({ length: 1001 }, () => POSITION) }, undefined],
    ['ACCOUNT_INVALID', {}, { side: 'buy' }],
    ['ACCOUNT_INVALID', {}, { quantity: '1e3' }],
    ['ACCOUNT_INVALID', {}, { entryPrice: '-1' }],
    ['ACCOUNT_INVALID', {}, { entryPrice: '0' }],
    ['ACCOUNT_INVALID', {}, { isolatedMargin: 'x' }],
    ['MARKET_UNKNOWN', {}, { symbol: 'NOPEUSDT' }],
    ['QUANTITY_NEGATIVE', {}, { quantity: '-1' }],
    ['QUANTITY_ABSURD', {}, { quantity: '999999999999999' }],
    ['ISOLATED_MARGIN_MISSING', { marginMode: 'isolated' }, undefined],
    ['POSITION_REPEATED', { positions: [POSITION, { ...POSITION, side: 'net', quantity: '1' }] }, undefined],
    [
      'SETTLEMENT_MIXED',
      { positions: [POSITION, { ...POSITION, symbol: 'BTCUSD_PERP', quantity: '10' }] },
      undefined,
    ],
  ])('is refused as %s: %j %j', (code, changes, position) => {
    expect(read(changes, position)).toMatchObject({ code, message: expect.stringMatching(/.{10}/) });
  });

  test('of any JSON is read or refused, and never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(readAccount(value, MARKETS)).toHaveProperty('code');
        const mixed = readAccount({ ...ACCOUNT, positions: [{ ...POSITION, quantity: value }] }, MARKETS);
        expect(mixed).toBeTypeOf('object');
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('a batch of the journal', () => {
  test('reads back as it was written, to the bit', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 30 }), fc.double(), (records, price) => {
        const journal = new JournalWriter();
        const written: unknown[] = [];
        const status = { row: 5, position: -1, status: 4, stage: 2, nextAt: 1.7e12 };
        for (const record of records) journal.account(record);
        journal.mark(3, price, 1_700_000_000_123);
        journal.terms(TEST_TERMS, 7);
        journal.status(status);
        const batch = journal.taken();
        expect(journal.isEmpty).toBe(true);
        readBatch(batch, {
          account: (record) => written.push(record),
          mark: (...mark) => written.push(mark),
          terms: (...terms) => written.push(terms),
          status: (record) => written.push(record),
        });
        expect(written).toEqual([...records, [3, price, 1_700_000_000_123], [TEST_TERMS, 7], status]);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  test('that is cut or of another format is not read', () => {
    const journal = new JournalWriter();
    journal.mark(1, 2, 3);
    const batch = journal.taken();
    const nothing = { account: () => {}, mark: () => {}, terms: () => {}, status: () => {} };
    for (let length = 2; length < batch.length; length++)
      expect(() => readBatch(batch.subarray(0, length), nothing)).toThrow('end too soon');
    expect(() => readBatch(Uint8Array.of(9), nothing)).toThrow('another format');
    expect(() => readBatch(Uint8Array.of(1, 99), nothing)).toThrow('kind 99');
  });
});
