import { BarStore } from '../../../data/bar-store.ts';
import { AccountBook } from '../../accounts/book/account-book.ts';
import { readAccount } from '../../accounts/book/account-line.ts';
import type { AccountColumns } from '../../accounts/book/columns.ts';
import { MarketRows } from '../../accounts/book/market-rows.ts';
import { cascadeRulesOf, impactColumnsOf } from '../../accounts/system/conditions.ts';
import { storedDay, worstDays } from '../../accounts/system/historical-days.ts';
import { leverageIndex } from '../../accounts/system/leverage-index.ts';
import { DEFAULT_POPULATION, simulateAccounts } from '../../accounts/system/simulated-accounts.ts';
import {
  type StressConditions,
  type StressScenario,
  uniformScenario,
} from '../../accounts/system/stress-test.ts';
import { loadConfig } from '../../config.ts';
import { PlimsollError } from '../../errors.ts';
import { contractOf } from '../../limits/account-policy.ts';
import { liquidityThatCounts } from '../../limits/bounds/liquidity.ts';
import { maintenanceOf } from '../../limits/brackets.ts';
import type { LiquidityInput, MarketInput } from '../../limits/market-input.ts';
import type { BarSeries } from '../../risk/bars.ts';
import type { CliContext, CommonOptions } from '../command.ts';
import { jsonLinesOf } from '../json-lines.ts';
import { withStateStore } from './state.ts';
import { inputsOf, latestBook } from './stored-decision.ts';

export interface SystemOptions extends CommonOptions {
  /** NDJSON; a simulated population without it. */
  readonly accounts?: string;
  /** Accounts of the simulated population. */
  readonly population?: number;
  readonly seed?: number;
  /** Of the insurance fund, in the quote asset. */
  readonly fund?: number;
  /** Only these markets are shocked. */
  readonly markets?: string;
}

/** Everybody who is stressed, and what with. */
export interface SystemStage {
  /** Version of the limits in force. */
  readonly version: number;
  readonly markets: MarketRows;
  readonly accounts: AccountColumns;
  /** Nobody's accounts, or markets that are simulated. */
  readonly isPopulationSimulated: boolean;
  readonly areMarketsSimulated: boolean;
  readonly refused: readonly { readonly line: number; readonly why: string }[];
  readonly conditions: StressConditions;
  /** Said where nobody gave a fund. */
  readonly isFundAssumed: boolean;
  /** By row; null where none are stored. */
  readonly bars: readonly (BarSeries | null)[];
}

/** The fund that is assumed where none is given, as a share of the open notional. */
const ASSUMED_FUND_SHARE = 0.01;
/** A simulated population has positions of so many hours of the volume that is counted on. */
const ASSUMED_OPEN_HOURS = 12;
const MOST_TOLD = 20;

/** The tables and liquidity of the decision in force, the newest stored closes as marks, and the accounts. */
export async function systemStage(context: CliContext, options: SystemOptions): Promise<SystemStage> {
  const flags = commonOf(options);
  const { policy, dataDir: folder } = loadConfig(flags).values;
  const { book, inputs } = await withStateStore(flags, async (store) => {
    const latest = await latestBook(store);
    return { book: latest, inputs: await inputsOf(store, latest) };
  });
  const histories = await storedBars(folder);
  const markets = new MarketRows();
  markets.set(
    book.markets.map((limit) => ({
      symbol: limit.symbol,
      ...contractOf(limit.symbol, policy.contracts),
      brackets: limit.brackets,
      maintenance: maintenanceOf(limit),
    })),
  );
  const bars = markets.symbols.map((symbol) => histories.get(symbol) ?? null);
  for (const [m, series] of bars.entries())
    if (series !== null && series.length > 0) markets.mark[m] = series.close[series.length - 1];
  const counted = (one: MarketInput): LiquidityInput | null =>
    liquidityThatCounts(one.liquidity, policy, book.decidedAt);
  const liquidity = new Map(inputs.markets.map((one) => [one.symbol, counted(one)]));
  const impact = impactColumnsOf(markets.symbols.map((symbol) => liquidity.get(symbol) ?? null));
  const read =
    options.accounts === undefined
      ? { accounts: populationOf(markets, impact.hourlyVolume, options), refused: [] }
      : await readAccounts(options.accounts, markets);
  for (const { line, why } of read.refused.slice(0, MOST_TOLD))
    context.note(`line ${line} was refused: ${why}`);
  const open = leverageIndex(read.accounts, markets).grossNotional;
  return {
    version: book.version,
    markets,
    ...read,
    isPopulationSimulated: options.accounts === undefined,
    areMarketsSimulated: book.simulated,
    conditions: {
      impact,
      rules: cascadeRulesOf(policy),
      insuranceFund: options.fund ?? ASSUMED_FUND_SHARE * open,
    },
    isFundAssumed: options.fund === undefined,
    bars,
  };
}

function commonOf({ dataDir, config, policy }: SystemOptions): Omit<CommonOptions, 'json'> {
  return {
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(config === undefined ? {} : { config }),
    ...(policy === undefined ? {} : { policy }),
  };
}

async function storedBars(dataDir: string): Promise<ReadonlyMap<string, BarSeries>> {
  const store = await BarStore.open(dataDir);
  try {
    return new Map((await store.loadMarkets()).map(({ symbol, bars }) => [symbol, bars]));
  } finally {
    store.close();
  }
}

