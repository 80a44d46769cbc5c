import { maxLeverageAt } from '../../src/limits/brackets.ts';
import { leverageToMarginPpmUp, PPM } from '../../src/units.ts';
import type { SchedulePath } from './schedule-path.ts';

/**
 * How much a constant position's initial margin moved: the measures of Murphy, Vasios and Vause, An investigation into the procyclicality of
 * risk-based initial margin models (Bank of England, Financial Stability Paper 29, 2014). Ratios; 0.5 is a rise by half.
 */
export interface MarginMoves {
  readonly largestRise1Day: number;
  readonly largestRise5Days: number;
  readonly largestRise30Days: number;
  /** Highest margin over the lowest. */
  readonly peakToTrough: number;
  /** Largest fall of the leverage granted within a day, as a share of it, and its largest rise. */
  readonly largestDailyCut: number;
  readonly largestDailyRaise: number;
  readonly changesPerMonth: number;
}

const HOURS_OF_MONTH = 730;

/** @returns null where the market had no table in any counted hour. */
export function marginMoves(path: SchedulePath, notional: number, isCounted: Uint8Array): MarginMoves | null {
  const leverages = path.schedules.map((schedule) => Math.max(maxLeverageAt(schedule, notional), 1));
  const leverage: number[] = [];
  let changes = 0;
  let before = -1;
  for (const [hour, table] of path.opening.entries()) {
    if (table < 0 || isCounted[hour] === 0) continue;
    if (before >= 0 && table !== before) changes++;
    before = table;
    leverage.push(leverages[table]);
  }
  if (leverage.length === 0) return null;
  const margin = Float64Array.from(leverage, (value) => leverageToMarginPpmUp(value) / PPM);
  return {
    largestRise1Day: largestRise(margin, 24),
    largestRise5Days: largestRise(margin, 120),
    largestRise30Days: largestRise(margin, 720),
    peakToTrough: margin.reduce((a, b) => Math.max(a, b)) / margin.reduce((a, b) => Math.min(a, b)),
    largestDailyCut: 1 - 1 / (1 + largestRise(margin, 24)),
    largestDailyRaise: largestRise(
      margin.map((value) => 1 / value),
      24,
    ),
    changesPerMonth: (changes * HOURS_OF_MONTH) / leverage.length,
  };
}

/** The largest of x(b) / x(a) − 1 with a < b ≤ a + hours; 0 where nothing rises. */
function largestRise(values: Float64Array, hours: number): number {
  let most = 0;
  // Indices of the window whose values rise: the first is the lowest.
  const lowest: number[] = [];
  let head = 0;
  for (let b = 0; b < values.length; b++) {
    while (lowest.length > head && values[lowest[lowest.length - 1]] >= values[b]) lowest.pop();
    lowest.push(b);
    if (lowest[head] < b - hours) head++;
    most = Math.max(most, values[b] / values[lowest[head]] - 1);
  }
  return most;
}
