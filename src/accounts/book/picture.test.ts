import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leverageIndex } from '../system/leverage-index.ts';
import { liquidationMap } from '../system/liquidation-map.ts';
import { AccountBook, type AccountRecord } from './account-book.ts';
import { MarketRows } from './market-rows.ts';
import { type BookPicture, marketsOfPicture, memoryOf, mergedPicture, pictureOf } from './picture.ts';
import { decodePicture, encodePicture } from './picture-codec.ts';
import { anyRecord, TEST_MARKS, TEST_TERMS, testMarkets } from './test-accounts.ts';

const anyAccounts = fc.uniqueArray(anyRecord, { selector: ({ accountId }) => accountId });

function bookOf(records: readonly AccountRecord[], markets = testMarkets()): AccountBook {
  const book = new AccountBook(markets);
  for (const record of records) book.put(record);
  return book;
}

/** What accounts have; rows that no account uses say nothing. */
function heldIn({ accounts, ...picture }: BookPicture) {
  const { collateral, firstPosition, positionCount, market, quantity, entryPrice, isolatedMargin } = accounts;
  const held = Array.from(collateral, (own, a) => {
    const rows = Array.from({ length: positionCount[a] }, (_, i) => firstPosition[a] + i);
    const positions = rows.map((row) => [market[row], quantity[row], entryPrice[row], isolatedMargin[row]]);
    return { collateral: own, positions };
  });
  return { ...picture, held };
}

/** The markets of the tests in another order, in which `rowOf` finds them. */
function turnedMarkets(): { readonly markets: MarketRows; readonly rowOf: readonly number[] } {
  const markets = new MarketRows();
  const order = TEST_TERMS.map((_, i) => (i + 1) % TEST_TERMS.length);
  markets.set(order.map((i) => TEST_TERMS[i]));
  for (const [row, i] of order.entries()) markets.mark[row] = TEST_MARKS[i];
  return { markets, rowOf: TEST_TERMS.map((_, i) => order.indexOf(i)) };
}

describe('a picture of everybody', () => {
  test('comes back from its bytes as it was, in memory that can be handed over', () => {
    fc.assert(
      fc.property(anyAccounts, (records) => {
        const picture = pictureOf(bookOf(records));
        const bytes = encodePicture(picture);
        // As a part of something longer, where no number begins at a multiple of its width.
        const shifted = new Uint8Array(bytes.length + 3);
        shifted.set(bytes, 3);
        const back = decodePicture(shifted.subarray(3));
        expect(decodePicture(Buffer.from(shifted).subarray(3))).toEqual(picture);
        expect(back).toEqual(picture);
        expect(memoryOf(back)).toHaveLength(1);
        expect(memoryOf(picture)).toHaveLength(8);
      }),
    );
  });

  test('is not read from bytes that were cut, or are longer', () => {
    const bytes = encodePicture(pictureOf(bookOf([])));
    expect(() => decodePicture(bytes.subarray(0, bytes.length - 1))).toThrow(RangeError);
    expect(() => decodePicture(Buffer.concat([bytes, Uint8Array.of(0)]))).toThrow(RangeError);
    expect(() => decodePicture(bytes.subarray(0, 100))).toThrow();
  });

  test('of two parts is that of both together, whatever the order in which each knows the markets', () => {
    fc.assert(
      fc.property(anyAccounts, fc.nat(12), (records, cut) => {
        const { markets, rowOf } = turnedMarkets();
        const turned = records.slice(cut).map((record) => ({
          ...record,
          positions: record.positions.map((position) => ({ ...position, market: rowOf[position.market] })),
        }));
        const parts = [pictureOf(bookOf(records.slice(0, cut))), pictureOf(bookOf(turned, markets))];
        const merged = mergedPicture(parts);
        const whole = pictureOf(bookOf(records));
        expect(heldIn(merged)).toEqual(heldIn(whole));
        const [one, other] = [marketsOfPicture(merged), marketsOfPicture(whole)];
        expect(leverageIndex(merged.accounts, one)).toEqual(leverageIndex(whole.accounts, other));
        const levels = Float64Array.of(-0.3, -0.1, 0.1);
        expect(liquidationMap(merged.accounts, one, levels, 1)).toEqual(
          liquidationMap(whole.accounts, other, levels, 1),
        );
      }),
    );
  });

  test('has the mark of whoever knows one, and markets that only one part knows', () => {
    const unmarked = new MarketRows();
    unmarked.set(TEST_TERMS.slice(0, 2));
    unmarked.mark[1] = 2_100;
    const known = testMarkets();
    const merged = mergedPicture([pictureOf(bookOf([], unmarked)), pictureOf(bookOf([], known))]);
    expect([...merged.marks]).toEqual([TEST_MARKS[0], 2_100, TEST_MARKS[2], TEST_MARKS[3]]);
    expect(merged.terms).toEqual(TEST_TERMS);
  });
});
