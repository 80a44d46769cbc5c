import { leverageToMarginPpmUp, PPM, rateToPpmUp } from '../units.ts';
import {
  HIGHEST_RATE_LEVERAGE_PPM,
  maintenanceMarginMicros,
  mostConservativeBrackets,
  SMALLEST_NOTIONAL_CAP,
} from './brackets.ts';
import type { MarginCurve } from './curve.ts';
import { fewestLoss } from './fewest-loss.ts';
import type { Policy } from './policy.ts';
import type { Bracket } from './types.ts';

/** Bracket edges are round numbers: these times a power of ten, in whole units of the quote asset. */
const EDGE_MANTISSAS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8];
/** Notionals that can be an edge, rising, from 1,000 to 8 billion: up to there maintenance margins are safe integers. */
export const EDGES: readonly number[] = Array.from({ length: 7 }, (_, decade) =>
  EDGE_MANTISSAS.map((mantissa) => Math.round(mantissa * SMALLEST_NOTIONAL_CAP * 10 ** decade)),
).flat();

/**
 * A bracket's rate is set by its largest position and paid by its smallest: while there are leverages to go on with, it
 * ends where its rate would be more than this much above what its first edge asks for.
 */
const LARGEST_RATE_RISE = 1.25;

/** What the bounds of a market leave: the margins to ask for, and the leverage and the position never to exceed. */
export interface ScheduleTarget {
  readonly curve: MarginCurve;
  readonly maximumLeverage: number;
  /** Positions above it are refused; taken down to an edge. */
  readonly largestNotional: number;
}

/** A leverage and the largest notional up to which it may be granted. */
export interface Step {
  readonly leverage: number;
  readonly cap: number;
}

/** Maintenance margin that a schedule must not be below at a notional, in millionths of the quote asset; integers. */
export interface CoverPoint {
  readonly notional: number;
  readonly marginMicros: number;
  /** Whether a bracket may end here. */
  readonly isEdge: boolean;
}

/** A target on the grid of edges: what may be granted at each, and the margins that cover the curve between them. */
export interface Requirement {
  /** Rising; at each at least leverage 1 is allowed. */
  readonly edges: readonly number[];
  /** The edges and the notionals around kinks, rising. */
  readonly points: readonly CoverPoint[];
  /** The highest rung of the ladder that is allowed at a notional; 0 where none is. */
  leverageAt(notional: number): number;
}

/** What is left where a target does not even allow leverage 1 at the smallest edge: the most conservative schedule. */
export const NOTHING_ALLOWED: Requirement = {
  edges: [SMALLEST_NOTIONAL_CAP],
  points: [
    {
      notional: SMALLEST_NOTIONAL_CAP,
      marginMicros: SMALLEST_NOTIONAL_CAP * HIGHEST_RATE_LEVERAGE_PPM,
      isEdge: true,
    },
  ],
  leverageAt: () => 1,
};

/** @returns null where the curve does not even allow leverage 1 at the smallest edge. */
export function requirementOf(target: ScheduleTarget, policy: Policy): Requirement | null {
  const { curve, maximumLeverage, largestNotional } = target;
  const ladder = policy.leverageLadder;
  const rungAt = (initial: number, from: number): number => {
    for (let r = from; r < ladder.length; r++)
      if (ladder[r] * initial <= 1 && (ladder[r] <= maximumLeverage || ladder[r] === 1)) return r;
    return ladder.length;
  };
  const edges: number[] = [];
  // The edges are asked for several times, other notionals hardly ever.
  const atEdges: number[] = [];
  for (let i = 0, rung = 0; i < EDGES.length; i++) {
    // A market in which nothing but less than the smallest edge can be closed out in time still has that edge.
    if (i > 0 && EDGES[i] > largestNotional) break;
    const initial = curve.initial(EDGES[i]);
    if (!(initial <= 1)) break;
    // Margins rise, so no later edge has a higher rung.
    rung = rungAt(initial, rung);
    edges.push(EDGES[i]);
    atEdges.push(ladder[rung] ?? 0);
  }
  if (edges.length === 0) return null;
  return {
    edges,
    points: coverPoints(curve, edges),
    leverageAt: (notional) => {
      const below = countWhile(edges.length, (i) => edges[i] <= notional) - 1;
      return edges[below] === notional ? atEdges[below] : (ladder[rungAt(curve.initial(notional), 0)] ?? 0);
    },
  };
}

