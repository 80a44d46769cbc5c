import { stopwatchSeconds } from '../clock.ts';
import type { KnownPace, ProgressBar } from './command.ts';

/** Quicker work needs no bar. */
const BAR_AFTER_SECONDS = 2;
const REDRAW_SECONDS = 0.1;
/** Into a file or a log of a build, where nothing can be redrawn. */
const LINE_SECONDS = 15;
const BAR_CELLS = 24;
const CLEAR_LINE = '\r\u001b[K';
const CYAN = '\u001b[36m';
const PLAIN = '\u001b[39m';

/** The part of a terminal stream that a bar needs. `hasColors` knows of NO_COLOR, FORCE_COLOR and TERM. */
export interface BarStream {
  readonly columns?: number;
  readonly isTTY?: boolean;
  write(text: string): unknown;
  hasColors?(): boolean;
}

/** A bar that is drawn again and again on one line of a terminal. */
export function drawnBar(
  stream: BarStream,
  label: string,
  total: number,
  seconds: () => number = stopwatchSeconds,
): ProgressBar {
  const started = seconds();
  const isColoured = stream.hasColors?.() ?? false;
  let drawnAt = 0;
  let isDrawn = false;
  return {
    update: (done, remark = '', known = {}) => {
      const now = seconds();
      if (now - started < BAR_AFTER_SECONDS || now - drawnAt < REDRAW_SECONDS) return;
      drawnAt = now;
      isDrawn = true;
      const line = barLine(label, done, total, now - started, remark, known).slice(
        0,
        (stream.columns ?? 80) - 1,
      );
      stream.write(`${CLEAR_LINE}${isColoured ? line.replace(/#+/, `${CYAN}$&${PLAIN}`) : line}`);
    },
    finish: () => {
      if (isDrawn) stream.write(CLEAR_LINE);
    },
  };
}

/** The same where nothing is redrawn: a whole line every quarter of a minute. */
export function plainBar(
  stream: BarStream,
  label: string,
  total: number,
  seconds: () => number = stopwatchSeconds,
): ProgressBar {
  const started = seconds();
  let writtenAt = started;
  return {
    update: (done, remark = '', known = {}) => {
      const now = seconds();
      if (now - writtenAt < LINE_SECONDS) return;
      writtenAt = now;
      stream.write(`${paceLine(label, done, total, now - started, remark, known)}\n`);
    },
    finish: () => {},
  };
}

/** `label [#####.....]  42 %  1.2 M/s  0:31 left  remark` */
export function barLine(
  label: string,
  done: number,
  total: number,
  elapsedSeconds: number,
  remark: string,
  known: KnownPace = {},
): string {
  const filled = Math.round(shareOf(done, total) * BAR_CELLS);
  const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR_CELLS - filled)}`;
  return paceLine(`${label} [${bar}]`, done, total, elapsedSeconds, remark, known);
}

function paceLine(
  label: string,
  done: number,
  total: number,
  elapsedSeconds: number,
  remark: string,
  known: KnownPace,
): string {
  const share = shareOf(done, total);
  const secondsLeft = known.secondsLeft ?? (share > 0 ? (elapsedSeconds * (1 - share)) / share : null);
  const left = secondsLeft === null ? '–' : duration(secondsLeft);
  const percent = `${Math.floor(100 * share)}`.padStart(3);
  const counted = total > 1 ? `${shortNumber(elapsedSeconds > 0 ? done / elapsedSeconds : 0)}/s` : '';
  const rate = known.rate ?? counted;
  return `${label} ${percent} %${rate === '' ? '' : `  ${rate}`}  ${left} left  ${remark}`.trimEnd();
}

function shareOf(done: number, total: number): number {
  return total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
}

/** Minutes and seconds, `62:05`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Three digits or so with a unit prefix: `1.2 M`. */
export function shortNumber(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const)
    if (value >= size) return `${(value / size).toFixed(1)} ${unit}`;
  return value.toFixed(value < 10 ? 1 : 0);
}
