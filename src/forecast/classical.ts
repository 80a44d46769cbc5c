import { MAXIMUM_GAP_HOURS } from '../features/spec.ts';
import { type BarSeries, sliceBars } from '../risk/bars.ts';
import { type AdverseExcursions, adverseExcursions } from '../risk/excursions.ts';
import { quantileInPlace } from '../risk/quantile.ts';
import { probabilityAbove, tailOfPathInPlace } from './classical-tail.ts';
import { VOLATILITY_MEMORY_BARS, volatilityPower } from './classical-volatility.ts';
import {
  CONFIDENCE_COUNT,
  CONFIDENCES,
  cellIndex,
  emptyForecast,
  type ForecastBatch,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  type Predictor,
  type PredictorInput,
  pathIndex,
  SIDE_COUNT,
  SIDES,
  type Side,
} from './predictor.ts';

/**
 * The classical predictors: nothing is trained, so they are always there. Both look at the adverse excursions of every
 * hour of the last 365 days that ended by `asOf`, and at nothing later.
 */
export const LOOKBACK_HOURS = 365 * 24;
/** With less than 30 days of bars in the lookback there is no forecast. */
export const MINIMUM_BARS = 30 * 24;
/** The excursion called a shock is this quantile of the lookback, whatever the predictor. */
const SHOCK_CONFIDENCE = CONFIDENCES[0];
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

function forecast(id: string, input: PredictorInput, exponent: number): ForecastBatch {
  const symbols = input.markets.map((market) => market.symbol);
  const batch = emptyForecast(id, input.asOf, symbols);
  const unavailable = input.markets.map(({ bars }, market) => {
    const history = knownHistory(bars, input.asOf);
    const reason = reasonAgainst(history, input.asOf);
    if (reason === '') forecastMarket(batch, market, history, exponent);
    return reason;
  });
  return { ...batch, unavailable };
}

/** A market's bars as far as a forecast looks at them. */
interface KnownHistory {
  /** Ends with the newest bar that closed by `asOf`; starts early enough for the volatility of the first origin. */
  readonly bars: BarSeries;
  /** Index in `bars` of the first bar of the lookback. */
  readonly firstOrigin: number;
}

function knownHistory(bars: BarSeries, asOf: number): KnownHistory {
  const interval = bars.intervalMilliseconds;
  let end = bars.length;
  while (end > 0 && bars.openTime[end - 1] + interval > asOf) end--;
  let first = Math.max(end - LOOKBACK_HOURS, 0);
  while (first < end && bars.openTime[first] + interval <= asOf - LOOKBACK_HOURS * interval) first++;
  const start = Math.max(first - VOLATILITY_MEMORY_BARS, 0);
  return { bars: sliceBars(bars, start, end), firstOrigin: first - start };
}

/** Why there is no forecast; empty where there can be one. */
function reasonAgainst({ bars, firstOrigin }: KnownHistory, asOf: number): string {
  const count = bars.length - firstOrigin;
  if (count < MINIMUM_BARS) {
    return `only ${count} hourly bars in the last 365 days; ${MINIMUM_BARS} are needed`;
  }
  const newestClose = bars.openTime[bars.length - 1] + bars.intervalMilliseconds;
  const ageHours = (asOf - newestClose) / bars.intervalMilliseconds;
  if (ageHours > MAXIMUM_GAP_HOURS) {
    return `the newest bar closed ${Math.round(ageHours)} hours ago; at most ${MAXIMUM_GAP_HOURS} are bridged`;
  }
  const longestHorizon = HORIZONS_HOURS[HORIZON_COUNT - 1];
  const whole = countWholeHorizons(bars, firstOrigin, longestHorizon);
  if (whole < MINIMUM_BARS - longestHorizon) {
    return `only ${whole} origins in the last 365 days have all bars of the next ${longestHorizon} hours; ${MINIMUM_BARS - longestHorizon} are needed`;
  }
  return '';
}

function countWholeHorizons(bars: BarSeries, firstOrigin: number, hours: number): number {
  const span = hours * bars.intervalMilliseconds;
  let count = 0;
  for (let i = firstOrigin; i + hours < bars.length; i++) {
    if (bars.openTime[i + hours] - bars.openTime[i] === span) count++;
  }
  return count;
}

function forecastMarket(
  batch: ForecastBatch,
  market: number,
  { bars, firstOrigin }: KnownHistory,
  exponent: number,
): void {
  const scales = exponent === 0 ? null : volatilityPower(bars, exponent);
  const scaleToday = scales === null ? 1 : scales[bars.length - 1];
  const scratch = new Float64Array(bars.length - firstOrigin);
  for (let h = 0; h < HORIZON_COUNT; h++) {
    const excursions = adverseExcursions(bars, HORIZONS_HOURS[h]);
    for (let side = 0; side < SIDE_COUNT; side++) {
      const path = pathIndex(market, side, h);
      const raw = gatherLosses(excursions, SIDES[side], firstOrigin, null, scratch);
      const threshold = quantileInPlace(raw, SHOCK_CONFIDENCE);
      const losses =
        scales === null ? raw : gatherLosses(excursions, SIDES[side], firstOrigin, scales, scratch);
      const tail = tailOfPathInPlace(losses);
      batch.shockThreshold[path] = threshold;
      batch.shockProbability[path] = probabilityAbove(losses, tail.pareto, threshold / scaleToday);
      // Nobody loses more than the price on a long; on a short there is no such bound.
      const most = SIDES[side] === 'long' ? 1 : Number.MAX_VALUE;
      for (let c = 0; c < CONFIDENCE_COUNT; c++) {
        const cell = cellIndex(market, side, h, c);
        batch.valueAtRisk[cell] = Math.min(tail.valueAtRisk[c] * scaleToday, most);
        batch.expectedShortfall[cell] = Math.min(tail.expectedShortfall[c] * scaleToday, most);
      }
    }
  }
}

/**
 * Collects the excursions of the origins whose horizon is known, divided by the scale of the origin where scales are
 * given.
 *
 * @returns a view on `out`, which is overwritten.
 */
function gatherLosses(
  excursions: AdverseExcursions,
  side: Side,
  firstOrigin: number,
  scales: Float64Array | null,
  out: Float64Array,
): Float64Array {
  const losses = excursions[side];
  let count = 0;
  for (let i = firstOrigin; i < excursions.length; i++) {
    if (excursions.valid[i] === 0) continue;
    out[count++] = scales === null ? losses[i] : losses[i] / scales[i];
  }
  return out.subarray(0, count);
}
