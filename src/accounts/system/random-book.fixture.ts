import type { Bracket } from '../../limits/types.ts';
import { Random } from '../../random.ts';
import { PPM } from '../../units.ts';
import { type AccountColumns, CONTRACT_KIND, type MarketColumns } from '../book/columns.ts';
import type { PlainBook, PlainPosition } from './cascade.fixture.ts';
import type { CascadeRules } from './cascade.ts';
import { accountColumnsOf, marketColumnsOf, type PlainAccount, type PlainHolding } from './columns-of.ts';
import { GROUP_STATE, type GroupIndex } from './group-index.ts';
import type { ImpactColumns } from './price-impact.ts';

export const RULES: CascadeRules = {
  impactCoefficient: 0.8,
  participationRatio: 0.05,
  minimumCloseoutHours: 1,
  refillHours: 0.25,
  liquidationRatio: 1,
  closeoutCostRate: 0.0007,
  maximumRounds: 50,
};

/** Four brackets, continuous and convex: 0.5, 1, 2.5 and 12.5 % up to 20 thousand, 100 thousand and a million. */
export const BRACKETS: readonly Bracket[] = schedule([
  [20_000, 100, 5_000],
  [100_000, 50, 10_000],
  [1_000_000, 20, 25_000],
  [10_000_000, 4, 125_000],
]);

function schedule(rows: readonly (readonly [number, number, number])[]): readonly Bracket[] {
  let [floor, rate, amount] = [0, 0, 0];
  return rows.map(([notionalCap, maxLeverage, maintenanceMarginRatePpm], i) => {
    amount += floor * (maintenanceMarginRatePpm - rate);
    const bracket = {
      bracket: i + 1,
      notionalFloor: floor,
      notionalCap,
      maxLeverage,
      initialMarginRatePpm: PPM / maxLeverage,
      maintenanceMarginRatePpm,
      maintenanceAmountMicros: amount,
    };
    [floor, rate] = [notionalCap, maintenanceMarginRatePpm];
    return bracket;
  });
}

export interface RandomBook {
  readonly accounts: AccountColumns;
  readonly markets: MarketColumns;
  readonly impact: ImpactColumns;
}

export interface BookKind {
  readonly accounts: number;
  readonly markets: number;
  /** With inverse contracts and accounts that settle in their base asset. */
  readonly hasInverse: boolean;
  /** For each position there is its opposite, in an account like it. */
  readonly isBalanced: boolean;
  /** Margin, as a share of the notional, on top of what the leverage asks for; left out for none. */
  readonly spareMargin?: number;
}

/** A small book of every kind of account: cross, isolated, in hedge mode, with leverage from 1 to 60. */
export function randomBook(seed: number, kind: BookKind): RandomBook {
  const random = new Random(seed);
  const kinds = Array.from({ length: kind.markets }, (_, m) => kind.hasInverse && m % 3 === 2);
  const markets = marketColumnsOf(
    kinds.map((isInverse) => ({
      mark: 10 ** (4 * random.uniform() - 1),
      kind: isInverse ? ('inverse' as const) : ('linear' as const),
      contractSize: isInverse ? 10 : 0.5,
      maintenance: BRACKETS,
    })),
  );
  const accounts: PlainAccount[] = [];
  while (accounts.length < kind.accounts) {
    const account = randomAccount(random, markets, kind.spareMargin ?? 0);
    accounts.push(account);
    if (kind.isBalanced) accounts.push(mirrored(account));
  }
  const column = (of: () => number): Float64Array => Float64Array.from({ length: kind.markets }, of);
  return {
    accounts: accountColumnsOf(accounts),
    markets,
    impact: {
      hourlyVolume: column(() => 10 ** (4 + 3 * random.uniform())),
      dailyVolatility: column(() => 0.02 + 0.06 * random.uniform()),
      depthNotional: column(() => (random.uniform() < 0.5 ? Number.NaN : 10 ** (4 + 2 * random.uniform()))),
      depthBandRate: column(() => 0.01),
    },
  };
}

function mirrored({ collateral, positions }: PlainAccount): PlainAccount {
  return { collateral, positions: positions.map((one) => ({ ...one, quantity: -one.quantity })) };
}

function randomAccount(random: Random, markets: MarketColumns, spare: number): PlainAccount {
  const first = random.integer(markets.markets);
  const isInverse = markets.contractKind[first] === CONTRACT_KIND.inverse;
  const held = isInverse
    ? [first]
    : [0, 1, 2, 3].map(() => random.integer(markets.markets)).slice(random.integer(4));
  const positions: PlainHolding[] = [];
  let margin = 0;
  for (const m of new Set(held)) {
    if (!isInverse && markets.contractKind[m] === CONTRACT_KIND.inverse) continue;
    const isHedged = random.uniform() < 0.2;
    for (const side of isHedged ? [1, -1] : [random.uniform() < 0.5 ? 1 : -1]) {
      const mark = markets.mark[m];
      const notional = 10 ** (3 + 3 * random.uniform());
      const contracts = notional / markets.contractSize[m] / (isInverse ? 1 : mark);
      const own = (notional * (1 / (1 + 59 * random.uniform()) + spare)) / (isInverse ? mark : 1);
      const isIsolated = random.uniform() < 0.3;
      if (!isIsolated) margin += own;
      positions.push({
        market: m,
        quantity: side * contracts,
        entryPrice: mark * (1 + 0.01 * random.normal()),
        isolatedMargin: isIsolated ? own : Number.NaN,
      });
    }
  }
  return { collateral: margin, positions };
}

/** The same book as objects. */
export function plainBookOf({ accounts, markets }: RandomBook, index: GroupIndex): PlainBook {
  const plainMarkets = Array.from({ length: markets.markets }, (_, m) => ({
    mark: markets.mark[m],
    kind: markets.contractKind[m],
    size: markets.contractSize[m],
    brackets: Array.from({ length: markets.firstBracket[m + 1] - markets.firstBracket[m] }, (__, b) => {
      const row = markets.firstBracket[m] + b;
      return {
        cap: markets.notionalCap[row],
        rate: markets.maintenanceRate[row],
        amount: markets.maintenanceAmount[row],
      };
    }),
  }));
  const groups = Array.from({ length: index.groups }, (_, g) => ({
    account: index.accountOfGroup[g],
    margin:
      index.isolatedRow[g] < 0
        ? accounts.collateral[index.accountOfGroup[g]]
        : accounts.isolatedMargin[index.isolatedRow[g]],
    marginMarket: index.marginMarket[g],
    received: 0,
    isGone: index.state[g] !== GROUP_STATE.known,
    positions: [] as PlainPosition[],
  }));
  for (const [row, group] of index.groupOfPosition.entries()) {
    if (group < 0) continue;
    const [market, quantity, entryPrice] = [
      accounts.market[row],
      accounts.quantity[row],
      accounts.entryPrice[row],
    ];
    groups[group].positions.push({ market, quantity, entryPrice });
  }
  return { markets: plainMarkets, groups };
}
