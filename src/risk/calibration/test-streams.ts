import { Random } from '../../random.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import type { Calibrator } from './adjustment.ts';
import type { ForecastSeries } from './calibrator.ts';

/**
 * Exponential losses under a VaR that moves, drawn by Park and Miller's generator: any language repeats them. The golden
 * values of these tests were computed from the papers' formulas in Python with NumPy 2.4, in plain products and sorts.
 */
export function goldenSeries(n = 600): ForecastSeries {
  const { uniform: next } = parkMiller(20240601);
  const loss = new Float64Array(n);
  const valueAtRisk = new Float64Array(n);
  for (let t = 0; t < n; t++) {
    loss[t] = -Math.log(1 - next()) * 0.01 * 1.4;
    valueAtRisk[t] = 0.03 * (0.8 + 0.4 * next());
  }
  return { loss, valueAtRisk, expectedShortfall: valueAtRisk.map((value) => 1.25 * value) };
}

/** Losses whose size jumps every few hundred steps, under a predictor that does not notice. */
export function regimeSeries(n: number, seed: number, confidence: number): ForecastSeries {
  const random = Random.stream(seed, 'regimes');
  const valueAtRisk = -Math.log(1 - confidence);
  let size = 1;
  let left = 0;
  const loss = Float64Array.from({ length: n }, () => {
    if (left-- === 0) {
      size = 0.5 + 2 * random.uniform();
      left = 200 + random.integer(600);
    }
    return size * random.exponential();
  });
  return {
    loss,
    valueAtRisk: new Float64Array(n).fill(valueAtRisk),
    expectedShortfall: new Float64Array(n).fill(valueAtRisk + 1),
  };
}

/** What an adversary does in a step who sees the adjusted VaR before he chooses the loss. */
export type Move = 'highest' | 'lowest' | 'just above' | 'just below';
export const MOVES: readonly Move[] = ['highest', 'lowest', 'just above', 'just below'];

export interface Duel<State> {
  readonly steps: number;
  readonly exceedances: number;
  readonly clipped: number;
  readonly state: State;
}

/**
 * Plays moves, over and over, against an adjuster. Losses are multiples of the predictor's VaR from `least` to `greatest`;
 * the predictor's VaR moves too. Steps in which the adjuster did not adjust yet are not counted.
 */
export function duel<State>(
  calibrator: Calibrator<State>,
  moves: readonly Move[],
  steps: number,
  least: number,
  greatest: number,
): Duel<State> {
  let state = calibrator.initial();
  let counted = 0;
  let exceedances = 0;
  let clipped = 0;
  for (let t = 0; t < steps; t++) {
    const valueAtRisk = 0.02 * (1 + 0.5 * Math.sin(t));
    const forecast = { valueAtRisk, expectedShortfall: 1.3 * valueAtRisk };
    const adjusted = calibrator.adjusted(state, forecast.valueAtRisk, forecast.expectedShortfall);
    const loss = lossOf(moves[t % moves.length], adjusted.valueAtRisk, valueAtRisk, least, greatest);
    if (adjusted.status !== 'unadjusted') {
      counted++;
      if (loss > adjusted.valueAtRisk) exceedances++;
      if (adjusted.status !== 'adjusted') clipped++;
    }
    state = calibrator.observe(state, loss, forecast);
  }
  return { steps: counted, exceedances, clipped, state };
}

function lossOf(move: Move, adjusted: number, predictor: number, least: number, greatest: number): number {
  const [low, high] = [least * predictor, greatest * predictor];
  if (move === 'highest') return high;
  if (move === 'lowest') return low;
  const wanted = move === 'just above' ? adjusted * (1 + 1e-9) : adjusted * (1 - 1e-9);
  return Math.min(Math.max(wanted, low), high);
}
