import { setPriority } from 'node:os';
import { systemClock } from '../src/clock.ts';
import { asPlimsollError, type ErrorCode } from '../src/errors.ts';
import { DEFAULT_EVERY_HOURS } from './job.ts';
import type { GatePolicy } from './judge/gate-policy.ts';
import { trainInDataDir } from './run.ts';
import { DEFAULT_MODEL_OPTIONS } from './train.ts';

/**
 * The process that the service starts for a scheduled training: its own heap and its own processor time, at a lower
 * priority than whoever answers requests. It takes one task, tells how far it is, and ends.
 */
export interface TrainingTask {
  readonly dataDir: string;
  readonly shippedModels: string;
  readonly gates: GatePolicy;
}

export type TrainingMessage =
  | { readonly kind: 'progress'; readonly phase: string; readonly share: number; readonly remark: string }
  | { readonly kind: 'trained'; readonly version: string; readonly rows: number; readonly markets: number }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly remedy: string | undefined;
    };

const NICE = 10;

if (process.send !== undefined) {
  setPriority(NICE);
  const interrupted = new AbortController();
  // The service is gone, or asks to stop: nothing has been written before the end, so leaving is safe.
  process.once('disconnect', () => interrupted.abort(new Error('the service has ended')));
  process.once('SIGTERM', () => interrupted.abort(new Error('the training was asked to stop')));
  // The terminal sends an interrupt to the whole group; the service decides what it means.
  process.on('SIGINT', () => {});
  process.once('message', (task: TrainingTask) => void work(task, interrupted.signal));
}

async function work(task: TrainingTask, interrupted: AbortSignal): Promise<void> {
  await tell(await train(task, interrupted));
  process.disconnect?.();
}

async function train(task: TrainingTask, interrupted: AbortSignal): Promise<TrainingMessage> {
  try {
    const { manifest } = await trainInDataDir(task, {
      seeds: DEFAULT_MODEL_OPTIONS.seeds,
      symbols: null,
      to: null,
      everyHours: DEFAULT_EVERY_HOURS,
      maximumEpochs: DEFAULT_MODEL_OPTIONS.fit.maximumEpochs,
      evaluate: true,
      gates: task.gates,
      clock: systemClock,
      onProgress: (progress) => void tell({ kind: 'progress', ...progress }),
      interrupted,
    });
    const { rows, markets } = manifest.data;
    return { kind: 'trained', version: manifest.version, rows, markets: markets.length };
  } catch (thrown) {
    const { code, message, remedy } = asPlimsollError(thrown);
    return { kind: 'failed', code, message, remedy };
  }
}

function tell(message: TrainingMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send !== undefined) process.send(message, () => resolve());
    else resolve();
  });
}
