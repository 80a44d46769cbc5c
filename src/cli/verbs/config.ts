import { loadConfig, printableConfig } from '../../config.ts';
import { DEFAULT_POLICY, policyHash } from '../../limits/policy.ts';
import { policyWords } from '../../limits/policy-words.ts';
import { policyFileSchema, policyText } from '../../policy-file.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';

export async function checkConfig(context: CliContext, { json, ...flags }: CommonOptions): Promise<void> {
  const config = loadConfig(flags);
  const { policy } = config.values;
  const printable = printableConfig(config);
  if (json === true) {
    context.printJson({ ...printable, policyHash: policyHash(policy) });
    return;
  }
  const rows = Object.entries(printable).flatMap(([name, entry]) => {
    const { value, origin } = entry as { value: unknown; origin: string };
    return lines(name, value).map(([at, text]) => [at, text, origin]);
  });
  context.print(table(['setting', 'value', 'from'], rows));
  context.print(`\nThe policy ${policy.name}, hash ${policyHash(policy)}, means:`);
  for (const { title, sentences } of policyWords(policy)) {
    context.print(`\n${title}`);
    for (const sentence of sentences) context.print(`- ${sentence}`);
  }
}

/** The policy in force as a policy file, or the schema of such files. */
export async function printPolicy(
  context: CliContext,
  { json, schema, ...flags }: CommonOptions & { readonly schema?: boolean },
): Promise<void> {
  const { policy } = loadConfig(flags).values;
  if (schema === true) context.printJson(policyFileSchema(DEFAULT_POLICY));
  else if (json === true) context.printJson(policy);
  else context.print(policyText(policy).trimEnd());
}

/** One line a leaf: settings inside settings are named by their path. */
function lines(name: string, value: unknown): [string, string][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.entries(value).flatMap(([key, inner]) => lines(`${name}.${key}`, inner));
  if (Array.isArray(value)) return [[name, value.map((item) => shown(item)).join(', ')]];
  return [[name, shown(value)]];
}

function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
