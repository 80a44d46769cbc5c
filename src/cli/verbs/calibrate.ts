import { writeFile } from 'node:fs/promises';
import { type Calibration, calibrate } from '../../../training/backtest/calibrate.ts';
import { frontierPage } from '../../../training/backtest/frontier-page.ts';
import { isoTime } from '../../clock.ts';
import { loadConfig } from '../../config.ts';
import { PlimsollError } from '../../errors.ts';
import type { RiskAppetite } from '../../limits/policy.ts';
import { policyText } from '../../policy-file.ts';
import { type CliContext, table } from '../command.ts';
import { type StageOptions, withStage } from './backtest-stage.ts';

export interface CalibrateOptions extends StageOptions {
  readonly badDebt?: number;
  readonly liquidations?: number;
  readonly largestCut?: number;
  readonly output?: string;
  readonly plot?: string;
}

const UNMET_EXIT_CODE = 3;

/** Margins are all that is tried: the floor is that of the policy itself. */
const NO_WISHES = { span: null, others: [] };

/** Solves the policy for an appetite; what is not given on the command line is taken from the policy. */
export async function calibratePolicy(context: CliContext, options: CalibrateOptions): Promise<void> {
  const { policy } = loadConfig({
    dataDir: options.dataDir,
    config: options.config,
    policy: options.policy,
  }).values;
  const appetite = appetiteOf(options, policy.appetite);
  const { found, span, simulated } = await withStage(
    context,
    'calibrate',
    options,
    NO_WISHES,
    (stage, tell) => {
      return {
        found: calibrate(stage, appetite, tell),
        span: { from: isoTime(stage.tape.from), until: isoTime(stage.tape.until) },
        simulated: stage.tape.simulated,
      };
    },
  );
  const remarks = evidence(found, appetite, span, simulated);
  if (options.output !== undefined) {
    await writeFile(options.output, policyText({ ...found.policy, appetite }, remarks));
    context.note(`the policy is in ${options.output}`);
  }
  if (options.plot !== undefined) {
    await writeFile(options.plot, frontierPage(found, remarks));
    context.note(`the frontier is drawn in ${options.plot}`);
  }
  if (options.json === true) context.printJson({ span, simulated, appetite, ...found });
  else print(context, found, remarks);
  if (found.unmet.length > 0) context.setExitCode(UNMET_EXIT_CODE);
}

function appetiteOf(
  { badDebt, liquidations, largestCut }: CalibrateOptions,
  stated: RiskAppetite,
): RiskAppetite {
  const appetite = {
    badDebtPerNotionalYear: badDebt ?? stated.badDebtPerNotionalYear,
    liquidationProbability: liquidations ?? stated.liquidationProbability,
    largestDailyCutRatio: largestCut ?? stated.largestDailyCutRatio,
  };
  if (Object.values(appetite).some((part) => part !== null)) return appetite;
  throw new PlimsollError('INPUT_INVALID', 'no appetite is stated', {
    remedy:
      'Give --bad-debt, --liquidations or --largest-cut, or state them under appetite in the policy file.',
  });
}

function evidence(
  { measures, binding, unmet }: Calibration,
  appetite: RiskAppetite,
  span: { readonly from: string; readonly until: string },
  simulated: boolean,
): readonly string[] {
  const stated = Object.entries(appetite)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${value}`);
  return [
    `Solved by plimsoll calibrate on ${simulated ? 'SIMULATED markets' : 'stored history'} from ${span.from} to ${span.until} for ${stated.join(', ')}.`,
    `There: average leverage ${measures.averageLeverage.toFixed(2)}x, bad debt ${(100 * measures.badDebtRatio).toFixed(4)} % a year, ${measures.liquidations} liquidations of ${measures.positions} positions, largest daily cut ${(100 * measures.largestDailyCut).toFixed(0)} %.`,
    ...(binding === null ? [] : [`What decided: ${binding}.`]),
    ...unmet.map((what) => `Not met: ${what}.`),
  ];
}

function print(context: CliContext, { policy, frontier }: Calibration, remarks: readonly string[]): void {
  for (const remark of remarks) context.print(remark);
  context.print(
    `marginMultiplier ${policy.marginMultiplier}, governor.tightenMaximumRatio ${policy.governor.tightenMaximumRatio}, governor.tightenPaceHours ${policy.governor.tightenPaceHours}`,
  );
  context.print('');
  context.print(
    table(
      ['margins', 'leverage', 'bad debt a year', 'liquidations', 'exceeded', 'daily cut'],
      frontier.map(({ marginMultiplier, measures }) => [
        `${marginMultiplier.toFixed(3)}x`,
        `${measures.averageLeverage.toFixed(2)}x`,
        `${(100 * measures.badDebtRatio).toFixed(4)}%`,
        String(measures.liquidations),
        `${(100 * measures.exceedanceRate).toFixed(2)}%`,
        `${(100 * measures.largestDailyCut).toFixed(0)}%`,
      ]),
    ),
  );
}
