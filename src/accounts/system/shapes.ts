import { formatMoneyDown, formatMoneyUp, formatPrice, withoutNoise } from '../../units.ts';
import type { CascadeResult } from './cascade-result.ts';
import type { Crowding } from './crowding.ts';
import type { LeverageIndex } from './leverage-index.ts';
import type { LiquidationMap } from './liquidation-map.ts';
import type { StressOutcome } from './stress-test.ts';

/** Money is a decimal string in the quote asset: what is owned is rounded down, what is owed up. Ratios are numbers. */
export interface SystemShape {
  readonly asOf: string;
  readonly accounts: number;
  readonly unknownAccounts: number;
  readonly leverage: {
    readonly gross: number;
    readonly net: number;
    readonly grossNotional: string;
    readonly netNotional: string;
    readonly equity: string;
    /** Bad debt if everybody below zero were closed out at the marks. */
    readonly negativeEquity: string;
    readonly above: readonly LeverageBand[];
  };
  readonly total: number;
  readonly markets: readonly SystemMarketShape[];
}

export interface LeverageBand {
  readonly leverage: number;
  readonly notional: string;
}

export interface SystemMarketShape {
  readonly symbol: string;
  readonly leverage: number;
  readonly longNotional: string;
  readonly shortNotional: string;
  readonly longs: number;
  readonly shorts: number;
  readonly above: readonly LeverageBand[];
  /** A ratio is null where what it is over is not known. */
  readonly crowding: {
    readonly openInterest: string;
    readonly volumeHours: number | null;
    readonly depthRatio: number | null;
    readonly fundRatio: number | null;
    readonly holders: number;
    readonly largestShare: number;
    readonly tenLargestShare: number;
    readonly herfindahl: number;
  };
  /** Due now, whatever the price does. */
  readonly due: { readonly long: string; readonly short: string };
  readonly liquidations: readonly LiquidationLevel[];
}

/** All that is liquidated if the price of this market alone moves so far. */
export interface LiquidationLevel {
  readonly move: number;
  readonly long: string;
  readonly short: string;
  /** Of the same accounts in other markets. */
  readonly elsewhere: string;
  readonly groups: number;
}

/** @param asOf of marks and positions, ISO 8601. @param symbols by row of the market. */
export function systemShape(
  asOf: string,
  symbols: readonly string[],
  index: LeverageIndex,
  crowd: Crowding,
  map: LiquidationMap,
): SystemShape {
  const count = index.thresholds.length;
  const bands = (notional: Float64Array, from: number): LeverageBand[] =>
    index.thresholds.map((leverage, i) => ({ leverage, notional: formatMoneyUp(notional[from + i]) }));
  const { byMarket } = index;
  return {
    asOf,
    accounts: index.accounts,
    unknownAccounts: index.unknownAccounts,
    leverage: {
      gross: withoutNoise(index.gross),
      net: withoutNoise(index.net),
      grossNotional: formatMoneyUp(index.grossNotional),
      netNotional: formatMoneyUp(index.netNotional),
      equity: formatMoneyDown(index.equity),
      negativeEquity: formatMoneyUp(index.negativeEquity),
      above: bands(index.notionalAbove, 0),
    },
    total: symbols.length,
    markets: symbols.map((symbol, m) => ({
      symbol,
      leverage: withoutNoise(byMarket.gross[m]),
      longNotional: formatMoneyUp(byMarket.longNotional[m]),
      shortNotional: formatMoneyUp(byMarket.shortNotional[m]),
      longs: byMarket.longs[m],
      shorts: byMarket.shorts[m],
      above: bands(byMarket.notionalAbove, m * count),
      crowding: {
        openInterest: formatMoneyUp(crowd.openInterest[m]),
        volumeHours: known(crowd.volumeHours[m]),
        depthRatio: known(crowd.depthRatio[m]),
        fundRatio: known(crowd.fundRatio[m]),
        holders: crowd.holders[m],
        largestShare: withoutNoise(crowd.largestShare[m]),
        tenLargestShare: withoutNoise(crowd.tenLargestShare[m]),
        herfindahl: withoutNoise(crowd.herfindahl[m]),
      },
      due: { long: formatMoneyUp(map.dueLongNotional[m]), short: formatMoneyUp(map.dueShortNotional[m]) },
      liquidations: Array.from(map.levels, (move, i) => {
        const cell = m * map.levels.length + i;
        return {
          move,
          long: formatMoneyUp(map.longNotional[cell]),
          short: formatMoneyUp(map.shortNotional[cell]),
          elsewhere: formatMoneyUp(Math.max(map.elsewhereNotional[cell], 0)),
          groups: map.groups[cell],
        };
      }),
    })),
  };
}

function known(ratio: number): number | null {
  return Number.isNaN(ratio) ? null : withoutNoise(ratio);
}

