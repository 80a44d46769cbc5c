import type { SystemStressInput } from '../../limits/market-input.ts';
import type { CascadeResult } from './cascade-result.ts';
import type { LeverageIndex } from './leverage-index.ts';

/** More than this much of a fund is all the same; it also stands for bad debt where there is no fund. */
const LARGEST_FUND_USE = 1e6;

const LARGEST_LEVERAGE = 1e6;

/**
 * What the market-wide bound is told of the accounts: the leverage of everybody, and the worst of the cascades that the
 * policy's shock sets off, one for each direction.
 *
 * @param insuranceFund in the quote asset, at least 0. @param observedAt of positions and marks, epoch milliseconds.
 * @returns null where there is nobody to look at, so that nothing is concluded from an empty book.
 */
export function systemStressInput(
  index: LeverageIndex,
  cascades: readonly CascadeResult[],
  insuranceFund: number,
  observedAt: number,
): SystemStressInput | null {
  if (index.accounts === 0 || cascades.length === 0) return null;
  const worst = (of: (cascade: CascadeResult) => number): number => Math.max(...cascades.map(of));
  return {
    accounts: index.accounts,
    // With no equity at all it is as high as can be said.
    leverage: index.equity > 0 ? Math.min(index.gross, LARGEST_LEVERAGE) : LARGEST_LEVERAGE,
    forcedShare: worst(({ soldNotional, boughtNotional, openNotional }) =>
      openNotional > 0 ? Math.min((soldNotional + boughtNotional) / openNotional, 1) : 0,
    ),
    fundUse: worst(({ badDebt }) =>
      badDebt > 0 ? Math.min(badDebt / Math.max(insuranceFund, Number.MIN_VALUE), LARGEST_FUND_USE) : 0,
    ),
    observedAt,
    source: 'cascade@1',
  };
}
