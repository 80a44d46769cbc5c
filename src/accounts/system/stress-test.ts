import { type AccountColumns, CONTRACT_KIND, type MarketColumns } from '../book/columns.ts';
import { type CascadeRules, cascade } from './cascade.ts';
import type { CascadeResult } from './cascade-result.ts';
import { buildGroupIndex, type GroupIndex } from './group-index.ts';
import type { ImpactColumns } from './price-impact.ts';

/** Moves of all markets at once: what happened on a day, or what is made up. */
export interface StressScenario {
  readonly id: string;
  readonly description: string;
  /** By row of the market: the move of its mark as a share, above −1; 0 where it does not move. */
  readonly moves: Float64Array;
  /** hypothetical: made up. measured: what the stored bars of the day show. */
  readonly basis: 'hypothetical' | 'measured';
}

/** What meets a stress: the same for every scenario. */
export interface StressConditions {
  readonly impact: ImpactColumns;
  readonly rules: CascadeRules;
  /** In the quote asset. */
  readonly insuranceFund: number;
}

export interface StressOutcome {
  readonly scenario: StressScenario;
  /** What all positions lose at the shocked marks, longs and shorts each against their own side, before anybody is closed out. */
  readonly longLoss: number;
  readonly shortLoss: number;
  readonly cascade: CascadeResult;
}

/** A fall or rise of every market by the same share. */
export function uniformScenario(markets: number, move: number): StressScenario {
  const percent = `${move > 0 ? '+' : ''}${Number((100 * move).toPrecision(6))} %`;
  return {
    id: `uniform ${percent}`,
    description: `all markets move by ${percent}`,
    moves: new Float64Array(markets).fill(move),
    basis: 'hypothetical',
  };
}

/** Runs scenarios, each from the present marks. */
export function stressTest(
  accounts: AccountColumns,
  markets: MarketColumns,
  scenarios: readonly StressScenario[],
  { impact, rules, insuranceFund }: StressConditions,
  index: GroupIndex = buildGroupIndex(accounts, markets),
): readonly StressOutcome[] {
  return scenarios.map((scenario) => {
    const { moves } = scenario;
    return {
      scenario,
      ...directLosses(accounts, markets, moves, index),
      cascade: cascade(accounts, markets, { moves, impact, rules, insuranceFund }, index),
    };
  });
}

/** Notional of a side times the move against it, by market; gains of a side do not count. Inverse contracts gain and lose alike. */
function directLosses(
  accounts: AccountColumns,
  markets: MarketColumns,
  moves: Float64Array,
  { firstOfMarket, rowsOfMarket }: GroupIndex,
): { readonly longLoss: number; readonly shortLoss: number } {
  let longLoss = 0;
  let shortLoss = 0;
  for (let m = 0; m < markets.markets; m++) {
    const move = moves[m];
    const mark = markets.mark[m];
    if (move === 0 || !(mark > 0)) continue;
    for (let i = firstOfMarket[m]; i < firstOfMarket[m + 1]; i++) {
      const row = rowsOfMarket[i];
      const signed = accounts.quantity[row] * markets.contractSize[m];
      const perMove =
        markets.contractKind[m] === CONTRACT_KIND.linear
          ? signed * mark
          : (signed * mark) / accounts.entryPrice[row];
      const loss = -perMove * move;
      if (loss > 0 && signed > 0) longLoss += loss;
      if (loss > 0 && signed < 0) shortLoss += loss;
    }
  }
  return { longLoss, shortLoss };
}
