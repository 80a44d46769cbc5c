import { VARIANCE_FLOOR } from '../features/spec.ts';
import { KeptBySeries } from '../risk/kept-by-series.ts';
import { DEFAULT_VOLATILITY_EXPONENT } from './classical.ts';
import { LongVariance } from './classical-volatility.ts';
import { reasonAgainst, rollingTailsOf, tailsOf } from './excursion-history.ts';
import { type Lookback, lookback } from './lookback.ts';
import {
  CONFIDENCE_COUNT,
  CONFIDENCES,
  cellIndex,
  emptyForecast,
  type ForecastBatch,
  HORIZON_COUNT,
  type Predictor,
  type PredictorInput,
  pathIndex,
  SIDE_COUNT,
  SIDES,
} from './predictor.ts';
import { StressedDays } from './stressed-days.ts';
import { NUMBERS_PER_PATH, SHORTFALL_AT } from './tail-numbers.ts';

const YEAR_HOURS = 8766;

/** What the floor of a policy's anti-procyclical measure rests on. */
export interface FloorSettings {
  readonly option: string;
  /** Of `longLookbackFloor`. */
  readonly lookbackYears: number;
  /** Of `stressedWeight`. */
  readonly stressedWeight: number;
  readonly stressedDays: number;
}

/** What makes the floor that a policy chooses; null where it chooses an option without one. */
export function antiProcyclicalPredictor({
  option,
  lookbackYears,
  stressedWeight,
  stressedDays,
}: FloorSettings): LongLookbackPredictor | StressedWeightPredictor | null {
  if (option === 'longLookbackFloor') return new LongLookbackPredictor(lookbackYears);
  return option === 'stressedWeight' ? new StressedWeightPredictor(stressedWeight, stressedDays) : null;
}

/** Writes the VaR and ES of a market, by confidence, from the first cell of a path on; not above `most`. */
type WritePath = (path: number, cell: number, most: number) => void;

/**
 * What margins would be at the volatility of a long lookback: the tails of `FilteredPredictor`, scaled by the root mean
 * square of the Parkinson volatility over the years instead of by today's (EMIR RTS 153/2013, Article 28 (1) (c)).
 */
export class LongLookbackPredictor implements Predictor {
  readonly id = 'long-lookback@1';
  /** Names the predictor and its settings. */
  readonly idWithSettings: string;
  readonly #bars: number;
  readonly #variances = new KeptBySeries(() => new LongVariance());

  constructor(years: number) {
    this.idWithSettings = `${this.id} ${years} years`;
    this.#bars = Math.ceil(years * YEAR_HOURS);
  }

  /** What takes the place of today's volatility, to the power of `FilteredPredictor`, at the end of a lookback. */
  scale({ bars, end }: Lookback): number {
    const first = Math.max(end - this.#bars, 0);
    const variance = this.#variances.of(bars, first, end).mean(bars, first, end);
    return (variance + VARIANCE_FLOOR) ** (0.5 * DEFAULT_VOLATILITY_EXPONENT);
  }

  async predict(input: PredictorInput): Promise<ForecastBatch> {
    return forecastPaths(this.id, input, (past, { valueAtRisk, expectedShortfall }) => {
      const { bars, from, end } = past;
      const rolling = rollingTailsOf(bars, DEFAULT_VOLATILITY_EXPONENT);
      rolling.tails(bars, from, end);
      const numbers = rolling.numbers('moments');
      const scale = this.scale(past);
      return (path, cell, most) => {
        const at = path * NUMBERS_PER_PATH;
        for (let c = 0; c < CONFIDENCE_COUNT; c++) {
          valueAtRisk[cell + c] = Math.min(numbers[at + c] * scale, most);
          expectedShortfall[cell + c] = Math.min(numbers[at + SHORTFALL_AT + c] * scale, most);
        }
      };
    });
  }
}

/**
 * Historical simulation in which stressed observations have a weight of their own: the excursions of the last 365 days weigh
 * 1 − w together, those of the most volatile days of the whole history w (Article 28 (1) (b)).
 */
export class StressedWeightPredictor implements Predictor {
  readonly id = 'stressed-weight@1';
  /** Names the predictor and its settings. */
  readonly idWithSettings: string;
  readonly #weight: number;
  readonly #stressed: KeptBySeries<StressedDays>;

