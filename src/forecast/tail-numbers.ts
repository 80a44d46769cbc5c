import type { TailOfPath } from './classical-tail.ts';
import { CONFIDENCE_COUNT, PATHS_PER_MARKET } from './predictor.ts';

/** Numbers of a path: VaR at all confidences, ES at all confidences, and the Pareto law beyond its threshold. */
export const NUMBERS_PER_PATH = 2 * CONFIDENCE_COUNT + 4;
/** Where they are among those of a path. */
export const SHORTFALL_AT = CONFIDENCE_COUNT;
export const THRESHOLD_AT = 2 * CONFIDENCE_COUNT;
export const SHARE_AT = THRESHOLD_AT + 1;
export const SHAPE_AT = THRESHOLD_AT + 2;
export const SCALE_AT = THRESHOLD_AT + 3;

/**
 * What follows from the tails of a market's paths, all in one piece of memory: an hour changes few of them, and every
 * forecast reads all.
 */
export class TailNumbers {
  /** By path, `NUMBERS_PER_PATH` each. */
  readonly values = new Float64Array(PATHS_PER_MARKET * NUMBERS_PER_PATH);
  /** 1 where the tail of a path is another one than its numbers are of. */
  readonly stale = new Uint8Array(PATHS_PER_MARKET).fill(1);

  set(path: number, { valueAtRisk, expectedShortfall, pareto }: TailOfPath): void {
    const { values } = this;
    const at = path * NUMBERS_PER_PATH;
    for (let c = 0; c < CONFIDENCE_COUNT; c++) {
      values[at + c] = valueAtRisk[c];
      values[at + SHORTFALL_AT + c] = expectedShortfall[c];
    }
    values[at + THRESHOLD_AT] = pareto.threshold;
    values[at + SHARE_AT] = pareto.exceedanceShare;
    values[at + SHAPE_AT] = pareto.shape;
    values[at + SCALE_AT] = pareto.scale;
    this.stale[path] = 0;
  }
}
