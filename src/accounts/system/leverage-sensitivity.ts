import { MAINTENANCE_TO_INITIAL_RATIO } from '../../limits/curve.ts';
import type { AccountColumns, MarketColumns } from '../book/columns.ts';
import { buildGroupIndex, GROUP_STATE } from './group-index.ts';
import { type StressConditions, type StressScenario, stressTest } from './stress-test.ts';
import { type GroupBook, VALUE, VALUES, valueGroup } from './valuation.ts';

/** What one scenario comes to when everybody has the leverage tried. */
export interface LeveragePoint {
  readonly leverage: number;
  readonly scenario: string;
  readonly accounts: number;
  readonly accountsFallen: number;
  /** Share of the accounts that hold positions. */
  readonly fallenShare: number;
  readonly accountsByContagion: number;
  readonly openNotional: number;
  readonly forcedNotional: number;
  readonly badDebt: number;
  /** Over the open notional. */
  readonly badDebtRatio: number;
  readonly fundPaid: number;
  /** Share of the fund that is gone; 0 without a fund. */
  readonly fundDepletion: number;
  readonly deleveragedNotional: number;
  readonly uncovered: number;
  readonly rounds: number;
  readonly isSettled: boolean;
}

/**
 * Bad debt, liquidations and use of the fund as functions of the leverage granted: for each leverage all margin groups are
 * set to it, see `atLeverage`, and every scenario runs.
 *
 * @param leverages above 0. @param onStep is told how many of all runs are done.
 */
export function leverageSensitivity(
  accounts: AccountColumns,
  markets: MarketColumns,
  leverages: readonly number[],
  scenarios: readonly StressScenario[],
  conditions: StressConditions,
  onStep: (done: number) => void = () => {},
): readonly LeveragePoint[] {
  const points: LeveragePoint[] = [];
  for (const leverage of leverages) {
    const tried = atLeverage(accounts, markets, leverage);
    const table = maintenanceAt(markets, leverage);
    const index = buildGroupIndex(tried, table);
    for (const scenario of scenarios) {
      const [{ cascade }] = stressTest(tried, table, [scenario], conditions, index);
      const { insuranceFund } = conditions;
      points.push({
        leverage,
        scenario: scenario.id,
        accounts: cascade.accounts,
        accountsFallen: cascade.accountsFallen,
        fallenShare: cascade.accounts > 0 ? cascade.accountsFallen / cascade.accounts : 0,
        accountsByContagion: cascade.accountsByContagion,
        openNotional: cascade.openNotional,
        forcedNotional: cascade.soldNotional + cascade.boughtNotional,
        badDebt: cascade.badDebt,
        badDebtRatio: cascade.openNotional > 0 ? cascade.badDebt / cascade.openNotional : 0,
        fundPaid: cascade.fundPaid,
        fundDepletion: insuranceFund > 0 ? cascade.fundPaid / insuranceFund : 0,
        deleveragedNotional: cascade.deleveragedNotional,
        uncovered: cascade.uncovered,
        rounds: cascade.rounds.length,
        isSettled: cascade.isSettled,
      });
      onStep(points.length);
    }
  }
  return points;
}

/**
 * The same positions, opened at the present marks with the leverage: equity of every margin group is its gross notional
 * over the leverage. Groups in markets without a mark stay as they are.
 */
export function atLeverage(
  accounts: AccountColumns,
  markets: MarketColumns,
  leverage: number,
): AccountColumns {
  const index = buildGroupIndex(accounts, markets);
  const collateral = accounts.collateral.slice();
  const isolatedMargin = accounts.isolatedMargin.slice();
  const entryPrice = accounts.entryPrice.slice();
  for (let row = 0; row < index.positionRows; row++) {
    const mark = markets.mark[accounts.market[row]];
    if (index.groupOfPosition[row] >= 0 && mark > 0) entryPrice[row] = mark;
  }
  const { quantity } = accounts;
  const book: GroupBook = { accounts, markets, index, quantity, mark: markets.mark, received: null };
  const out = new Float64Array(VALUES);
  for (let group = 0; group < index.groups; group++) {
    if (index.state[group] !== GROUP_STATE.known) continue;
    valueGroup(book, group, out);
    const marginMarket = index.marginMarket[group];
    const margin = out[VALUE.gross] / leverage / (marginMarket < 0 ? 1 : markets.mark[marginMarket]);
    if (index.isolatedRow[group] < 0) collateral[group] = margin;
    else isolatedMargin[index.isolatedRow[group]] = margin;
  }
  return { ...columnsOf(accounts), collateral, isolatedMargin, entryPrice };
}

/** A book may be a class: its columns one by one. */
function columnsOf({ accounts, firstPosition, positionCount, market, quantity }: AccountColumns) {
  return { accounts, firstPosition, positionCount, market, quantity };
}

/**
 * Maintenance tables for a leverage that they may not grant: no rate is above 0.75 of 1 / leverage, the most that published
 * tables have; amounts keep the margin continuous.
 */
export function maintenanceAt(markets: MarketColumns, leverage: number): MarketColumns {
  const most = MAINTENANCE_TO_INITIAL_RATIO / leverage;
  const maintenanceRate = markets.maintenanceRate.map((rate) => Math.min(rate, most));
  const maintenanceAmount = new Float64Array(maintenanceRate.length);
  const { firstBracket, notionalCap, contractKind, contractSize, mark, initialRate } = markets;
  for (let m = 0; m < markets.markets; m++) {
    for (let b = firstBracket[m] + 1; b < firstBracket[m + 1]; b++)
      maintenanceAmount[b] =
        maintenanceAmount[b - 1] + notionalCap[b - 1] * (maintenanceRate[b] - maintenanceRate[b - 1]);
  }
  return {
    ...{ markets: markets.markets, mark, contractKind, contractSize, firstBracket, notionalCap, initialRate },
    ...{ maintenanceRate, maintenanceAmount },
  };
}
