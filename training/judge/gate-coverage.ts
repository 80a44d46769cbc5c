import type { GateResult } from '../../models/gate-record.ts';
import type { GatePolicy } from './gate-policy.ts';
import { percent, unmeasured } from './gate-words.ts';
import type { CellJudgement, Judgement } from './judgement.ts';
import type { CoverageByChance, PooledCoverage, PoolJudgement } from './pool.ts';

/** Size of the tests of single markets. */
const SIGNIFICANCE = 0.05;

/** Of a cell: whether it holds; null where the test says nothing. */
const TESTS: readonly (readonly [
  gate: string,
  name: string,
  holds: (cell: CellJudgement) => boolean | null,
])[] = [
  ['coverage-rate', 'the 95 % interval of their rate', ({ insideBinomial }) => insideBinomial],
  ['coverage-kupiec', 'Kupiec', ({ kupiecPValue }) => kupiecPValue >= SIGNIFICANCE],
  [
    'coverage-conditional',
    'conditional coverage',
    ({ conditionalCoveragePValue: p }) => (p === null ? null : p >= SIGNIFICANCE),
  ],
  ['coverage-shortfall', 'Z2', ({ z2PValue: p }) => (p === null ? null : p >= SIGNIFICANCE)],
];

/** Whether losses exceed VaR as often, and by as much, as they should: market by market, all together, and in stress. */
export function coverageGates(
  judgement: Judgement,
  pool: PoolJudgement | null,
  policy: GatePolicy,
): readonly GateResult[] {
  const isMeant = (confidence: number): boolean =>
    (policy.confidences as readonly number[]).includes(confidence);
  const cells = judgement.cells.filter(
    ({ forecaster, confidence, horizonHours }) =>
      forecaster === judgement.candidate &&
      isMeant(confidence) &&
      (policy.horizonsHours as readonly number[]).includes(horizonHours),
  );
  const chance = pool?.chance.find(
    ({ confidences }) => confidences.length === policy.confidences.length && confidences.every(isMeant),
  );
  return [
    ...TESTS.map(([gate, name, holds]) => shareGate(gate, name, cells.map(holds), chance)),
    pooledGate(pool?.coverage ?? [], policy.coverageSignificance),
    stressGate(judgement, policy),
  ];
}

function shareGate(
  gate: string,
  name: string,
  held: readonly (boolean | null)[],
  chance: CoverageByChance | undefined,
): GateResult {
  const tested = held.filter((one) => one !== null);
  if (chance === undefined || tested.length === 0) return unmeasured(gate, chance?.leastShare ?? 1);
  const holding = tested.filter(Boolean).length;
  const share = holding / tested.length;
  return {
    gate,
    passed: share >= chance.leastShare,
    measured: share,
    bound: chance.leastShare,
    words: `${name} holds in ${holding} of ${tested.length} cells, ${percent(share, 1)}; right forecasts have ${percent(chance.leastShare, 1)} or more with a probability of ${percent(chance.level, 0)}`,
  };
}

/** Bonferroni over all cells: none of them may be rejected beyond what chance does to the worst of so many. */
function pooledGate(coverage: readonly PooledCoverage[], significance: number): GateResult {
  const tested = coverage.flatMap((cell) =>
    cell.kupiecPValue === null ? [] : [{ ...cell, p: cell.kupiecPValue }],
  );
  if (tested.length === 0) return unmeasured('coverage-pooled', significance);
  const bound = significance / tested.length;
  const worst = tested.reduce((lowest, cell) => (cell.p < lowest.p ? cell : lowest));
  const { side, horizonHours, confidence, exceedanceRate, p } = worst;
  return {
    gate: 'coverage-pooled',
    passed: p >= bound,
    measured: p,
    bound,
    words: `of all markets together, farthest off is ${side} ${horizonHours} h ${percent(confidence)} with ${percent(exceedanceRate, 3)} exceeded, p ${p.toPrecision(2)}; at least ${bound.toPrecision(2)} for the worst of ${tested.length}`,
  };
}

function stressGate({ coverage, candidate }: Judgement, policy: GatePolicy): GateResult {
  const bound = policy.mostStressExceedanceRatio;
  const own = coverage.filter(
    ({ forecaster, confidence }) =>
      forecaster === candidate && (policy.confidences as readonly number[]).includes(confidence),
  );
  if (own.length === 0) return unmeasured('stress-exceedances', bound);
  const ratios = own.map((one) => ({ ...one, ratio: one.exceedanceRateInStress / (1 - one.confidence) }));
  const worst = ratios.reduce((largest, one) => (one.ratio > largest.ratio ? one : largest));
  return {
    gate: 'stress-exceedances',
    passed: worst.ratio <= bound,
    measured: worst.ratio,
    bound,
    words: `in the highest fifth of volatility ${percent(worst.exceedanceRateInStress)} exceeded at ${percent(worst.confidence)}, ${worst.ratio.toFixed(2)} times as often as they should; at most ${bound} times`,
  };
}
