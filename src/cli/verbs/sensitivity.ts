import { writeFile } from 'node:fs/promises';
import { worstDays } from '../../accounts/system/historical-days.ts';
import { type LeveragePoint, leverageSensitivity } from '../../accounts/system/leverage-sensitivity.ts';
import { uniformScenario } from '../../accounts/system/stress-test.ts';
import { type CliContext, table } from '../command.ts';
import { sensitivityPage } from '../sensitivity-page.ts';
import {
  remarksOf,
  restricted,
  type SystemOptions,
  scenarioNamed,
  stageFacts,
  systemStage,
} from './system-stage.ts';

export interface SensitivityOptions extends SystemOptions {
  readonly leverages: readonly number[];
  readonly scenario?: readonly string[];
  readonly output?: string;
}

const USUAL_FALLS = [-0.05, -0.1, -0.2, -0.3, -0.5];

/** Bad debt, liquidations and use of the fund as functions of the leverage that everybody has. */
export async function sensitivity(context: CliContext, options: SensitivityOptions): Promise<void> {
  const stage = await systemStage(context, options);
  const { markets, accounts, conditions, bars } = stage;
  const named =
    options.scenario === undefined
      ? [...USUAL_FALLS.map((move) => uniformScenario(markets.markets, move)), ...worstDays(bars, 2, 1)]
      : options.scenario.map((name) => scenarioNamed(name, stage));
  const scenarios = named.map((scenario) => restricted(scenario, markets, options.markets));
  const { leverages } = options;
  const bar = context.progress('sensitivity', leverages.length * scenarios.length);
  let points: readonly LeveragePoint[];
  try {
    points = leverageSensitivity(accounts, markets, leverages, scenarios, conditions, (done) => {
      context.interrupted.throwIfAborted();
      bar.update(done);
    });
  } finally {
    bar.finish();
  }
  const remarks = [
    ...remarksOf(stage),
    'every account is set to the leverage tried, at the newest stored prices; maintenance rates are those in force, at most 0.75 / leverage',
  ];
  if (options.output !== undefined) {
    await writeFile(options.output, sensitivityPage(points, scenarios, remarks));
    context.note(`the report is in ${options.output}`);
  }
  if (options.json === true) {
    context.printJson({
      ...stageFacts(stage),
      scenarios: scenarios.map(({ id, description, basis }) => ({ id, description, basis })),
      points,
    });
    return;
  }
  for (const remark of remarks) context.print(remark);
  context.print('');
  context.print(
    table(
      [
        'scenario',
        'leverage',
        'fallen',
        'by contagion',
        'bad debt',
        'of notional',
        'fund used',
        'deleveraged',
        'rounds',
      ],
      scenarios.flatMap(({ id }) => points.filter(({ scenario }) => scenario === id).map(rowOf)),
    ),
  );
}

function rowOf(point: LeveragePoint): string[] {
  return [
    point.scenario,
    `${point.leverage}x`,
    `${(100 * point.fallenShare).toFixed(1)}%`,
    String(point.accountsByContagion),
    point.badDebt.toFixed(0),
    `${(100 * point.badDebtRatio).toFixed(3)}%`,
    `${(100 * point.fundDepletion).toFixed(0)}%`,
    point.deleveragedNotional.toFixed(0),
    `${point.rounds}${point.isSettled ? '' : '+'}`,
  ];
}