/** What one scenario comes to. */
export interface StressShape {
  readonly scenario: string;
  readonly description: string;
  readonly basis: 'hypothetical' | 'measured';
  /** At the shocked marks, before anybody is closed out. */
  readonly longLoss: string;
  readonly shortLoss: string;
  readonly accounts: number;
  readonly unknownAccounts: number;
  readonly openNotional: string;
  readonly accountsDue: number;
  readonly accountsFallen: number;
  readonly accountsByContagion: number;
  readonly soldNotional: string;
  readonly boughtNotional: string;
  readonly closeoutFees: string;
  readonly equityReturned: string;
  readonly badDebt: string;
  readonly fundPaid: string;
  readonly fundLeft: string;
  readonly deleveragedNotional: string;
  readonly deleveragedLoss: string;
  readonly uncovered: string;
  /** False where it was stopped after the most rounds that are allowed. */
  readonly isSettled: boolean;
  readonly rounds: readonly StressRound[];
  /** Markets in which anything happened, in the order of rows. */
  readonly markets: readonly StressMarket[];
}

export interface StressRound {
  readonly accounts: number;
  readonly accountsByContagion: number;
  readonly soldNotional: string;
  readonly boughtNotional: string;
  readonly badDebt: string;
  readonly fundLeft: string;
  readonly deleveragedNotional: string;
}

export interface StressMarket {
  readonly symbol: string;
  readonly shock: number;
  /** Of the mark, from before the shock to the end: the shock and the impact of forced sales. */
  readonly move: number;
  readonly mark: string;
  readonly soldNotional: string;
  readonly boughtNotional: string;
  readonly badDebt: string;
  readonly deleveragedNotional: string;
  readonly deleveragedLoss: string;
}

/** @param marks before the shock, by row of the market. */
export function stressShape(
  { scenario, longLoss, shortLoss, cascade }: StressOutcome,
  symbols: readonly string[],
  marks: Float64Array,
): StressShape {
  return {
    scenario: scenario.id,
    description: scenario.description,
    basis: scenario.basis,
    longLoss: formatMoneyUp(longLoss),
    shortLoss: formatMoneyUp(shortLoss),
    accounts: cascade.accounts,
    unknownAccounts: cascade.unknownAccounts,
    openNotional: formatMoneyUp(cascade.openNotional),
    accountsDue: cascade.accountsDue,
    accountsFallen: cascade.accountsFallen,
    accountsByContagion: cascade.accountsByContagion,
    soldNotional: formatMoneyUp(cascade.soldNotional),
    boughtNotional: formatMoneyUp(cascade.boughtNotional),
    closeoutFees: formatMoneyUp(cascade.closeoutFees),
    equityReturned: formatMoneyDown(cascade.equityReturned),
    badDebt: formatMoneyUp(cascade.badDebt),
    fundPaid: formatMoneyUp(cascade.fundPaid),
    fundLeft: formatMoneyDown(cascade.fundLeft),
    deleveragedNotional: formatMoneyUp(cascade.deleveragedNotional),
    deleveragedLoss: formatMoneyUp(cascade.deleveragedLoss),
    uncovered: formatMoneyUp(cascade.uncovered),
    isSettled: cascade.isSettled,
    rounds: cascade.rounds.map((round) => ({
      accounts: round.accounts,
      accountsByContagion: round.accountsByContagion,
      soldNotional: formatMoneyUp(round.soldNotional),
      boughtNotional: formatMoneyUp(round.boughtNotional),
      badDebt: formatMoneyUp(round.badDebt),
      fundLeft: formatMoneyDown(round.fundLeft),
      deleveragedNotional: formatMoneyUp(round.deleveragedNotional),
    })),
    markets: symbols.flatMap((symbol, m) => stressMarket(symbol, m, scenario.moves[m], marks[m], cascade)),
  };
}

function stressMarket(
  symbol: string,
  m: number,
  shock: number,
  before: number,
  { byMarket }: CascadeResult,
): StressMarket[] {
  const forced = byMarket.soldNotional[m] + byMarket.boughtNotional[m];
  if (!(before > 0) || (shock === 0 && forced === 0)) return [];
  return [
    {
      symbol,
      shock,
      move: withoutNoise(byMarket.mark[m] / before - 1),
      mark: formatPrice(byMarket.mark[m]),
      soldNotional: formatMoneyUp(byMarket.soldNotional[m]),
      boughtNotional: formatMoneyUp(byMarket.boughtNotional[m]),
      badDebt: formatMoneyUp(byMarket.badDebt[m]),
      deleveragedNotional: formatMoneyUp(byMarket.deleveragedNotional[m]),
      deleveragedLoss: formatMoneyUp(byMarket.deleveragedLoss[m]),
    },
  ];
}