function populationOf(
  markets: MarketRows,
  hourlyVolume: Float64Array,
  { population, seed }: SystemOptions,
): AccountColumns {
  if (!markets.symbols.some((_, m) => markets.mark[m] > 0 && hourlyVolume[m] > 0))
    throw new PlimsollError('DATA_INSUFFICIENT', 'no market has both a stored price and a known volume', {
      remedy: 'Import history with `plimsoll import`, and let the service decide once.',
    });
  const people = { ...DEFAULT_POPULATION, seed: seed ?? DEFAULT_POPULATION.seed };
  const accounts = population ?? people.accounts;
  const traded = hourlyVolume.reduce((sum, volume) => sum + volume, 0);
  // The mean of a lognormal law is its median times this.
  const meanOverMedian = Math.exp(people.notionalDeviation ** 2 / 2);
  const medianNotional = (ASSUMED_OPEN_HOURS * traded) / (accounts * people.positions * meanOverMedian);
  return simulateAccounts(markets, hourlyVolume, { ...people, accounts, medianNotional });
}

async function readAccounts(
  path: string,
  markets: MarketRows,
): Promise<Pick<SystemStage, 'accounts' | 'refused'>> {
  const accounts = new AccountBook(markets);
  const refused: { line: number; why: string }[] = [];
  for await (const { line, value } of jsonLinesOf(path)) {
    const record = readAccount(value, markets);
    if ('code' in record) refused.push({ line, why: record.message });
    else accounts.put(record);
  }
  if (accounts.accounts > 0) return { accounts, refused };
  throw new PlimsollError('DATA_INVALID', `no line of ${path} is an account that can be judged`, {
    remedy: 'Give NDJSON with accountId, userId, marginMode, equity and positions, of markets with limits.',
  });
}

/** What is tried where nobody says it: uniform moves, and the worst days that are stored. */
export function usualScenarios({ markets, bars }: SystemStage): readonly StressScenario[] {
  const uniform = [-0.05, -0.1, -0.2, -0.3, -0.5, 0.1, 0.2, 0.5].map((move) =>
    uniformScenario(markets.markets, move),
  );
  return [...uniform, ...worstDays(bars, 3, 1)];
}

/**
 * One scenario by its name: `fall-20`, `rise-20` (per cent, of all markets) or a stored day, `2024-08-05`.
 *
 * @throws PlimsollError USAGE for another name, DATA_INSUFFICIENT for a day that is not stored.
 */
export function scenarioNamed(name: string, { markets, bars }: SystemStage): StressScenario {
  const [, direction, percent] = /^(fall|rise)-(\d+(?:\.\d+)?)$/.exec(name) ?? [];
  const share = Number(percent) / 100;
  if (direction === 'rise' && share > 0 && share <= 10) return uniformScenario(markets.markets, share);
  if (direction === 'fall' && share > 0 && share < 1) return uniformScenario(markets.markets, -share);
  const time = /^\d{4}-\d{2}-\d{2}$/.test(name) ? Date.parse(name) : Number.NaN;
  if (Number.isNaN(time))
    throw new PlimsollError('USAGE', `${name} is no scenario`, {
      remedy: 'Give fall-20, rise-20 (per cent) or a stored day such as 2024-08-05.',
    });
  const day = storedDay(bars, time);
  if (day !== null) return day;
  throw new PlimsollError('DATA_INSUFFICIENT', `no bars of ${name} are stored`, {
    remedy: '`plimsoll data` lists what is stored.',
  });
}

/** The scenario in some markets alone. @throws PlimsollError MARKET_UNKNOWN. */
export function restricted(
  scenario: StressScenario,
  { symbols }: MarketRows,
  list: string | undefined,
): StressScenario {
  if (list === undefined) return scenario;
  const chosen = list.split(',').map((symbol) => symbol.trim());
  const unknown = chosen.find((symbol) => !symbols.includes(symbol));
  if (unknown !== undefined)
    throw new PlimsollError('MARKET_UNKNOWN', `there are no limits of ${unknown}`, {
      remedy: '`plimsoll limits` lists the markets.',
    });
  const moves = scenario.moves.map((move, m) => (chosen.includes(symbols[m]) ? move : 0));
  return { ...scenario, moves, description: `${scenario.description}, in ${chosen.join(', ')} alone` };
}

/** What has to be said before any number. */
export function remarksOf(stage: SystemStage): readonly string[] {
  const { conditions, accounts, refused } = stage;
  const assumed = stage.isFundAssumed ? ', assumed: 1 % of the open notional' : '';
  const blind = stage.markets.symbols.filter((_, m) => !(conditions.impact.hourlyVolume[m] > 0)).length;
  return [
    `${accounts.accounts} ${stage.isPopulationSimulated ? `SIMULATED accounts, of nobody, with ${ASSUMED_OPEN_HOURS} hours of the volume that is counted on,` : `accounts (${refused.length} lines refused)`} in ${stage.markets.markets} ${stage.areMarketsSimulated ? 'SIMULATED ' : ''}markets under limits ${stage.version}`,
    `insurance fund ${Math.round(conditions.insuranceFund)}${assumed}`,
    ...(blind === 0 ? [] : [`${blind} markets have no known volume: any forced sale moves them all the way`]),
  ];
}

/** What every answer in JSON says of whom and what was stressed. */
export function stageFacts(stage: SystemStage) {
  return {
    version: stage.version,
    simulated: stage.isPopulationSimulated || stage.areMarketsSimulated,
    accountsSimulated: stage.isPopulationSimulated,
    refused: stage.refused,
    insuranceFund: String(Math.round(stage.conditions.insuranceFund)),
    insuranceFundAssumed: stage.isFundAssumed,
  };
}
