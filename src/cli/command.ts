import type { Clock } from '../clock.ts';

/**
 * What every verb gets. Data go to stdout through `print`, everything else to stderr, so that a pipe never sees
 * progress. With `--json` a verb prints exactly one JSON value.
 */
export interface CliContext {
  readonly clock: Clock;
  /** Lines of data on stdout. */
  print(text: string): void;
  /** One JSON value on stdout. */
  printJson(value: unknown): void;
  /** Logs and remarks on stderr. */
  note(text: string): void;
  /** A bar with rate and remaining time: drawn on a terminal, a line now and then elsewhere, nothing for quick work. */
  progress(label: string, total: number): ProgressBar;
  /** Aborted at the first interrupt; the command then ends with exit code 130. */
  readonly interrupted: AbortSignal;
  /** Aborted at the first request to end in order (SIGTERM); for verbs that run until they are told to stop. */
  readonly terminated: AbortSignal;
  /** Sets the exit code of a command that ran to its end but has bad news (3, 5). */
  setExitCode(code: number): void;
}

export interface ProgressBar {
  /** How far, in the units of `total`, with an optional remark such as the current loss. */
  update(done: number, remark?: string, known?: KnownPace): void;
  finish(): void;
}

/** What the caller knows better than a bar, which can only divide what is done by the time it took. */
export interface KnownPace {
  readonly secondsLeft?: number;
  /** Such as `1.2 M rows/s`. */
  readonly rate?: string;
}

/** Options that every verb takes, as they were typed. */
export interface CommonOptions {
  readonly dataDir?: string;
  readonly config?: string;
  readonly policy?: string;
  readonly json?: boolean;
}

/** Rows as an aligned table; numbers (cells that look like them) to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const numeric = header.map((_, column) =>
    rows.every((row) => /^[-+]?[\d.,]*%?x?$/.test(row[column] ?? '')),
  );
  return all
    .map((row) =>
      row
        .map((cell, column) =>
          numeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
