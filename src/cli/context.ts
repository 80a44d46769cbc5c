import { stopwatchSeconds, systemClock } from '../clock.ts';
import type { CliContext, ProgressBar } from './command.ts';

/** Quicker work needs no bar. */
const BAR_AFTER_SECONDS = 2;
const REDRAW_SECONDS = 0.1;
const BAR_CELLS = 24;
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
    progress: (label, total) => (process.stderr.isTTY ? drawnBar(label, total) : NO_BAR),
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

const NO_BAR: ProgressBar = { update: () => {}, finish: () => {} };

function drawnBar(label: string, total: number): ProgressBar {
  const started = stopwatchSeconds();
  let drawnAt = 0;
  let isDrawn = false;
  return {
    update: (done, remark = '') => {
      const now = stopwatchSeconds();
      if (now - started < BAR_AFTER_SECONDS || now - drawnAt < REDRAW_SECONDS) return;
      drawnAt = now;
      isDrawn = true;
      const line = barLine(label, done, total, now - started, remark);
      process.stderr.write(`\r\u001b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    },
    finish: () => {
      if (isDrawn) process.stderr.write('\r\u001b[K');
    },
  };
}

/** `label [#####.....]  42 %  1.2 M/s  0:31 left  remark` */
export function barLine(
  label: string,
  done: number,
  total: number,
  elapsedSeconds: number,
  remark: string,
): string {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
  const filled = Math.round(share * BAR_CELLS);
  const rate = elapsedSeconds > 0 ? done / elapsedSeconds : 0;
  const left = share > 0 ? duration((elapsedSeconds * (1 - share)) / share) : '–';
  const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR_CELLS - filled)}`;
  const percent = `${Math.floor(100 * share)}`.padStart(3);
  const speed = total > 1 ? `  ${shortNumber(rate)}/s` : '';
  return `${label} [${bar}] ${percent} %${speed}  ${left} left  ${remark}`.trimEnd();
}

export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

function shortNumber(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const)
    if (value >= size) return `${(value / size).toFixed(1)} ${unit}`;
  return value.toFixed(value < 10 ? 1 : 0);
}
