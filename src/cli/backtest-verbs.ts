import type { Command } from 'commander';
import { parseCount, parseDate, parseRatio, parseShare } from './arguments.ts';
import type { CliContext } from './command.ts';

/** The verbs that walk a policy through history. */
export function addBacktestVerbs(
  context: CliContext,
  verb: (signature: string, description: string, example: string) => Command,
): void {
  staged(
    verb(
      'backtest',
      'the whole policy walked through stored history, beside other tables',
      'backtest --from 2023-01-01 --policy new.yaml --against current.yaml --output backtest.html',
    ),
  )
    .option('--against <file>', 'another policy, on the same stage')
    .option('--tables <file>', 'recorded tables of an exchange, NDJSON or NDJSON.gz')
    .option('--no-rules', 'skip the static table and the volatility rule')
    .option('--output <file>', 'write the report as one HTML page')
    .action(async (options) => (await import('./verbs/backtest.ts')).backtest(context, options));

  staged(
    verb(
      'calibrate',
      'solves the policy for a stated risk appetite, and shows the frontier',
      'calibrate --bad-debt 0.001 --largest-cut 2 --output policy.yaml --plot frontier.html',
    ),
  )
    .option('--bad-debt <share>', 'bad debt per open notional and year', parseShare)
    .option('--liquidations <share>', 'share of positions that are liquidated', parseShare)
    .option('--largest-cut <ratio>', 'leverage before over leverage after, within a day', parseRatio)
    .option('--output <file>', 'write the policy file, with its evidence')
    .option('--plot <file>', 'draw the frontier on one HTML page')
    .action(async (options) => (await import('./verbs/calibrate.ts')).calibratePolicy(context, options));
}

/** What both walk through, and how. */
function staged(command: Command): Command {
  return command
    .option('--from <date>', 'from this day; a year before the end where nothing says it', parseDate)
    .option('--to <date>', 'up to this day', parseDate)
    .option('--markets <list>', 'only these markets, separated by commas')
    .option('--decision-hours <number>', 'hours between decisions', parseCount, 1)
    .option('--refit-days <number>', 'days that a fit of the shock model is used', parseCount)
    .option('--no-model', 'as if no shock model answered: classical bounds decide, and no market loosens')
    .option('--seed <text>', 'of the traders');
}
