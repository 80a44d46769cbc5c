import { PlimsollError } from '../errors.ts';
import type { MarketHistory } from '../risk/bars.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  type ForecastBatch,
  PATHS_PER_MARKET,
  pathIndex,
} from './predictor.ts';

/** No excursion is forecast beyond ten times the entry price: what says so is broken, and would be taken for caution. */
const LARGEST_FORECAST = 10;
/** Float32 noise of what is equal in exact arithmetic. */
const TOLERANCE = 1e-6;

/**
 * What is wrong with a forecast of these markets, in words; null where it keeps the port's promises: the right markets and
 * lengths, finite numbers, VaR that rises with confidence, ES at or above VaR, probabilities.
 */
export function forecastFault(batch: ForecastBatch, markets: readonly MarketHistory[]): string | null {
  const count = markets.length;
  if (!isWhole(batch, markets)) return 'it did not forecast the markets that it was given';
  const { valueAtRisk, expectedShortfall, shockThreshold, shockProbability } = batch;
  if (valueAtRisk.length !== count * CELLS_PER_MARKET || expectedShortfall.length !== valueAtRisk.length)
    return `it gave ${valueAtRisk.length} VaR and ${expectedShortfall.length} ES for ${count} markets; ${count * CELLS_PER_MARKET} of each are needed`;
  if (
    shockProbability.length !== count * PATHS_PER_MARKET ||
    shockThreshold.length !== shockProbability.length
  )
    return `it gave ${shockProbability.length} shock probabilities for ${count} markets; ${count * PATHS_PER_MARKET} are needed`;
  for (let m = 0; m < count; m++) {
    if (batch.unavailable[m] !== '') continue;
    const fault = tailFault(valueAtRisk, expectedShortfall, m) ?? probabilityFault(batch, m);
    if (fault !== null) return `${batch.symbols[m]}: ${fault}`;
  }
  return null;
}

/** What is wrong with VaR and ES of one market or row; null where nothing is. */
export function tailFault(
  valueAtRisk: Float64Array,
  expectedShortfall: Float64Array,
  row: number,
): string | null {
  for (let i = 0; i < CELLS_PER_MARKET; i++) {
    const cell = row * CELLS_PER_MARKET + i;
    const value = valueAtRisk[cell];
    const shortfall = expectedShortfall[cell];
    if (!Number.isFinite(value) || !Number.isFinite(shortfall)) return 'VaR or ES is not a finite number';
    if (value < 0 || shortfall > LARGEST_FORECAST)
      return `VaR ${value} or ES ${shortfall} is outside 0 to ${LARGEST_FORECAST}`;
    if (shortfall < value * (1 - TOLERANCE)) return `ES ${shortfall} is below VaR ${value}`;
    if (i % CONFIDENCE_COUNT > 0 && value < valueAtRisk[cell - 1] * (1 - TOLERANCE))
      return `VaR falls from ${valueAtRisk[cell - 1]} to ${value} as the confidence rises`;
  }
  return null;
}

function probabilityFault(
  { shockThreshold, shockProbability }: ForecastBatch,
  market: number,
): string | null {
  for (let path = pathIndex(market, 0, 0); path < pathIndex(market + 1, 0, 0); path++) {
    const probability = shockProbability[path];
    if (!(probability >= 0 && probability <= 1)) return `the shock probability ${probability} is none`;
    if (!(shockThreshold[path] >= 0 && Number.isFinite(shockThreshold[path])))
      return `the shock threshold ${shockThreshold[path]} is none`;
  }
  return null;
}

/** A forecast that is not for exactly these markets cannot be told apart from a good one later. */
export function requireWhole(batch: ForecastBatch, markets: readonly MarketHistory[]): ForecastBatch {
  if (isWhole(batch, markets)) return batch;
  throw new PlimsollError('INTERNAL', `${batch.predictor} did not forecast the markets that it was given`);
}

function isWhole({ symbols, unavailable }: ForecastBatch, markets: readonly MarketHistory[]): boolean {
  return (
    symbols.length === markets.length &&
    markets.every(({ symbol }, m) => symbols[m] === symbol) &&
    unavailable.length === markets.length
  );
}
