import { fork } from 'node:child_process';
import { schedule as scheduleCron } from 'node-cron';
import { PlimsollError } from '../src/errors.ts';
import { siblingUrl } from '../src/program.ts';
import type { TrainingMessage, TrainingTask } from './child-process.ts';

/** Nothing of a run is written before its end, so that it may be ended at any moment. */
const GRACE_MILLISECONDS = 10_000;

/** Enough to see the longest gap of a schedule of a week, such as one of working days. */
const LOOKED_AHEAD_RUNS = 8;

/** What became of a training in a process of its own. */
export type TrainingResult = Extract<TrainingMessage, { kind: 'trained' }>;

/**
 * Trains in a child process, so that neither the event loop nor the heap of the service feels it.
 *
 * @param stop ends the child, which then has written nothing.
 * @throws PlimsollError what the job threw, or INTERNAL when the process died without a word.
 */
export function trainInChildProcess(
  task: TrainingTask,
  stop: AbortSignal,
  onProgress: (phase: string, share: number) => void,
): Promise<TrainingResult> {
  return new Promise((resolve, reject) => {
    const child = fork(siblingUrl(import.meta.url, 'child-process'), [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    let grace: NodeJS.Timeout | undefined;
    const end = (): void => {
      child.kill('SIGTERM');
      // In the midst of a long computation it does not hear.
      grace ??= setTimeout(() => child.kill('SIGKILL'), GRACE_MILLISECONDS);
    };
    stop.addEventListener('abort', end, { once: true });
    let last: Exclude<TrainingMessage, { kind: 'progress' }> | null = null;
    child.on('message', (message: TrainingMessage) => {
      if (message.kind === 'progress') onProgress(message.phase, message.share);
      else last = message;
    });
    child.once('error', (cause) => reject(new PlimsollError('INTERNAL', cause.message, { cause })));
    child.once('exit', (code, signal) => {
      stop.removeEventListener('abort', end);
      clearTimeout(grace);
      if (last?.kind === 'trained') resolve(last);
      else if (last?.kind === 'failed') {
        const { remedy } = last;
        reject(new PlimsollError(last.code, last.message, remedy === undefined ? {} : { remedy }));
      } else reject(new PlimsollError('INTERNAL', `the training process ended with ${signal ?? code}`));
    });
    child.send(task);
    if (stop.aborted) end();
  });
}

export interface Schedule {
  /** The longest time between the next runs. */
  readonly intervalSeconds: number;
  /** Starts no other run. */
  stop(): void;
}

/**
 * Calls `run` whenever the cron expression says so, in UTC. A run that is still going when the next is due is not
 * joined by a second one.
 */
export function scheduleTraining(expression: string, run: () => Promise<void>): Schedule {
  const task = scheduleCron(expression, run, { timezone: 'UTC', noOverlap: true });
  const times = task.getNextRuns(LOOKED_AHEAD_RUNS).map((run) => run.getTime() / 1000);
  const gaps = times.slice(1).map((time, i) => time - times[i]);
  return { intervalSeconds: Math.max(0, ...gaps), stop: () => void task.destroy() };
}

/** The longest time between the runs of a schedule that somebody else keeps, seconds. */
export function scheduleInterval(expression: string): number {
  const { intervalSeconds, stop } = scheduleTraining(expression, async () => {});
  stop();
  return intervalSeconds;
}
