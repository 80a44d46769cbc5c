import { VARIANCE_FLOOR } from '../features/spec.ts';
import type { BarSeries } from '../risk/bars.ts';
import { DAY_MILLISECONDS } from '../units.ts';
import { DEFAULT_VOLATILITY_EXPONENT } from './classical.ts';
import { type TailOfPath, tailOfPath } from './classical-tail.ts';
import { excursionHistory } from './excursion-history.ts';
import { type Lookback, lookback, reasonAgainst, tailsOf } from './lookback.ts';
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
} from './predictor.ts';
import { scaledSample } from './tail-sample.ts';

const YEAR_HOURS = 8766;

/** VaR and ES of one path of a market. */
type PathTails = (side: number, horizon: number) => Pick<TailOfPath, 'valueAtRisk' | 'expectedShortfall'>;

/**
 * What margins would be at the volatility of a long lookback: the tails of `FilteredPredictor`, scaled by the root mean
 * square of the Parkinson volatility over the years instead of by today's (EMIR RTS 153/2013, Article 28 (1) (c)).
 */
export class LongLookbackPredictor implements Predictor {
  readonly id = 'long-lookback@1';
  readonly #bars: number;

  constructor(years: number) {
    this.#bars = Math.ceil(years * YEAR_HOURS);
  }

  async predict(input: PredictorInput): Promise<ForecastBatch> {
    return forecastPaths(this.id, input, (past) => {
      const { byPath } = scaledSample(past, DEFAULT_VOLATILITY_EXPONENT);
      const from = Math.max(past.end - this.#bars, 0);
      const { start, variance } = excursionHistory(past.bars, from);
      let sum = 0;
      for (let i = from; i < past.end; i++) sum += variance[i - start];
      const scale = (sum / (past.end - from) + VARIANCE_FLOOR) ** (0.5 * DEFAULT_VOLATILITY_EXPONENT);
      return (side, horizon) => {
        const { largest, count } = byPath[pathIndex(0, side, horizon)];
        const { valueAtRisk, expectedShortfall } = tailOfPath(largest, count);
        return {
          valueAtRisk: valueAtRisk.map((value) => value * scale),
          expectedShortfall: expectedShortfall.map((value) => value * scale),
        };
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
  readonly #weight: number;
  readonly #days: number;

  constructor(weight: number, days: number) {
    this.#weight = weight;
    this.#days = Math.ceil(days);
  }

  async predict(input: PredictorInput): Promise<ForecastBatch> {
    return forecastPaths(this.id, input, (past) => {
      const recent = tailsOf(past);
      const { start, byHorizon, variance } = excursionHistory(past.bars, 0);
      const origins = mostVolatileBars(past.bars, variance, start, past.end, this.#days);
      return (side, horizon) => {
        const { valid, [SIDES[side]]: losses } = byHorizon[horizon];
        const known = past.end - HORIZONS_HOURS[horizon];
        const stressed = new Float64Array(origins.length);
        let count = 0;
        for (const bar of origins) {
          if (bar < known && valid[bar - start] === 1) stressed[count++] = losses[bar - start];
        }
        const { largest, count: recentCount } = recent[pathIndex(0, side, horizon)];
        return mixedTail(largest, recentCount, stressed.subarray(0, count).sort(), this.#weight);
      };
    });
  }
}

function forecastPaths(
  id: string,
  input: PredictorInput,
  tailsOfMarket: (past: Lookback) => PathTails,
): ForecastBatch {
  const batch = emptyForecast(
    id,
    input.asOf,
    input.markets.map(({ symbol }) => symbol),
  );
  const unavailable = input.markets.map(({ bars }, market) => {
    const past = lookback(bars, input.asOf);
    const reason = reasonAgainst(past, input.asOf);
    if (reason === '') writePaths(batch, market, tailsOfMarket(past));
    return reason;
  });
  return { ...batch, unavailable };
}

function writePaths(batch: ForecastBatch, market: number, tails: PathTails): void {
  for (let side = 0; side < SIDE_COUNT; side++) {
    const most = SIDES[side] === 'long' ? 1 : Number.MAX_VALUE;
    for (let h = 0; h < HORIZON_COUNT; h++) {
      const { valueAtRisk, expectedShortfall } = tails(side, h);
      for (let c = 0; c < CONFIDENCE_COUNT; c++) {
        const cell = cellIndex(market, side, h, c);
        batch.valueAtRisk[cell] = Math.min(valueAtRisk[c], most);
        batch.expectedShortfall[cell] = Math.min(expectedShortfall[c], most);
      }
    }
  }
}

/** The bars of the UTC days with the highest mean variance, before `end`. @returns indices in the series, day by day. */
function mostVolatileBars(
  bars: BarSeries,
  variance: Float64Array,
  start: number,
  end: number,
  days: number,
): readonly number[] {
  const found: { readonly from: number; readonly to: number; readonly variance: number }[] = [];
  let from = start;
  while (from < end) {
    const day = Math.floor(bars.openTime[from] / DAY_MILLISECONDS);
    let to = from;
    let sum = 0;
    while (to < end && Math.floor(bars.openTime[to] / DAY_MILLISECONDS) === day)
      sum += variance[to++ - start];
    found.push({ from, to, variance: sum / (to - from) });
    from = to;
  }
  return found
    .sort((a, b) => b.variance - a.variance || a.from - b.from)
    .slice(0, days)
    .flatMap((one) => Array.from({ length: one.to - one.from }, (_, i) => one.from + i));
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
): { readonly valueAtRisk: Float64Array; readonly expectedShortfall: Float64Array } {
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
