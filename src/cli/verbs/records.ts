import { randomUUID } from 'node:crypto';
import type { TrainingOutcome } from '../../../training/job.ts';
import type { Clock } from '../../clock.ts';
import type { AuditDraft } from '../../control/ports.ts';
import { asPlimsollError } from '../../errors.ts';
import { type StatePlace, withStore } from './state.ts';

/** Who acts at a command line; the audit chain says so. */
export const ACTOR = 'command';

/** Appends to the audit chain, beside a running service or without one. */
export async function recordAudit(place: StatePlace, entry: Omit<AuditDraft, 'actor'>): Promise<void> {
  await withStore(place, (store) => store.appendAudit({ ...entry, actor: ACTOR }));
}

/** Waits for a training and writes down what became of it, good or bad. */
export async function recordTraining(
  clock: Clock,
  place: StatePlace,
  startedAt: number,
  training: Promise<TrainingOutcome>,
): Promise<TrainingOutcome> {
  const id = randomUUID();
  const write = (result: 'succeeded' | 'failed', modelVersion: string | null, message: string) =>
    withStore(place, async (store) => {
      const finishedAt = clock.now();
      await store.recordTrainingRun({
        id,
        startedAt,
        finishedAt,
        result,
        modelVersion,
        trigger: 'command',
        message,
      });
      await store.appendAudit({
        at: finishedAt,
        kind: 'training',
        actor: ACTOR,
        subject: modelVersion ?? id,
        reason: result,
        details: { run: id, message },
      });
    });
  try {
    const outcome = await training;
    const { version, data } = outcome.manifest;
    await write('succeeded', version, `${data.rows} rows of ${data.markets.length} markets`);
    return outcome;
  } catch (thrown) {
    await write('failed', null, asPlimsollError(thrown).message);
    throw thrown;
  }
}
