import { Random } from '../../random.ts';
import {
  type AccountColumns,
  CONTRACT_KIND,
  emptyAccountColumns,
  type MarketColumns,
} from '../book/columns.ts';
import { maintenanceMargin } from './valuation.ts';

/** A simulated population: who holds what. Nothing of it is measured. */
export interface SimulatedPopulation {
  readonly accounts: number;
  /** Positions of an account, each in a market of its own as far as there are enough. */
  readonly positions: number;
  /** Share of accounts that isolate each of their positions. */
  readonly isolatedRatio: number;
  /** Notional of a position in the quote asset: median, and standard deviation of its logarithm. */
  readonly medianNotional: number;
  readonly notionalDeviation: number;
  /** Leverage is even over orders of magnitude between these. */
  readonly leastLeverage: number;
  readonly mostLeverage: number;
  /** Standard deviation of the logarithm of entry price over mark. */
  readonly entryDeviation: number;
  readonly seed: number;
}

/**
 * The population of a sensitivity without accounts: sizes that spread over three orders of magnitude, a third isolated.
 * Assumed, not fitted to any exchange.
 */
export const DEFAULT_POPULATION: SimulatedPopulation = {
  accounts: 20_000,
  positions: 2,
  isolatedRatio: 0.33,
  medianNotional: 2_000,
  notionalDeviation: 1.8,
  leastLeverage: 2,
  mostLeverage: 50,
  entryDeviation: 0.01,
  seed: 1,
};

/** No account starts nearer to its liquidation than this ratio of maintenance margin to equity. */
const NEAREST_RATIO = 0.8;

/**
 * Simulates accounts. Markets are drawn by weight, sides by the toss of a coin.
 *
 * @param weights by market, at least 0, some above; for example hourly volumes. Markets without a mark are not drawn.
 */
export function simulateAccounts(
  markets: MarketColumns,
  weights: ArrayLike<number>,
  population: SimulatedPopulation,
): AccountColumns {
  const random = new Random(population.seed);
  const draw = drawByWeight(markets, weights, random);
  const { accounts, positions, entryDeviation } = population;
  const columns = emptyAccountColumns(accounts, accounts * positions);
  const span = Math.log(population.mostLeverage / population.leastLeverage);
  for (let a = 0; a < accounts; a++) {
    const first = a * positions;
    columns.firstPosition[a] = first;
    columns.positionCount[a] = positions;
    const isIsolated = random.uniform() < population.isolatedRatio;
    const leverage = population.leastLeverage * Math.exp(span * random.uniform());
    let settlement = -1;
    for (let p = first; p < first + positions; p++) {
      let m = draw();
      // Cross-margined positions settle in one asset.
      if (!isIsolated && settlement >= 0 && !settleAlike(markets, m, settlement)) m = settlement;
      if (settlement < 0) settlement = m;
      const mark = markets.mark[m];
      const notional = population.medianNotional * Math.exp(population.notionalDeviation * random.normal());
      const isInverse = markets.contractKind[m] === CONTRACT_KIND.inverse;
      const contracts = notional / markets.contractSize[m] / (isInverse ? 1 : mark);
      const entryPrice = mark * Math.exp(entryDeviation * random.normal());
      const side = random.uniform() < 0.5 ? 1 : -1;
      const profit = side * notional * (isInverse ? mark / entryPrice - 1 : 1 - entryPrice / mark);
      const equity = Math.max(notional / leverage, maintenanceMargin(markets, m, notional) / NEAREST_RATIO);
      const margin = (equity - profit) / (isInverse ? mark : 1);
      columns.market[p] = m;
      columns.quantity[p] = side * contracts;
      columns.entryPrice[p] = entryPrice;
      if (isIsolated) columns.isolatedMargin[p] = margin;
      else columns.collateral[a] += margin;
    }
  }
  return columns;
}

function settleAlike({ contractKind }: MarketColumns, a: number, b: number): boolean {
  return a === b || (contractKind[a] === CONTRACT_KIND.linear && contractKind[b] === CONTRACT_KIND.linear);
}

function drawByWeight(markets: MarketColumns, weights: ArrayLike<number>, random: Random): () => number {
  const until = new Float64Array(markets.markets);
  let total = 0;
  for (let m = 0; m < until.length; m++) {
    if (markets.mark[m] > 0 && weights[m] > 0) total += weights[m];
    until[m] = total;
  }
  return () => {
    const at = random.uniform() * total;
    let [low, high] = [0, until.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (until[middle] > at) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
