import type { LatestFeatures } from '../features/live.ts';
import { FEATURE_COUNT } from '../features/spec.ts';
import { horizonIndex, SIDES } from '../forecast/predictor.ts';
import { pinball } from '../risk/comparison/scores.ts';
import type { JudgedForecast } from './coverage-watch.ts';
import type { SeenByDecision } from './drift-watch.ts';
import { cellOf } from './pending-forecast.ts';

const RESIDUAL_CONFIDENCE = 0.95;
const SCORE_CONFIDENCE = 0.99;
/** A millionth of the price, as in the reference of the training span. */
const LEAST_VALUE_AT_RISK = 1e-6;

/** Collects what the shock model saw and how it did, until it has been delivered. */
export class Seen {
  #horizons: number[] = [];
  #residuals: number[] = [];
  #scores: number[] = [];
  /** The newest origin whose features were delivered. */
  #newest = Number.NEGATIVE_INFINITY;
  #taken: LatestFeatures | null = null;

  judged({ isChampion, horizonHours, cells, valuesAtRisk, realised }: JudgedForecast): void {
    const horizon = horizonIndex(horizonHours);
    if (!isChampion || horizon < 0) return;
    for (const side of SIDES) {
      const usual = valuesAtRisk[cellOf(cells, side, RESIDUAL_CONFIDENCE)];
      const rare = valuesAtRisk[cellOf(cells, side, SCORE_CONFIDENCE)];
      if (usual === undefined || rare === undefined) continue;
      this.#horizons.push(horizon);
      this.#residuals.push(realised[side] / Math.max(usual, LEAST_VALUE_AT_RISK));
      this.#scores.push(
        pinball(realised[side], rare, SCORE_CONFIDENCE) / Math.max(rare, LEAST_VALUE_AT_RISK),
      );
    }
  }

  features(latest: LatestFeatures): void {
    this.#taken = latest;
  }

  /** All since the last delivery. Features are those of one origin, of the markets that are ready. */
  all(): SeenByDecision {
    const latest = this.#taken;
    const rows: number[] = [];
    if (latest !== null && latest.asOf > this.#newest)
      for (const [m, isReady] of latest.ready.entries()) if (isReady === 1) rows.push(m);
    const features = new Float64Array(rows.length * FEATURE_COUNT);
    for (const [i, m] of rows.entries())
      features.set(
        latest?.values.subarray(m * FEATURE_COUNT, (m + 1) * FEATURE_COUNT) ?? [],
        i * FEATURE_COUNT,
      );
    return {
      features,
      horizons: Uint8Array.from(this.#horizons),
      residuals: Float64Array.from(this.#residuals),
      scores: Float64Array.from(this.#scores),
    };
  }

  delivered(): void {
    this.#newest = Math.max(this.#newest, this.#taken?.asOf ?? this.#newest);
    this.#horizons = [];
    this.#residuals = [];
    this.#scores = [];
  }
}
