import { join } from 'node:path';
import { BarStore } from '../data/bar-store.ts';
import { acquireLock } from '../data/lock.ts';
import { ModelRegistry } from '../models/registry.ts';
import { runTrainingJob, type TrainingJobOptions, type TrainingOutcome } from './job.ts';

/**
 * The training entry: the job on a data folder, one at a time whoever asks, the command or the schedule.
 *
 * @throws PlimsollError LOCKED while another training runs there, and what `runTrainingJob` throws.
 */
export async function trainInDataDir(
  folders: { readonly dataDir: string; readonly shippedModels: string },
  options: TrainingJobOptions,
): Promise<TrainingOutcome> {
  const lock = acquireLock(join(folders.dataDir, 'training.lock'), 'a training');
  try {
    const store = await BarStore.open(folders.dataDir);
    try {
      return await runTrainingJob(store, new ModelRegistry(folders.shippedModels, folders.dataDir), options);
    } finally {
      store.close();
    }
  } finally {
    lock.release();
  }
}
