import type { MarginGroup } from '../limits/impact.ts';
import {
  attosToMicrosDown,
  microsToWholeUp,
  parseAttos,
  productMicrosDown,
  productMicrosUp,
} from '../units.ts';

/** One account as exchanges send it: money and quantities are decimal strings. */
export interface AccountState {
  readonly accountId: string;
  readonly userId: string;
  readonly marginMode: 'cross' | 'isolated';
  /** Collateral without unrealised profit, in quote units. */
  readonly equity: string;
  readonly positions: readonly PositionState[];
}

export interface PositionState {
  readonly symbol: string;
  /** `net`: long above 0, short below. The others count the quantity without its sign. */
  readonly side: 'long' | 'short' | 'net';
  /** In contracts of the base asset. */
  readonly quantity: string;
  readonly entryPrice: string;
  /** What the position has to itself. It stands alone then, in a cross account too; in an isolated one each has it. */
  readonly isolatedMargin?: string | null | undefined;
}

/** A position at its mark. */
interface Marked {
  readonly symbol: string;
  readonly notional: number;
  readonly profitMicros: bigint;
  /** Null where the position shares the account's collateral. */
  readonly isolatedMicros: bigint | null;
}

/**
 * An account's positions at marks, with what stands behind them: one group of those that share margin, a group each for
 * those that have a margin to themselves. Notional is |quantity| · mark, rounded up to whole units; what stands behind it is the collateral and the
 * unrealised profit, quantity · (mark − entry price), rounded down to millionths. Both from exact products.
 *
 * @param marks of every market, in units of 10⁻¹⁸.
 * @returns null where a mark is missing or a number cannot be read: half an account tells nothing.
 */
export function marginGroups(
  { accountId, marginMode, equity, positions }: AccountState,
  marks: ReadonlyMap<string, bigint>,
): readonly MarginGroup[] | null {
  const equityAttos = parseAttos(equity);
  const marked = positions.map((position) => markedPosition(position, marginMode, marks));
  if (equityAttos === null || !marked.every((one) => one !== null)) return null;
  const open = marked.filter(({ notional }) => notional > 0);
  const shared = open.filter(({ isolatedMicros }) => isolatedMicros === null);
  const alone = open.flatMap(({ symbol, notional, profitMicros, isolatedMicros }): MarginGroup[] => {
    if (isolatedMicros === null) return [];
    return [{ accountId, marginMicros: isolatedMicros + profitMicros, positions: [{ symbol, notional }] }];
  });
  if (shared.length === 0) return alone;
  const profit = shared.reduce((sum, { profitMicros }) => sum + profitMicros, 0n);
  return [
    {
      accountId,
      marginMicros: attosToMicrosDown(equityAttos) + profit,
      positions: shared.map(({ symbol, notional }) => ({ symbol, notional })),
    },
    ...alone,
  ];
}

function markedPosition(
  { symbol, side, quantity, entryPrice, isolatedMargin }: PositionState,
  marginMode: AccountState['marginMode'],
  marks: ReadonlyMap<string, bigint>,
): Marked | null {
  const mark = marks.get(symbol);
  const [amount, entry] = [parseAttos(quantity), parseAttos(entryPrice)];
  const hasOwn = isolatedMargin !== undefined && isolatedMargin !== null;
  const isolated = hasOwn ? parseAttos(isolatedMargin) : null;
  if (isolated === null && (hasOwn || marginMode === 'isolated')) return null;
  if (mark === undefined || amount === null || entry === null || entry < 0n) return null;
  const size = amount < 0n ? -amount : amount;
  const signed = side === 'net' ? amount : side === 'long' ? size : -size;
  return {
    symbol,
    notional: microsToWholeUp(productMicrosUp(size, mark)),
    profitMicros: productMicrosDown(signed, mark - entry),
    isolatedMicros: isolated === null ? null : attosToMicrosDown(isolated),
  };
}