/**
 * Cuts a target into brackets: exact integers, never granting more than the curve at any notional.
 *
 * @returns a schedule for which `scheduleFaults` is empty. Where the curve allows nothing, the most conservative one.
 */
export function bracketsFromCurve(target: ScheduleTarget, policy: Policy): readonly Bracket[] {
  const requirement = requirementOf(target, policy);
  return requirement === null ? mostConservativeBrackets() : bracketsOf(requirement, policy);
}

export function bracketsOf({ edges, points, leverageAt }: Requirement, policy: Policy): readonly Bracket[] {
  const steps = stepsAlong(edges, leverageAt, policy.leverageLadder);
  return cutBrackets(steps, points, policy.maximumBrackets, LARGEST_RATE_RISE);
}

/**
 * Each leverage with the largest edge at which it is granted. The last edge is kept for leverage 1, which every schedule
 * ends in. Rungs that are skipped follow with the edge of the one above, for where that one has to end earlier.
 *
 * @param leverageAt never rises.
 */
export function stepsAlong(
  edges: readonly number[],
  leverageAt: (notional: number) => number,
  ladder: readonly number[],
): readonly Step[] {
  const steps: Step[] = [];
  for (let i = 0; i < edges.length; i++) {
    const cap = edges[i];
    const leverage = i === edges.length - 1 ? 1 : leverageAt(cap);
    const above = steps.at(-1);
    if (above?.leverage === leverage) steps.pop();
    else if (above !== undefined) {
      for (const rung of ladder) {
        if (rung < above.leverage && rung > leverage) steps.push({ leverage: rung, cap: above.cap });
      }
    }
    steps.push({ leverage, cap });
  }
  return steps;
}

/**
 * Points such that a margin, continuous and linear by bracket, that covers them covers the curve everywhere: the edges, and the whole
 * notionals around each kink. Between two neighbours the curve's margin is convex, so it lies below the chord.
 */
function coverPoints(curve: MarginCurve, edges: readonly number[]): readonly CoverPoint[] {
  const points = edges.map((notional) => coverPoint(notional, curve.maintenance(notional), true));
  for (const kink of curve.kinks) {
    const above = Math.ceil(kink);
    // Below the first edge one rate holds from 0 on, and rates rise, so the edge alone tells.
    if (above <= edges[0] || above > edges[edges.length - 1]) continue;
    const rate = curve.maintenance(above);
    insert(points, coverPoint(above - 1, rate, false));
    insert(points, coverPoint(above, rate, false));
  }
  return points;
}

/** In its place. Where a kink falls beside an edge, the edge comes last, so that a bracket that ends there covers both. */
function insert(points: CoverPoint[], point: CoverPoint): void {
  let place = points.length;
  for (; place > 0; place--) {
    const { notional, isEdge } = points[place - 1];
    if (notional < point.notional || (notional === point.notional && !isEdge)) break;
  }
  points.splice(place, 0, point);
}

function coverPoint(notional: number, rate: number, isEdge: boolean): CoverPoint {
  return { notional, marginMicros: notional * rateToPpmUp(rate), isEdge };
}

/**
 * Brackets that grant each leverage at most up to its cap and nowhere less maintenance margin than the points ask for.
 *
 * Each bracket takes the least slope, in whole ppm, that covers all points in it from where the one before ended. Slopes
 * rise, so the margin is convex. Where a slope would be too near the initial rate, the bracket ends earlier and the next
 * leverage takes over.
 *
 * @param steps leverages fall, caps do not.
 * @param points rise.
 * @param largestRise a bracket ends where its rate would be more than this many times the rate that its first edge asks
 *   for; not kept where brackets have to be merged.
 */
