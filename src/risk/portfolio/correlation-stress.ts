import { PlimsollError } from '../../errors.ts';
import { DAY_MILLISECONDS } from '../../units.ts';
import { symmetricEigen } from '../numeric/eigen.ts';
import { requireWhole, requireWithin } from '../numeric/inputs.ts';
import {
  type CorrelationEstimate,
  type CorrelationOptions,
  correlationMatrix,
  type ReturnPanel,
} from './correlation-matrix.ts';
import { requireCorrelations } from './nearest-correlation.ts';
import { type ParametricOptions, parametricRisk } from './parametric-risk.ts';
import { netNotionals, type Position } from './scenario-losses.ts';

/**
 * Where correlations go. as-one: all markets become one, each on the side of it where it already is. one-factor: to what the
 * first principal component alone would give, so that no market is moved to where it never belonged. apart: to none, which
 * is what hurts a hedge.
 */
export type CorrelationTarget = 'as-one' | 'one-factor' | 'apart';

/**
 * C_stress = (1 − k) C + k T, the algebra of shrinkage (Ledoit and Wolf 2004) used the other way, with targets from a factor
 * model (Packham and Woebbeking 2019). T is ssᵀ with s the
 * signs of the first eigenvector, or lᵢlⱼ beside a unit diagonal with l the correlations with the first principal
 * component, or the identity. All of these are correlation matrices, and so is every blend: convex sets need no repair.
 *
 * @param correlation size × size. @param share k in [0, 1].
 * @throws PlimsollError INPUT_INVALID for a share outside or a matrix that is none of correlations.
 */
export function blendedCorrelation(
  correlation: Float64Array,
  size: number,
  share: number,
  target: CorrelationTarget,
): Float64Array {
  requireWithin('the share', share, 0, 1);
  requireCorrelations(correlation, size);
  const loadings = loadingsOf(correlation, size, target);
  const blend = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    blend[i * size + i] = 1;
    for (let j = 0; j < i; j++) {
      const entry = (1 - share) * correlation[i * size + j] + share * (loadings[i] * loadings[j]);
      blend[i * size + j] = blend[j * size + i] = Math.max(-1, Math.min(1, entry));
    }
  }
  return blend;
}

function loadingsOf(correlation: Float64Array, size: number, target: CorrelationTarget): Float64Array {
  const loadings = new Float64Array(size);
  if (target === 'apart') return loadings;
  const { values, vectors } = symmetricEigen(correlation, size);
  for (let i = 0; i < size; i++) {
    const loading = vectors[i * size] * Math.sqrt(values[0]);
    if (target === 'as-one') loadings[i] = loading < 0 ? -1 : 1;
    else loadings[i] = Math.max(-1, Math.min(1, loading));
  }
  return loadings;
}

export interface StressedDays {
  /** Of the returns in the stressed blocks. */
  readonly stressed: CorrelationEstimate;
  /** Of all the others. */
  readonly calm: CorrelationEstimate;
  readonly blocks: number;
  readonly stressedBlocks: number;
  /** Volatility per slot of the markets' mean move, from which on a block counts as stressed. */
  readonly threshold: number;
}

export interface StressedDaysOptions {
  /** Share of the blocks that are stressed, in (0, 1). A tenth unless given. */
  readonly share?: number;
  /** A day unless given. */
  readonly blockMilliseconds?: number;
  readonly leastPairs?: number;
}

/**
 * The correlations and volatilities that the user's own history had on its most volatile days, beside those of the rest.
 * A day's volatility is the root mean square of the markets' mean return over its slots.
 *
 * Part of what correlations rise by is the selection itself: among days chosen for large common moves, correlations are
 * higher even if nothing ever changed (Boyer, Gibson and Loretan 1999; Forbes and Rigobon 2002). For loads of a margin
 * this is no error, since margin is for those days; as evidence of contagion it would be.
 *
 * @throws PlimsollError INPUT_INVALID for a share or block that is none; DATA_INSUFFICIENT for fewer than two stressed blocks,
 * and as `correlationMatrix`.
 */
