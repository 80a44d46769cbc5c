import { loadConfig, printableConfig } from '../../config.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';

export async function checkConfig(context: CliContext, { json, ...flags }: CommonOptions): Promise<void> {
  const shown = printableConfig(loadConfig(flags));
  if (json === true) {
    context.printJson(shown);
    return;
  }
  const rows = Object.entries(shown).map(([name, entry]) => {
    const { value, origin } = entry as { value: unknown; origin: string };
    return [name, typeof value === 'string' ? value : JSON.stringify(value), origin];
  });
  context.print(table(['setting', 'value', 'from'], rows));
}
