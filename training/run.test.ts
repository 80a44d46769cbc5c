import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BarStore } from '../data/bar-store.ts';
import { ManualClock } from '../src/clock.ts';
import { RANDOM_MARKET_START, randomMarket } from '../test/random-market.ts';
import { skillOf } from './experiments.ts';
import type { TrainingJobOptions } from './job.ts';
import { lineageOf, reproducingCommand } from './report/lineage.ts';
import { loadExperiments, trainInDataDir } from './run.ts';

const NOW = Date.UTC(2026, 0, 1);
/** Some weeks before the newest bar. */
const NOT_ALL = RANDOM_MARKET_START + 7000 * 3_600_000;

describe('a training in a data folder', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-run-'));
  const folders = { dataDir, shippedModels: join(dataDir, 'none') };
  const options: TrainingJobOptions = {
    seeds: [1],
    symbols: null,
    to: null,
    everyHours: 4,
    maximumEpochs: 1,
    evaluate: true,
    clock: new ManualClock(NOW),
    onProgress: () => {},
    interrupted: new AbortController().signal,
  };

  beforeAll(async () => {
    const store = await BarStore.open(dataDir);
    for (const seed of [1, 2, 3, 4]) {
      const { symbol, bars } = randomMarket({ seed, hours: 7500 });
      const series = {
        symbol,
        venue: 'test',
        kind: 'perp',
        intervalMilliseconds: 3_600_000,
        simulated: true,
      };
      await store.writeSeries(series, bars);
    }
    store.close();
  });
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  test('is a row of the log with what was chosen, scored and made, and how long each phase took', async () => {
    const { manifest } = await trainInDataDir(folders, options, 'a first try');
    const { experiments, refused } = await loadExperiments(dataDir);
    expect(refused).toBe(0);
    expect(experiments).toHaveLength(1);
    const [row] = experiments;
    expect(row).toMatchObject({
      at: '2026-01-01T00:00:00.000Z',
      note: 'a first try',
      version: manifest.version,
      result: row.gates.every(({ passed }) => passed) ? 'challenger' : 'worse',
      options: { seeds: [1], everyHours: 4, maximumEpochs: 1 },
      data: { fingerprint: manifest.data.hash, rows: manifest.data.rows, markets: 4, simulated: true },
    });
    expect(row.scores.length).toBeGreaterThan(0);
    expect(Number.isFinite(skillOf(row))).toBe(true);
    const phases = Object.values(row.phaseSeconds).reduce((sum, seconds) => sum + seconds, 0);
    expect(phases).toBeGreaterThan(0);
    expect(phases).toBeLessThanOrEqual(row.seconds + 1e-6);
  });

  test('that was ended in its last fit goes on from what it had finished, to the same bits', async () => {
    const controller = new AbortController();
    const ended = trainInDataDir(folders, {
      ...options,
      seeds: [7],
      interrupted: controller.signal,
      onProgress: ({ phase }) => {
        if (phase === 'fit') controller.abort(new Error('killed'));
      },
    });
    await expect(ended).rejects.toThrow('killed');
    const remarks: string[] = [];
    const resumed = await trainInDataDir(folders, {
      ...options,
      seeds: [7],
      onProgress: ({ phase, remark }) => {
        if (phase === 'fit for evaluation') remarks.push(remark);
      },
    });
    // No fold was fitted a second time: a fit tells of its epochs.
    expect(remarks.filter((remark) => remark.includes('epoch'))).toEqual([]);
    const whole = await trainInDataDir(folders, {
      ...options,
      seeds: [7],
      onProgress: ({ phase, remark }) => {
        if (phase === 'fit for evaluation') remarks.push(remark);
      },
    });
    expect(remarks.some((remark) => remark.includes('epoch'))).toBe(true);
    expect(resumed.manifest.weights.sha256).toBe(whole.manifest.weights.sha256);
    expect(resumed.judgement).toEqual(whole.judgement);
  });

  test('is made again, to the bit, by the command that its report names, though newer bars came in', async () => {
    const { manifest } = await trainInDataDir(folders, { ...options, to: NOT_ALL, evaluate: false });
    const given = new Map(
      [...reproducingCommand(manifest).matchAll(/--([\w-]+) (\S+)/g)].map(([, name, value]) => [name, value]),
    );
    const again = await trainInDataDir(folders, {
      ...options,
      evaluate: false,
      symbols: given.get('markets')?.split(',') ?? null,
      to: Date.parse(given.get('to') ?? ''),
      everyHours: Number(given.get('every-hours')),
      maximumEpochs: Number(given.get('epochs')),
      seeds: (given.get('seeds') ?? '').split(',').map(Number),
    });
    expect(again.manifest.version).toBe(manifest.version);
    expect(again.manifest.data).toEqual(manifest.data);
    expect(lineageOf(manifest)).toContainEqual(['weights', again.manifest.weights.sha256]);
  });

  test('that fails is a row as well, with its reason, and the failure is still told', async () => {
    const nobody = { ...options, symbols: ['NOBODYUSDT'] };
    await expect(trainInDataDir(folders, nobody)).rejects.toMatchObject({ code: 'DATA_INSUFFICIENT' });
    const { experiments } = await loadExperiments(dataDir);
    expect(experiments).toHaveLength(7);
    expect(experiments[6]).toMatchObject({ result: 'failed', version: null, data: null });
    expect(experiments[6].message).toContain('enough history');
  });
});
