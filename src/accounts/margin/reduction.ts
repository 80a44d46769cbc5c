import { closeoutCost } from '../../limits/curve.ts';
import type { Policy } from '../../limits/policy.ts';
import { sideOf } from './account.ts';
import { quantityOf } from './contract.ts';
import { type MeasuredLeg, type MeasuredUnit, marginRatio } from './measure.ts';
import { type MarginTable, rowIndexAt } from './table.ts';

/** Why a position is part of a plan. */
export const REDUCTION_REASONS = [
  /** Of what the unit holds, closing this frees most margin for its notional once the closeout is paid. */
  'FREES_MOST_MARGIN',
  /** The same, and its opposite side of the market closes with it, so that no hedge is torn open. */
  'FREES_MOST_MARGIN_WITH_HEDGE',
  /** Closing everything is not enough. */
  'CLOSE_ALL',
] as const;
export type ReductionReason = (typeof REDUCTION_REASONS)[number];

export interface ReductionItem {
  readonly symbol: string;
  readonly side: 'long' | 'short';
  /** At the mark, in the quote asset. */
  readonly reduceNotional: number;
  readonly reduceQuantity: number;
  readonly reason: ReductionReason;
  readonly slices: readonly ReductionSlice[];
}

export interface ReductionSlice {
  readonly notional: number;
  /** After the beginning. */
  readonly afterSeconds: number;
}

export interface ReductionPlan {
  /** Empty where the ratio is at most the target already. */
  readonly items: readonly ReductionItem[];
  /** Of all items, in the quote asset. */
  readonly notional: number;
  /** What closing is expected to cost, in the settlement asset. It is paid from the equity. */
  readonly cost: number;
  /** Once it is carried out at the marks. */
  readonly ratioAfter: number;
  /** False: even with all closed the ratio would not be at the target, and the plan closes all. */
  readonly isEnough: boolean;
}

/** A part of one market's positions that is closed in one piece, at one rate. */
interface Segment {
  readonly symbol: string;
  /** One leg, or both of a hedge in equal parts. */
  readonly legs: readonly MeasuredLeg[];
  /** Of all its legs, in the quote asset. */
  readonly width: number;
  /** Margin room that closing one unit of notional makes, in the settlement asset: what the target asks for less. */
  readonly relief: number;
  /** What it costs, likewise. */
  readonly cost: number;
}

/**
 * The least notional whose closing, at the marks, brings the unit's ratio down to `reductionTargetRatio`.
 *
 * With t the target, room is needed for maintenance − t · equity. Closing one unit of a position's notional makes room for
 * its bracket's maintenance rate, less t times what the closeout costs, since that is paid from the equity; realising
 * profit or loss at the mark moves nothing. Rates fall from bracket to bracket on the way down, so what makes most room
 * is closed first, piece by piece and exactly: no other order needs less. Of equal rates the cheaper closeout makes more
 * room, and of equal room the side goes first that most of the unit is on.
 *
 * Where both sides of a market are in the unit, what the larger one has beyond the smaller goes first and then both in
 * equal parts: the market's net position never grows, and as one table holds for both this needs no more than tearing
 * the hedge open would.
 *
 * The cost of a position is that of closing all of it: half the spread, the fee, and the square-root impact where the
 * volume of the market is known. It is an upper bound, so the ratio is reached.
 */
export function reductionPlan(measured: MeasuredUnit, policy: Policy): ReductionPlan {
  const { equity, maintenance, legs } = measured;
  const target = policy.accounts.reductionTargetRatio;
  const needed = maintenance - target * equity;
  if (needed <= 0 || legs.length === 0)
    return {
      items: [],
      notional: 0,
      cost: 0,
      ratioAfter: measured.ratio,
      isEnough: measured.ratio <= target,
    };
  const symbols = [...new Set(legs.map(({ market }) => market.symbol))];
  const segments = symbols.flatMap((symbol) => segmentsOf(symbol, legs, target, policy));
  const useful = segments.filter(({ relief }) => relief > 0).sort(byRelief(measured));
  const closed = new Map<MeasuredLeg, number>();
  const hedged = new Set<MeasuredLeg>();
  let [open, cost] = [needed, 0];
  for (const segment of useful) {
    if (open <= 0) break;
    const part = Math.min(segment.width, open / segment.relief);
    open = part < segment.width ? 0 : open - part * segment.relief;
    cost += part * segment.cost;
    for (const leg of segment.legs) {
      closed.set(leg, (closed.get(leg) ?? 0) + part / segment.legs.length);
      if (segment.legs.length > 1) hedged.add(leg);
    }
  }
  const isEnough = open <= needed * NOISE;
  if (!isEnough) return closeAll(measured, segments, policy);
  const items = legs
    .filter((leg) => closed.has(leg))
    .map((leg) =>
      itemOf(
        leg,
        closed.get(leg) ?? 0,
        hedged.has(leg) ? 'FREES_MOST_MARGIN_WITH_HEDGE' : 'FREES_MOST_MARGIN',
        policy,
      ),
    );
  return {
    items,
    notional: items.reduce((sum, { reduceNotional }) => sum + reduceNotional, 0),
    cost,
    ratioAfter: marginRatio(equity - cost, Math.max(maintenance - freed(closed), 0)),
    isEnough,
  };
}

