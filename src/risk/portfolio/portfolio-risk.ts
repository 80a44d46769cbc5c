import { PlimsollError } from '../../errors.ts';
import { requireConfidence, requireSameLength, requireWithin } from '../numeric/inputs.ts';
import { quantileOfSorted, sortedTailInPlace, tailMeanOfSorted } from '../numeric/quantile.ts';
import { type Unavailable, unavailable } from '../outcome.ts';
import type { TailRisk } from '../tail/value-at-risk.ts';
import { quantileWeights, shortfallWeights } from './contributions.ts';
import type { ReturnScenarios } from './return-scenarios.ts';
import {
  jointLosses,
  type LossMeasure,
  lossesAt,
  netNotionals,
  type Position,
  splitMarket,
  stepsOf,
  worstSteps,
} from './scenario-losses.ts';

/** A part, a difference or a slope of VaR and ES: of any sign, and in no order. */
export interface RiskPart {
  readonly valueAtRisk: number;
  readonly expectedShortfall: number;
}

/** What one market's net position does to the whole. Quote asset, but for `marginal`. */
export interface PositionRisk {
  readonly market: string;
  /** Net: long above zero. */
  readonly notional: number;
  /** Were it the only one. */
  readonly standalone: TailRisk;
  /** Its part of the whole; the parts add up to it. Below zero for a hedge. */
  readonly component: RiskPart;
  /** The whole less the whole without it, computed anew. Below zero for a hedge. */
  readonly incremental: RiskPart;
  /** Change of the whole per unit of signed notional: component / notional. */
  readonly marginal: RiskPart;
}

export interface PortfolioRisk extends TailRisk {
  readonly confidence: number;
  readonly scenarios: number;
  readonly measure: LossMeasure;
  /** Σ |net notional|. */
  readonly grossNotional: number;
  /** Σ net notional. */
  readonly netNotional: number;
  /** Markets with a net position, in the order of the scenarios. */
  readonly positions: readonly PositionRisk[];
  /** ES of the whole over the sum of the positions' own ES: 1 where nothing offsets (Tasche 2008's diversification index). */
  readonly diversificationRatio: { readonly available: true; readonly value: number } | Unavailable;
  readonly correlationBreak: CorrelationBreak;
  /** Half the width, in ranks, of the kernel behind component VaR; 1 where it is the quantile's own scenarios. */
  readonly kernelRanks: number;
}

export interface PortfolioRiskOptions {
  /** c in (0, 1), for example 0.99. */
  readonly confidence: number;
  readonly measure: LossMeasure;
  /** Factors on the returns, from `filterScales`; none for historical simulation. */
  readonly scales?: Float64Array;
  /** Of `correlationBreak`. 0.2 unless given. */
  readonly breakShare?: number;
}

/** At most four fifths of what offsets may be relied upon: EMIR, RTS 153/2013 art. 27. */
export const LEAST_BREAK_SHARE = 0.2;

/**
 * VaR and ES of several positions by historical simulation (or filtered, with scales): in each scenario all markets move as
 * they did together, so that whatever dependence there was is there, and positions in different markets offset as they would
 * have. Losses positive, in the quote asset.
 *
 * Component ES is the mean of a market's losses in the tail's scenarios (Tasche 2000), component VaR their kernel mean
 * around the quantile (Epperlein and Smillie 2006); see `contributions.ts`. On a path a market's loss in a scenario is
 * its loss at the step where the whole is worst. Incremental figures recompute VaR and ES without the market from the
 * same paths.
 *
 * @param positions may name a market more than once; what cancels is gone. None is a portfolio without risk.
 * @throws PlimsollError INPUT_INVALID for a market without scenarios, a number that is none, a confidence not in (0, 1) and
 * a break share below 0.2; DATA_INSUFFICIENT for fewer than 1/(1 − c) scenarios.
 */