export function stressedDays(
  panel: ReturnPanel,
  { share = 0.1, blockMilliseconds = DAY_MILLISECONDS, leastPairs }: StressedDaysOptions = {},
): StressedDays {
  requireWithin('the share', share, Number.MIN_VALUE, 1 - Number.EPSILON);
  requireWhole('the block', blockMilliseconds, 1);
  const blockOf = Array.from(panel.time, (time) => Math.floor(time / blockMilliseconds));
  const sums = new Map<number, { squares: number; slots: number }>();
  for (let t = 0; t < panel.slots; t++) {
    let sum = 0;
    let markets = 0;
    for (let m = 0; m < panel.markets.length; m++) {
      sum += panel.returns[m * panel.slots + t];
      markets += panel.known[m * panel.slots + t];
    }
    if (markets === 0) continue;
    const block = sums.get(blockOf[t]) ?? { squares: 0, slots: 0 };
    block.squares += (sum / markets) ** 2;
    block.slots++;
    sums.set(blockOf[t], block);
  }
  const ranked = [...sums].map(([block, { squares, slots }]) => ({ block, variance: squares / slots }));
  ranked.sort((a, b) => b.variance - a.variance || a.block - b.block);
  const stressedBlocks = Math.round(share * ranked.length);
  if (stressedBlocks < 2 || stressedBlocks >= ranked.length)
    throw new PlimsollError('DATA_INSUFFICIENT', `${ranked.length} days have no most volatile tenth`, {
      remedy: 'Give a longer history, or another share.',
    });
  const worst = new Set(ranked.slice(0, stressedBlocks).map(({ block }) => block));
  const isStressed = Uint8Array.from(blockOf, (block) => (worst.has(block) ? 1 : 0));
  const options: CorrelationOptions = leastPairs === undefined ? {} : { leastPairs };
  return {
    stressed: correlationMatrix(panel, { ...options, slots: isStressed }),
    calm: correlationMatrix(panel, { ...options, slots: isStressed.map((mark) => 1 - mark) }),
    blocks: ranked.length,
    stressedBlocks,
    threshold: Math.sqrt(ranked[stressedBlocks - 1].variance),
  };
}

export interface CorrelationCase {
  /**
   * measured: as the whole history has it. stressed-days: correlations of the most volatile days, volatilities of the whole;
   * stressed-days-and-volatility: both of those days; the others: the measured ones blended.
   */
  readonly name: 'measured' | 'stressed-days' | 'stressed-days-and-volatility' | CorrelationTarget;
  readonly volatility: number;
  readonly valueAtRisk: number;
  readonly expectedShortfall: number;
}

export interface CorrelationStress {
  /** In the order of the names above. */
  readonly cases: readonly CorrelationCase[];
  /** The case with the largest ES. */
  readonly worst: CorrelationCase;
  /** Σ of the positions' own ES at measured volatilities: no correlation can make more of it. */
  readonly sumOfStandalone: number;
}

export interface CorrelationStressOptions extends ParametricOptions, StressedDaysOptions {
  /** Volatilities are scaled by its root. */
  readonly horizonBars: number;
  /** k of the blends, in [0, 1]. Half unless given. */
  readonly blend?: number;
  /** Of the measured correlations; see `CorrelationOptions`. */
  readonly decay?: number;
}

/**
 * Parametric VaR and ES of a portfolio under its measured correlations and under every way in which they may change. Which
 * is the worst depends on the portfolio: what tightens hurts who holds one side, what comes apart hurts who is hedged.
 *
 * @throws PlimsollError as the functions it is made of.
 */
export function correlationStress(
  panel: ReturnPanel,
  positions: readonly Position[],
  { horizonBars, blend = 0.5, decay = 1, ...options }: CorrelationStressOptions,
): CorrelationStress {
  requireWhole('the horizon', horizonBars, 1);
  const notionals = netNotionals(panel.markets, positions);
  const size = panel.markets.length;
  const { leastPairs } = options;
  const measured = correlationMatrix(panel, leastPairs === undefined ? { decay } : { decay, leastPairs });
  const { stressed } = stressedDays(panel, options);
  const caseOf = (
    name: CorrelationCase['name'],
    perSlot: Float64Array,
    correlation: Float64Array,
  ): CorrelationCase => {
    const scaled = perSlot.map((value) => value * Math.sqrt(horizonBars));
    const { volatility, valueAtRisk, expectedShortfall } = parametricRisk(
      { notionals, volatility: scaled, correlation },
      options,
    );
    return { name, volatility, valueAtRisk, expectedShortfall };
  };
  const cases = [
    caseOf('measured', measured.volatility, measured.correlation),
    caseOf('stressed-days', measured.volatility, stressed.correlation),
    caseOf('stressed-days-and-volatility', stressed.volatility, stressed.correlation),
    ...(['as-one', 'one-factor', 'apart'] as const).map((target) =>
      caseOf(target, measured.volatility, blendedCorrelation(measured.correlation, size, blend, target)),
    ),
  ];
  // Positions as if all on one side of markets that are one: their own ES add up.
  const { expectedShortfall: sumOfStandalone } = parametricRisk(
    {
      notionals: notionals.map(Math.abs),
      volatility: measured.volatility.map((value) => value * Math.sqrt(horizonBars)),
      correlation: new Float64Array(size * size).fill(1),
    },
    options,
  );
  const worst = cases.reduce((a, b) => (b.expectedShortfall > a.expectedShortfall ? b : a));
  return { cases, worst, sumOfStandalone };
}
