/**
 * What comes of judging forecasts: plain data, numbers or null, never NaN. Scores are means where lower is better; pinball is a
 * share of the price, FZ0 is of shares of the price (add ln 100 for losses in percent).
 */
export interface Judgement {
  readonly candidate: string;
  /** All that were judged, the candidate among them if it answered at least half of the rows. */
  readonly forecasters: readonly string[];
  readonly span: JudgedSpan;
  readonly cells: readonly CellJudgement[];
  readonly averages: readonly AverageScore[];
  readonly regimes: readonly RegimeScore[];
  readonly shocks: readonly ShockScore[];
  readonly variances: readonly VarianceScore[];
  readonly duels: readonly Duel[];
  /** Against the best other forecaster of each cell, chosen afterwards: the hardest opponent there is. */
  readonly bestOfCells: readonly BestOfCells[];
  readonly confidenceSets: readonly ConfidenceSet[];
  readonly coverage: readonly CoverageSummary[];
}

export interface JudgedSpan {
  /** ISO 8601. */
  readonly from: string;
  readonly until: string;
  readonly origins: number;
  /** Market and origin. */
  readonly rows: number;
  /** Rows that some judged forecaster had no answer for; none of them counts. */
  readonly rowsLeftOut: number;
  /** By forecaster: rows that it had no answer for. One with more than half of them is not among `forecasters`. */
  readonly unanswered: Readonly<Record<string, number>>;
  readonly markets: number;
  readonly folds: number;
  /** From one origin to the next. */
  readonly stepHours: number;
}

export interface Cell {
  readonly side: 'long' | 'short';
  readonly horizonHours: number;
  readonly confidence: number;
}

/** One forecaster on one market. */
export interface CellJudgement extends Cell {
  readonly forecaster: string;
  readonly symbol: string;
  readonly observations: number;
  readonly pinball: number;
  readonly fz0: number;
  readonly exceedances: number;
  readonly exceedanceRate: number;
  /** Independent observations that would say as much where horizons overlap; the share is the same for all markets of a cell. */
  readonly effectiveObservations: number;
  /** Whether the number of exceedances is inside the 95 % interval of the binomial law of the effective observations. */
  readonly insideBinomial: boolean;
  /** Of the rate, on the effective observations. */
  readonly kupiecPValue: number;
  /** On pairs of origins a horizon apart; null for fewer origins than a horizon spans. */
  readonly conditionalCoveragePValue: number | null;
  /** Z₂ of Acerbi and Székely; negative where risk is understated. */
  readonly z2: number;
  /** One-sided, by the long-run variance of its terms; null without an exceedance. */
  readonly z2PValue: number | null;
}

/** Means over markets, each market counting the same. */
export interface AverageScore extends Cell {
  readonly forecaster: string;
  readonly markets: number;
  readonly observations: number;
  readonly pinball: number;
  /** Of the mean over time, horizons and markets that move together counted. */
  readonly pinballStandardError: number;
  readonly fz0: number;
  readonly exceedanceRate: number;
}

/** `calm`, `middle` and `stress` are the lowest fifth, the three between and the highest fifth of a market's own volatility; else a quarter: `2024Q1`. */
export interface RegimeScore extends Cell {
  readonly forecaster: string;
  readonly regime: string;
  readonly observations: number;
  readonly pinball: number;
  readonly fz0: number;
  readonly exceedanceRate: number;
}

export interface ShockScore {
  readonly forecaster: string;
  readonly side: 'long' | 'short';
  readonly horizonHours: number;
  readonly observations: number;
  readonly brier: number;
  /** 1 − Brier over that of always saying 5 %. */
  readonly skill: number;
  readonly logLoss: number;
  readonly meanProbability: number;
  readonly frequency: number;
}

export interface VarianceScore {
  readonly forecaster: string;
  readonly horizonHours: number;
  readonly observations: number;
  readonly qlike: number;
}

/** The candidate against another forecaster over all markets of some cells, by Diebold and Mariano's test on each. */
export interface Duel extends Cell {
  readonly against: string;
  readonly score: 'pinball' | 'fz0';
  readonly markets: number;
  /** 1 − the candidate's mean over the other's; of FZ0, which has no zero, the difference. */
  readonly gain: number;
  readonly shareLower: number;
  readonly shareSignificantlyBetter: number;
  readonly shareSignificantlyWorse: number;
  /** Of the mean over markets by time; null where it has no answer. */
  readonly pooledPValueBetter: number | null;
}

export interface BestOfCells {
  readonly horizonHours: number;
  readonly confidence: number;
  readonly score: 'pinball' | 'fz0';
  /** Markets and sides. */
  readonly cells: number;
  readonly shareLower: number;
  readonly shareSignificantlyBetter: number;
  readonly shareSignificantlyWorse: number;
}

/** The model confidence set at 90 % on means over markets. */
export interface ConfidenceSet extends Cell {
  readonly score: 'pinball' | 'fz0';
  readonly members: readonly string[];
}

/** Of one forecaster at one confidence, over markets, sides and horizons. */
export interface CoverageSummary {
  readonly forecaster: string;
  readonly confidence: number;
  readonly cells: number;
  readonly shareInsideBinomial: number;
  readonly shareKupiecHeld: number;
  readonly shareConditionalHeld: number;
  readonly shareZ2Held: number;
  readonly exceedanceRate: number;
  /** In the highest fifth of volatility. */
  readonly exceedanceRateInStress: number;
}
