import { leverageToMarginPpmUp, PPM } from '../units.ts';
import { MAINTENANCE_TO_INITIAL_RATIO, type MarginCurve } from './curve.ts';
import type { Policy } from './policy.ts';
import type { Bracket } from './types.ts';

/** Bracket edges are round numbers: these times a power of ten, in whole units of the quote asset. */
const EDGE_MANTISSAS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8];
/** Notionals that can be an edge, rising, from 1,000 to 8 billion: up to there maintenance margins are safe integers. */
export const EDGES: readonly number[] = Array.from({ length: 7 }, (_, exponent) =>
  EDGE_MANTISSAS.map((mantissa) => Math.round(mantissa * 10 ** (exponent + 3))),
).flat();
export const SMALLEST_NOTIONAL_CAP = EDGES[0];

const HIGHEST_RATE_LEVERAGE_PPM = MAINTENANCE_TO_INITIAL_RATIO * PPM;

/** Noise of the last place, in ppm, that must not raise a rate that is whole already. */
const PPM_NOISE = 1e-6;

interface Step {
  readonly leverage: number;
  readonly cap: number;
}

/**
 * Cuts a margin curve into brackets: exact integers, never granting more than the curve at any notional.
 *
 * Each leverage of the ladder holds up to the largest edge at which the curve still allows it. The maintenance rates
 * are chord slopes of the maintenance margin n · MMR(n), rounded up, so that the bracketed maintenance margin is
 * continuous, convex and nowhere below the curve's (the chord of a convex function lies above it).
 *
 * @param largestNotional positions above it are refused; taken down to an edge.
 * @returns a schedule for which `scheduleFaults` is empty. Where the curve allows nothing, one bracket of leverage 1.
 */
export function bracketsFromCurve(
  curve: MarginCurve,
  largestNotional: number,
  policy: Policy,
): readonly Bracket[] {
  const edges = EDGES.slice(0, Math.max(countUpTo(EDGES, largestNotional), 1));
  const steps = fewestLoss(leverageSteps(curve, edges, policy), policy.maximumBrackets);
  const brackets: Bracket[] = [];
  for (const step of steps) {
    const bracket =
      step.leverage === 1 ? lastBracket(brackets, curve, edges) : nextBracket(brackets, step, curve);
    if (bracket !== null) brackets.push(bracket);
  }
  return endInOne(brackets);
}

/** One bracket of leverage 1 up to the smallest cap: what is left when nothing is known. */
export function mostConservativeBrackets(): readonly Bracket[] {
  return [
    {
      bracket: 1,
      notionalFloor: 0,
      notionalCap: SMALLEST_NOTIONAL_CAP,
      maxLeverage: 1,
      initialMarginRatePpm: PPM,
      maintenanceMarginRatePpm: HIGHEST_RATE_LEVERAGE_PPM,
      maintenanceAmountMicros: 0,
    },
  ];
}

/** For each leverage that the curve allows somewhere, the largest edge up to which it does; leverages fall. */
function leverageSteps(curve: MarginCurve, edges: readonly number[], policy: Policy): Step[] {
  const steps: Step[] = [];
  for (const leverage of policy.leverageLadder) {
    const allowed = countAllowed(curve, edges, leverage);
    if (allowed === 0) continue;
    const cap = edges[allowed - 1];
    if (steps.length === 0 || cap > steps[steps.length - 1].cap) steps.push({ leverage, cap });
  }
  return steps;
}

/** How many of the edges, from the smallest, allow the leverage; the initial margin rises, so bisection finds it. */
function countAllowed(curve: MarginCurve, edges: readonly number[], leverage: number): number {
  let allowed = 0;
  let refused = edges.length + 1;
  while (refused - allowed > 1) {
    const middle = (allowed + refused) >>> 1;
    if (curve.initial(edges[middle - 1]) * leverage <= 1) allowed = middle;
    else refused = middle;
  }
  return allowed;
}

/**
 * Drops steps until at most `count` are left, each time the one that costs least: the notional range it covers times
 * the fall in leverage there, both in logs. The last step is never dropped.
 */
function fewestLoss(steps: Step[], count: number): Step[] {
  const kept = [...steps];
  while (kept.length > count) {
    let cheapest = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < kept.length - 1; i++) {
      const floor = i === 0 ? SMALLEST_NOTIONAL_CAP / 2 : kept[i - 1].cap;
      const loss = Math.log(kept[i].cap / floor) * Math.log(kept[i].leverage / kept[i + 1].leverage);
      if (loss < least) {
        least = loss;
        cheapest = i;
      }
    }
    kept.splice(cheapest, 1);
  }
  return kept;
}

/** The bracket of a step, or null where its maintenance rate would be too near the initial one: the next step takes over. */
function nextBracket(before: readonly Bracket[], step: Step, curve: MarginCurve): Bracket | null {
  const rate = chordRatePpm(before, step.cap, curve);
  return rate * step.leverage <= HIGHEST_RATE_LEVERAGE_PPM ? makeBracket(before, step, rate) : null;
}

