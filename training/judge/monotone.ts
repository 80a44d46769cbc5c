import { FEATURE_COUNT, FEATURE_NAMES } from '../../src/features/spec.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  SIDES,
  type Side,
} from '../../src/forecast/predictor.ts';

/** What is asked for its VaR: rows × `FEATURE_COUNT` in, VaR by row and cell (side, horizon, confidence) out. */
export type VolatilityScorer = (features: Float64Array, rows: number) => Promise<Float64Array>;

interface CellName {
  readonly side: Side;
  readonly horizonHours: number;
  readonly confidence: number;
}

export interface MonotoneResult {
  /** Rows and cells that were compared, times steps. */
  readonly comparisons: number;
  /** Comparisons in which VaR fell by more than the tolerance. */
  readonly violations: number;
  /** The largest fall from one step to the next as a share of VaR; 0 where it never fell. */
  readonly largestFall: number;
  /** Where that was; null where VaR never fell. */
  readonly worst: (CellName & { readonly row: number; readonly step: number }) | null;
  /** The least share by which VaR rose over all steps, over rows and cells: how much the answer minds volatility at all. */
  readonly leastRise: number;
}

const isOwn = (name: string): boolean =>
  /^log(RealisedVolatility|ParkinsonVolatility|RogersSatchellVolatility)\d+h$/.test(name);
/** Raised together, one market is more volatile at every scale, its shape and all others the same. */
export const OWN_VOLATILITY_FEATURES: readonly number[] = positionsOf(
  (name) => isOwn(name) || /^ownMinusMarketLogVolatility\d+h$/.test(name),
);

/** Raised together, all markets are more volatile, and none of them against the others. */
export const ALL_VOLATILITY_FEATURES: readonly number[] = positionsOf(
  (name) => isOwn(name) || /^((index|marketMean)LogVolatility|logDispersion)\d+h$/.test(name),
);

/** Log volatility is raised by these, one after the other: in all by a factor of 4. */
const STEPS = [Math.log(1.1), Math.log(1.5), Math.log(2.5), Math.log(4)];
/** VaR may fall by this share from one step to the next: noise of float32. */
export const MONOTONE_TOLERANCE = 1e-4;

/**
 * Whether more volatility ever gives less VaR, and so more leverage: all log volatility features of real rows are raised together by
 * the same amounts, once for the market alone and once for all markets, and VaR is compared from step to step in every cell.
 *
 * @param scorer the model, for any feature rows. @param features real rows, row-major. @param rows at least 1.
 */
export async function checkMonotone(
  scorer: VolatilityScorer,
  features: Float64Array,
  rows: number,
  tolerance = MONOTONE_TOLERANCE,
): Promise<MonotoneResult> {
  const first = await scorer(features.slice(0, rows * FEATURE_COUNT), rows);
  let [comparisons, violations, largestFall] = [0, 0, 0];
  let leastRise = Number.POSITIVE_INFINITY;
  let worst: MonotoneResult['worst'] = null;
  for (const raised of [OWN_VOLATILITY_FEATURES, ALL_VOLATILITY_FEATURES]) {
    let before = first;
    for (const [step, amount] of STEPS.entries()) {
      const answer = await scorer(withRaised(features, rows, raised, amount), rows);
      for (let i = 0; i < rows * CELLS_PER_MARKET; i++) {
        comparisons++;
        // A VaR that is no number is a fall all the way.
        const ratio = answer[i] / before[i];
        const fall = Number.isFinite(ratio) ? 1 - ratio : 1;
        if (fall > tolerance) violations++;
        if (fall <= largestFall) continue;
        largestFall = fall;
        worst = { ...cellAt(i % CELLS_PER_MARKET), row: Math.floor(i / CELLS_PER_MARKET), step };
      }
      before = answer;
    }
    for (let i = 0; i < rows * CELLS_PER_MARKET; i++) {
      const rise = before[i] / first[i] - 1;
      leastRise = Math.min(leastRise, Number.isFinite(rise) ? rise : -1);
    }
  }
  return { comparisons, violations, largestFall, worst, leastRise: rows === 0 ? 0 : leastRise };
}

function withRaised(
  features: Float64Array,
  rows: number,
  which: readonly number[],
  amount: number,
): Float64Array {
  const raised = features.slice(0, rows * FEATURE_COUNT);
  for (let row = 0; row < rows; row++) for (const k of which) raised[row * FEATURE_COUNT + k] += amount;
  return raised;
}

function cellAt(cell: number): CellName {
  const path = Math.floor(cell / CONFIDENCE_COUNT);
  return {
    side: SIDES[Math.floor(path / HORIZON_COUNT)],
    horizonHours: HORIZONS_HOURS[path % HORIZON_COUNT],
    confidence: CONFIDENCES[cell % CONFIDENCE_COUNT],
  };
}

function positionsOf(isMeant: (name: string) => boolean): readonly number[] {
  return FEATURE_NAMES.flatMap((name, position) => (isMeant(name) ? [position] : []));
}