export function cutBrackets(
  steps: readonly Step[],
  points: readonly CoverPoint[],
  maximumBrackets: number,
  largestRise = Number.POSITIVE_INFINITY,
): readonly Bracket[] {
  const all = coverSteps(steps, points, largestRise);
  // Merging two brackets needs at most the slope of the later one, so fewer steps can always be covered too.
  const brackets =
    all.length <= maximumBrackets
      ? all
      : coverSteps(fewestLoss(all.map(stepOf), maximumBrackets), points, Number.POSITIVE_INFINITY);
  const last = brackets.at(-1);
  if (last === undefined) return mostConservativeBrackets();
  if (last.maxLeverage === 1) return brackets;
  return [...brackets.slice(0, -1), { ...last, maxLeverage: 1, initialMarginRatePpm: PPM }];
}

function stepOf({ maxLeverage, notionalCap }: Bracket): Step {
  return { leverage: maxLeverage, cap: notionalCap };
}

function coverSteps(
  steps: readonly Step[],
  points: readonly CoverPoint[],
  largestRise: number,
): readonly Bracket[] {
  const brackets: Bracket[] = [];
  let next = 0;
  for (const step of steps) {
    const before = brackets.at(-1);
    const floor = before?.notionalCap ?? 0;
    const floorMargin = before === undefined ? 0 : maintenanceMarginMicros(before, floor);
    let rate = (before?.maintenanceMarginRatePpm ?? 0) + 1;
    let cap = 0;
    let capRate = 0;
    let most = HIGHEST_RATE_LEVERAGE_PPM / step.leverage;
    for (let i = next; i < points.length && points[i].notional <= step.cap; i++) {
      const point = points[i];
      if (point.notional > floor) rate = Math.max(rate, slopeUp(point, floor, floorMargin));
      if (rate > most) break;
      if (point.isEdge && point.notional > floor) {
        if (cap === 0 && step.leverage > 1) most = Math.min(most, rate * largestRise);
        cap = point.notional;
        capRate = rate;
        next = i + 1;
      }
    }
    if (cap > 0) brackets.push(makeBracket(before, step.leverage, cap, capRate));
  }
  return brackets;
}

/** The least whole slope from (floor, floorMargin) that reaches the point: exact, though division is not. */
export function slopeUp(point: Omit<CoverPoint, 'isEdge'>, floor: number, floorMargin: number): number {
  const run = point.notional - floor;
  const rise = point.marginMicros - floorMargin;
  let slope = Math.ceil(rise / run);
  if ((slope - 1) * run >= rise) slope--;
  if (slope * run < rise) slope++;
  return slope;
}

/** The bracket after `before`, at whose cap the maintenance margin goes on. */
export function makeBracket(
  before: Bracket | undefined,
  leverage: number,
  cap: number,
  ratePpm: number,
): Bracket {
  const floor = before?.notionalCap ?? 0;
  return {
    bracket: (before?.bracket ?? 0) + 1,
    initialMarginRatePpm: leverageToMarginPpmUp(leverage),
    maintenanceAmountMicros:
      before === undefined
        ? 0
        : before.maintenanceAmountMicros + floor * (ratePpm - before.maintenanceMarginRatePpm),
    maintenanceMarginRatePpm: ratePpm,
    maxLeverage: leverage,
    notionalCap: cap,
    notionalFloor: floor,
  };
}

/** How many of the first `length` indices hold; all that hold come first, so that bisection finds the count. */
function countWhile(length: number, holds: (index: number) => boolean): number {
  let holding = 0;
  let failing = length + 1;
  while (failing - holding > 1) {
    const middle = (holding + failing) >>> 1;
    if (holds(middle - 1)) holding = middle;
    else failing = middle;
  }
  return holding;
}
