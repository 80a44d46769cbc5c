import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PlimsollError } from '../../src/errors.ts';
import type { SampleState } from './generate.ts';
import { SAMPLE_MARKETS } from './markets.ts';

/**
 * How far the sample has come, kept beside the data as `sample.json`: seed, anchor and the simulator's state, so that
 * the next hour costs an hour and not two years.
 */

/** Goes up whenever the simulator gives other numbers for the same seed: then a stored path cannot be continued. */
export const SAMPLE_GENERATOR = 'sample@1';

const finite = z.number();

const weatherSchema = z.strictObject({
  regime: z.int().min(0).max(3),
  slow: finite,
  fast: finite,
  aftershock: finite,
  jumpHeat: finite,
  shock: finite,
});

const marketSchema = z.strictObject({
  logPrice: finite,
  dislocation: finite,
  ownRegime: z.int().min(0).max(1),
  ownLogVolatility: finite,
  volumeNoise: finite,
  shock: finite,
  momentum: finite,
  premiumNoise: finite,
  premiumSum: finite,
  premiumHours: z.int().min(0),
  close: z.number().positive(),
});

const progressSchema = z.strictObject({
  generator: z.literal(SAMPLE_GENERATOR),
  seed: z.int(),
  anchor: z.int(),
  state: z.strictObject({
    hours: z.int().min(0),
    weather: weatherSchema,
    markets: z.array(marketSchema).length(SAMPLE_MARKETS.length),
  }),
});

export interface SampleProgress {
  readonly generator: typeof SAMPLE_GENERATOR;
  readonly seed: number;
  readonly anchor: number;
  readonly state: SampleState;
}

const FILE_NAME = 'sample.json';

/** Null where there is none, or none that this generator can continue: the sample is then made anew. */
export async function readProgress(dataDir: string): Promise<SampleProgress | null> {
  const path = join(dataDir, FILE_NAME);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw ioFailure(path, thrown);
  }
  try {
    return progressSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Replaces the file as a whole: after a crash there is the old progress or the new, never a part. */
export async function writeProgress(dataDir: string, progress: SampleProgress): Promise<void> {
  const path = join(dataDir, FILE_NAME);
  try {
    await mkdir(dataDir, { recursive: true });
    const file = await open(`${path}.new`, 'w');
    try {
      await file.writeFile(`${JSON.stringify(progress)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  } catch (thrown) {
    throw ioFailure(path, thrown);
  }
}

function ioFailure(path: string, thrown: unknown): PlimsollError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PlimsollError('IO_FAILED', `${path}: ${message}`, {
    remedy: 'Check free space and permissions of the data folder.',
    cause: thrown,
  });
}