  constructor(weight: number, days: number) {
    this.idWithSettings = `${this.id} ${weight} of ${days} days`;
    this.#weight = weight;
    this.#stressed = new KeptBySeries(() => new StressedDays(Math.ceil(days)));
  }

  /** VaR and ES by path at the end of a lookback; to be asked for before the lookback moves on. */
  tails(past: Lookback): (path: number) => MixedTail {
    const recent = tailsOf(past);
    const stressed = this.#stressed.of(past.bars, 0, past.end).losses(past.bars, past.end);
    return (path) => mixedTail(recent[path].largest, recent[path].count, stressed[path], this.#weight);
  }

  async predict(input: PredictorInput): Promise<ForecastBatch> {
    return forecastPaths(this.id, input, (past, { valueAtRisk, expectedShortfall }) => {
      const mixedOf = this.tails(past);
      return (path, cell, most) => {
        const mixed = mixedOf(path);
        for (let c = 0; c < CONFIDENCE_COUNT; c++) {
          valueAtRisk[cell + c] = Math.min(mixed.valueAtRisk[c], most);
          expectedShortfall[cell + c] = Math.min(mixed.expectedShortfall[c], most);
        }
      };
    });
  }
}

function forecastPaths(
  id: string,
  input: PredictorInput,
  writerOf: (past: Lookback, batch: ForecastBatch) => WritePath,
): ForecastBatch {
  const batch = emptyForecast(
    id,
    input.asOf,
    input.markets.map(({ symbol }) => symbol),
  );
  const unavailable = input.markets.map(({ bars }, market) => {
    const past = lookback(bars, input.asOf);
    const reason = reasonAgainst(past, input.asOf);
    if (reason === '') writePaths(market, writerOf(past, batch));
    return reason;
  });
  return { ...batch, unavailable };
}

function writePaths(market: number, write: WritePath): void {
  for (let side = 0; side < SIDE_COUNT; side++) {
    const most = SIDES[side] === 'long' ? 1 : Number.MAX_VALUE;
    for (let h = 0; h < HORIZON_COUNT; h++) write(pathIndex(0, side, h), cellIndex(market, side, h, 0), most);
  }
}

export interface MixedTail {
  /** By confidence. */
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
}

/**
 * VaR and ES of a mixture of two samples: walked from the largest loss down until the losses passed weigh 1 − c. Where
 * the walk would go below the recent losses that are known, it ends at the least of them, which is higher.
 *
 * @param recent the largest of `recentCount` losses, ascending. @param stressed all of them, ascending.
 */
export function mixedTail(
  recent: Float64Array,
  recentCount: number,
  stressed: Float64Array,
  weight: number,
): MixedTail {
  const recentMass = (stressed.length === 0 ? 1 : 1 - weight) / recentCount;
  const stressedMass = weight / stressed.length;
  const valueAtRisk = new Float64Array(CONFIDENCE_COUNT);
  const expectedShortfall = new Float64Array(CONFIDENCE_COUNT);
  for (let c = 0; c < CONFIDENCE_COUNT; c++) {
    const wanted = 1 - CONFIDENCES[c];
    let [r, s, passed, sum] = [recent.length - 1, stressed.length - 1, 0, 0];
    let loss = 0;
    while (passed < wanted && r >= 0) {
      const isStressed = s >= 0 && stressed[s] > recent[r];
      loss = isStressed ? stressed[s--] : recent[r--];
      const mass = Math.min(isStressed ? stressedMass : recentMass, wanted - passed);
      passed += mass;
      sum += mass * loss;
    }
    valueAtRisk[c] = loss;
    expectedShortfall[c] = passed > 0 ? Math.max((sum + (wanted - passed) * loss) / wanted, loss) : 0;
  }
  for (let c = 1; c < CONFIDENCE_COUNT; c++) {
    expectedShortfall[c] = Math.max(expectedShortfall[c], expectedShortfall[c - 1]);
  }
  return { valueAtRisk, expectedShortfall };
}
