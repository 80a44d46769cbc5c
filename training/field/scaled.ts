import { excursionSurvival, tailIndexOf } from '../../src/forecast/excursion-distribution.ts';
import {
  CONFIDENCE_COUNT,
  CONFIDENCES,
  cellIndex,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  pathIndex,
  SIDES,
} from '../../src/forecast/predictor.ts';
import { rollingTailsAt } from '../../src/risk/tail/rolling-risk.ts';
import type { ForecastTable, OutcomeTable } from '../judge/tables.ts';
import { type FieldMarket, LEAST_BARS, LOOKBACK_BARS, type Stretch } from './market.ts';
import { LEAST_LOSS, write } from './paths.ts';

/** Volatility over one horizon as known at the close of each bar of a stretch's [from, end); positive. */
export type Scales = Float64Array;

/** Below the confidences, for the probability of a shock. */
const BODY_LEVELS = [0.5, 0.75, 0.9] as const;
const LEVELS = [...BODY_LEVELS, ...CONFIDENCES];

/**
 * Filtered historical simulation of excursions (Barone-Adesi et al. 1999; Hull and White 1998): each is divided by the volatility of
 * its origin to the power g, and quantiles and tail means of the last year's are multiplied by today's. With g = 0 it
 * is historical simulation.
 *
 * @param scales by horizon. @param exponent g in [0, 1].
 */
export function forecastScaled(
  market: FieldMarket,
  stretch: Stretch,
  outcomes: OutcomeTable,
  scales: readonly Scales[],
  exponent: number,
  out: ForecastTable,
): void {
  for (let h = 0; h < HORIZON_COUNT; h++) {
    const power = scales[h].map((scale) => scale ** exponent);
    for (const s of SIDES.keys()) forecastPath(market, stretch, outcomes, s, h, power, out);
    if (out.variance !== null) forecastVariances(market, stretch, h, scales[h], out.variance);
  }
}

function forecastPath(
  market: FieldMarket,
  stretch: Stretch,
  outcomes: OutcomeTable,
  side: number,
  horizon: number,
  power: Float64Array,
  out: ForecastTable,
): void {
  const { losses, known } = scaledLosses(market, stretch, side, horizon, power);
  if (losses.length < LEAST_BARS) return;
  const window = Math.min(LOOKBACK_BARS - HORIZONS_HOURS[horizon], Math.max(known[0], LEAST_BARS));
  const answered = [...known.keys()].filter((i) => known[i] >= window);
  const at = Int32Array.from(answered, (i) => known[i] - 1);
  const levels = out.shockProbability === null ? [] : BODY_LEVELS;
  const { quantiles: body, risks } = rollingTailsAt(losses, window, at, levels, CONFIDENCES);
  const quantiles = new Float64Array(LEVELS.length);
  for (const [k, i] of answered.entries()) {
    const scale = power[stretch.bar[i] - stretch.from];
    const first = cellIndex(stretch.rows[i], side, horizon, 0);
    write(out, stretch.rows[i], side, horizon, (c) => [
      risks[c].valueAtRisk[k] * scale,
      risks[c].expectedShortfall[k] * scale,
    ]);
    if (out.shockProbability === null) continue;
    quantiles.set(out.valueAtRisk.subarray(first, first + CONFIDENCE_COUNT), BODY_LEVELS.length);
    for (const [l, values] of body.entries()) quantiles[l] = Math.max(values[k] * scale, LEAST_LOSS);
    const path = pathIndex(stretch.rows[i], side, horizon);
    const last = first + CONFIDENCE_COUNT - 1;
    const index = tailIndexOf(out.valueAtRisk[last], out.expectedShortfall[last]);
    out.shockProbability[path] = excursionSurvival(
      outcomes.shockThreshold[path],
      quantiles,
      0,
      LEVELS,
      index,
    );
  }
}

/** Excursions over scales of the valid origins of a stretch, and by row how many of them are known. */
function scaledLosses(
  { byHorizon }: FieldMarket,
  { bar, from, end }: Stretch,
  side: number,
  horizon: number,
  power: Float64Array,
): { readonly losses: Float64Array; readonly known: Int32Array } {
  const excursions = byHorizon[horizon];
  const raw = excursions[SIDES[side]];
  const losses = new Float64Array(end - from);
  const known = new Int32Array(bar.length);
  let [count, row] = [0, 0];
  const lastOrigin = Math.min(end - HORIZONS_HOURS[horizon], excursions.length);
  for (let i = from; i < end; i++) {
    // A row at bar b knows the origins up to b less the horizon.
    while (row < bar.length && bar[row] - HORIZONS_HOURS[horizon] < i) known[row++] = count;
    if (i < lastOrigin && excursions.valid[i] === 1) losses[count++] = raw[i] / power[i - from];
  }
  while (row < bar.length) known[row++] = count;
  return { losses: losses.subarray(0, count), known };
}

/** Square of the scale times the mean of realised over squared scale in the year before the fold. */
function forecastVariances(
  { returns }: FieldMarket,
  { rows, bar, from, fitEnd }: Stretch,
  horizon: number,
  scales: Scales,
  out: Float64Array,
): void {
  const hours = HORIZONS_HOURS[horizon];
  let [sum, count, ahead] = [0, 0, 0];
  for (let i = from + 1; i <= from + hours && i < returns.length; i++) ahead += returns[i] ** 2;
  for (let i = from; i + hours < fitEnd; i++) {
    sum += ahead / scales[i - from] ** 2;
    count++;
    ahead += returns[i + hours + 1] ** 2 - returns[i + 1] ** 2;
  }
  if (count < LEAST_BARS) return;
  const factor = Math.max(sum / count, 1e-6);
  for (let i = 0; i < rows.length; i++)
    out[rows[i] * HORIZON_COUNT + horizon] = factor * scales[bar[i] - from] ** 2;
}
