import type { Margin } from '../../answers.ts';
import { signedPercentText } from '../../format.ts';

/** From half to half again, in steps of five hundredths: twenty simulations, and what is already known at 0. */
export const MOVES: readonly number[] = Array.from({ length: 21 }, (_, i) => (i - 10) / 20);
export interface MovedMargin {
  readonly move: number;
  readonly margin: Margin;
}

/** @returns a price that the service takes: plain decimals. */
export function movedPrice(mark: string, move: number): string {
  const price = Number(mark) * (1 + move);
  // As many digits as the price is worth; below a millionth all that a decimal string may have.
  const decimals = Math.min(18, Math.max(2, 11 - Math.floor(Math.log10(Math.max(price, 1e-12)))));
  return price.toFixed(Math.min(decimals, 18));
}

const CLOSED = ['liquidation', 'backstop'];

/** Where the account is closed out first on either side of today's marks, in words. */
export function closedWhere(rows: readonly MovedMargin[]): string {
  const isClosed = ({ margin: { status } }: MovedMargin): boolean => CLOSED.includes(status);
  const here = rows.findIndex(({ move }) => move === 0);
  if (here < 0) return '';
  if (isClosed(rows[here])) return 'At today’s marks part of it is already due for liquidation.';
  const percent = (row: MovedMargin): string => signedPercentText(row.move, 0);
  const above = rows.findIndex((row, i) => i > here && isClosed(row));
  const below = rows.findLastIndex((row, i) => i < here && isClosed(row));
  const found = [
    below < 0 ? '' : `between ${percent(rows[below + 1])} and ${percent(rows[below])}`,
    above < 0 ? '' : `between ${percent(rows[above - 1])} and ${percent(rows[above])}`,
  ].filter(Boolean);
  return found.length === 0
    ? 'No part of it is liquidated by a common move of up to 50 %.'
    : `The first part of it is liquidated ${found.join(', and ')}.`;
}