/** What is left of a sum of parts. */
const NOISE = 1e-12;

/** Maintenance margin that closing frees, in the settlement asset. */
function freed(closed: ReadonlyMap<MeasuredLeg, number>): number {
  let sum = 0;
  for (const [leg, part] of closed) {
    const table = leg.market.maintenance;
    const left = Math.max(leg.notional - part, 0);
    const { maintenanceRate, maintenanceAmount } = table[rowIndexAt(table, left)];
    sum += leg.maintenance - (left * maintenanceRate - maintenanceAmount) * leg.perQuote;
  }
  return sum;
}

function closeAll(
  { legs, equity }: MeasuredUnit,
  segments: readonly Segment[],
  policy: Policy,
): ReductionPlan {
  const cost = segments.reduce((sum, segment) => sum + segment.width * segment.cost, 0);
  return {
    items: legs.map((leg) => itemOf(leg, leg.notional, 'CLOSE_ALL', policy)),
    notional: legs.reduce((sum, { notional }) => sum + notional, 0),
    cost,
    ratioAfter: marginRatio(equity - cost, 0),
    isEnough: false,
  };
}

/** One market's positions in the order in which they close. */
function segmentsOf(
  symbol: string,
  all: readonly MeasuredLeg[],
  target: number,
  policy: Policy,
): readonly Segment[] {
  const legs = all.filter(({ market }) => market.symbol === symbol).sort((a, b) => b.notional - a.notional);
  const { market, perQuote } = legs[0];
  const gross = legs.reduce((sum, { notional }) => sum + notional, 0);
  const { liquidity } = market;
  const costRate =
    liquidity === null ? policy.halfSpreadRate + policy.takerFeeRate : closeoutCost(gross, liquidity, policy);
  const smaller = legs.length > 1 ? legs[1].notional : 0;
  const stretches = [
    ...stretchesOf(market.maintenance, smaller, legs[0].notional).map((one) => ({ ...one, legs: [legs[0]] })),
    ...(legs.length > 1 ? stretchesOf(market.maintenance, 0, smaller).map((one) => ({ ...one, legs })) : []),
  ];
  return stretches.map(({ width, rate, legs: closing }) => ({
    symbol,
    legs: closing,
    width: width * closing.length,
    relief: (rate - target * costRate) * perQuote,
    cost: costRate * perQuote,
  }));
}

/** What lies between two notionals, bracket by bracket from the largest down. */
function stretchesOf(table: MarginTable, from: number, to: number) {
  const stretches: { width: number; rate: number }[] = [];
  let upper = to;
  for (let row = rowIndexAt(table, to); row >= 0 && upper > from; row--) {
    const lower = Math.max(row === 0 ? 0 : table[row - 1].notionalCap, from);
    stretches.push({ width: upper - lower, rate: table[row].maintenanceRate });
    upper = lower;
  }
  return stretches;
}

/** The sort is stable, and each market's segments come in the order in which they close. */
function byRelief({ legs }: MeasuredUnit): (a: Segment, b: Segment) => number {
  const net = legs.reduce((sum, leg) => sum + Math.sign(leg.position.quantity) * exposure(leg), 0);
  const isAgainst = ({ legs: [leg] }: Segment): number =>
    Math.sign(leg.position.quantity) === Math.sign(net) ? 0 : 1;
  return (a, b) => b.relief - a.relief || (a.symbol === b.symbol ? 0 : isAgainst(a) - isAgainst(b));
}

/** Notional in moves of the whole market, as far as they are known. */
function exposure({ notional, market }: MeasuredLeg): number {
  return notional * (market.beta ?? 1);
}

function itemOf(leg: MeasuredLeg, part: number, reason: ReductionReason, policy: Policy): ReductionItem {
  const { position, market, mark, notional } = leg;
  const isAll = part >= notional * (1 - NOISE);
  const reduceNotional = isAll ? notional : part;
  return {
    symbol: market.symbol,
    side: sideOf(position),
    reduceNotional,
    reduceQuantity: isAll ? Math.abs(position.quantity) : quantityOf(market.contract, reduceNotional, mark),
    reason,
    slices: slicesOf(reduceNotional, notional, policy),
  };
}

/** A large position closes in equal slices of what it was, the last one smaller, with time between them. */
function slicesOf(reduceNotional: number, notional: number, { accounts }: Policy): readonly ReductionSlice[] {
  const { sliceAboveNotional, sliceRatio, coolDownSeconds } = accounts;
  if (notional <= sliceAboveNotional) return [{ notional: reduceNotional, afterSeconds: 0 }];
  const size = notional * sliceRatio;
  const count = Math.max(Math.ceil((reduceNotional / size) * (1 - NOISE)), 1);
  return Array.from({ length: count }, (_, i) => ({
    notional: i < count - 1 ? size : reduceNotional - size * (count - 1),
    afterSeconds: i * coolDownSeconds,
  }));
}
