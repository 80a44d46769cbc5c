import type { Policy, RiskAppetite } from '../../src/limits/policy.ts';
import { everyHour, type Stage, walkPolicy } from './backtest.ts';
import type { Measures } from './measures.ts';
import { solveMonotone } from './solve.ts';

export interface FrontierPoint {
  readonly marginMultiplier: number;
  readonly measures: Measures;
}

export interface Calibration {
  readonly policy: Policy;
  readonly measures: Measures;
  /** Which part of the appetite decided the margins. */
  readonly binding: 'badDebtPerNotionalYear' | 'liquidationProbability' | null;
  /** What could not be met, in words; empty where all is. */
  readonly unmet: readonly string[];
  /** By rising multiplier: what more or less margin would have done. */
  readonly frontier: readonly FrontierPoint[];
}

const MULTIPLIER_RANGE = [0.05, 8] as const;
/** The frontier is drawn at these multiples of the solution. */
const FRONTIER = [0.25, 0.4, 0.6, 0.8, 1, 1.25, 1.6, 2, 3] as const;

/**
 * Solves a policy for an appetite on a tape: the pace of cuts from the largest daily cut, then the least margin multiplier at which bad debt and
 * liquidations are within it. Both fall as margins rise, so each is solved by itself and the larger multiplier holds both.
 */
export function calibrate(
  stage: Stage,
  appetite: RiskAppetite,
  onStep: (remark: string, share: number) => void,
): Calibration {
  const paced = pacedFor(stage.policy, appetite.largestDailyCutRatio);
  const tried = new Map<number, Measures>();
  const measure = (marginMultiplier: number): Measures => {
    const known = tried.get(marginMultiplier);
    if (known !== undefined) return known;
    onStep(`margin multiplier ${marginMultiplier.toFixed(4)}`, tried.size / (FRONTIER.length + 12));
    const { measures } = walkPolicy(stage, { ...paced, marginMultiplier }, everyHour);
    tried.set(marginMultiplier, measures);
    return measures;
  };
  const unmet: string[] = [];
  const solved = (['badDebtPerNotionalYear', 'liquidationProbability'] as const).flatMap((name) => {
    const target = appetite[name];
    if (target === null) return [];
    const multiplier = solveMonotone(target, MULTIPLIER_RANGE, (x) => MEASURE[name](measure(x)));
    if (multiplier === null)
      unmet.push(
        `${name} of ${target} is outside of what margins between ${MULTIPLIER_RANGE.join(' and ')} times reach`,
      );
    return multiplier === null ? [] : [{ name, multiplier }];
  });
  const [binding] = solved.sort((a, b) => b.multiplier - a.multiplier);
  const marginMultiplier = binding?.multiplier ?? paced.marginMultiplier;
  const measures = measure(marginMultiplier);
  const cut = appetite.largestDailyCutRatio;
  const cutRatio = 1 / (1 - measures.largestDailyCut);
  if (cut !== null && cutRatio > cut)
    unmet.push(`the largest daily cut of the median market is by ${cutRatio.toFixed(2)}, not ${cut}`);
  const frontier = FRONTIER.map((factor) => factor * marginMultiplier).map((multiplier) => ({
    marginMultiplier: multiplier,
    measures: measure(multiplier),
  }));
  return {
    policy: { ...paced, marginMultiplier: Math.ceil(marginMultiplier * 1e4) / 1e4 },
    measures,
    binding: binding?.name ?? null,
    unmet,
    frontier,
  };
}

const MEASURE = {
  badDebtPerNotionalYear: ({ badDebtRatio }: Measures) => badDebtRatio,
  liquidationProbability: ({ liquidations, positions, refusedRatio }: Measures) =>
    liquidations / Math.max(positions * (1 - refusedRatio), 1),
} as const;

/** One decision a day goes as far as the largest daily cut allows, and no other follows before the day is over. */
function pacedFor(policy: Policy, largestDailyCutRatio: number | null): Policy {
  if (largestDailyCutRatio === null) return policy;
  const governor = { ...policy.governor, tightenMaximumRatio: largestDailyCutRatio, tightenPaceHours: 24 };
  return { ...policy, governor };
}
