import type { AccountBook } from './account-book.ts';
import { type AccountColumns, emptyAccountColumns } from './columns.ts';
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

/** The memory of a picture, each piece once, for a thread that takes it over. */
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
  return [...new Set(columns.map(({ buffer }) => buffer as ArrayBuffer))];
}

export function marketsOfPicture({ terms, marks }: BookPicture): MarketRows {
  const markets = new MarketRows();
  markets.set(terms);
  markets.mark.set(marks);
  return markets;
}

/**
 * The parts of all accounts, seen as one book. A market that several know has the tables and the mark of the first of them: they
 * follow the same limits and prices, at most a moment apart.
 */
export function mergedPicture(pictures: readonly BookPicture[]): BookPicture {
  if (pictures.length === 1) return pictures[0];
  const terms: MarketTerms[] = [];
  const marks: number[] = [];
  const rowOf = new Map<string, number>();
  const rowsOf = pictures.map((picture) =>
    Uint16Array.from(picture.terms, (own, m) => {
      const row = rowOf.get(own.symbol) ?? terms.push(own) - 1;
      rowOf.set(own.symbol, row);
      if (Number.isNaN(marks[row] ?? Number.NaN)) marks[row] = picture.marks[m];
      return row;
    }),
  );
  return {
    accounts: mergedColumns(
      pictures.map(({ accounts }) => accounts),
      rowsOf,
    ),
    terms,
    marks: Float64Array.from(marks),
  };
}

/** @param rowsOf the row that each market of a part has in the whole. */
function mergedColumns(parts: readonly AccountColumns[], rowsOf: readonly Uint16Array[]): AccountColumns {
  const accounts = parts.reduce((sum, part) => sum + part.accounts, 0);
  const positions = parts.reduce((sum, { market }) => sum + market.length, 0);
  const merged = emptyAccountColumns(accounts, positions);
  let [account, position] = [0, 0];
  for (const [p, part] of parts.entries()) {
    merged.collateral.set(part.collateral, account);
    merged.positionCount.set(part.positionCount, account);
    for (let a = 0; a < part.accounts; a++)
      merged.firstPosition[account + a] = part.firstPosition[a] + position;
    for (let i = 0; i < part.market.length; i++) merged.market[position + i] = rowsOf[p][part.market[i]];
    merged.quantity.set(part.quantity, position);
    merged.entryPrice.set(part.entryPrice, position);
    merged.isolatedMargin.set(part.isolatedMargin, position);
    account += part.accounts;
    position += part.market.length;
  }
  return merged;
}
