import { refusal, requireWithin } from '../numeric/inputs.ts';
import type { ReturnScenarios } from './return-scenarios.ts';

/** A position in the quote asset: long above zero, short below. */
export interface Position {
  readonly market: string;
  readonly notional: number;
}

/**
 * What counts as the loss of a scenario.
 *
 * terminal: that at its end. path-closes: the worst at any close on the way, at least 0, the entry's. It misses what happens
 * within a bar. path-extremes: the worst over the bars when within each bar every market stands at its extreme against the
 * position at once (longs at the low, shorts at the high). The true worst loss on the path lies between the last two; with
 * one market it is the last.
 */
export type LossMeasure = 'terminal' | 'path-closes' | 'path-extremes';

/** Far beyond any money, and far from where sums of losses overflow. */
const MOST_NOTIONAL = 1e100;

/**
 * The notional of each market, all positions in it added up: opposite ones in one market cancel.
 *
 * @throws PlimsollError INPUT_INVALID for a market that is not among them and a notional that is no number.
 */
export function netNotionals(markets: readonly string[], positions: readonly Position[]): Float64Array {
  const index = new Map(markets.map((market, m) => [market, m]));
  const notionals = new Float64Array(markets.length);
  for (const { market, notional } of positions) {
    const m = index.get(market);
    if (m === undefined)
      throw refusal(`${market} is not among the markets`, 'Add the market, or leave the position out.');
    requireWithin(`the notional in ${market}`, notional, -MOST_NOTIONAL, MOST_NOTIONAL);
    notionals[m] += notional;
  }
  return notionals;
}

/** The first step that a measure looks at, and how many there are. */
export function stepsOf(
  { steps }: ReturnScenarios,
  measure: LossMeasure,
): { readonly first: number; readonly width: number } {
  return measure === 'terminal' ? { first: steps, width: 1 } : { first: 1, width: steps };
}

/**
 * The joint loss at every step that the measure looks at: entry s · width + k; see `stepsOf`.
 *
 * @param scales factors on the returns by market and scenario, or null.
 */
export function jointLosses(
  scenarios: ReturnScenarios,
  notionals: Float64Array,
  measure: LossMeasure,
  scales: Float64Array | null,
): Float64Array {
  const { slots, close, entry, scenarios: count } = scenarios;
  const { first, width } = stepsOf(scenarios, measure);
  const joint = new Float64Array(count * width);
  for (let m = 0; m < notionals.length; m++) {
    const notional = notionals[m];
    if (notional === 0) continue;
    const prices = pricesOf(scenarios, notional, measure);
    for (let s = 0; s < count; s++) {
      const at = m * slots + entry[s];
      const sized = scales === null ? notional : notional * scales[m * count + s];
      const perPrice = sized / close[at];
      for (let k = 0; k < width; k++)
        joint[s * width + k] += bounded(sized - prices[at + first + k] * perPrice, notional);
    }
  }
  return joint;
}

/** One market beside the rest, by scenario. */
export interface MarketLosses {
  /** Its worst loss, were it alone. */
  readonly own: Float64Array;
  /** The worst loss of all the others. */
  readonly rest: Float64Array;
  /** Its loss at the step where the whole is worst; 0 where that is the entry. */
  readonly part: Float64Array;
}

/** The losses of one market of those in `joint`, into `out`. @param steps from `worstSteps(joint)`. */
export function splitMarket(
  scenarios: ReturnScenarios,
  m: number,
  notional: number,
  measure: LossMeasure,
  scales: Float64Array | null,
  joint: Float64Array,
  steps: Int32Array,
  out: MarketLosses,
): void {
  const { slots, close, entry, scenarios: count } = scenarios;
  const { first, width } = stepsOf(scenarios, measure);
  const prices = pricesOf(scenarios, notional, measure);
  const least = measure === 'terminal' ? Number.NEGATIVE_INFINITY : 0;
  for (let s = 0; s < count; s++) {
    const at = m * slots + entry[s];
    const sized = scales === null ? notional : notional * scales[m * count + s];
    const perPrice = sized / close[at];
    let own = least;
    let rest = least;
    for (let k = 0; k < width; k++) {
      const loss = bounded(sized - prices[at + first + k] * perPrice, notional);
      const others = joint[s * width + k] - loss;
      if (loss > own) own = loss;
      if (others > rest) rest = others;
    }
    out.own[s] = own;
    out.rest[s] = rest;
    out.part[s] = steps[s] < 0 ? 0 : bounded(sized - prices[at + first + steps[s]] * perPrice, notional);
  }
}

function pricesOf(
  { close, low, high }: ReturnScenarios,
  notional: number,
  measure: LossMeasure,
): Float64Array {
  if (measure !== 'path-extremes') return close;
  return notional > 0 ? low : high;
}

/** A price does not fall below zero, however much its moves are scaled: a long loses it all, a short gains it all. */
function bounded(loss: number, notional: number): number {
  return notional > 0 ? Math.min(loss, notional) : Math.max(loss, notional);
}

/** The step of each scenario's worst loss: −1 where the entry, with loss 0, is it. */
export function worstSteps(losses: Float64Array, width: number, measure: LossMeasure): Int32Array {
  const steps = new Int32Array(losses.length / width);
  for (let s = 0; s < steps.length; s++) {
    let worst = measure === 'terminal' ? Number.NEGATIVE_INFINITY : 0;
    let step = -1;
    for (let k = 0; k < width; k++) {
      if (losses[s * width + k] > worst) {
        worst = losses[s * width + k];
        step = k;
      }
    }
    steps[s] = step;
  }
  return steps;
}

/** The losses at given steps, 0 at the entry. */
export function lossesAt(losses: Float64Array, width: number, steps: Int32Array): Float64Array {
  const at = new Float64Array(steps.length);
  for (let s = 0; s < steps.length; s++) if (steps[s] >= 0) at[s] = losses[s * width + steps[s]];
  return at;
}
