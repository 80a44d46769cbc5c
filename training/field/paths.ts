import { CONFIDENCE_COUNT, cellIndex, HORIZON_COUNT, SIDES } from '../../src/forecast/predictor.ts';
import type { ForecastTable } from '../judge/tables.ts';

/** A market that does not move has a loss of nothing; scores need it positive. */
export const LEAST_LOSS = 1e-9;

export function eachPath(visit: (horizon: number, side: number) => void): void {
  for (let h = 0; h < HORIZON_COUNT; h++) for (const s of SIDES.keys()) visit(h, s);
}

/** Writes one path's VaR and ES in order: VaR rises with confidence, ES is never below it, a long loses no more than all. */
export function write(
  out: ForecastTable,
  row: number,
  side: number,
  horizon: number,
  riskOf: (confidence: number) => readonly [valueAtRisk: number, expectedShortfall: number],
): void {
  const most = SIDES[side] === 'long' ? 1 : Number.MAX_VALUE;
  let [leastValue, leastShortfall] = [LEAST_LOSS, LEAST_LOSS];
  for (let c = 0; c < CONFIDENCE_COUNT; c++) {
    const [value, shortfall] = riskOf(c);
    leastValue = Math.min(Math.max(value, leastValue), most);
    leastShortfall = Math.min(Math.max(shortfall, leastValue, leastShortfall), most);
    const cell = cellIndex(row, side, horizon, c);
    out.valueAtRisk[cell] = leastValue;
    out.expectedShortfall[cell] = leastShortfall;
  }
}
