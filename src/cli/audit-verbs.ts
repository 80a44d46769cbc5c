import type { Command } from 'commander';
import type { CliContext } from './command.ts';
import type { MakeVerb } from './governance-verbs.ts';

/** The verbs that prove what was decided. */
export function addAuditVerbs(context: CliContext, program: Command, verb: MakeVerb): void {
  const audit = program
    .command('audit')
    .description('proof of what was decided: hash chains, checkpoints, replay');
  const verbs = () => import('./verbs/audit.ts');

  verb(
    'verify',
    'recompute both chains, inputs and checkpoints from the first on',
    'verify --checkpoint kept.json --public-key kept.pub',
    audit,
  )
    .option('--checkpoint <file>', 'also prove that the chains still go through this one, kept elsewhere')
    .option('--public-key <file>', 'believe only these keys, kept elsewhere, not those of the folder')
    .action(async (options) => (await verbs()).verify(context, options));

  verb('replay', 'decide a book again from its stored inputs, and compare', 'replay 12', audit)
    .argument('<id>', 'the version of a book, or entry-N for the decision in audit entry N')
    .action(async (id, options) => (await verbs()).replay(context, id, options));

  verb(
    'checkpoint',
    'the newest signed checkpoint, to be kept elsewhere',
    'checkpoint > kept.json',
    audit,
  ).action(async (options) => (await verbs()).checkpoint(context, options));

  verb(
    'key',
    'the public keys that sign the checkpoints, to be kept elsewhere',
    'key > kept.pub',
    audit,
  ).action(async (options) => (await verbs()).publicKeys(context, options));
}
