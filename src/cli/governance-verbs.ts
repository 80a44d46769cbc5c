import { type Command, InvalidArgumentError } from 'commander';
import type { CliContext } from './command.ts';

export type MakeVerb = (signature: string, description: string, example: string, parent?: Command) => Command;
interface Parsers {
  readonly parseDate: (text: string) => number;
  readonly parseCount: (text: string) => number;
}

/** The verbs by which people change what decisions may do. All but `changes` need a reason, which the audit keeps. */
export function addGovernanceVerbs(
  context: CliContext,
  verb: MakeVerb,
  { parseDate, parseCount }: Parsers,
): void {
  const governance = () => import('./verbs/governance.ts');
  const signed = (command: Command): Command =>
    command
      .requiredOption('--reason <text>', 'why, for the audit chain')
      .option('--key-file <file>', 'your key, where keys are configured (mode 600)');
  const ending = (command: Command): Command =>
    signed(command)
      .option('--hours <number>', 'it ends after so many hours', parseHours)
      .option('--until <time>', 'it ends at this time', parseDate);

  ending(
    verb(
      'override',
      'cap a market; what grants more than is in force waits for another person',
      'override BTCUSDT 10 --hours 12 --reason "index under review"',
    ),
  )
    .argument('[symbol]', 'a market')
    .argument('[leverage]', 'the most that it may have, a rung of the ladder', parseLeverage)
    .option('--loosen', 'in the place of the bounds, also where it is below what is in force')
    .option('--preview', 'only what it would do; nothing is changed')
    .option('--withdraw <id>', 'take an override back')
    .action(async (symbol, leverage, options) =>
      (await governance()).override(context, symbol, leverage, options),
    );

  verb(
    'preview',
    'what announced tables, or another policy, would do to accounts; nothing is changed',
    'preview --accounts accounts.ndjson --policy new.yaml',
  )
    .requiredOption('--accounts <file>', 'NDJSON, an account a line')
    .option('--prices <file>', 'NDJSON of marks; without, the closes of the newest bars')
    .action(async (options) => (await import('./verbs/preview.ts')).preview(context, options));

  signed(
    verb(
      'approve',
      'approve, or reject, what somebody else asked for',
      'approve override-3 --reason "checked against the book" --key-file ~/plimsoll.key',
    ),
  )
    .argument('<id>', 'an override that waits; see changes')
    .option('--reject', 'say no')
    .action(async (id, options) => (await governance()).approve(context, id, options));

  ending(
    verb(
      'freeze',
      'no limit of a market moves any more; without a market, of none',
      'freeze BTCUSDT --hours 2 --reason "prices are disputed"',
    ),
  )
    .argument('[symbol]', 'a market; all without one')
    .action(async (symbol, options) => (await governance()).freeze(context, symbol, options));

  signed(
    verb(
      'thaw',
      'end the freeze of a market, or the one of all',
      'thaw BTCUSDT --reason "prices are agreed"',
    ),
  )
    .argument('[symbol]', 'a market; the freeze of all without one')
    .action(async (symbol, options) => (await governance()).thaw(context, symbol, options));

  ending(
    verb(
      'emergency',
      'let limits be cut below the floor of one decision',
      'emergency --hours 4 --reason "cascade on all venues"',
    ),
  )
    .option('--end', 'end it')
    .action(async (options) => (await governance()).emergency(context, options));

  verb('changes', 'what people changed: what waits, what is in force, what is over', 'changes --limit 50')
    .option('--limit <number>', 'most changes to show', parseCount)
    .option('--key-file <file>', 'your key, where keys are configured (mode 600)')
    .action(async (options) => (await governance()).changes(context, options));
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (!(hours > 0 && hours <= 8760)) throw new InvalidArgumentError('Give hours from 0 to 8760, such as 12.');
  return hours;
}

function parseLeverage(text: string): number {
  const leverage = Number(text.replace(/x$/i, ''));
  if (!(leverage >= 1 && leverage <= 1000)) throw new InvalidArgumentError('Give a leverage such as 10.');
  return leverage;
}
