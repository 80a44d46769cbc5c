import { stressShape } from '../../accounts/system/shapes.ts';
import { type StressOutcome, stressTest } from '../../accounts/system/stress-test.ts';
import { type CliContext, table } from '../command.ts';
import {
  remarksOf,
  restricted,
  type SystemOptions,
  type SystemStage,
  scenarioNamed,
  stageFacts,
  systemStage,
  usualScenarios,
} from './system-stage.ts';

/** What scenarios cost accounts, and the cascade of forced sales that they set off. */
export async function stress(
  context: CliContext,
  name: string | undefined,
  options: SystemOptions,
): Promise<void> {
  const stage = await systemStage(context, options);
  const { markets, accounts, conditions } = stage;
  const named = name === undefined ? usualScenarios(stage) : [scenarioNamed(name, stage)];
  const scenarios = named.map((scenario) => restricted(scenario, markets, options.markets));
  const outcomes = stressTest(accounts, markets, scenarios, conditions);
  if (options.json === true) {
    context.printJson({
      ...stageFacts(stage),
      scenarios: outcomes.map((outcome) => stressShape(outcome, markets.symbols, markets.mark)),
    });
    return;
  }
  for (const remark of remarksOf(stage)) context.print(remark);
  context.print('');
  context.print(table(HEADER, outcomes.map(rowOf)));
  if (outcomes.length === 1) printDetails(context, stage, outcomes[0]);
  if (outcomes.some(({ cascade }) => !cascade.isSettled))
    context.print(`some were stopped after ${conditions.rules.maximumRounds} rounds`);
}

const HEADER = [
  'scenario',
  'longs lose',
  'shorts lose',
  'fallen',
  'by contagion',
  'sold by force',
  'bought',
  'bad debt',
  'fund left',
  'deleveraged',
  'uncovered',
  'rounds',
];

function rowOf({ scenario, longLoss, shortLoss, cascade }: StressOutcome): string[] {
  return [
    scenario.id,
    money(longLoss),
    money(shortLoss),
    String(cascade.accountsFallen),
    String(cascade.accountsByContagion),
    money(cascade.soldNotional),
    money(cascade.boughtNotional),
    money(cascade.badDebt),
    money(cascade.fundLeft),
    money(cascade.deleveragedNotional),
    money(cascade.uncovered),
    String(cascade.rounds.length),
  ];
}

function money(value: number): string {
  return value.toFixed(0);
}

const MOST_MARKETS = 15;

function printDetails(
  context: CliContext,
  { markets }: SystemStage,
  { scenario, cascade }: StressOutcome,
): void {
  context.print(`\n${scenario.description}; by round:`);
  const rounds = cascade.rounds.map((round, i) => [
    String(i + 1),
    String(round.accounts),
    String(round.accountsByContagion),
    money(round.soldNotional),
    money(round.boughtNotional),
    money(round.badDebt),
    money(round.fundLeft),
    money(round.deleveragedNotional),
  ]);
  context.print(
    table(
      ['round', 'fallen', 'by contagion', 'sold', 'bought', 'bad debt', 'fund left', 'deleveraged'],
      rounds,
    ),
  );
  const { byMarket } = cascade;
  const forced = (m: number): number => byMarket.soldNotional[m] + byMarket.boughtNotional[m];
  const rows = markets.symbols
    .map((symbol, m) => ({ symbol, m }))
    .filter(({ m }) => forced(m) > 0)
    .sort((a, b) => forced(b.m) - forced(a.m))
    .slice(0, MOST_MARKETS)
    .map(({ symbol, m }) => [
      symbol,
      percent(scenario.moves[m]),
      percent(byMarket.mark[m] / markets.mark[m] - 1),
      money(byMarket.soldNotional[m]),
      money(byMarket.boughtNotional[m]),
      money(byMarket.badDebt[m]),
      money(byMarket.deleveragedNotional[m]),
    ]);
  if (rows.length === 0) return;
  context.print('\nby market, most forced notional first:');
  context.print(table(['market', 'shock', 'at the end', 'sold', 'bought', 'bad debt', 'deleveraged'], rows));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
