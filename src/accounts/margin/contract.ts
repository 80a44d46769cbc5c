import type { ContractTerms } from '../../limits/account-policy.ts';

/**
 * What a contract is worth, for both kinds there are:
 *
 * - linear: profit is quantity · size · (mark − entry), in the quote asset; size is in the base asset. The account settles
 *   in the quote asset.
 * - inverse: profit is quantity · size · (1 / entry − 1 / mark), in the base asset; size is in the quote asset. The account
 *   settles in the base asset, so margins, which tables give in the quote asset, are divided by the mark.
 *
 * Quantities are contracts, above 0 long, below 0 short. Prices are in quote per base, above 0.
 */
export type Contract = Pick<ContractTerms, 'kind' | 'contractSize'>;

/** |quantity| · size · price for linear contracts, |quantity| · size for inverse ones: both in the quote asset. */
export function notionalOf({ kind, contractSize }: Contract, quantity: number, price: number): number {
  const size = Math.abs(quantity) * contractSize;
  return kind === 'linear' ? size * price : size;
}

/** Contracts that have a notional: the inverse of `notionalOf`, at least 0. */
export function quantityOf({ kind, contractSize }: Contract, notional: number, price: number): number {
  return kind === 'linear' ? notional / (contractSize * price) : notional / contractSize;
}

/** Profit that is not realised, in the settlement asset. */
export function unrealisedProfit(
  { kind, contractSize }: Contract,
  quantity: number,
  entryPrice: number,
  mark: number,
): number {
  const size = quantity * contractSize;
  return kind === 'linear' ? size * (mark - entryPrice) : size * (1 / entryPrice - 1 / mark);
}

/** What one unit of the quote asset is in the settlement asset. */
export function settlementPerQuote({ kind }: Contract, mark: number): number {
  return kind === 'linear' ? 1 : 1 / mark;
}

/** All linear contracts settle in the quote asset. */
export const QUOTE_ASSET = 'quote';

/**
 * The asset that a market's contracts settle in: the quote asset of linear contracts, which counts as one whatever its
 * name, and the base asset of inverse ones, which is what stands before the last `USD` in the symbol.
 */
export function settlementAssetOf(symbol: string, { kind }: Contract): string {
  if (kind === 'linear') return QUOTE_ASSET;
  const base = symbol.lastIndexOf('USD');
  return base > 0 ? symbol.slice(0, base) : symbol;
}
