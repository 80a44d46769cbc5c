import {
  murphyThresholds,
  requireForecasts,
  requireShortfalls,
  tailLoss,
  valueAtRiskMurphy,
} from './murphy.ts';

/** Forecasts of VaR and ES, by time, positive for losses. */
export interface TailForecasts {
  readonly valuesAtRisk: Float64Array;
  readonly expectedShortfalls: Float64Array;
}

/** How the Murphy curves of two forecasts lie to each other, over all thresholds. */
export interface Dominance {
  /** Whose curve is nowhere higher and somewhere lower: it is better by every consistent score in this sample. */
  readonly verdict: 'first' | 'second' | 'equal' | 'neither';
  /** How far the first's curve lies below the second's where most; 0 where nowhere. */
  readonly firstLead: number;
  /** The same of the second's below the first's. */
  readonly secondLead: number;
}

/** Curves closer than this share of their height are the same. */
const ROUNDING = 1e-12;

/**
 * Which of two VaR forecasts dominates (Ehm et al. 2016). The curves are steps that move only at a loss or a forecast: the
 * verdict is that of every threshold there is, not of a grid.
 *
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function valueAtRiskDominance(
  losses: Float64Array,
  first: Float64Array,
  second: Float64Array,
  confidence: number,
): Dominance {
  requireForecasts(losses, first, confidence);
  requireForecasts(losses, second, confidence);
  const thresholds = murphyThresholds([losses, first, second], Number.MAX_SAFE_INTEGER);
  const a = valueAtRiskMurphy(losses, first, confidence, thresholds);
  const b = valueAtRiskMurphy(losses, second, confidence, thresholds);
  const curve = new Leads();
  for (let k = 0; k < thresholds.length; k++) curve.add(a[k] - b[k]);
  return curve.dominance(ROUNDING);
}

/**
 * Which of two forecasts of ES with VaR dominates (Ziegel et al. 2020). The difference of the curves is linear between the
 * values of ES and may jump there: both ends of every piece are looked at, so that the verdict is that of every threshold.
 *
 * @throws PlimsollError INPUT_INVALID, DATA_INSUFFICIENT.
 */
export function shortfallDominance(
  losses: Float64Array,
  first: TailForecasts,
  second: TailForecasts,
  confidence: number,
): Dominance {
  for (const { valuesAtRisk, expectedShortfalls } of [first, second]) {
    requireForecasts(losses, valuesAtRisk, confidence);
    requireShortfalls(valuesAtRisk, expectedShortfalls);
  }
  const [a, b] = [first, second].map((forecasts) => ascendingTail(losses, forecasts, confidence));
  const n = losses.length;
  const curve = new Leads();
  // The difference at θ is intercept + slope θ, both sums over the values of ES that are not above θ.
  let [i, j] = [0, 0];
  let [slope, intercept] = [0, 0];
  let scale = 0;
  while (i < n || j < n) {
    const theta = Math.min(i < n ? a.shortfalls[i] : Infinity, j < n ? b.shortfalls[j] : Infinity);
    curve.add((intercept + slope * theta) / n);
    for (; i < n && a.shortfalls[i] === theta; i++) {
      intercept += a.tails[i];
      slope--;
      scale = Math.max(scale, Math.abs(a.tails[i]), Math.abs(theta));
    }
    for (; j < n && b.shortfalls[j] === theta; j++) {
      intercept -= b.tails[j];
      slope++;
      scale = Math.max(scale, Math.abs(b.tails[j]), Math.abs(theta));
    }
    curve.add((intercept + slope * theta) / n);
  }
  return curve.dominance(ROUNDING * scale);
}

/** ES ascending, and beside each what its score holds once θ has reached it. */
function ascendingTail(
  losses: Float64Array,
  { valuesAtRisk, expectedShortfalls }: TailForecasts,
  confidence: number,
): { shortfalls: Float64Array; tails: Float64Array } {
  const order = Uint32Array.from(losses, (_, t) => t);
  order.sort((s, t) => expectedShortfalls[s] - expectedShortfalls[t]);
  const shortfalls = Float64Array.from(order, (t) => expectedShortfalls[t]);
  const tails = Float64Array.from(order, (t) => tailLoss(losses[t], valuesAtRisk[t], confidence));
  return { shortfalls, tails };
}

class Leads {
  #first = 0;
  #second = 0;

  /** @param difference the first's score less the second's. */
  add(difference: number): void {
    if (-difference > this.#first) this.#first = -difference;
    else if (difference > this.#second) this.#second = difference;
  }

  dominance(tolerance: number): Dominance {
    const firstLead = this.#first > tolerance ? this.#first : 0;
    const secondLead = this.#second > tolerance ? this.#second : 0;
    if (firstLead > 0 && secondLead > 0) return { verdict: 'neither', firstLead, secondLead };
    const verdict = firstLead > 0 ? 'first' : secondLead > 0 ? 'second' : 'equal';
    return { verdict, firstLead, secondLead };
  }
}