export function portfolioRisk(
  scenarios: ReturnScenarios,
  positions: readonly Position[],
  { confidence, measure, scales, breakShare = LEAST_BREAK_SHARE }: PortfolioRiskOptions,
): PortfolioRisk {
  requireTail(scenarios.scenarios, confidence);
  const notionals = netNotionals(scenarios.markets, positions);
  const factors = usableScales(scenarios, scales);
  const joint = jointLosses(scenarios, notionals, measure, factors);
  const { width } = stepsOf(scenarios, measure);
  const steps = worstSteps(joint, width, measure);
  const losses = lossesAt(joint, width, steps);
  const whole = tailRiskInPlace(losses.slice(), confidence);
  const tail = shortfallWeights(losses, confidence);
  const around = quantileWeights(losses, confidence, whole.valueAtRisk);
  const [own, rest, part] = [0, 1, 2].map(() => new Float64Array(losses.length));
  const parts: PositionRisk[] = [];
  for (let m = 0; m < notionals.length; m++) {
    const notional = notionals[m];
    if (notional === 0) continue;
    splitMarket(scenarios, m, notional, measure, factors, joint, steps, { own, rest, part });
    const without = tailRiskInPlace(rest, confidence);
    const component = componentOf(part, tail, around.weights);
    parts.push({
      market: scenarios.markets[m],
      notional,
      standalone: tailRiskInPlace(own, confidence),
      component,
      incremental: {
        valueAtRisk: whole.valueAtRisk - without.valueAtRisk,
        expectedShortfall: whole.expectedShortfall - without.expectedShortfall,
      },
      marginal: {
        valueAtRisk: component.valueAtRisk / notional,
        expectedShortfall: component.expectedShortfall / notional,
      },
    });
  }
  const standalone = parts.map((part) => part.standalone.expectedShortfall);
  const sum = standalone.reduce((total, value) => total + value, 0);
  return {
    ...whole,
    confidence,
    scenarios: scenarios.scenarios,
    measure,
    grossNotional: parts.reduce((total, { notional }) => total + Math.abs(notional), 0),
    netNotional: parts.reduce((total, { notional }) => total + notional, 0),
    positions: parts,
    diversificationRatio:
      sum > 0
        ? { available: true, value: whole.expectedShortfall / sum }
        : unavailable('no position has an expected shortfall of its own above zero'),
    correlationBreak: correlationBreak(whole.expectedShortfall, standalone, breakShare),
    kernelRanks: around.bandwidthRanks,
  };
}

/**
 * The losses of the portfolio in every scenario, in their order. For a portfolio without positions all are 0.
 *
 * @throws PlimsollError INPUT_INVALID as `portfolioRisk`.
 */
export function portfolioLosses(
  scenarios: ReturnScenarios,
  positions: readonly Position[],
  { measure, scales }: Pick<PortfolioRiskOptions, 'measure' | 'scales'>,
): Float64Array {
  const notionals = netNotionals(scenarios.markets, positions);
  const joint = jointLosses(scenarios, notionals, measure, usableScales(scenarios, scales));
  const { width } = stepsOf(scenarios, measure);
  return lossesAt(joint, width, worstSteps(joint, width, measure));
}

export interface CorrelationBreak {
  /** t. */
  readonly share: number;
  /** Σ ES_i: what the positions lose if all have their worst days at once. */
  readonly sumOfStandalone: number;
  readonly expectedShortfall: number;
  /** What it adds to ES_joint, at least 0. */
  readonly addOn: number;
}

/**
 * (1 − t) · ES_joint + t · Σ ES_i: only a share of what offsets in the scenarios is relied upon. With t = 0.2 it is the least
 * that EMIR asks for (RTS 153/2013 art. 27: a reduction of margin of at most 80 % of the difference).
 *
 * @param standalone ES_i of each position. @param share t in [0.2, 1].
 * @throws PlimsollError INPUT_INVALID for a share outside.
 */
export function correlationBreak(
  jointShortfall: number,
  standalone: readonly number[],
  share: number,
): CorrelationBreak {
  requireWithin('the break share', share, LEAST_BREAK_SHARE, 1);
  const sumOfStandalone = standalone.reduce((total, value) => total + value, 0);
  // ES is sub-additive, so that less than nothing is rounding.
  const addOn = Math.max(share * (sumOfStandalone - jointShortfall), 0);
  return { share, sumOfStandalone, expectedShortfall: jointShortfall + addOn, addOn };
}

/** What `historicalRisk` says, from one selection for both figures: it is asked twice for every position. */
function tailRiskInPlace(scratch: Float64Array, confidence: number): TailRisk {
  const n = scratch.length;
  const tail = sortedTailInPlace(scratch, confidence);
  const valueAtRisk = quantileOfSorted(tail, n, confidence);
  return { valueAtRisk, expectedShortfall: Math.max(tailMeanOfSorted(tail, n, confidence), valueAtRisk) };
}

function componentOf(losses: Float64Array, tail: Float64Array, around: Float64Array): RiskPart {
  let valueAtRisk = 0;
  let expectedShortfall = 0;
  for (let s = 0; s < losses.length; s++) {
    valueAtRisk += around[s] * losses[s];
    expectedShortfall += tail[s] * losses[s];
  }
  return { valueAtRisk, expectedShortfall };
}

function requireTail(scenarios: number, confidence: number): void {
  requireConfidence(confidence);
  if (scenarios * (1 - confidence) < 1 - 1e-9)
    throw new PlimsollError('DATA_INSUFFICIENT', `${scenarios} scenarios have no tail at ${confidence}`, {
      remedy: `Give at least ${Math.ceil(1 / (1 - confidence) - 1e-9)} scenarios, or a lower confidence.`,
    });
}

function usableScales(scenarios: ReturnScenarios, scales: Float64Array | undefined): Float64Array | null {
  if (scales === undefined) return null;
  requireSameLength('scales and returns', scales.length, scenarios.markets.length * scenarios.scenarios);
  for (let i = 0; i < scales.length; i++) requireWithin('a scale', scales[i], 0, Number.MAX_VALUE);
  return scales;
}
