import { loadConfig, printableConfig } from '../../config.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';

export async function checkConfig(context: CliContext, { json, ...flags }: CommonOptions): Promise<void> {
  const printable = printableConfig(loadConfig(flags));
  if (json === true) {
    context.printJson(printable);
    return;
  }
  const rows = Object.entries(printable).flatMap(([name, entry]) => {
    const { value, origin } = entry as { value: unknown; origin: string };
    return lines(name, value).map(([at, text]) => [at, text, origin]);
  });
  context.print(table(['setting', 'value', 'from'], rows));
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
