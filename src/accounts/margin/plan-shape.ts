import { formatMoneyUp, formatQuantityUp } from '../../units.ts';
import type { ReductionItem } from './reduction.ts';

/** A step of a reduction as it is sent. */
export function planShape(item: ReductionItem, marginUnit: 'cross' | 'isolated') {
  const { symbol, side, reduceNotional, reduceQuantity, reason, slices } = item;
  return {
    symbol,
    side,
    marginUnit,
    reduceNotional: formatMoneyUp(reduceNotional),
    reduceQuantity: formatQuantityUp(reduceQuantity),
    reason,
    slices: slices.map(({ notional, afterSeconds }) => ({ notional: formatMoneyUp(notional), afterSeconds })),
  };
}
