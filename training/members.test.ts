import { describe, expect, test } from 'vitest';
import { LEVEL_COUNT } from '../src/forecast/network-inputs.ts';
import { LEVELLED_OUTPUTS } from '../src/forecast/network-output.ts';
import { HORIZON_COUNT, PATHS_PER_MARKET } from '../src/forecast/predictor.ts';
import { Random } from '../src/random.ts';
import type { FitProgress, FitResult, FitRows } from './fit.ts';
import { fitMembers } from './members.ts';

const COLUMNS = 5;

function randomRows(seed: number, rows: number): FitRows {
  const random = Random.stream(seed, 'rows');
  const scaled = Float32Array.from({ length: rows * PATHS_PER_MARKET }, () => random.exponential());
  return {
    rows,
    columns: COLUMNS,
    inputs: Float32Array.from({ length: rows * COLUMNS }, () => random.normal()),
    levels: Float32Array.from({ length: rows * LEVEL_COUNT }, () => random.normal()),
    scaled,
    logVolatility: Float32Array.from({ length: rows * HORIZON_COUNT }, () => random.normal()),
  };
}

const [train, validation] = [randomRows(1, 1500), randomRows(2, 400)];
const options = {
  hidden: [8],
  batchRows: 128,
  maximumEpochs: 2,
  patience: 2,
  learningRate: 1e-3,
  weightDecay: 1e-3,
  slopeFloors: new Float32Array(LEVEL_COUNT * LEVELLED_OUTPUTS.length).fill(-1),
};

function fitAll(
  threads: number,
  onProgress: (member: number, progress: FitProgress) => void = () => {},
  interrupted: AbortSignal = new AbortController().signal,
  changes: { readonly hidden?: readonly number[] } = {},
): Promise<FitResult[]> {
  const seeds = [1, 2, 3];
  return fitMembers(train, validation, seeds, { ...options, ...changes }, threads, onProgress, interrupted);
}

describe('the members of a model', () => {
  test('are the same to the bit and in the order of their seeds, one after another or side by side', async () => {
    const alone = await fitAll(1);
    expect(new Set(alone.map(({ validationLoss }) => validationLoss)).size).toBe(3);
    const told = new Set<number>();
    expect(await fitAll(2, (member) => told.add(member))).toEqual(alone);
    expect([...told].sort()).toEqual([0, 1, 2]);
  });

  test('end with the reason of whoever interrupts them, at once', async () => {
    const controller = new AbortController();
    const reports: number[] = [];
    // One after the other: three on two threads begin together.
    const fitting = fitAll(
      1,
      (member) => {
        reports.push(member);
        controller.abort(new Error('enough'));
      },
      controller.signal,
    );
    await expect(fitting).rejects.toThrow('enough');
    // The second was not begun.
    expect(reports).not.toContain(1);
    await expect(fitAll(2, () => {}, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  });

  test('fail together when one fails, with its reason', async () => {
    const refuse = (member: number): void => {
      if (member === 1) throw new Error('refused');
    };
    await expect(fitAll(2, refuse)).rejects.toThrow('refused');
    // No network has a layer of minus one: the thread itself fails.
    await expect(fitAll(2, () => {}, undefined, { hidden: [-1] })).rejects.toThrow();
  });
});
