import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
} from '../src/forecast/predictor.ts';
import { Random } from '../src/random.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';
import { emptyForecastTable, type ForecastTable, type OutcomeTable } from '../training/judge/tables.ts';

export interface SimulatedRun {
  readonly outcomes: OutcomeTable;
  /** `true-model`, which knows the law of the excursions, `too-low`, whose VaR and ES are 0.8 of it, and `historical`, which knows no volatility. */
  readonly forecasts: readonly ForecastTable[];
}

/** Where excursions are exponential with a scale that moves, VaR and ES are known exactly. */
const START = Date.UTC(2024, 0, 1);
const LOW = 0.8;

/**
 * A simulated run: each market's scale wanders, excursions over h hours are exponential with mean scale · √h, and origins
 * lie apart by as many hours as the longest horizon, so that rows are independent but for the scale.
 */
export function simulatedRun(options: {
  readonly markets: number;
  readonly origins: number;
  readonly seed?: number;
}): SimulatedRun {
  const { markets, origins, seed = 1 } = options;
  const rows = markets * origins;
  const random = Random.stream(seed, 'simulated-run');
  const outcomes: OutcomeTable = {
    rows,
    symbols: Array.from({ length: markets }, (_, m) => `SIM${m}USDT`),
    market: new Uint16Array(rows),
    asOf: new Float64Array(rows),
    fold: new Uint8Array(rows),
    price: new Float64Array(rows),
    excursions: new Float64Array(rows * PATHS_PER_MARKET),
    shockThreshold: new Float64Array(rows * PATHS_PER_MARKET),
    realisedVariance: new Float64Array(rows * HORIZON_COUNT),
    volatilityFifth: new Uint8Array(rows),
  };
  const gives = { shockProbability: true, variance: false };
  const forecasts = ['true-model', 'too-low', 'historical'].map((name) =>
    emptyForecastTable(name, rows, gives),
  );
  const prices = Float64Array.from({ length: markets }, (_, m) => 10 ** (m % 5));
  const scales = new Float64Array(markets).fill(1);
  for (let row = 0; row < rows; row++) {
    const m = row % markets;
    const origin = Math.floor(row / markets);
    scales[m] = Math.exp(0.9 * Math.log(scales[m]) + 0.3 * random.normal());
    prices[m] *= Math.exp(0.02 * random.normal());
    outcomes.market[row] = m;
    outcomes.asOf[row] = START + origin * 24 * HOUR_MILLISECONDS;
    outcomes.fold[row] = Math.floor((4 * origin) / origins);
    outcomes.price[row] = prices[m];
    outcomes.volatilityFifth[row] = Math.min(4, Math.max(0, Math.floor(2.5 + Math.log(scales[m]) / 0.6)));
    for (let path = 0; path < PATHS_PER_MARKET; path++) {
      const horizon = path % HORIZON_COUNT;
      const typical = 0.004 * Math.sqrt(HORIZONS_HOURS[horizon]);
      const at = row * PATHS_PER_MARKET + path;
      const mean = typical * scales[m];
      outcomes.excursions[at] = Math.min(0.9, mean * random.exponential());
      outcomes.shockThreshold[at] = 3 * typical;
      for (const [f, factor] of [1, LOW, 1.1 / scales[m]].entries()) {
        const { valueAtRisk, expectedShortfall, shockProbability } = forecasts[f];
        for (let c = 0; c < CONFIDENCE_COUNT; c++) {
          const value = -mean * factor * Math.log(1 - CONFIDENCES[c]);
          valueAtRisk[at * CONFIDENCE_COUNT + c] = value;
          expectedShortfall[at * CONFIDENCE_COUNT + c] = value + mean * factor;
        }
        if (shockProbability !== null) shockProbability[at] = Math.exp((-3 * typical) / (mean * factor));
      }
    }
    for (const [h, hours] of HORIZONS_HOURS.entries())
      outcomes.realisedVariance[row * HORIZON_COUNT + h] = hours * (0.004 * scales[m]) ** 2;
  }
  return { outcomes, forecasts };
}

/** The position of a cell of a row, written out once more for tests to hold the report against. */
export function cellAt(row: number, side: number, horizon: number, confidence: number): number {
  return row * CELLS_PER_MARKET + (side * HORIZON_COUNT + horizon) * CONFIDENCE_COUNT + confidence;
}
