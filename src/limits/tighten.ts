import { ladderDown } from '../units.ts';
import {
  bracketFor,
  HIGHEST_RATE_LEVERAGE_PPM,
  largestNotionalOf,
  maintenanceMarginMicros,
  maxLeverageAt,
} from './brackets.ts';
import {
  type CoverPoint,
  cutBrackets,
  EDGES,
  makeBracket,
  type Requirement,
  type Step,
  slopeUp,
  stepsAlong,
} from './cut.ts';
import type { Policy } from './policy.ts';
import type { Bracket } from './types.ts';

/** Whether a schedule grants nowhere more than a requirement allows. */
export function meets(brackets: readonly Bracket[], requirement: Requirement): boolean {
  const last = largestNotionalOf(brackets);
  if (last > requirement.edges[requirement.edges.length - 1]) return false;
  for (const { maxLeverage, notionalCap } of brackets) {
    if (maxLeverage > requirement.leverageAt(notionalCap)) return false;
  }
  for (const { notional, marginMicros } of requirement.points) {
    if (notional > last) break;
    if (marginAt(brackets, notional) < marginMicros) return false;
  }
  return true;
}

/** Maintenance margin in micros; 0 above the last cap, where there is no position to ask it of. */
export function marginAt(brackets: readonly Bracket[], notional: number): number {
  const bracket = bracketFor(brackets, notional);
  return bracket === null ? 0 : maintenanceMarginMicros(bracket, notional);
}

/** The schedule in force, at every notional as tight as the requirement asks for and nowhere looser than it was. */
export function tightened(
  before: readonly Bracket[],
  { edges, points, leverageAt }: Requirement,
  policy: Policy,
): readonly Bracket[] {
  const last = Math.min(largestNotionalOf(before), edges[edges.length - 1]);
  const allowed = (notional: number): number =>
    Math.min(leverageAt(notional), maxLeverageAt(before, notional));
  const steps = stepsAlong(
    edges.filter((edge) => edge <= last),
    allowed,
    policy.leverageLadder,
  );
  const covered: CoverPoint[] = [];
  for (const point of points) {
    const { notional, isEdge } = point;
    if (notional > last) break;
    const marginMicros = marginAt(before, notional);
    covered.push(marginMicros > point.marginMicros ? { notional, marginMicros, isEdge } : point);
  }
  return cutBrackets(steps, covered, policy.maximumBrackets);
}

/**
 * Whether one decision may go from one schedule to another without an emergency. With `tightenMaximumRatio` r:
 * - positions up to 1 / r of the largest one, up to the edge above it, or to the next smaller edge, are still accepted;
 * - leverage at each of them is the least rung that is not below 1 / r of what it was, or the next rung, or more;
 * - no bracket has a maintenance rate above r times the rate that was in force at its cap. One that ends beyond the
 *   largest position had no rate there: it asks at that position for at most r times the margin.
 */
export function isWithinFloor(
  before: readonly Bracket[],
  after: readonly Bracket[],
  policy: Policy,
): boolean {
  const { tightenMaximumRatio: ratio } = policy.governor;
  const last = largestNotionalOf(after);
  const accepted = largestNotionalOf(before);
  const least = leastNotional(accepted, ratio);
  if (last < least) return false;
  const upTo = last < accepted ? least : last;
  const caps = [...before, ...after].map(({ notionalCap }) => Math.min(notionalCap, upTo));
  return (
    caps.every((cap) => maxLeverageAt(after, cap) >= leastLeverage(maxLeverageAt(before, cap), policy)) &&
    after.every(({ notionalCap, maintenanceMarginRatePpm }) =>
      notionalCap <= accepted
        ? maintenanceMarginRatePpm <= mostRate(rateAt(before, notionalCap), ratio)
        : marginAt(after, accepted) <= ratio * marginAt(before, accepted),
    )
  );
}

/**
 * The schedule in force on its way to a tighter one, as far as one decision may go: bracket by bracket, with the edges
 * that it has. Brackets that come to the same leverage become one.
 *
 * @param wanted what it is on its way to; nowhere looser than `before`.
 * @returns a schedule for which `isWithinFloor` holds, nowhere looser than `before`.
 */
