import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { continueSample, initialSampleState } from './generate.ts';
import { readProgress, SAMPLE_GENERATOR, type SampleProgress, writeProgress } from './progress.ts';

const ANCHOR = Date.UTC(2024, 0, 1);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-progress-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function progressAfter(hours: number): SampleProgress {
  const until = ANCHOR + hours * HOUR_MILLISECONDS;
  const { state } = continueSample({ seed: 5, anchor: ANCHOR, until }, initialSampleState());
  return { generator: SAMPLE_GENERATOR, seed: 5, anchor: ANCHOR, state };
}

test('the state comes back to the bit, and a later one replaces it', async () => {
  expect(await readProgress(folder)).toBeNull();
  await writeProgress(folder, progressAfter(200));
  expect(await readProgress(folder)).toEqual(progressAfter(200));
  await writeProgress(folder, progressAfter(201));
  expect(await readProgress(folder)).toEqual(progressAfter(201));
});

test.each([
  ['half a file', (text: string) => text.slice(0, text.length / 2)],
  ['an empty file', () => ''],
  ['another generator', (text: string) => text.replace(SAMPLE_GENERATOR, 'sample@0')],
  ['a market less', (text: string) => JSON.stringify(without(JSON.parse(text)))],
  ['a number that is none', (text: string) => text.replace(/"slow":[-\d.e]+/, '"slow":null')],
])('%s cannot be continued', async (_, damage) => {
  await writeProgress(folder, progressAfter(3));
  const path = join(folder, 'sample.json');
  writeFileSync(path, damage(readFileSync(path, 'utf8')));
  expect(await readProgress(folder)).toBeNull();
});

function without(progress: { state: { markets: unknown[] } }): unknown {
  progress.state.markets.pop();
  return progress;
}

test('what cannot be read or written is an IO failure', async () => {
  mkdirSync(join(folder, 'sample.json'));
  await expect(readProgress(folder)).rejects.toMatchObject({ code: 'IO_FAILED' });
  await expect(writeProgress(folder, progressAfter(1))).rejects.toMatchObject({ code: 'IO_FAILED' });
});
