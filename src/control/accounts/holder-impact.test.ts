import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AccountBook } from '../../accounts/book/account-book.ts';
import {
  anyRecord,
  schedule,
  TEST_MARKS,
  TEST_TERMS,
  testMarkets,
} from '../../accounts/book/test-accounts.ts';
import { marginGroups } from '../../accounts/margin-groups.ts';
import { previewImpact } from '../../limits/impact.ts';
import { formatPrice, parseAttos } from '../../units.ts';
import { impactOnHolders } from './holder-impact.ts';

const TABLE = schedule([50, 20, 10, 5, 2, 1]);
const TIGHTER = schedule([20, 10, 5, 2, 1]);
const BEFORE = { brackets: TABLE, maintenance: TABLE };
const AFTER = { brackets: TIGHTER, maintenance: TIGHTER };
const TABLES = new Map(TEST_TERMS.map((terms) => [terms.symbol, terms]));

/** Decimals that float64 holds exactly, so that both ways must agree to the last digit. */
const dyadic = (value: number): number => Math.round(value * 64) / 64;

describe('what becomes of those who hold a market', () => {
  test('is what the preview says of the same accounts', () => {
    const marks = new Map(
      TEST_TERMS.map(({ symbol }, m): [string, bigint] => [symbol, parseAttos(String(TEST_MARKS[m])) ?? 0n]),
    );
    fc.assert(
      fc.property(fc.uniqueArray(anyRecord, { selector: ({ accountId }) => accountId }), (records) => {
        const book = new AccountBook(testMarkets());
        const exact = records.map((record) => ({
          ...record,
          collateral: dyadic(record.collateral),
          // The exact preview counts in contracts of one unit.
          positions: record.positions
            .filter(({ market }) => market < 2)
            .map((position) => ({
              ...position,
              quantity: dyadic(position.quantity),
              entryPrice: dyadic(position.entryPrice),
              isolatedMargin: dyadic(position.isolatedMargin),
            }))
            .filter(({ quantity }) => quantity !== 0),
        }));
        for (const record of exact) book.put(record);
        const groups = exact.flatMap(({ accountId, userId, isIsolated, collateral, positions }) =>
          (
            marginGroups(
              {
                ...{
                  accountId,
                  userId,
                  marginMode: isIsolated ? 'isolated' : 'cross',
                  equity: String(collateral),
                },
                positions: positions.map(({ market, quantity, entryPrice, isolatedMargin }) => ({
                  symbol: TEST_TERMS[market].symbol,
                  side: 'net' as const,
                  quantity: formatPrice(Math.abs(quantity)).replace(/^/, quantity < 0 ? '-' : ''),
                  entryPrice: String(entryPrice),
                  ...(Number.isNaN(isolatedMargin) ? {} : { isolatedMargin: String(isolatedMargin) }),
                })),
              },
              marks,
            ) ?? []
          ).filter((group) => group.positions.some(({ symbol }) => symbol === 'BTCUSDT')),
        );
        const expected = previewImpact(
          new Map([...TABLES, ['BTCUSDT', BEFORE]]),
          new Map([...TABLES, ['BTCUSDT', AFTER]]),
          groups,
        );
        const impact = impactOnHolders(book, { symbol: 'BTCUSDT', before: BEFORE, after: AFTER });
        if (records.length === 0) expect(impact).toBeNull();
        else
          expect({ ...impact, hit: impact?.hit.length }).toEqual({ ...expected, hit: expected.hit.length });
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('is nothing for a market that nobody holds or knows, and not known while there is no account', () => {
    const book = new AccountBook(testMarkets());
    const replaced = { before: BEFORE, after: AFTER };
    expect(impactOnHolders(book, { symbol: 'BTCUSDT', ...replaced })).toBeNull();
    book.put({ accountId: 'a', userId: 'a', isIsolated: false, collateral: 1, sequence: 0, positions: [] });
    for (const symbol of ['BTCUSDT', 'NOPEUSDT'])
      expect(impactOnHolders(book, { symbol, ...replaced })).toMatchObject({
        accounts: 0,
        breaching: 0,
        hit: [],
      });
  });
});
