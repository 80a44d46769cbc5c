import { MICROS } from '../units.ts';
import { bracketFor, bracketsFromCurve, EDGES, maintenanceMarginMicros } from './brackets.ts';
import type { MarginCurve } from './curve.ts';
import type { Policy } from './policy.ts';
import type { Bracket, GovernorRecord, Move } from './types.ts';

const HOUR_MILLISECONDS = 3_600_000;

/** What was in force before, as far as the governor needs it. */
export interface InForce {
  readonly brackets: readonly Bracket[];
  /** Since when, epoch milliseconds. */
  readonly changedAt: number;
}

export interface GovernedSchedule {
  readonly brackets: readonly Bracket[];
  readonly record: GovernorRecord;
}

/**
 * Decides how far a market's schedule may move towards what its bounds allow. At every notional on its own:
 * what is tighter is taken at once; what is looser only when the last change is long enough ago, when the gain is
 * beyond the dead band, and then by one step at most. A schedule that is not to move stays the same to the bit.
 *
 * @param target curve and largest notional that the bounds give now.
 * @param mayLoosen false while the data or the model of the market are in doubt.
 * @param decidedAt epoch milliseconds; earlier than the last change (a clock that jumped back) forbids loosening.
 */
export function govern(
  target: { readonly curve: MarginCurve; readonly largestNotional: number },
  inForce: InForce | null,
  mayLoosen: boolean,
  policy: Policy,
  decidedAt: number,
): GovernedSchedule {
  const wanted = bracketsFromCurve(target.curve, target.largestNotional, policy);
  const targetMaxLeverage = wanted[0].maxLeverage;
  const delay = policy.governor.loosenDelayHours * HOUR_MILLISECONDS;
  const settle = (brackets: readonly Bracket[], move: Move, changedAt: number): GovernedSchedule => ({
    brackets,
    record: {
      move,
      previousMaxLeverage: inForce?.brackets[0].maxLeverage ?? null,
      targetMaxLeverage,
      publishedMaxLeverage: brackets[0].maxLeverage,
      changedAt,
      looseningAllowedAt: changedAt + delay,
    },
  });
  if (inForce === null) return settle(wanted, 'initial', decidedAt);

  const before = inForce.brackets;
  const loosens = isLooserSomewhere(wanted, before, policy.governor.deadBandRatio);
  const isTime = decidedAt - inForce.changedAt >= delay;
  const step = loosens && mayLoosen && isTime ? oneStep(policy) : NO_STEP;
  const governed = bracketsFromCurve(
    notBelow(target.curve, before, step),
    Math.min(target.largestNotional, step.notional(before[before.length - 1].notionalCap)),
    policy,
  );
  const tightens = isLooserSomewhere(before, governed, 1);
  const loosened = isLooserSomewhere(governed, before, 1);
  if (!tightens && !loosened) return settle(before, 'hold', inForce.changedAt);
  return settle(governed, tightens ? 'tighten' : 'loosen', decidedAt);
}

/** How far one step may go from what is in force. */
interface LooseningStep {
  leverage(inForce: number): number;
  maintenanceRate(inForce: number): number;
  notional(inForce: number): number;
}

const NO_STEP: LooseningStep = {
  leverage: (inForce) => inForce,
  maintenanceRate: (inForce) => inForce,
  notional: (inForce) => inForce,
};

/**
 * One step: by the policy's ratio, or to the next rung of the ladder and the next bracket edge where those are wider
 * apart than the ratio. Otherwise a schedule could never leave a wide rung.
 */
function oneStep({ leverageLadder, governor }: Policy): LooseningStep {
  const ratio = governor.loosenMaximumRatio;
  const nextRung = (leverage: number): number =>
    leverageLadder.findLast((rung) => rung > leverage) ?? leverage;
  const nextEdge = (notional: number): number => EDGES.find((edge) => edge > notional) ?? notional;
  return {
    leverage: (inForce) => Math.max(inForce * ratio, nextRung(inForce)),
    maintenanceRate: (inForce) => inForce / ratio,
    notional: (inForce) => Math.max(inForce * ratio, nextEdge(inForce)),
  };
}

/** The target's margins, but nowhere further below those in force than one step. */
function notBelow(target: MarginCurve, before: readonly Bracket[], step: LooseningStep): MarginCurve {
  const last = before[before.length - 1];
  const inForceAt = (notional: number): Bracket => bracketFor(before, notional) ?? last;
  return {
    maintenance: (notional) => {
      const rate = maintenanceMarginMicros(inForceAt(notional), notional) / MICROS / notional;
      return Math.max(target.maintenance(notional), step.maintenanceRate(rate));
    },
    initial: (notional) =>
      Math.max(target.initial(notional), 1 / step.leverage(inForceAt(notional).maxLeverage)),
  };
}

/** Whether `a` grants more than `b` × ratio at some notional: leverage, maintenance margin or the largest position. */
export function isLooserSomewhere(a: readonly Bracket[], b: readonly Bracket[], ratio: number): boolean {
  const capOfA = a[a.length - 1].notionalCap;
  const capOfB = b[b.length - 1].notionalCap;
  if (capOfA > capOfB * ratio) return true;
  const edges = new Set([...a, ...b].flatMap((bracket) => [bracket.notionalCap, bracket.notionalFloor + 1]));
  for (const notional of edges) {
    const inA = bracketFor(a, notional);
    const inB = bracketFor(b, notional);
    if (inA === null || inB === null) continue;
    if (inA.maxLeverage > inB.maxLeverage * ratio) return true;
    if (maintenanceMarginMicros(inA, notional) * ratio < maintenanceMarginMicros(inB, notional)) return true;
  }
  return false;
}
