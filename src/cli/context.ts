import { systemClock } from '../clock.ts';
import type { CliContext } from './command.ts';
import { drawnBar, plainBar } from './progress.ts';

const EXIT_INTERRUPTED = 130;

export interface RunningContext extends CliContext {
  exitCode(): number;
  /** Stops listening for signals, so that the process can end. */
  close(): void;
}

/** The context of a real terminal: stdout for data, stderr for everything else, signals as abort signals. */
export function createContext(): RunningContext {
  const interrupt = new AbortController();
  const terminate = new AbortController();
  let exitCode = 0;
  const onInterrupt = (): void => {
    // The second interrupt is an order: whoever gives it does not want to wait for order.
    if (interrupt.signal.aborted) process.exit(EXIT_INTERRUPTED);
    exitCode = EXIT_INTERRUPTED;
    interrupt.abort(new Error('interrupted'));
  };
  const onTerminate = (): void => terminate.abort(new Error('terminated'));
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  // A reader that has seen enough, such as head, is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCode);
    throw error;
  });
  return {
    clock: systemClock,
    print: (text) => void process.stdout.write(`${text}\n`),
    printJson: (value) => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
    progress: (label, total) =>
      process.stderr.isTTY ? drawnBar(process.stderr, label, total) : plainBar(process.stderr, label, total),
    interrupted: interrupt.signal,
    terminated: terminate.signal,
    setExitCode: (code) => {
      if (exitCode === 0) exitCode = code;
    },
    exitCode: () => exitCode,
    close: () => {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
    },
  };
}
