import { requireConfidence, requireSameLength, requireWhole } from '../numeric/inputs.ts';
import { automaticLags } from '../numeric/long-run-variance.ts';
import type { Unavailable } from '../outcome.ts';
import { type DieboldMariano, dieboldMariano } from './diebold-mariano.ts';
import { type Dominance, shortfallDominance, valueAtRiskDominance } from './dominance.ts';
import { type GiacominiWhite, giacominiWhite } from './giacomini-white.ts';
import { type ModelConfidenceSet, modelConfidenceSet } from './model-confidence-set.ts';
import { fz0, pinball } from './scores.ts';

/** One forecaster's VaR and ES, at the times of the losses. */
export interface NamedForecasts {
  readonly name: string;
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
}

/** The first forecaster beside another by one score. */
export interface ScoreComparison {
  readonly mean: number;
  readonly meanOther: number;
  readonly dieboldMariano: DieboldMariano | Unavailable;
  readonly giacominiWhite: GiacominiWhite | Unavailable;
}

export interface PairComparison {
  readonly other: string;
  readonly pinball: ScoreComparison;
  readonly fz0: ScoreComparison;
  /** Over all consistent scores, by Murphy's curves: `first` is the one that is compared. */
  readonly dominance: { readonly valueAtRisk: Dominance; readonly expectedShortfall: Dominance };
}

export interface ForecastComparison {
  readonly pairs: readonly PairComparison[];
  /** Names of the forecasters that cannot be told from the best, by score, with the p-value of each. */
  readonly confidenceSet: {
    readonly pinball: NamedSet | Unavailable;
    readonly fz0: NamedSet | Unavailable;
  };
}

export interface NamedSet {
  readonly available: true;
  readonly members: readonly string[];
  readonly pValues: Readonly<Record<string, number>>;
}

/**
 * The first forecaster beside every other one on the same losses: pinball and FZ0 with Diebold and Mariano's and Giacomini and White's
 * tests, dominance over all consistent scores, and the model confidence set of all of them.
 *
 * @param horizonSteps that a loss is over: those closer than that overlap, and the variances of means allow for it. Bartlett's weights
 * over as many lags, or over the rule of Newey and West where that is more.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function compareForecasts(
  losses: Float64Array,
  forecasters: readonly [NamedForecasts, ...NamedForecasts[]],
  confidence: number,
  horizonSteps: number,
): ForecastComparison {
  requireConfidence(confidence);
  requireWhole('the horizon in steps', horizonSteps, 1);
  for (const { name, valueAtRisk, expectedShortfall } of forecasters)
    requireSameLength(
      `losses and forecasts of ${name}`,
      losses.length,
      valueAtRisk.length,
      expectedShortfall.length,
    );
  const [first, ...others] = forecasters;
  const lags = Math.max(horizonSteps - 1, automaticLags(losses.length));
  const pinballs = forecasters.map(({ valueAtRisk }) =>
    losses.map((loss, t) => pinball(loss, valueAtRisk[t], confidence)),
  );
  const joint = forecasters.map(({ valueAtRisk, expectedShortfall }) =>
    losses.map((loss, t) => fz0(loss, valueAtRisk[t], expectedShortfall[t], confidence)),
  );
  const pairs = others.map(
    (other, i): PairComparison => ({
      other: other.name,
      pinball: byScore(pinballs[0], pinballs[i + 1], horizonSteps, lags),
      fz0: byScore(joint[0], joint[i + 1], horizonSteps, lags),
      dominance: {
        valueAtRisk: valueAtRiskDominance(losses, first.valueAtRisk, other.valueAtRisk, confidence),
        expectedShortfall: shortfallDominance(losses, tailOf(first), tailOf(other), confidence),
      },
    }),
  );
  const names = forecasters.map(({ name }) => name);
  const blockLength = Math.min(Math.max(Math.ceil(Math.cbrt(losses.length)), horizonSteps), losses.length);
  const setOf = (scores: Float64Array[]): NamedSet | Unavailable =>
    named(modelConfidenceSet(scores, { blockLength }), names);
  return { pairs, confidenceSet: { pinball: setOf(pinballs), fz0: setOf(joint) } };
}

function tailOf({ valueAtRisk, expectedShortfall }: NamedForecasts) {
  return { valuesAtRisk: valueAtRisk, expectedShortfalls: expectedShortfall };
}

function byScore(
  first: Float64Array,
  second: Float64Array,
  horizonSteps: number,
  lags: number,
): ScoreComparison {
  return {
    mean: meanOf(first),
    meanOther: meanOf(second),
    dieboldMariano: dieboldMariano(first, second, { horizonSteps, bartlettLags: lags }),
    giacominiWhite: giacominiWhite(first, second, { horizonSteps, lags }),
  };
}

function named(set: ModelConfidenceSet | Unavailable, names: readonly string[]): NamedSet | Unavailable {
  if (!set.available) return set;
  return {
    available: true,
    members: set.members.map((model) => names[model]),
    pValues: Object.fromEntries(names.map((name, model) => [name, set.pValues[model]])),
  };
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
