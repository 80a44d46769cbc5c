import { quantileOfSorted } from '../risk/numeric/quantile.ts';
import { extremeTailOfPath, type TailOfPath, tailOfPath } from './classical-tail.ts';
import { CONFIDENCES } from './predictor.ts';

/**
 * The largest losses of a sample and what follows from them, computed when first asked for: a tail that an hour leaves as
 * it was is the same object, so that its laws are fitted once.
 */
export class SampleTail {
  /** Size of the sample. */
  readonly count: number;
  /** In memory of whoever made it, who may write another tail there: see `RollingTails.tails`. Ascending; as many as quantiles and tail means from the lowest of `CONFIDENCES` on need. Empty where count is 0. */
  readonly largest: Float64Array;
  /** The quantile at the lowest of `CONFIDENCES`; 0 where count is 0. */
  readonly threshold: number;
  #moments: TailOfPath | undefined;
  #likelihood: TailOfPath | undefined;

  constructor(largest: Float64Array, count: number) {
    this.largest = largest;
    this.count = count;
    this.threshold = count === 0 ? 0 : quantileOfSorted(largest, count, CONFIDENCES[0]);
  }

  /** See `tailOfPath`. */
  get moments(): TailOfPath {
    this.#moments ??= tailOfPath(this.largest, this.count);
    return this.#moments;
  }

  /** See `extremeTailOfPath`. */
  get likelihood(): TailOfPath {
    this.#likelihood ??= extremeTailOfPath(this.largest, this.count);
    return this.#likelihood;
  }
}
