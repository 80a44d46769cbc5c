import { refusal } from '../numeric/inputs.ts';
import { type Unavailable, unavailable } from '../outcome.ts';
import { portfolioLosses } from './portfolio-risk.ts';
import type { ReturnScenarios } from './return-scenarios.ts';
import { netNotionals, type Position } from './scenario-losses.ts';
import { type Scenario, scenarioDamage } from './scenarios.ts';
import { movedBy, requireDamage, smallestMultiple } from './smallest-multiple.ts';

/** What happened before, asked for a damage. Scenarios by their index among those given. */
export interface HistoricalReverseStress {
  /** The mildest of the scenarios that do at least the damage; the first of equal ones. */
  readonly mildest: { readonly available: true; readonly index: number; readonly loss: number } | Unavailable;
  /** How many do at least the damage. */
  readonly count: number;
  /** The worst of them, and the factor on its moves that makes its loss the damage: above 1 where nothing was as bad. */
  readonly worst:
    | {
        readonly available: true;
        readonly index: number;
        readonly loss: number;
        readonly multiplier: number;
        /** Simple returns after scaling, in the order of its markets; at least −1. */
        readonly returns: Float64Array;
      }
    | Unavailable;
}

/** Scaled further than this a scenario says nothing about history any more. */
const MOST_MULTIPLE = 100;

/**
 * The mildest of some scenarios, judged at their end, that loses the damage or more, and by how much the worst of them has to
 * be scaled to lose just that. Scaled moves stop where a price reaches zero.
 *
 * @param damage above 0, quote asset.
 * @throws PlimsollError INPUT_INVALID for no scenario, a damage not above 0, and as `scenarioDamage`.
 */
export function reverseScenarios(
  scenarios: readonly Scenario[],
  positions: readonly Position[],
  damage: number,
): HistoricalReverseStress {
  if (scenarios.length === 0) throw refusal('there is no scenario', 'Give at least one.');
  const losses = Float64Array.from(scenarios, (scenario) => scenarioDamage(scenario, positions, 'end').loss);
  return reverseOver(losses, damage, (index) => {
    const { shocks } = scenarios[index];
    return {
      notionals: netNotionals(
        shocks.map(({ market }) => market),
        positions,
      ),
      moves: Float64Array.from(shocks, ({ move }) => move),
    };
  });
}

/**
 * The same over every path of a history, by the loss at its end.
 *
 * @throws PlimsollError INPUT_INVALID for a damage not above 0, and as `portfolioLosses`.
 */
export function reverseHistory(
  scenarios: ReturnScenarios,
  positions: readonly Position[],
  damage: number,
): HistoricalReverseStress {
  const { markets, steps, slots, close, entry } = scenarios;
  const losses = portfolioLosses(scenarios, positions, { measure: 'terminal' });
  return reverseOver(losses, damage, (index) => ({
    notionals: netNotionals(markets, positions),
    moves: Float64Array.from(markets, (_, m) => {
      const at = m * slots + entry[index];
      return close[at + steps] / close[at] - 1;
    }),
  }));
}

function reverseOver(
  losses: Float64Array,
  damage: number,
  portfolioIn: (index: number) => { readonly notionals: Float64Array; readonly moves: Float64Array },
): HistoricalReverseStress {
  requireDamage(damage);
  let worst = 0;
  let mildest = -1;
  let count = 0;
  for (let s = 0; s < losses.length; s++) {
    if (losses[s] > losses[worst]) worst = s;
    if (losses[s] < damage) continue;
    count++;
    if (mildest < 0 || losses[s] < losses[mildest]) mildest = s;
  }
  return {
    mildest:
      mildest < 0
        ? unavailable('no scenario does as much damage')
        : { available: true, index: mildest, loss: losses[mildest] },
    count,
    worst: scaledTo(damage, worst, losses[worst], portfolioIn),
  };
}

function scaledTo(
  damage: number,
  index: number,
  loss: number,
  portfolioIn: Parameters<typeof reverseOver>[2],
): HistoricalReverseStress['worst'] {
  if (!(loss > 0)) return unavailable('the portfolio loses in none of the scenarios');
  const { notionals, moves } = portfolioIn(index);
  const multiplier = smallestMultiple(notionals, moves, damage, MOST_MULTIPLE);
  if (multiplier === null)
    return unavailable(`the worst scenario scaled by up to ${MOST_MULTIPLE} does not do as much damage`);
  return { available: true, index, loss, multiplier, returns: movedBy(moves, multiplier) };
}
