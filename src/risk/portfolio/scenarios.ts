import { refusal, requireWithin } from '../numeric/inputs.ts';
import { netNotionals, type Position } from './scenario-losses.ts';

/** What a scenario does to one market. Shares of the price at its beginning. */
export interface MarketShock {
  readonly market: string;
  /** Simple return from beginning to end, at least −1. */
  readonly move: number;
  /** The worst fall below the beginning's price on the way, in [0, 1]. */
  readonly long: number;
  /** The worst rise above it on the way, at least 0. */
  readonly short: number;
  /**
   * measured: from the market's own bars. factor-implied: it has none of then; beta times what the markets did that have.
   * hypothetical: made up.
   */
  readonly basis: 'measured' | 'factor-implied' | 'hypothetical';
  /** Of a shock by a factor; null for others. */
  readonly beta: number | null;
}

export interface Scenario {
  readonly id: string;
  readonly description: string;
  /** The window, epoch milliseconds; null for what never happened. */
  readonly from: number | null;
  readonly until: number | null;
  readonly shocks: readonly MarketShock[];
}

/** A shock that goes straight to its end. @throws PlimsollError INPUT_INVALID for a move below −1 or no number. */
export function directShock(market: string, move: number, beta: number | null = null): MarketShock {
  requireWithin(`the move of ${market}`, move, -1, Number.MAX_VALUE);
  return {
    market,
    move,
    long: Math.max(-move, 0),
    short: Math.max(move, 0),
    basis: 'hypothetical',
    beta,
  };
}

/** All markets move alike. @throws PlimsollError INPUT_INVALID for a move below −1 or no number. */
export function uniformShock(markets: readonly string[], move: number): Scenario {
  const shocks = markets.map((market) => directShock(market, move));
  return hypothetical('uniform', `all markets move by ${percent(move)}`, shocks);
}

/**
 * Markets of a class move alike.
 *
 * @param classOf the class of each market. @param moves by class.
 * @throws PlimsollError INPUT_INVALID for a market without a class and a class without a move.
 */
export function classShock(
  markets: readonly string[],
  classOf: ReadonlyMap<string, string>,
  moves: ReadonlyMap<string, number>,
): Scenario {
  const shocks = markets.map((market) => {
    const name = classOf.get(market);
    if (name === undefined) throw refusal(`${market} has no class`, 'Name the class of every market.');
    const move = moves.get(name);
    if (move === undefined) throw refusal(`class ${name} has no move`, 'Give 0 where it shall not move.');
    return directShock(market, move);
  });
  const text = [...moves].map(([name, move]) => `${name} ${percent(move)}`).join(', ');
  return hypothetical('class', `by class: ${text}`, shocks);
}

/**
 * A factor moves and each market by beta times as much, though none by more than to zero: max(β f, −1).
 *
 * @param betas of each market, for example from `factorBetas`.
 * @throws PlimsollError INPUT_INVALID for a market without a beta, or a number that is none.
 */
export function factorShock(
  markets: readonly string[],
  betas: ReadonlyMap<string, number>,
  move: number,
): Scenario {
  requireWithin('the move of the factor', move, -1, Number.MAX_VALUE);
  const shocks = markets.map((market) => {
    const beta = betas.get(market);
    if (beta === undefined || !Number.isFinite(beta))
      throw refusal(`${market} has no beta`, 'Give the beta of every market.');
    return directShock(market, Math.max(beta * move, -1), beta);
  });
  return hypothetical('factor', `the market moves by ${percent(move)}, each by its beta`, shocks);
}

/** Whether a position is charged with where the scenario ends or with the worst on the way. */
export type ScenarioMeasure = 'end' | 'worst';

export interface ScenarioDamage {
  readonly scenario: Scenario;
  readonly measure: ScenarioMeasure;
  /** Quote asset, positive for a loss; with `worst` never below zero. */
  readonly loss: number;
  /** Of each market with a net position; they add up to the loss. Largest first. */
  readonly markets: readonly {
    readonly market: string;
    readonly notional: number;
    readonly loss: number;
    readonly basis: MarketShock['basis'];
  }[];
  /** Loss by shocks that are not measured but implied. */
  readonly impliedLoss: number;
}

/**
 * What a scenario costs a portfolio. At its end: Σ −w·move, where positions offset. At worst: each market at its own worst
 * on the way, as if all stood there at once, so that nothing offsets: an upper bound of the loss at any time of it.
 *
 * @throws PlimsollError INPUT_INVALID for a position in a market that the scenario does not shock, or a number that is none.
 */
export function scenarioDamage(
  scenario: Scenario,
  positions: readonly Position[],
  measure: ScenarioMeasure,
): ScenarioDamage {
  const notionals = netNotionals(
    scenario.shocks.map(({ market }) => market),
    positions,
  );
  const markets = scenario.shocks.flatMap(({ market, move, long, short, basis }, i) => {
    const notional = notionals[i];
    if (notional === 0) return [];
    const worst = notional > 0 ? notional * long : -notional * short;
    return [{ market, notional, loss: measure === 'end' ? -notional * move : worst, basis }];
  });
  markets.sort((a, b) => b.loss - a.loss || (a.market < b.market ? -1 : 1));
  const sum = (items: readonly { readonly loss: number }[]): number =>
    items.reduce((total, { loss }) => total + loss, 0);
  return {
    scenario,
    measure,
    loss: sum(markets),
    markets,
    impliedLoss: sum(markets.filter(({ basis }) => basis === 'factor-implied')),
  };
}

/** Every scenario's damage, the worst first; equal ones by id. @throws as `scenarioDamage`. */
export function rankScenarios(
  scenarios: readonly Scenario[],
  positions: readonly Position[],
  measure: ScenarioMeasure,
): readonly ScenarioDamage[] {
  return scenarios
    .map((scenario) => scenarioDamage(scenario, positions, measure))
    .sort((a, b) => b.loss - a.loss || (a.scenario.id < b.scenario.id ? -1 : 1));
}

function hypothetical(kind: string, description: string, shocks: readonly MarketShock[]): Scenario {
  return { id: `${kind}: ${description}`, description, from: null, until: null, shocks };
}

function percent(move: number): string {
  return `${move > 0 ? '+' : ''}${Number((100 * move).toPrecision(6))} %`;
}
