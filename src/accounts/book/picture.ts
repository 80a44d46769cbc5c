import type { AccountBook } from './account-book.ts';
import type { AccountColumns } from './columns.ts';
import { MarketRows, type MarketTerms } from './market-rows.ts';

/** What everybody holds at one moment, without names: plain data, that another thread may work on while the book goes on. */
export interface BookPicture {
  readonly accounts: AccountColumns;
  readonly terms: readonly MarketTerms[];
  readonly marks: Float64Array;
}

/** Copied at the speed of memory. */
export function pictureOf(book: AccountBook): BookPicture {
  const { accounts, positions, markets } = book;
  return {
    accounts: {
      accounts,
      collateral: book.collateral.slice(0, accounts),
      firstPosition: book.firstPosition.slice(0, accounts),
      positionCount: book.positionCount.slice(0, accounts),
      market: book.market.slice(0, positions),
      quantity: book.quantity.slice(0, positions),
      entryPrice: book.entryPrice.slice(0, positions),
      isolatedMargin: book.isolatedMargin.slice(0, positions),
    },
    terms: [...markets.terms],
    marks: markets.mark.slice(0, markets.markets),
  };
}

/** The memory of a picture, for a thread that takes it over. */
export function memoryOf({ accounts, marks }: BookPicture): ArrayBuffer[] {
  const { collateral, firstPosition, positionCount, market, quantity, entryPrice, isolatedMargin } = accounts;
  const columns = [
    collateral,
    firstPosition,
    positionCount,
    market,
    quantity,
    entryPrice,
    isolatedMargin,
    marks,
  ];
  return columns.map(({ buffer }) => buffer as ArrayBuffer);
}

export function marketsOfPicture({ terms, marks }: BookPicture): MarketRows {
  const markets = new MarketRows();
  markets.set(terms);
  markets.mark.set(marks);
  return markets;
}
