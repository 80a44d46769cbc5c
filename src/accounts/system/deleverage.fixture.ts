import type { Deleveraged, DeleveragedBook, Shortfall } from './deleverage.ts';
import { notionalOf, profitOf, VALUE, VALUES, valueGroup } from './valuation.ts';

/**
 * Auto-deleveraging as its definition reads: everybody is valued, everybody who has won is put in order, and the best are
 * closed. The slow twin of `Deleveraging`, to the bit.
 */
export function plainDeleverage(
  book: DeleveragedBook,
  isGone: Uint8Array,
  shortfalls: readonly Shortfall[],
  touch: (group: number) => void,
): Deleveraged[] {
  const { accounts, markets, index, quantity, mark, received } = book;
  const out = new Float64Array(VALUES);
  const leverage = Array.from(isGone, (gone, group) => {
    valueGroup(book, group, out);
    return gone === 1 || !(out[VALUE.equity] > 0) ? 0 : out[VALUE.gross] / out[VALUE.equity];
  });
  return shortfalls.map(({ market, fallenSide, contracts, loss }) => {
    const price = mark[market];
    const winners = Array.from(index.groupOfPosition, (group, row) => ({ group, row }))
      .filter(({ group, row }) => group >= 0 && accounts.market[row] === market)
      .filter(({ row }) => quantity[row] * fallenSide < 0)
      .map(({ group, row }) => {
        const profitShare = -fallenSide * (price / accounts.entryPrice[row] - 1);
        return { group, row, rank: profitShare * leverage[group] };
      })
      .filter(({ rank }) => rank > 0)
      .sort((a, b) => b.rank - a.rank || a.row - b.row);
    const done = { notional: 0, paid: 0 };
    let left = contracts;
    for (const { group, row } of winners) {
      if (left <= 0) break;
      const closed = Math.min(Math.abs(quantity[row]), left);
      const part = -fallenSide * closed;
      const profit = profitOf(markets, market, part, accounts.entryPrice[row], price);
      const share = Math.min(closed * (loss / contracts), profit);
      quantity[row] -= part;
      received[group] += profit - share;
      touch(group);
      done.notional += notionalOf(markets, market, closed, price);
      done.paid += share;
      left -= closed;
    }
    return done;
  });
}
