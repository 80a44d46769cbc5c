import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ModelRegistry } from '../models/registry.ts';
import { ManualClock } from '../src/clock.ts';
import { CONFIDENCES, HORIZONS_HOURS } from '../src/forecast/predictor.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { selectBars } from '../test/random-market.ts';
import { randomReader } from '../test/random-reader.ts';
import { QUICK_METHODS } from './field/field.ts';
import { type JobProgress, runTrainingJob, type TrainingJobOptions, type TrainingOutcome } from './job.ts';
import { DEFAULT_GATE_POLICY } from './judge/gate-policy.ts';
import { scoresFromCsv } from './scores.ts';

const NOW = Date.UTC(2026, 0, 1);
const reader = randomReader({ markets: 6, hours: 4500 });

function optionsOf(changes: Partial<TrainingJobOptions> = {}): TrainingJobOptions {
  return {
    seeds: [1],
    symbols: null,
    to: null,
    everyHours: 4,
    maximumEpochs: 2,
    evaluate: true,
    // How fast this machine is at the moment is not for these tests to say.
    gates: { ...DEFAULT_GATE_POLICY, mostLatencyMilliseconds: 60_000 },
    clock: new ManualClock(NOW),
    onProgress: () => {},
    interrupted: new AbortController().signal,
    ...changes,
  };
}

