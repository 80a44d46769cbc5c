import { survivalBeyond } from '../risk/tail/pareto-tail.ts';
import { reasonAgainst, rollingTailsOf } from './excursion-history.ts';
import { type Lookback, lookback } from './lookback.ts';
import {
  CONFIDENCE_COUNT,
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
import type { TailEstimate } from './rolling-tails.ts';
import {
  NUMBERS_PER_PATH,
  SCALE_AT,
  SHAPE_AT,
  SHARE_AT,
  SHORTFALL_AT,
  THRESHOLD_AT,
} from './tail-numbers.ts';

/**
 * The classical predictors: nothing is trained, so they are always there. All look at the adverse excursions of every
 * hour of the last 365 days that ended by `asOf`, and at nothing later.
 */

/**
 * How far a forecast follows volatility, in (0, 1]. Full scaling over-reacts when volatility is high. Measured as the sum
 * of the pinball losses of longs and shorts at 99 %, over 4 and over 24 hours, for 24 Binance perpetuals in 2023 and 19
 * in 2024: 0.8 and 0.9 were never more than 1.8 % above the best of 0.7, 0.8, 0.9 and 1; 0.7 and 1 were up to 3.3 %.
 */
export const DEFAULT_VOLATILITY_EXPONENT = 0.85;

/** Historical simulation: excursions as they were. */
export class HistoricalPredictor implements Predictor {
  readonly id = 'historical@1';

  async predict(input: PredictorInput): Promise<ForecastBatch> {
    return forecast(this.id, input, 0);
  }
}

/**
 * Filtered historical simulation of excursions: each is divided by the volatility known at its origin to the power g,
 * and the quantiles and tail means of the result are multiplied by today's (Barone-Adesi et al. 1999; partial scaling
 * as in quantile regression on volatility). Volatility is that of `volatilityPower`.
 */
export class FilteredPredictor implements Predictor {
  readonly id: string;
  readonly #exponent: number;

  /** @param exponent g in (0, 1]; one other than the default shows in the id. */
  constructor(exponent = DEFAULT_VOLATILITY_EXPONENT) {
    this.#exponent = exponent;
    this.id = exponent === DEFAULT_VOLATILITY_EXPONENT ? 'filtered@1' : `filtered@1+exponent=${exponent}`;
  }

  async predict(input: PredictorInput): Promise<ForecastBatch> {
    return forecast(this.id, input, this.#exponent);
  }
}

/**
 * Extreme-value theory: the excursions of `FilteredPredictor`, but every number from a generalised Pareto tail over
 * the 95 % quantile, fitted by maximum likelihood (McNeil and Frey 2000). It smooths where the sample has few losses.
 */
export class TailPredictor implements Predictor {
  readonly id = 'tail@1';

  async predict(input: PredictorInput): Promise<ForecastBatch> {
    return forecast(this.id, input, DEFAULT_VOLATILITY_EXPONENT, 'likelihood');
  }
}

function forecast(
  id: string,
  input: PredictorInput,
  exponent: number,
  estimate: TailEstimate = 'moments',
): ForecastBatch {
  const symbols = input.markets.map((market) => market.symbol);
  const batch = emptyForecast(id, input.asOf, symbols);
  const unavailable = input.markets.map(({ bars }, market) => {
    const past = lookback(bars, input.asOf);
    const reason = reasonAgainst(past, input.asOf);
    if (reason === '') forecastMarket(batch, market, past, exponent, estimate);
    return reason;
  });
  return { ...batch, unavailable };
}

function forecastMarket(
  batch: ForecastBatch,
  market: number,
  past: Lookback,
  exponent: number,
  estimate: TailEstimate,
): void {
  const { bars, from, end } = past;
  const raw = rollingTailsOf(bars, 0);
  raw.tails(bars, from, end);
  const sample = exponent === 0 ? raw : rollingTailsOf(bars, exponent);
  sample.tails(bars, from, end);
  const numbers = sample.numbers(estimate);
  const { thresholds } = raw;
  const { scaleToday } = sample;
  const { valueAtRisk, expectedShortfall, shockThreshold, shockProbability } = batch;
  for (let h = 0; h < HORIZON_COUNT; h++) {
    for (let side = 0; side < SIDE_COUNT; side++) {
      const path = pathIndex(market, side, h);
      const own = pathIndex(0, side, h);
      const at = own * NUMBERS_PER_PATH;
      const threshold = numbers[at + THRESHOLD_AT];
      shockThreshold[path] = thresholds[own];
      const shock = thresholds[own] / scaleToday;
      shockProbability[path] =
        shock > threshold
          ? survivalBeyond(
              threshold,
              numbers[at + SHARE_AT],
              numbers[at + SHAPE_AT],
              numbers[at + SCALE_AT],
              shock,
            )
          : sample.shareAbove(bars, own, shock);
      // Nobody loses more than the price on a long; on a short there is no such bound.
      const most = SIDES[side] === 'long' ? 1 : Number.MAX_VALUE;
      for (let c = 0; c < CONFIDENCE_COUNT; c++) {
        const cell = cellIndex(market, side, h, c);
        valueAtRisk[cell] = Math.min(numbers[at + c] * scaleToday, most);
        expectedShortfall[cell] = Math.min(numbers[at + SHORTFALL_AT + c] * scaleToday, most);
      }
    }
  }
}
