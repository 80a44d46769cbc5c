import type { Bracket } from '../../src/limits/types.ts';
import { type BarSeries, emptyBars } from '../../src/risk/bars.ts';
import { HOUR_MILLISECONDS, leverageToMarginPpmUp, MICROS, PPM } from '../../src/units.ts';
import type { Execution } from './execution.ts';
import { PathRecorder, type SchedulePath } from './schedule-path.ts';

/** Small pieces of a backtest for tests, with numbers that can be followed by hand. */
export const START = Date.UTC(2024, 0, 1);

/** Bars by open, high, low, close, from `START` on. */
export function barsOf(
  prices: readonly (readonly [number, number, number, number])[],
  quoteVolume = 1e9,
): BarSeries {
  const bars = emptyBars(prices.length, HOUR_MILLISECONDS);
  for (const [i, [open, high, low, close]] of prices.entries()) {
    bars.openTime[i] = START + i * HOUR_MILLISECONDS;
    bars.open[i] = open;
    bars.high[i] = high;
    bars.low[i] = low;
    bars.close[i] = close;
    bars.quoteVolume[i] = quoteVolume;
  }
  return bars;
}

/** Brackets by cap, leverage and maintenance rate; amounts follow, so that the margin is continuous. */
export function bracketsOf(
  rows: readonly (readonly [cap: number, leverage: number, maintenanceRate: number])[],
): Bracket[] {
  let [floor, rate, amount] = [0, 0, 0];
  return rows.map(([notionalCap, maxLeverage, maintenanceRate], i) => {
    amount += floor * (maintenanceRate - rate);
    const bracket = {
      bracket: i + 1,
      notionalFloor: floor,
      notionalCap,
      maxLeverage,
      initialMarginRatePpm: leverageToMarginPpmUp(maxLeverage),
      maintenanceMarginRatePpm: Math.round(maintenanceRate * PPM),
      maintenanceAmountMicros: i === 0 ? 0 : Math.round(amount * MICROS),
    };
    [floor, rate] = [notionalCap, maintenanceRate];
    return bracket;
  });
}

/** The tables in force from the hours on that they stand at. */
export function pathOf(
  symbol: string,
  hours: number,
  tables: readonly (readonly [fromHour: number, brackets: readonly Bracket[]])[],
): SchedulePath {
  const recorder = new PathRecorder(symbol, hours);
  for (let hour = 0; hour < hours; hour++) {
    const inForce = tables.findLast(([from]) => from <= hour);
    if (inForce !== undefined) recorder.record(hour, inForce[1], inForce[1]);
  }
  return recorder.path();
}

/** A market in which closing out costs nothing and takes an hour. */
export function freeExecution(hours: number): Execution {
  return {
    hourlyVolume: new Float64Array(hours).fill(1e9),
    dailyVolatility: new Float64Array(hours),
    participationRatio: 0.05,
    fixedCostRate: 0,
    impactCoefficient: 0,
  };
}