export function tightenedToFloor(
  before: readonly Bracket[],
  wanted: readonly Bracket[],
  { points }: Requirement,
  policy: Policy,
): readonly Bracket[] {
  const steps = stepsToFloor(before, wanted, policy);
  const inForce = before.map(({ notionalCap }) => ({
    notional: notionalCap,
    marginMicros: marginAt(before, notionalCap),
  }));
  const most = mostRates(steps, before, policy.governor.tightenMaximumRatio);
  const brackets: Bracket[] = [];
  // Of the caps that have come to the same leverage, the one with the highest.
  let first = steps[0].cap;
  for (const [i, { leverage, cap }] of steps.entries()) {
    const floor = brackets.at(-1)?.notionalCap ?? 0;
    const floorMargin = brackets.length === 0 ? 0 : marginAt(brackets, floor);
    const slopeOver = (ofThem: readonly Corner[]): number =>
      ofThem.reduce(
        (most, point) =>
          point.notional > floor && point.notional <= cap
            ? Math.max(most, slopeUp(point, floor, floorMargin))
            : most,
        0,
      );
    const least = Math.max(
      (brackets.at(-1)?.maintenanceMarginRatePpm ?? 0) + 1,
      slopeOver(inForce),
      slopeUp({ notional: cap, marginMicros: marginAt(before, cap) }, floor, floorMargin),
    );
    const needed = Math.max(least, slopeOver(points));
    const rate = Math.min(needed, Math.max(least, most[i]));
    // A leverage that leaves no room for the rate goes down with it, as far as it may.
    const roomy = ladderDown(HIGHEST_RATE_LEVERAGE_PPM / rate, policy.leverageLadder);
    const lowered = Math.min(leverage, Math.max(roomy, leastLeverage(maxLeverageAt(before, first), policy)));
    const next = steps[i + 1];
    if (next !== undefined && next.leverage >= lowered) {
      steps[i + 1] = { ...next, leverage: lowered };
      continue;
    }
    first = next?.cap ?? cap;
    const roomiest = Math.floor(HIGHEST_RATE_LEVERAGE_PPM / lowered);
    if (least <= roomiest)
      brackets.push(makeBracket(brackets.at(-1), lowered, cap, Math.min(rate, roomiest)));
  }
  return brackets;
}

interface Corner {
  readonly notional: number;
  readonly marginMicros: number;
}

/** Leverages and caps on the way to a tighter schedule; leverages never rise, and the last one is 1. */
function stepsToFloor(before: readonly Bracket[], wanted: readonly Bracket[], policy: Policy): Step[] {
  const last = lastCapToFloor(before, wanted, policy);
  const leverage = (cap: number): number =>
    Math.min(
      maxLeverageAt(before, cap),
      Math.max(maxLeverageAt(wanted, cap), leastLeverage(maxLeverageAt(before, cap), policy)),
    );
  const caps = before.map(({ notionalCap }) => notionalCap).filter((cap) => cap < last);
  if (last < largestNotionalOf(before)) {
    // Leverage 1, which every schedule ends in, takes the last edge alone.
    const edge = EDGES.findLast((candidate) => candidate < last);
    if (edge !== undefined && edge > (caps.at(-1) ?? 0) && maxLeverageAt(before, edge) > 1) caps.push(edge);
  }
  return [...caps.map((cap) => ({ leverage: leverage(cap), cap })), { leverage: 1, cap: last }];
}

/** The largest position that is accepted on the way. */
function lastCapToFloor(before: readonly Bracket[], wanted: readonly Bracket[], policy: Policy): number {
  const cap = largestNotionalOf(before);
  const least = leastNotional(cap, policy.governor.tightenMaximumRatio);
  const aim = Math.max(largestNotionalOf(wanted), least);
  if (aim > least || aim === cap) return aim;
  // With the least cap the last edge below it would fall to leverage 1: not where that is too far at once.
  const isFar = leastLeverage(maxLeverageAt(before, least), policy) > 1;
  return isFar ? Math.min(EDGES.find((edge) => edge > least) ?? cap, cap) : least;
}

/** The least largest position that one decision may leave: the edge above 1 / ratio of it, or the next smaller one. */
function leastNotional(notional: number, ratio: number): number {
  const edge = EDGES.find((candidate) => candidate >= notional / ratio);
  if (edge !== undefined && edge < notional) return edge;
  return EDGES.findLast((candidate) => candidate < notional) ?? notional;
}

/** The least leverage that one decision may leave: the rung above 1 / ratio of it, or the next lower one. */
function leastLeverage(leverage: number, { leverageLadder: ladder, governor }: Policy): number {
  const rung = ladder.findLast((candidate) => candidate >= leverage / governor.tightenMaximumRatio);
  if (rung !== undefined && rung < leverage) return rung;
  return ladder.find((candidate) => candidate < leverage) ?? leverage;
}

/** For each step the highest rate that the ratio allows and that leaves room for the rates after it to rise. */
function mostRates(steps: readonly Step[], before: readonly Bracket[], ratio: number): readonly number[] {
  const most = steps.map(({ cap }) => mostRate(rateAt(before, cap), ratio));
  for (let i = most.length - 2; i >= 0; i--) most[i] = Math.min(most[i], most[i + 1] - 1);
  return most;
}

function mostRate(ratePpm: number, ratio: number): number {
  return Math.max(Math.floor(ratePpm * ratio), ratePpm + 1);
}

function rateAt(brackets: readonly Bracket[], notional: number): number {
  return (bracketFor(brackets, notional) ?? brackets[brackets.length - 1]).maintenanceMarginRatePpm;
}
