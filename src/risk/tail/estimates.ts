import type { BootstrapPlan, Interval } from '../numeric/block-bootstrap.ts';
import type { Unavailable } from '../outcome.ts';
import type { ErrorDistribution, GarchSpecification } from '../volatility/garch/model.ts';
import type { LossSample } from './loss-sample.ts';
import type { TailRisk } from './value-at-risk.ts';

/** What a method is asked: VaR and ES of the next horizon from today's origin. */
export interface RiskQuestion {
  readonly sample: LossSample;
  readonly confidence: number;
  readonly options: RiskOptions;
}

/** Choices of the methods; each looks at its own. */
export interface RiskOptions {
  /** λ of EWMA, as a method and as a filter; `estimate` for the likeliest. */
  readonly decay: number | 'estimate';
  /** λ of age weights. */
  readonly ageDecay: number;
  readonly distribution: ErrorDistribution;
  readonly mean: GarchSpecification['mean'];
  /** Whose volatility filtered simulation divides by, and extreme-value theory if it is conditional. */
  readonly filter: 'ewma' | 'garch' | 'gjr-garch';
  /** Whether extreme-value theory looks at filtered losses (McNeil and Frey 2000) or at losses as they were. */
  readonly isConditional: boolean;
  /** g: how far a forecast follows volatility; 1 is all the way. */
  readonly exponent: number;
  /** Share of the losses above the threshold of the tail. */
  readonly tailShare: number | 'automatic';
  readonly simulations: number;
  readonly seed: number;
  /** Null for no interval. */
  readonly bootstrap: Pick<BootstrapPlan, 'replications' | 'level'> | null;
}

export const STANDARD_OPTIONS: RiskOptions = {
  decay: 0.94,
  ageDecay: 0.98,
  distribution: 't',
  mean: 'constant',
  filter: 'ewma',
  isConditional: false,
  exponent: 1,
  tailShare: 0.1,
  simulations: 20_000,
  seed: 1,
  bootstrap: { replications: 500, level: 0.95 },
};

/** What a method answers, but for what is the same for all. */
export interface MethodAnswer extends TailRisk {
  readonly available: true;
  readonly parameters: Readonly<Record<string, number | string>>;
  readonly interval: Interval | Unavailable;
}

export type MethodOutcome = MethodAnswer | Unavailable;

/** Refitting is what an interval of a model costs: two hundred place its ends within a tenth of its width. */
export const MOST_REFITS = 200;
