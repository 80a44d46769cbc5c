import { type Command, InvalidArgumentError } from 'commander';
import { parseCount } from './arguments.ts';
import type { CliContext } from './command.ts';

/** The verbs that look at all accounts as one system. */
export function addSystemVerbs(
  context: CliContext,
  verb: (signature: string, description: string, example: string) => Command,
): void {
  onSystem(
    verb(
      'stress',
      'what scenarios cost accounts, and the cascade of forced sales that they set off',
      'stress fall-30 --accounts accounts.ndjson --fund 5000000',
    ),
  )
    .argument(
      '[scenario]',
      'fall-20, rise-20 (per cent) or a stored day, 2024-08-05; a set of them otherwise',
    )
    .action(async (scenario, options) =>
      (await import('./verbs/stress.ts')).stress(context, scenario, options),
    );

  onSystem(
    verb(
      'sensitivity',
      'bad debt, liquidations and use of the insurance fund by the leverage granted',
      'sensitivity --accounts accounts.ndjson --leverages 2,5,10,20,50 --output sensitivity.html',
    ),
  )
    .option(
      '--leverages <list>',
      'leverages to try, separated by commas',
      parseLeverages,
      [2, 3, 5, 10, 20, 30, 50, 75, 100, 125],
    )
    .option('--scenario <name...>', 'fall-20, rise-20 (per cent) or stored days')
    .option('--output <file>', 'write the report as one HTML page')
    .action(async (options) => (await import('./verbs/sensitivity.ts')).sensitivity(context, options));
}

/** Who is looked at, and what stands behind them. */
function onSystem(command: Command): Command {
  return command
    .option('--accounts <file>', 'accounts, NDJSON; a SIMULATED population otherwise')
    .option('--population <number>', 'accounts of the simulated population', parseCount)
    .option('--seed <number>', 'of the simulated population', parseCount)
    .option(
      '--fund <amount>',
      'insurance fund in the quote asset; 1 % of the open notional otherwise',
      parseFund,
    )
    .option('--markets <list>', 'only these markets are shocked, separated by commas');
}

function parseFund(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1e15))
    throw new InvalidArgumentError('Give an amount of at least 0, such as 5000000.');
  return value;
}

function parseLeverages(text: string): number[] {
  const leverages = text.split(',').map(Number);
  const isGood = leverages.every((one) => one >= 1 && one <= 1000) && leverages.length <= 50;
  if (!isGood) throw new InvalidArgumentError('Give up to 50 numbers from 1 to 1000, such as 2,5,10.');
  return [...new Set(leverages)].sort((a, b) => a - b);
}
