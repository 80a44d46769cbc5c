import { requireConfidence, requireSameLength, requireSeries, requireWhole } from '../numeric/inputs.ts';

/** VaR and ES by step; entry i is that of the window which ends with loss i. */
export interface RollingRisk {
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
  /** Entries before it have no whole window and are 0. */
  readonly from: number;
}

/**
 * Historical VaR (type 7) and ES (exact tail mean) of a window that rolls over the losses.
 *
 * The window is kept sorted. A step moves only what lies between the loss that leaves and the one that comes, at the speed at which memory is
 * copied, so that for windows of some thousands this beats trees of every kind; and what ES adds up are the losses themselves, the same
 * numbers in the same order as in a sorted copy: no running sum drifts, however absurd a loss that has left.
 *
 * @param losses finite, oldest first. @param window whole, at least 2, at most as many as there are losses.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function rollingHistoricalRisk(losses: Float64Array, window: number, confidence: number): RollingRisk {
  requireConfidence(confidence);
  requireWhole('the window', window, 2);
  requireSeries('losses', losses, window);
  const n = losses.length;
  const valueAtRisk = new Float64Array(n);
  const expectedShortfall = new Float64Array(n);
  const sorted = losses.slice(0, window).sort();
  const shape = tailShape(window, confidence);
  valueAtRisk[window - 1] = quantileAt(sorted, shape);
  expectedShortfall[window - 1] = Math.max(tailMeanAt(sorted, shape), valueAtRisk[window - 1]);
  for (let i = window; i < n; i++) {
    replace(sorted, losses[i - window], losses[i]);
    const quantile = quantileAt(sorted, shape);
    const mean = tailMeanAt(sorted, shape);
    valueAtRisk[i] = quantile;
    // Equal in exact arithmetic when the tail is flat; the sum's rounding may fall below the quantile then.
    expectedShortfall[i] = mean > quantile ? mean : quantile;
  }
  return { valueAtRisk, expectedShortfall, from: window - 1 };
}

/** Quantiles and tails of a rolling window at some steps. */
export interface RollingTails {
  /** By level asked for, then by step asked for. */
  readonly quantiles: readonly Float64Array[];
  /** By confidence asked for, then by step asked for. */
  readonly risks: readonly { readonly valueAtRisk: Float64Array; readonly expectedShortfall: Float64Array }[];
}

/**
 * The numbers of `rollingHistoricalRisk` for several confidences out of one sorted window, at those steps alone that are asked for:
 * what the window costs is paid once, and a tail is added up only where somebody looks at it.
 *
 * @param at indices of the losses that the wanted windows end with, ascending, none below window − 1.
 * @param levels in (0, 1), whose quantiles are wanted without a tail.
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function rollingTailsAt(
  losses: Float64Array,
  window: number,
  at: Int32Array,
  levels: readonly number[],
  confidences: readonly number[],
): RollingTails {
  for (const level of [...levels, ...confidences]) requireConfidence(level);
  requireWhole('the window', window, 2);
  requireSeries('losses', losses, window);
  const empty = (): Float64Array => new Float64Array(at.length);
  const quantiles = levels.map(empty);
  const risks = confidences.map(() => ({ valueAtRisk: empty(), expectedShortfall: empty() }));
  const bodyShapes = levels.map((level) => tailShape(window, level));
  const tailShapes = confidences.map((confidence) => tailShape(window, confidence));
  const sorted = losses.slice(0, window).sort();
  let newest = window - 1;
  for (let k = 0; k < at.length; k++) {
    for (; newest < at[k]; newest++) replace(sorted, losses[newest + 1 - window], losses[newest + 1]);
    for (const [l, shape] of bodyShapes.entries()) quantiles[l][k] = quantileAt(sorted, shape);
    for (const [c, shape] of tailShapes.entries()) {
      const value = quantileAt(sorted, shape);
      risks[c].valueAtRisk[k] = value;
      // As above: a flat tail's sum may fall below its quantile by rounding.
      risks[c].expectedShortfall[k] = Math.max(tailMeanAt(sorted, shape), value);
    }
  }
  return { quantiles, risks };
}

/**
 * The same of filtered losses (Hull and White 1998): each loss is divided by its scale, and the numbers of the window are multiplied by the
 * scale of the step after.
 *
 * @param scales by loss, positive, known before it. @param nextScales by loss, known with it.
 */
export function rollingFilteredRisk(
  losses: Float64Array,
  scales: Float64Array,
  nextScales: Float64Array,
  window: number,
  confidence: number,
): RollingRisk {
  requireSameLength('losses and scales', losses.length, scales.length, nextScales.length);
  const unit = rollingHistoricalRisk(
    losses.map((loss, i) => loss / scales[i]),
    window,
    confidence,
  );
  for (let i = 0; i < losses.length; i++) {
    unit.valueAtRisk[i] *= nextScales[i];
    unit.expectedShortfall[i] *= nextScales[i];
  }
  return unit;
}

/** Where in a sorted window the quantile and the tail lie. */
interface TailShape {
  readonly below: number;
  readonly fraction: number;
  /** Whole losses in the tail, the share of the next one, and the tail's mass. */
  readonly whole: number;
  readonly part: number;
  readonly mass: number;
}

function tailShape(n: number, confidence: number): TailShape {
  const position = (n - 1) * confidence;
  const below = Math.floor(position);
  const mass = n * (1 - confidence);
  // Below one loss, the tail is the largest one.
  const whole = mass <= 1 ? 1 : Math.min(Math.floor(mass), n);
  return {
    below,
    fraction: position - below,
    whole,
    part: mass <= 1 || whole === n ? 0 : mass - whole,
    mass: Math.max(mass, 1),
  };
}

function quantileAt(sorted: Float64Array, { below, fraction }: TailShape): number {
  const lower = sorted[below];
  return fraction === 0 ? lower : lower + fraction * (sorted[below + 1] - lower);
}

function tailMeanAt(sorted: Float64Array, { whole, part, mass }: TailShape): number {
  const first = sorted.length - whole;
  let sum = part === 0 ? 0 : part * sorted[first - 1];
  for (let i = first; i < sorted.length; i++) sum += sorted[i];
  return sum / mass;
}

/** Takes one value out of a sorted array and puts another in. */
function replace(sorted: Float64Array, leaving: number, coming: number): void {
  const from = lowerBound(sorted, leaving);
  const to = lowerBound(sorted, coming);
  if (to > from) {
    sorted.copyWithin(from, from + 1, to);
    sorted[to - 1] = coming;
  } else {
    sorted.copyWithin(to + 1, to, from);
    sorted[to] = coming;
  }
}

/** The first place whose value is not below x. The halving has no branch that a processor could guess wrong. */
function lowerBound(sorted: Float64Array, x: number): number {
  let base = 0;
  let length = sorted.length;
  while (length > 1) {
    const half = length >>> 1;
    base += sorted[base + half - 1] < x ? half : 0;
    length -= half;
  }
  return base + (sorted[base] < x ? 1 : 0);
}
