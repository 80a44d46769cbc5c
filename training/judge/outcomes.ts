import { FEATURE_COUNT, featureIndex } from '../../src/features/spec.ts';
import { HORIZON_COUNT, PATHS_PER_MARKET } from '../../src/forecast/predictor.ts';
import type { MarketHistory } from '../../src/risk/bars.ts';
import { DAY_MILLISECONDS } from '../../src/units.ts';
import type { Dataset } from '../dataset.ts';
import type { Fold } from '../walk-forward.ts';
import type { OutcomeTable } from './tables.ts';

/** A fifth is taken among the rows of this long before. */
const FIFTHS_DAYS = 365;
const FIFTHS = 5;
const VOLATILITY = featureIndex('logRealisedVolatility24h');

/**
 * What came after some rows of a dataset, as forecasts are judged on it.
 *
 * @param rows ascending. @param folds in order; each row is of the last fold that begins by its time.
 */
export function outcomeTable(
  markets: readonly MarketHistory[],
  data: Dataset,
  rows: Uint32Array,
  folds: readonly Fold[],
): OutcomeTable {
  const { features, excursions, shockThreshold, realisedVariance } = data;
  const count = rows.length;
  const asOf = Float64Array.from(rows, (row) => features.asOf[row]);
  const market = Uint16Array.from(rows, (row) => features.market[row]);
  return {
    rows: count,
    symbols: features.symbols,
    market,
    asOf,
    fold: Uint8Array.from(asOf, (time) =>
      Math.max(
        folds.findLastIndex(({ from }) => from <= time),
        0,
      ),
    ),
    price: Float64Array.from(rows, (row) => {
      const { bars } = markets[features.market[row]];
      return bars.close[features.barIndex[row]];
    }),
    excursions: gathered(excursions, rows, PATHS_PER_MARKET),
    shockThreshold: gathered(shockThreshold, rows, PATHS_PER_MARKET),
    realisedVariance: gathered(realisedVariance, rows, HORIZON_COUNT),
    volatilityFifth: volatilityFifths(data, rows),
  };
}

function gathered(from: Float32Array, rows: Uint32Array, width: number): Float64Array {
  const out = new Float64Array(rows.length * width);
  for (let i = 0; i < rows.length; i++)
    for (let k = 0; k < width; k++) out[i * width + k] = from[rows[i] * width + k];
  return out;
}

/** By row: the fifth of the market's own last year, this row included, that the volatility of its last 24 hours is in. */
function volatilityFifths({ features }: Dataset, rows: Uint32Array): Uint8Array {
  const { asOf, market, values } = features;
  const byMarket = features.symbols.map((): number[] => []);
  for (let row = 0; row < features.rows; row++) byMarket[market[row]].push(row);
  const fifths = new Uint8Array(features.rows);
  const wanted = new Set(rows);
  for (const own of byMarket) {
    const volatility = Float64Array.from(own, (row) => values[row * FEATURE_COUNT + VOLATILITY]);
    let from = 0;
    for (const [i, row] of own.entries()) {
      while (asOf[own[from]] < asOf[row] - FIFTHS_DAYS * DAY_MILLISECONDS) from++;
      if (!wanted.has(row)) continue;
      let below = 0;
      for (let k = from; k < i; k++) if (volatility[k] < volatility[i]) below++;
      fifths[row] = Math.min(Math.floor((FIFTHS * below) / (i - from + 1)), FIFTHS - 1);
    }
  }
  return Uint8Array.from(rows, (row) => fifths[row]);
}
