import type { Policy } from '../limits/policy.ts';
import type { MarketLimit } from '../limits/types.ts';
import { HOUR_MILLISECONDS } from '../units.ts';
import { type AccountView, heldNotional, type Side } from './account-view.ts';
import { type CapScope, fittingNotional, largestNotionalAt } from './caps.ts';
import { sideOf } from './margin/account.ts';
import { notionalOf } from './margin/contract.ts';
import { MARGIN_STATUSES, type MarginStatus } from './margin/measure.ts';
import type { CapReason } from './user-limits.ts';

/** Why an account may only reduce in a market. */
export const REDUCE_ONLY_CAUSES = [
  /** Its margin status is `reduceOnly` or worse. */
  'ACCOUNT_STATUS',
  'NO_EQUITY',
  /** Without a mark of every market that it holds nobody knows its equity. */
  'PRICE_UNKNOWN',
  /** A position in the market is above what its caps allow now. */
  'POSITION_ABOVE_CAPS',
  /** The order may only reduce, and there is nothing on the other side. */
  'NOTHING_TO_REDUCE',
] as const;
export type ReduceOnlyCause = (typeof REDUCE_ONLY_CAUSES)[number];

export interface ReduceOnly {
  readonly cause: ReduceOnlyCause;
  readonly status: MarginStatus;
  /** The position that does not fit, or the larger one, in quote units. */
  readonly side: Side;
  readonly positionNotional: number;
  /** What it may be, in whole quote units; 0 where the account may hold nothing. */
  readonly allowedNotional: number;
  /** The cap that it is above; null for the other causes. */
  readonly capReason: CapReason | null;
  /** Epoch milliseconds: by when it has to fit; null where it may stay, or where no new limit is what it is above. */
  readonly reduceBy: number | null;
}

export interface ReduceOnlyQuestion {
  readonly view: AccountView;
  readonly market: MarketLimit;
  readonly policy: Policy;
  /** When the user's own limits were set, epoch milliseconds; null for never. */
  readonly userChangedAt: number | null;
  /** What limits each side of the market. */
  readonly scopes: Readonly<Record<Side, CapScope>>;
}

const SIDES = ['long', 'short'] as const;
const WORST_THAT_MAY_ADD = MARGIN_STATUSES.indexOf('marginCall');

/** Whether, and why, an account may only reduce in a market. Null where it may add. */
export function reduceOnlyOf(question: ReduceOnlyQuestion): ReduceOnly | null {
  const { view, market } = question;
  const held = SIDES.map((side) => ({ side, notional: heldNotional(view, market.symbol, side) }));
  const larger = held[1].notional > held[0].notional ? held[1] : held[0];
  const plain = (cause: ReduceOnlyCause): ReduceOnly => ({
    cause,
    status: view.status,
    side: larger.side,
    positionNotional: larger.notional,
    allowedNotional: 0,
    capReason: null,
    reduceBy: null,
  });
  if (MARGIN_STATUSES.indexOf(view.status) > WORST_THAT_MAY_ADD) return plain('ACCOUNT_STATUS');
  if (view.equity === null) return plain('PRICE_UNKNOWN');
  if (!(view.equity > 0)) return plain('NO_EQUITY');
  for (const { side, notional } of held) {
    if (notional === 0) continue;
    const scope = question.scopes[side];
    const allowedNotional = fittingNotional(scope, view.equity);
    if (notional <= allowedNotional) continue;
    return {
      ...plain('POSITION_ABOVE_CAPS'),
      side,
      positionNotional: notional,
      allowedNotional,
      capReason: largestNotionalAt(scope, Math.max(notional / view.equity, 1)).reason,
      reduceBy: reduceBy(question, side),
    };
  }
  return null;
}

/** What there is where an order may only reduce and there is nothing to. */
export function nothingToReduce(view: AccountView, side: Side): ReduceOnly {
  const nothing = { positionNotional: 0, allowedNotional: 0, capReason: null, reduceBy: null };
  return { cause: 'NOTHING_TO_REDUCE', status: view.status, side, ...nothing };
}

/**
 * The notice counts from the last change of the market's schedule or of the user's own limits, where it is they that the
 * position is above: with what was paid in, at its entry price, it could not be opened today. A position that only lost money,
 * or whose market moved, is above no new limit, and its margin status looks after it.
 */
function reduceBy(
  { view, market, policy, userChangedAt, scopes }: ReduceOnlyQuestion,
  side: Side,
): number | null {
  const { openPositions, noticeHours } = policy.users;
  if (openPositions === 'keep') return null;
  const opened = view.account.positions.reduce((sum, position) => {
    if (position.symbol !== market.symbol || sideOf(position) !== side) return sum;
    const terms = view.markets.get(position.symbol);
    return terms === undefined
      ? sum
      : sum + notionalOf(terms.contract, position.quantity, position.entryPrice);
  }, 0);
  const tables = { ...scopes[side], positionLimits: [] };
  if (opened <= fittingNotional(tables, view.paidIn)) return null;
  return Math.max(market.governor.changedAt, userChangedAt ?? 0) + noticeHours * HOUR_MILLISECONDS;
}