describe('the training job', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-job-'));
  const registryIn = (name: string): ModelRegistry =>
    new ModelRegistry(join(folder, 'none'), join(folder, name));
  const progress: JobProgress[] = [];
  let outcome: TrainingOutcome;

  beforeAll(async () => {
    const options = optionsOf({ onProgress: (step) => progress.push(step) });
    outcome = await runTrainingJob(reader, registryIn('first'), options);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('the same data and seeds give the same version to the bit, from the weights to the scores', async () => {
    const again = await runTrainingJob(reader, registryIn('second'), optionsOf());
    // The latency that a gate measures is the only thing that depends on the hour.
    const { gates: _, ...manifest } = again.manifest;
    const { gates: __, ...first } = outcome.manifest;
    expect(manifest).toEqual(first);
    expect(again.judgement).toEqual(outcome.judgement);
    const weights = (name: string): Buffer =>
      readFileSync(join(folder, name, 'models', 'versions', outcome.manifest.version, 'weights.bin'));
    expect(weights('second').equals(weights('first'))).toBe(true);
  });

  test('another seed gives another version', async () => {
    const other = await runTrainingJob(
      reader,
      registryIn('other'),
      optionsOf({ seeds: [2], evaluate: false }),
    );
    expect(other.manifest.version).not.toBe(outcome.manifest.version);
    expect(other.manifest.weights.sha256).not.toBe(outcome.manifest.weights.sha256);
  });

  test('a version that passes the gates is the challenger, never the champion by itself', async () => {
    expect(outcome.manifest.gates?.passed).toBe(true);
    expect(outcome.manifest.gates?.champion).toBeNull();
    expect(await registryIn('first').versionOf('challenger')).toBe(outcome.manifest.version);
    expect(await registryIn('first').versionOf('champion')).toBeNull();
  });

  test('who is no better than the champion on the same time fails, is kept, and is nobody’s challenger', async () => {
    const registry = registryIn('second');
    await registry.promote(outcome.manifest.version);
    const other = await runTrainingJob(reader, registry, optionsOf({ seeds: [2], maximumEpochs: 0 }));
    const gate = other.gates?.find((one) => one.gate === 'pinball-against-champion');
    expect(gate?.measured).toBeLessThan(0);
    expect(gate?.passed).toBe(false);
    expect(other.manifest.gates).toMatchObject({ passed: false, champion: outcome.manifest.version });
    expect(other.manifest.lineage?.parent).toBe(outcome.manifest.version);
    expect((await registry.list()).map(({ manifest }) => manifest.version)).toContain(other.manifest.version);
    expect(await registry.versionOf('challenger')).toBeNull();
    await expect(registry.promote(other.manifest.version)).rejects.toMatchObject({ code: 'GATE_FAILED' });
  });

  test('the fit behind the scores ends before the test span, with the longest horizon and as much again between', () => {
    const evaluation = outcome.manifest.evaluation;
    expect(evaluation).not.toBeNull();
    if (evaluation === null) return;
    const gap = Date.parse(evaluation.testFrom) - Date.parse(evaluation.fittedUntil);
    expect(gap).toBeGreaterThanOrEqual(48 * 3_600_000);
    const { trainUntil, validationFrom } = outcome.manifest.split;
    expect(Date.parse(validationFrom) - Date.parse(trainUntil)).toBe(48 * 3_600_000);
  });

  test('every forecaster is scored in every cell of every market on the same origins', () => {
    const cells = outcome.judgement?.cells ?? [];
    const forecasters = new Set(cells.map(({ forecaster }) => forecaster));
    expect([...forecasters].sort()).toEqual([...QUICK_METHODS, 'shock-network'].sort());
    expect(cells).toHaveLength(forecasters.size * 6 * 2 * HORIZONS_HOURS.length * CONFIDENCES.length);
    for (const symbol of new Set(cells.map((cell) => cell.symbol))) {
      const counts = cells.filter((cell) => cell.symbol === symbol).map(({ observations }) => observations);
      expect(new Set(counts).size).toBe(1);
    }
  });

  test('the folder holds the scores by market, as they were returned to six digits', () => {
    const text = readFileSync(
      join(folder, 'first', 'models', 'versions', outcome.manifest.version, 'scores.csv'),
      'utf8',
    );
    const stored = scoresFromCsv(text);
    const cells = outcome.judgement?.cells ?? [];
    expect(stored).toHaveLength(cells.length);
    for (const [i, cell] of cells.entries()) {
      expect(stored[i]).toMatchObject({ forecaster: cell.forecaster, symbol: cell.symbol, side: cell.side });
      expect(stored[i].pinball).toBeCloseTo(cell.pinball, 6);
    }
  });

  test('progress goes through the phases in order and within each from 0 to 1', () => {
    const phases = progress.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1]);
    expect(phases).toEqual(['load', 'features', 'fit for evaluation', 'evaluate', 'fit', 'save']);
    expect(progress.every(({ share }) => share >= 0 && share <= 1)).toBe(true);
  });

  test('an interrupted job leaves nothing behind', async () => {
    const controller = new AbortController();
    const options = optionsOf({
      interrupted: controller.signal,
      onProgress: ({ phase }) => {
        if (phase === 'fit') controller.abort(new Error('enough'));
      },
    });
    await expect(runTrainingJob(reader, registryIn('interrupted'), options)).rejects.toThrow('enough');
    expect(readdirSync(folder)).not.toContain('interrupted');
  });

  test('a champion of earlier data is judged by its weights on the time that it had not seen', async () => {
    const registry = registryIn('later');
    const [market] = await reader.loadMarkets();
    const end = market.bars.openTime[market.bars.length - 1];
    const dense = { everyHours: 2, maximumEpochs: 1 };
    const earlier = optionsOf({ ...dense, to: end - 40 * 86_400_000, evaluate: false });
    const champion = await runTrainingJob(reader, registry, earlier);
    await registry.promote(champion.manifest.version, { override: true });
    const { gates, manifest } = await runTrainingJob(reader, registry, optionsOf(dense));
    const duel = gates?.filter(({ gate }) => gate.endsWith('-against-champion')) ?? [];
    expect(duel.map(({ gate }) => gate)).toEqual(['pinball-against-champion', 'fz0-against-champion']);
    for (const { measured, words } of duel) {
      expect(measured).not.toBeNull();
      // Forty days more of the same invented law: neither is much better.
      expect(Math.abs(measured ?? 1)).toBeLessThan(0.1);
      expect(words).toContain('champion');
    }
    expect(manifest.gates?.champion).toBe(champion.manifest.version);
    // With fewer than thirty days of it, there is nothing to tell them apart by, and the gates say so.
    const barely = await runTrainingJob(reader, registry, optionsOf({ ...dense, to: end - 25 * 86_400_000 }));
    expect(barely.gates?.[0]).toMatchObject({ passed: false, measured: null });
    expect(barely.gates?.[0].words).toContain('30 days');
  });

  test('goes around markets that nothing can be learned from, and names those without a row', async () => {
    const sound = await reader.loadMarkets();
    const [a] = sound;
    const hours = a.bars.length;
    const last = a.bars.openTime[hours - 1];
    const still = Object.fromEntries(
      ['open', 'high', 'low', 'close'].map((name) => [name, new Float64Array(hours).fill(5)]),
    );
    const wick = { ...a.bars, low: a.bars.low.slice() };
    wick.low[hours - 1500] *= 1e-6;
    const odd: MarketHistory[] = [
      { ...a, symbol: 'SHORTUSDT', bars: selectBars(a.bars, (i) => i >= hours - 50) },
      { ...a, symbol: 'STILLUSDT', bars: { ...a.bars, ...still } },
      { ...a, symbol: 'GAPUSDT', bars: selectBars(a.bars, (i) => i < 600 || i >= 3200) },
      {
        ...a,
        symbol: 'GONEUSDT',
        bars: selectBars(a.bars, (i) => a.bars.openTime[i] < last - 60 * 86_400_000),
      },
      { ...a, symbol: 'WICKUSDT', bars: wick },
    ];
    const all = [...sound, ...odd].sort((x, y) => (x.symbol < y.symbol ? -1 : 1));
    const mixed = { ...reader, loadMarkets: async () => all };
    const { manifest, judgement } = await runTrainingJob(mixed, registryIn('odd'), optionsOf());
    expect(manifest.data.leftOut).toEqual(['SHORTUSDT']);
    expect(manifest.data.markets).toHaveLength(all.length - 1);
    expect(manifest.probe.valueAtRisk.every((value) => Number.isFinite(value) && value > 0)).toBe(true);
    for (const { pinball, fz0 } of judgement?.averages ?? [])
      expect(Number.isFinite(pinball) && Number.isFinite(fz0)).toBe(true);
    await registryIn('odd').load(manifest.version);
  });

  test('too little history is refused with what is needed', async () => {
    const short = randomReader({ markets: 2, hours: 400 });
    await expect(runTrainingJob(short, registryIn('short'), optionsOf())).rejects.toMatchObject({
      code: 'DATA_INSUFFICIENT',
      remedy: expect.stringContaining('Import more history'),
    });
    const empty = randomReader({ markets: 0, hours: 0 });
    await expect(runTrainingJob(empty, registryIn('empty'), optionsOf())).rejects.toMatchObject({
      code: 'DATA_INSUFFICIENT',
    });
  });
});