/** The bracket of leverage 1, with the largest cap whose maintenance rate is still allowed. */
function lastBracket(
  before: readonly Bracket[],
  curve: MarginCurve,
  edges: readonly number[],
): Bracket | null {
  const floor = before.at(-1)?.notionalCap ?? 0;
  for (let i = countAllowed(curve, edges, 1) - 1; i >= 0 && edges[i] > floor; i--) {
    const rate = chordRatePpm(before, edges[i], curve);
    if (rate <= HIGHEST_RATE_LEVERAGE_PPM) return makeBracket(before, { leverage: 1, cap: edges[i] }, rate);
  }
  return null;
}

function chordRatePpm(before: readonly Bracket[], cap: number, curve: MarginCurve): number {
  const last = before.at(-1);
  const floor = last?.notionalCap ?? 0;
  const marginAtFloor = last === undefined ? 0 : maintenanceMarginMicros(last, floor);
  const marginAtCap = cap * curve.maintenance(cap) * PPM;
  const chord = Math.ceil((marginAtCap - marginAtFloor) / (cap - floor) - PPM_NOISE);
  return Math.max(chord, (last?.maintenanceMarginRatePpm ?? 0) + 1);
}

function makeBracket(before: readonly Bracket[], step: Step, ratePpm: number): Bracket {
  const last = before.at(-1);
  const floor = last?.notionalCap ?? 0;
  const amount =
    last === undefined ? 0 : last.maintenanceAmountMicros + floor * (ratePpm - last.maintenanceMarginRatePpm);
  return {
    bracket: before.length + 1,
    notionalFloor: floor,
    notionalCap: step.cap,
    maxLeverage: step.leverage,
    initialMarginRatePpm: leverageToMarginPpmUp(step.leverage),
    maintenanceMarginRatePpm: ratePpm,
    maintenanceAmountMicros: amount,
  };
}

/** The last bracket is one of leverage 1, by lowering the last one if need be. */
function endInOne(brackets: readonly Bracket[]): readonly Bracket[] {
  const last = brackets.at(-1);
  if (last === undefined) return mostConservativeBrackets();
  if (last.maxLeverage === 1) return brackets;
  return [...brackets.slice(0, -1), { ...last, maxLeverage: 1, initialMarginRatePpm: PPM }];
}

function countUpTo(rising: readonly number[], bound: number): number {
  let count = 0;
  while (count < rising.length && rising[count] <= bound) count++;
  return count;
}

/** Maintenance margin of a notional in this bracket, in millionths of the quote asset: n · rate − amount, exactly. */
export function maintenanceMarginMicros(bracket: Bracket, notional: number): number {
  return notional * bracket.maintenanceMarginRatePpm - bracket.maintenanceAmountMicros;
}

/** The bracket with notionalFloor < notional ≤ notionalCap; the first for 0; null above the last cap: refused. */
export function bracketFor(brackets: readonly Bracket[], notional: number): Bracket | null {
  for (const bracket of brackets) if (notional <= bracket.notionalCap) return bracket;
  return null;
}

/**
 * Every invariant of a schedule that does not hold, in words; empty for a good one. Checked in tests and again before
 * a book is sealed, because nothing that breaks one may be published.
 */
export function scheduleFaults(brackets: readonly Bracket[]): string[] {
  const faults: string[] = [];
  if (brackets.length === 0) return ['it has no bracket'];
  for (const [i, bracket] of brackets.entries()) {
    const before = i === 0 ? undefined : brackets[i - 1];
    const name = `bracket ${i + 1}`;
    const integers = [
      bracket.notionalFloor,
      bracket.notionalCap,
      bracket.initialMarginRatePpm,
      bracket.maintenanceMarginRatePpm,
      bracket.maintenanceAmountMicros,
    ];
    if (!integers.every(Number.isSafeInteger))
      faults.push(`${name} holds a number that is not a safe integer`);
    if (bracket.bracket !== i + 1) faults.push(`${name} is numbered ${bracket.bracket}`);
    if (bracket.notionalFloor !== (before?.notionalCap ?? 0))
      faults.push(`${name} does not start where the one before ends`);
    if (bracket.notionalCap <= bracket.notionalFloor) faults.push(`${name} is empty`);
    if (before !== undefined && bracket.maxLeverage >= before.maxLeverage)
      faults.push(`leverage does not fall in ${name}`);
    if (bracket.maintenanceMarginRatePpm <= (before?.maintenanceMarginRatePpm ?? 0))
      faults.push(`the maintenance rate does not rise in ${name}`);
    if (bracket.initialMarginRatePpm !== leverageToMarginPpmUp(bracket.maxLeverage))
      faults.push(`the initial rate of ${name} is not 1 / leverage`);
    if (bracket.maintenanceMarginRatePpm * bracket.maxLeverage > HIGHEST_RATE_LEVERAGE_PPM)
      faults.push(`the maintenance rate of ${name} is too near the initial one`);
    if (before !== undefined) {
      const edge = bracket.notionalFloor;
      if (maintenanceMarginMicros(before, edge) !== maintenanceMarginMicros(bracket, edge))
        faults.push(`maintenance margin jumps at the floor of ${name}`);
    } else if (bracket.maintenanceAmountMicros !== 0) faults.push('the first maintenance amount is not 0');
  }
  if (brackets[brackets.length - 1].maxLeverage !== 1) faults.push('the last bracket is not of leverage 1');
  return faults;
}
