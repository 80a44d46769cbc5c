import { pino } from 'pino';
import { loadConfig } from '../../config.ts';
import { startService } from '../../main.ts';
import { PROGRAM_VERSION } from '../../program.ts';
import type { CliContext, CommonOptions } from '../command.ts';

interface ServeOptions extends CommonOptions {
  readonly port?: string;
  readonly host?: string;
  readonly logLevel?: string;
  readonly trainingSchedule?: string;
}

/** Runs the service until it is told to end; then lets everything that runs come to its end. */
export async function serve(context: CliContext, { json, ...flags }: ServeOptions): Promise<void> {
  const { values: config } = loadConfig(flags);
  const logger = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  const running = await startService({ config, clock: context.clock, logger });
  const { url, operatorKey } = running;
  if (json === true) context.printJson({ url, dataDir: config.dataDir, version: PROGRAM_VERSION });
  else
    context.note(
      `Plimsoll ${PROGRAM_VERSION} answers on ${url}, documentation on ${url}/docs, data in ${config.dataDir}`,
    );
  if (operatorKey?.created) {
    context.note(`Operator key, shown this once and kept in ${operatorKey.path}: ${operatorKey.created}`);
  }
  void running.firstBook.then(({ version, markets, simulated }) =>
    context.note(
      `Limits of ${markets.length} ${simulated ? 'simulated ' : ''}markets are in force, version ${version}`,
    ),
  );
  await toldToEnd(context);
  context.note('Ending: running requests and decisions come to their end first');
  await running.stop();
}

function toldToEnd({ interrupted, terminated }: CliContext): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of [interrupted, terminated]) signal.addEventListener('abort', () => resolve());
    if (interrupted.aborted || terminated.aborted) resolve();
  });
}
