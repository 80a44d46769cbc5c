import type { Policy } from '../../src/limits/policy.ts';
import { policyHash } from '../../src/limits/policy.ts';
import { type Anticipation, anticipated } from './anticipation.ts';
import { executionOf } from './execution.ts';
import { addUp, type MarketMeasures, type Measures, measureMarket } from './measures.ts';
import { type RecordedTables, recordedPath } from './recorded-tables.ts';
import { replayPolicy } from './replay.ts';
import { staticPath, volatilityPath } from './rule-paths.ts';
import type { SchedulePath } from './schedule-path.ts';
import { solveMonotone } from './solve.ts';
import type { MarketTape, Tape } from './tape.ts';
import type { TraderRules } from './traders.ts';

/** Everything that is measured alike: the tape, the traders, what a closeout meets. */
export interface Stage {
  readonly tape: Tape;
  readonly rules: TraderRules;
  /** Closeouts of all tables are those of this policy. */
  readonly policy: Policy;
  /** A decision is made every so many hours. */
  readonly decisionHours: number;
}

/** A table through the span, and what it did. */
export interface Walked {
  readonly paths: ReadonlyMap<string, SchedulePath>;
  readonly measures: Measures;
  readonly byMarket: ReadonlyMap<string, MarketMeasures>;
}

/** Which hours of a market count; those in which all tables of a comparison exist. */
export type Counted = (market: MarketTape) => Uint8Array | null;

export const everyHour: Counted = ({ bars }) => new Uint8Array(bars.length).fill(1);

/** @param pathOf null where there is no table of a market. @param onMarket told before each market; may throw to end. */
export function walk(
  { tape, rules, policy }: Stage,
  pathOf: (market: MarketTape) => SchedulePath | null,
  counted: Counted,
  onMarket: (done: number, total: number) => void = () => {},
): Walked {
  const paths = new Map<string, SchedulePath>();
  const byMarket = new Map<string, MarketMeasures>();
  for (const [i, market] of tape.markets.entries()) {
    onMarket(i, tape.markets.length);
    const hours = counted(market);
    const path = hours === null ? null : pathOf(market);
    if (hours === null || path === null) continue;
    paths.set(market.symbol, path);
    byMarket.set(
      market.symbol,
      measureMarket(market, path, executionOf(market, policy), rules, policy.marginCallHorizonHours, hours),
    );
  }
  return { paths, byMarket, measures: addUp([...byMarket.values()]) };
}

export function walkPolicy(
  stage: Stage,
  policy: Policy,
  counted: Counted,
  onMarket?: (done: number, total: number) => void,
): Walked {
  return walk(
    stage,
    (market) => replayPolicy(stage.tape, market, policy, stage.decisionHours),
    counted,
    onMarket,
  );
}

/** The hours in which an exchange's table of a market was known; null of markets that it never had. */
export function recordedHours(tables: RecordedTables): Counted {
  return (market) => {
    const versions = tables.get(market.symbol);
    if (versions === undefined) return null;
    const { opening } = recordedPath(market.symbol, versions, market.bars);
    return Uint8Array.from(opening, (table) => (table >= 0 ? 1 : 0));
  };
}

export function walkRecorded(stage: Stage, tables: RecordedTables): Walked {
  return walk(
    stage,
    ({ symbol, bars }) => recordedPath(symbol, tables.get(symbol) ?? [], bars),
    recordedHours(tables),
  );
}

/** How a policy compares with what an exchange really did, on the same markets and hours. */
export interface AgainstRecorded {
  readonly name: string;
  readonly measures: Measures;
  readonly markets: number;
  /** The policy itself on these markets and hours. */
  readonly own: Measures;
  readonly cutsAnticipatedRatio: number | null;
  readonly cuts: readonly Anticipation[];
  /** The policy with the margin multiplier at which its average leverage is the exchange's. */
  readonly atEqualLeverage: Matched | null;
  /** The policy with the margin multiplier at which its bad debt is the exchange's. */
  readonly atEqualBadDebt: Matched | null;
}

export interface Matched {
  readonly marginMultiplier: number;
  readonly measures: Measures;
  readonly cutsAnticipatedRatio: number | null;
  /** Bad debt over the exchange's at equal leverage; leverage over the exchange's at equal bad debt. */
  readonly ratio: number;
}

export function againstRecorded(
  stage: Stage,
  name: string,
  tables: RecordedTables,
  onStep: (remark: string) => void,
): AgainstRecorded {
  const { policy } = stage;
  const counted = recordedHours(tables);
  const exchange = walkRecorded(stage, tables);
  const cutsOf = (walked: Walked): readonly Anticipation[] => anticipated(stage.tape, tables, walked.paths);
  onStep(`the policy on the hours of ${name}`);
  const own = walkPolicy(stage, policy, counted);
  const cuts = cutsOf(own);
  const match = (
    what: 'averageLeverage' | 'badDebtRatio',
    judge: (measures: Measures) => number,
  ): Matched | null => {
    const target = exchange.measures[what];
    let best: Walked | null = null;
    const multiplier = solveMonotone(target, MULTIPLIER_RANGE, (candidate) => {
      onStep(`margin multiplier ${candidate.toFixed(4)}`);
      best = walkPolicy(stage, { ...policy, marginMultiplier: candidate }, counted);
      return best.measures[what];
    });
    if (multiplier === null || best === null) return null;
    const walked: Walked = best;
    return {
      marginMultiplier: multiplier,
      measures: walked.measures,
      cutsAnticipatedRatio: ratioOf(cutsOf(walked)),
      ratio: judge(walked.measures),
    };
  };
  return {
    name,
    measures: exchange.measures,
    markets: exchange.paths.size,
    own: own.measures,
    cutsAnticipatedRatio: ratioOf(cuts),
    cuts,
    atEqualLeverage: match(
      'averageLeverage',
      ({ badDebtRatio }) => badDebtRatio / exchange.measures.badDebtRatio,
    ),
    atEqualBadDebt: match(
      'badDebtRatio',
      ({ averageLeverage }) => averageLeverage / exchange.measures.averageLeverage,
    ),
  };
}

/** Where a policy's leverage or bad debt is looked for. */
const MULTIPLIER_RANGE = [0.02, 4] as const;

function ratioOf(cuts: readonly Anticipation[]): number | null {
  return cuts.length === 0 ? null : cuts.filter(({ isAnticipated }) => isAnticipated).length / cuts.length;
}

/** A rule of desks, with the number of deviations at which its average leverage is the policy's. */
export interface AgainstRule {
  readonly name: string;
  readonly deviations: number;
  readonly measures: Measures;
}

const DEVIATIONS_RANGE = [0.05, 40] as const;

export function againstRule(
  stage: Stage,
  name: 'static' | 'volatility',
  target: Measures,
): AgainstRule | null {
  const pathOf = name === 'static' ? staticPath : volatilityPath;
  let walked: Walked | null = null;
  const deviations = solveMonotone(target.averageLeverage, DEVIATIONS_RANGE, (candidate) => {
    walked = walk(stage, (market) => pathOf(market, stage.policy, candidate), everyHour);
    return walked.measures.averageLeverage;
  });
  return deviations === null || walked === null
    ? null
    : { name, deviations, measures: (walked as Walked).measures };
}

export function policyNamed(policy: Policy): { readonly name: string; readonly hash: string } {
  return { name: policy.name, hash: policyHash(policy) };
}
