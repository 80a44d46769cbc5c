import { type Logger, pino } from 'pino';
import { type Config, loadConfig } from '../../config.ts';
import { PROGRAM_VERSION } from '../../program.ts';
import { REDACTED } from '../../redaction.ts';
import { SERVICE_DESCRIPTOR, SERVICE_MESSAGES, supervise } from '../../supervisor.ts';
import type { CliContext, CommonOptions } from '../command.ts';

interface ServeOptions extends CommonOptions {
  readonly port?: string;
  readonly host?: string;
  readonly logLevel?: string;
  readonly trainingSchedule?: string;
  readonly listenDescriptor?: string;
  readonly wait?: boolean;
  readonly supervised?: boolean;
}

/** A service that is started while another has the data folder waits so long for it. */
const WAIT_MILLISECONDS = 600_000;

/** Runs the service until it is told to end; then lets everything that runs come to its end. */
export async function serve(context: CliContext, options: ServeOptions): Promise<void> {
  const { json, wait = false, supervised = false, ...flags } = options;
  const { values: config } = loadConfig(flags);
  const logger = pino(
    { level: config.logLevel, redact: { paths: [...REDACTED], censor: '(redacted)' } },
    pino.destination({ dest: 2, sync: true }),
  );
  if (supervised) await superviseServices(context, config, logger);
  else
    await serveOnce(context, config, logger, { json: json === true, wait }).finally(() => {
      // The channel to a supervisor would keep the process.
      if (process.connected) process.disconnect();
    });
}

async function serveOnce(
  context: CliContext,
  config: Config,
  logger: Logger,
  { json, wait }: { readonly json: boolean; readonly wait: boolean },
): Promise<void> {
  const ending = toldToEnd(context);
  if (wait) process.send?.(SERVICE_MESSAGES.waiting);
  const input = { config, clock: context.clock, logger, waitMilliseconds: wait ? WAIT_MILLISECONDS : 0 };
  if (config.role === 'train') {
    const { startWorker } = await import('../../training-role.ts');
    const worker = await startWorker(input);
    process.send?.(SERVICE_MESSAGES.answering);
    const { url, name } = worker;
    if (json) context.printJson({ url, dataDir: config.dataDir, version: PROGRAM_VERSION, worker: name });
    else
      context.note(
        `Plimsoll ${PROGRAM_VERSION} answers on ${url}, probes and metrics alone; it trains as ${name}`,
      );
    await ending;
    context.note('Ending: what is being made goes back to the other workers');
    await worker.stop();
    return;
  }
  // Not before: whoever supervises needs nothing of it.
  const { startService } = await import('../../main.ts');
  const running = await startService(input);
  process.send?.(SERVICE_MESSAGES.answering);
  const { url, operatorKey } = running;
  if (json) context.printJson({ url, dataDir: config.dataDir, version: PROGRAM_VERSION });
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
  await ending;
  context.note('Ending: running requests and decisions come to their end first');
  await running.stop();
}

async function superviseServices(context: CliContext, config: Config, logger: Logger): Promise<void> {
  const own = process.argv.slice(1).filter((argument) => argument !== '--supervised');
  const ending = new AbortController();
  void toldToEnd(context).then(() => ending.abort());
  const code = await supervise({
    host: config.host,
    port: config.port,
    serviceArguments: [
      ...process.execArgv,
      ...own,
      '--wait',
      '--listen-descriptor',
      String(SERVICE_DESCRIPTOR),
    ],
    logger,
    onListening: (url) => context.note(`Holding ${url}; SIGHUP to ${process.pid} starts the service anew`),
    terminated: ending.signal,
    onRestart: (listener) => void process.on('SIGHUP', listener),
  });
  context.setExitCode(code);
}

/** By a signal, or because whoever supervises is gone. */
function toldToEnd({ interrupted, terminated }: CliContext): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of [interrupted, terminated]) signal.addEventListener('abort', () => resolve());
    if (process.send !== undefined) process.once('disconnect', resolve);
    if (interrupted.aborted || terminated.aborted) resolve();
  });
}
