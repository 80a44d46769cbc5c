import { type Command, InvalidArgumentError } from 'commander';
import { ROLES, type Role, SCOPES, type Scope } from '../control/access/roles.ts';
import type { CliContext } from './command.ts';
import type { MakeVerb } from './governance-verbs.ts';

/** The verbs that make and end keys. They need no key: whoever may write the data folder may do all of it anyway. */
export function addKeyVerbs(
  context: CliContext,
  program: Command,
  verb: MakeVerb,
  parseDate: (text: string) => number,
): void {
  const keys = program.command('keys').description('who may call the service: keys that this folder keeps');
  const verbs = () => import('./verbs/keys.ts');
  const reasoned = (command: Command): Command =>
    command.option('--reason <text>', 'why, for the audit chain');

  reasoned(
    verb(
      'add',
      'make a key, and print it this once',
      'add matching --role exchange --expires 2027-06-30',
      keys,
    ),
  )
    .argument('<name>', 'whose key it is', parseName)
    .requiredOption('--role <role>', ROLES.join(', '), parseRole)
    .option('--scopes <list>', 'only these of the role, separated by commas', parseScopes)
    .option(
      '--subjects <list>',
      'only users and accounts whose ids begin so, separated by commas',
      parseSubjects,
    )
    .option('--expires <time>', 'it ends then', parseDate)
    .option('--signed', 'what changes something must be signed, with a secret that is printed too')
    .action(async (name, options) => (await verbs()).addKey(context, name, options));

  verb('list', 'the keys that this folder keeps, without what opens', 'list', keys).action(async (options) =>
    (await verbs()).listKeys(context, options),
  );

  reasoned(
    verb(
      'rotate',
      'make a second key; the first ends after an overlap',
      'rotate matching --overlap-hours 48',
      keys,
    ),
  )
    .argument('<name>', 'whose key', parseName)
    .option('--overlap-hours <number>', 'both count for so long', parseOverlapHours, 24)
    .option('--expires <time>', 'the new one ends then', parseDate)
    .action(async (name, options) => (await verbs()).rotateKey(context, name, options));

  reasoned(
    verb('revoke', 'end the keys of a name at once', 'revoke matching --reason "it was in a log"', keys),
  )
    .argument('<name>', 'whose keys', parseName)
    .option('--id <id>', 'only this one; see keys list')
    .action(async (name, options) => (await verbs()).revokeKey(context, name, options));

  verb(
    'prepare',
    'make the key files that all processes on one database must have, where there are none',
    'prepare --data-dir ./shared-keys',
    keys,
  ).action(async (options) => (await verbs()).prepareKeyFiles(context, options));
}

function parseName(text: string): string {
  if (/^[\w.-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('Give 1 to 64 letters, digits, dots, dashes.');
}

function parseRole(text: string): Role {
  const role = ROLES.find((one) => one === text);
  if (role !== undefined) return role;
  throw new InvalidArgumentError(`Give ${ROLES.join(', ')}.`);
}

function parseScopes(text: string): readonly Scope[] {
  return text.split(',').map((given) => {
    const scope = SCOPES.find((one) => one === given.trim());
    if (scope !== undefined) return scope;
    throw new InvalidArgumentError(`Give some of ${SCOPES.join(', ')}.`);
  });
}

function parseSubjects(text: string): readonly string[] {
  const subjects = text.split(',').map((given) => given.trim());
  if (subjects.length <= 100 && subjects.every((subject) => /^[\x21-\x7e]{1,128}$/.test(subject)))
    return subjects;
  throw new InvalidArgumentError('Give up to 100 beginnings of ids, such as desk7-.');
}

function parseOverlapHours(text: string): number {
  const hours = Number(text);
  if (text.trim() !== '' && hours >= 0 && hours <= 720) return hours;
  throw new InvalidArgumentError('Give hours from 0 to 720, such as 24.');
}
