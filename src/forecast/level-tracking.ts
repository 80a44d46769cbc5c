import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  cellIndex,
  type ForecastBatch,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  SIDE_COUNT,
} from './predictor.ts';

/**
 * Keeps the rate of exceedances of every market at its target, whatever the market does: quantile tracking of log levels (the proportional
 * part of conformal PID control, Angelopoulos, Candès and Tibshirani 2023; `risk/calibration/quantile-tracking.ts` has the bound). VaR and ES of a cell are the
 * predictor's times exp θ, and when an outcome is known θ moves by η (hit − α).
 *
 * The rate is slow on purpose, and slower where horizons overlap and one bad day is many hits. Of 24 perpetual markets in 2022 and in 2023, forecast every
 * 6 hours, η = 0.003/√α, over 24 hours half of it, brought the exceedance rate of 96 % of the cells and more into its binomial interval, and cost at most
 * 0.6 % of pinball loss; over 24 hours the whole of it cost up to 1.7 %.
 */
const RATE_PER_HOUR = 0.0005;
/** Horizons up to this long are learned from at the whole rate; longer ones by the square root of how many of it they are. */
const WHOLE_RATE_HOURS = 6;
/** Origins further apart than this teach as much as origins this far apart. */
const MOST_HOURS = 24;
/** exp θ stays in this corridor: beyond it the predictor is wrong in a way that a factor would hide. */
export const LEVEL_RANGE = [0.7, 1.6] as const;
const LOG_RANGE = [Math.log(LEVEL_RANGE[0]), Math.log(LEVEL_RANGE[1])] as const;

/** One step of θ. @param hours since the origin before. */
export function trackedLevel(
  log: number,
  isHit: boolean,
  confidence: number,
  horizonHours: number,
  hours: number,
): number {
  const target = 1 - confidence;
  const overlap = Math.max(horizonHours / WHOLE_RATE_HOURS, 1);
  const rate = (RATE_PER_HOUR * Math.min(Math.max(hours, 0), MOST_HOURS)) / Math.sqrt(target * overlap);
  return Math.min(Math.max(log + rate * ((isHit ? 1 : 0) - target), LOG_RANGE[0]), LOG_RANGE[1]);
}

/**
 * Multiplies one market's VaR and ES by its levels, and restores what separate factors may break: VaR and ES rise with confidence and with
 * the horizon that contains the shorter one. A cell is only ever raised for that.
 *
 * @param logs θ by cell. @param market row of the arrays.
 */
export function applyLevels(
  logs: Float64Array,
  valueAtRisk: Float64Array,
  expectedShortfall: Float64Array,
  market: number,
): void {
  for (let side = 0; side < SIDE_COUNT; side++) {
    for (let h = 0; h < HORIZON_COUNT; h++) {
      for (let c = 0; c < CONFIDENCE_COUNT; c++) {
        const cell = cellIndex(market, side, h, c);
        const factor = Math.exp(logs[cellIndex(0, side, h, c)]);
        const shorter = h > 0 ? cellIndex(market, side, h - 1, c) : -1;
        applyFactor(valueAtRisk, cell, factor, c > 0, shorter, side);
        applyFactor(expectedShortfall, cell, factor, c > 0, shorter, side);
        expectedShortfall[cell] = Math.max(expectedShortfall[cell], valueAtRisk[cell]);
      }
    }
  }
}

/** @param hasLower whether the cell before is of a lower confidence. @param shorter cell of the shorter horizon; −1 for none. */
function applyFactor(
  array: Float64Array,
  cell: number,
  factor: number,
  hasLower: boolean,
  shorter: number,
  side: number,
): void {
  const below = Math.max(hasLower ? array[cell - 1] : 0, shorter >= 0 ? array[shorter] : 0);
  // Nobody loses more than the price on a long.
  array[cell] = Math.min(Math.max(array[cell] * factor, below), side === 0 ? 1 : Number.MAX_VALUE);
}

interface MarketLevels {
  readonly logs: Float64Array;
  /** By horizon: the newest origin that was learned from, epoch milliseconds. */
  readonly newest: Float64Array;
}

/** The levels of all markets of a service. */
export class LevelTracking {
  readonly #markets = new Map<string, MarketLevels>();

  /** The batch with each market's levels; markets that are not available, and ones never observed, are as they were. */
  adjusted(batch: ForecastBatch): ForecastBatch {
    const valueAtRisk = batch.valueAtRisk.slice();
    const expectedShortfall = batch.expectedShortfall.slice();
    for (const [m, symbol] of batch.symbols.entries()) {
      const levels = this.#markets.get(symbol);
      if (levels !== undefined && batch.unavailable[m] === '')
        applyLevels(levels.logs, valueAtRisk, expectedShortfall, m);
    }
    return { ...batch, valueAtRisk, expectedShortfall };
  }

  /**
   * Learns from outcomes of one horizon whose forecast had been adjusted.
   *
   * @param asOf origin, epoch milliseconds; one that is not later than the newest has been learned from. @param hits by side and confidence.
   */
  observe(symbol: string, horizon: number, asOf: number, hits: readonly (readonly boolean[])[]): void {
    let levels = this.#markets.get(symbol);
    if (levels === undefined) {
      levels = {
        logs: new Float64Array(CELLS_PER_MARKET),
        newest: new Float64Array(HORIZON_COUNT).fill(Number.NaN),
      };
      this.#markets.set(symbol, levels);
    }
    const before = levels.newest[horizon];
    if (asOf <= before) return;
    levels.newest[horizon] = asOf;
    const hours = Number.isNaN(before) ? 1 : (asOf - before) / 3_600_000;
    for (let side = 0; side < hits.length; side++) {
      for (let c = 0; c < hits[side].length; c++) {
        const cell = cellIndex(0, side, horizon, c);
        levels.logs[cell] = trackedLevel(
          levels.logs[cell],
          hits[side][c],
          CONFIDENCES[c],
          HORIZONS_HOURS[horizon],
          hours,
        );
      }
    }
  }

  /** Plain data, to be kept over a restart. */
  state(): LevelState {
    const markets = [...this.#markets].map(([symbol, { logs, newest }]) => {
      const state = { logs: [] as number[], newest: [] as (number | null)[] };
      for (let i = 0; i < logs.length; i++) state.logs.push(logs[i]);
      for (let h = 0; h < newest.length; h++) state.newest.push(Number.isNaN(newest[h]) ? null : newest[h]);
      return [symbol, state] as const;
    });
    return { version: 1, markets: Object.fromEntries(markets) };
  }

  /** Takes the place of what was learned; entries that do not hold are left out. */
  restore(state: LevelState): void {
    this.#markets.clear();
    for (const [symbol, { logs, newest }] of Object.entries(state.markets)) {
      const isWhole =
        logs.length === CELLS_PER_MARKET && newest.length === HORIZON_COUNT && logs.every(Number.isFinite);
      if (!isWhole) continue;
      this.#markets.set(symbol, {
        logs: Float64Array.from(logs, (log) => Math.min(Math.max(log, LOG_RANGE[0]), LOG_RANGE[1])),
        newest: Float64Array.from(newest, (time) => time ?? Number.NaN),
      });
    }
  }
}

export interface LevelState {
  readonly version: 1;
  readonly markets: Readonly<
    Record<string, { readonly logs: readonly number[]; readonly newest: readonly (number | null)[] }>
  >;
}
