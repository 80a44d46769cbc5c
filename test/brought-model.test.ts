import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BarStore } from '../data/bar-store.ts';
import { SqliteStateStore } from '../data/sqlite-state-store.ts';
import { ModelRegistry } from '../models/registry.ts';
import { candidateIn } from '../src/cli/candidate.ts';
import { ManualClock } from '../src/clock.ts';
import { featureSpecHash } from '../src/features/spec.ts';
import { Metrics } from '../src/metrics/metrics.ts';
import { SHIPPED_MODELS } from '../src/program.ts';
import { ShadowScoring } from '../src/shadow-scoring.ts';
import { onnxFile, originOfOnnxFile } from './onnx-file.ts';
import { RANDOM_MARKET_START, randomMarket } from './random-market.ts';
import { plimsoll, serve } from './run-plimsoll.ts';

const HOUR = 3_600_000;
const HOURS = 6000;
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-brought-'));
const dataDir = join(folder, 'data');
const file = join(folder, 'model.onnx');
const champion: string = JSON.parse(readFileSync(join(SHIPPED_MODELS, 'aliases.json'), 'utf8')).champion;
const registry = new ModelRegistry(SHIPPED_MODELS, dataDir);
/** A policy that a straight line on a few random markets can hold: what is tested is the way, not the model. */
const EASY = `gates: {leastPinballGainOverChampion: -1, leastPinballGainOverClassical: -1, leastFz0GainOverChampion: -9,
  leastFz0GainOverClassical: -9, mostRegimePinballRatio: 9, mostStressExceedanceRatio: 9, coverageSignificance: 0.000001, mostLatencyMilliseconds: 1000}`;
const END = RANDOM_MARKET_START + HOURS * HOUR;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const isoOf = (time: number): string => new Date(time).toISOString();
const run = (...args: string[]) => plimsoll([...args, '--data-dir', dataDir]);
const withoutRuntime = {
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'without-onnx-runtime.fixture.ts')).href}`,
};

function bring(path: string, bytes: Buffer, change: object = {}): void {
  writeFileSync(path, bytes);
  const origin = originOfOnnxFile(featureSpecHash(), isoOf(END - 2400 * HOUR), ['TEST1USDT']);
  writeFileSync(`${path}.json`, JSON.stringify({ ...origin, ...change }));
}

beforeAll(async () => {
  const store = await BarStore.open(dataDir);
  for (const seed of [1, 2, 3]) {
    const { symbol, bars } = randomMarket({ seed, hours: HOURS });
    const series = { symbol, venue: 'test', kind: 'perp', intervalMilliseconds: HOUR, simulated: false };
    await store.writeSeries(series, bars);
  }
  store.close();
  writeFileSync(join(folder, 'plimsoll.yaml'), EASY);
  bring(file, onnxFile());
});

let version: string;

describe('a model that was made elsewhere', () => {
  test('is held to every gate that a trained version is held to, on time after its own, and registered when it is asked for', async () => {
    const judged = await run('judge', file, '--json', '--register');
    expect(judged.stderr).not.toContain('error');
    expect(judged.code).toBe(0);
    const found = JSON.parse(judged.stdout);
    ({ version } = found);
    expect(version).toMatch(/^20220602-[0-9a-f]{8}$/);
    expect(Date.parse(found.judgement.span.from)).toBeGreaterThanOrEqual(END - 2400 * HOUR + 24 * HOUR);
    const gates: { gate: string; passed: boolean; measured: number | null }[] = found.gates;
    expect(gates.map(({ gate }) => gate)).toEqual([
      'pinball-against-champion',
      'fz0-against-champion',
      'pinball-against-classical',
      'fz0-against-classical',
      'regimes',
      'coverage-rate',
      'coverage-kupiec',
      'coverage-conditional',
      'coverage-shortfall',
      'coverage-pooled',
      'stress-exceedances',
      'monotone',
      'latency',
      'size',
    ]);
    const by = (name: string) => gates.find(({ gate }) => gate === name);
    // More volatility gives more of everything in this model, and no gate is left unmeasured but those of a champion that has seen all.
    expect(by('monotone')).toMatchObject({ passed: true, measured: 0 });
    expect(by('size')?.measured).toBe(onnxFile().length);
    expect(by('latency')?.measured).toBeGreaterThan(0);
    expect(by('pinball-against-classical')?.measured).not.toBeNull();
    expect(by('pinball-against-champion')?.measured).toBeNull();
    const manifest = await registry.manifest(version);
    expect(manifest).toMatchObject({
      name: 'onnx',
      title: 'log-linear',
      lineage: { parent: champion, command: 'python fit.py --seed 7' },
      gates: { passed: false, champion },
    });
    expect(await registry.versionOf('challenger')).toBeNull();
    const refused = await run('promote', version);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('pinball-against-champion');
    expect(await registry.document(version, 'card.md')).toContain('made elsewhere');
    expect(await registry.document(version, 'report.html')).toContain('Features');
    const { experiments } = JSON.parse((await run('experiments', '--json')).stdout);
    expect(experiments[0]).toMatchObject({ kind: 'judge', name: 'onnx', version, result: 'worse' });
  });

  test('passes where there is no champion and the policy lets it: it is the challenger, is promoted, and decides', async () => {
    const alone = join(folder, 'alone');
    cpSync(join(dataDir, 'bars'), join(alone, 'bars'), { recursive: true });
    // A file of aliases that names nobody hides the shipped champion.
    cpSync(join(dataDir, 'models'), join(alone, 'models'), { recursive: true });
    rmSync(join(alone, 'models', 'versions'), { recursive: true });
    writeFileSync(join(alone, 'models', 'aliases.json'), '{}');
    const here = ['--data-dir', alone, '--config', join(folder, 'plimsoll.yaml')];
    const judged = await plimsoll(['judge', file, '--register', ...here]);
    expect(judged.stdout).toContain(`${version} is registered as the challenger`);
    const promoted = await plimsoll(['promote', 'challenger', ...here]);
    expect(promoted.stdout).toContain(`${version} is the champion`);
  });

  test('decides in the service like any other champion', async () => {
    // On simulated markets, which reach until now.
    const served = join(folder, 'served');
    cpSync(join(dataDir, 'models'), join(served, 'models'), { recursive: true });
    writeFileSync(join(served, 'models', 'aliases.json'), JSON.stringify({ champion: version }));
    const service = await serve(served);
    await service.inForce;
    const book = (await (await fetch(`${service.url}/v1/limits`)).json()) as { model: string };
    expect(await service.end('SIGTERM')).toBe(0);
    expect(book.model).toBe(`onnx@${version}`);
  }, 120_000);

  test('as a challenger it is scored in the shadow of the champion', async () => {
    writeFileSync(join(dataDir, 'models', 'aliases.json'), JSON.stringify({ champion, challenger: version }));
    const clock = new ManualClock(END - 60 * HOUR);
    const store = SqliteStateStore.open(dataDir);
    const shadow = new ShadowScoring({
      store,
      registry,
      metrics: new Metrics({ watchList: [], version: '1' }),
      clock,
      logger: pino({ level: 'silent' }),
      dataDir,
      budgetMilliseconds: 60_000,
    });
    for (let hour = 0; hour < 4; hour++) {
      clock.advance(HOUR);
      await shadow.run();
    }
    await shadow.stop();
    await store.close();
    const { models } = JSON.parse((await run('models', '--json')).stdout);
    const own = models.find((one: { version: string }) => one.version === version);
    expect(own.name).toBe('onnx');
    expect(own.shadow).toMatchObject({ failures: { failed: 0, invalid: 0, slow: 0 } });
    expect(own.shadow.observations).toBe(3 * 2 * 4 * 3);
  });

  test('is compared with others and evaluated like them, and an override promotes it and a rollback takes it back', async () => {
    const evaluated = JSON.parse((await run('evaluate', version, '--json')).stdout);
    expect(evaluated).toMatchObject({ version, basis: 'unseen data' });
    const compared = await run('compare', version, version, '--json');
    const { cells } = JSON.parse(compared.stdout);
    expect(cells.every(({ a, b }: { a: number; b: number }) => a === b)).toBe(true);
    const promoted = await run('promote', version, '--override', '--reason', 'a trial');
    expect(promoted.stdout).toContain('in spite of');
    expect((await run('rollback')).stdout).toContain(`${champion} is the champion again`);
  });

  test('a file that was changed afterwards is refused, and the classical predictors would decide', async () => {
    const path = join(dataDir, 'models', 'versions', version, 'model.onnx');
    const whole = readFileSync(path);
    writeFileSync(path, onnxFile({ factor: 0.5 }));
    await expect(registry.load(version)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
    writeFileSync(path, whole);
    expect((await registry.load(version)).id).toBe(`onnx@${version}`);
  });

  test('without the optional package it is refused with the remedy', async () => {
    const judged = await plimsoll(['judge', file, '--data-dir', dataDir], withoutRuntime);
    expect(judged.code).toBe(2);
    expect(judged.stderr).toContain('DEPENDENCY_MISSING');
    expect(judged.stderr).toContain('npm install onnxruntime-web');
    const promoted = await plimsoll(
      ['promote', version, '--override', '--reason', 'a trial', '--data-dir', dataDir],
      withoutRuntime,
    );
    expect(promoted.stderr).toContain('DEPENDENCY_MISSING');
    expect(await registry.versionOf('champion')).toBe(champion);
  });
});

describe('what does not say where it comes from, or has no answer, is refused by name', () => {
  const path = join(folder, 'other.onnx');
  const refusals: readonly [string, () => void, string, RegExp][] = [
    ['no file', () => {}, 'NOT_FOUND', /there is no file/],
    ['no file of its origin', () => writeFileSync(path, onnxFile()), 'NOT_FOUND', /other\.onnx\.json/],
    ['an origin that is no JSON', () => writeFileSync(`${path}.json`, '{'), 'INPUT_INVALID', /its beginning/],
    [
      'another feature specification',
      () => bring(path, onnxFile(), { featureSpecHash: '0'.repeat(64) }),
      'INPUT_INVALID',
      /0{64}/,
    ],
    ['a field too many', () => bring(path, onnxFile(), { seed: 7 }), 'INPUT_INVALID', /seed/],
    ['no model', () => bring(path, Buffer.from('rubbish')), 'INPUT_INVALID', /cannot be loaded/],
  ];
  test.each(refusals)('%s', async (_, prepare, code, message) => {
    prepare();
    await expect(candidateIn(path)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('no finite answers, or data until the end of what is stored', async () => {
    bring(path, onnxFile({ factor: Number.NaN }));
    const mute = await run('judge', path);
    expect([mute.code, mute.stderr]).toEqual([5, expect.stringContaining('no answer')]);
    bring(path, onnxFile(), originOfOnnxFile(featureSpecHash(), isoOf(END), ['TEST1USDT']));
    const late = await run('judge', path);
    expect([late.code, late.stderr]).toEqual([5, expect.stringContaining('nothing later is stored')]);
  });

  test('a module is judged, and not registered', async () => {
    const module = join(folder, 'module.mjs');
    writeFileSync(module, 'export default { id: "m", predict: async () => ({}) };');
    const judged = await run('judge', module, '--register');
    expect(judged.code).toBe(2);
    expect(judged.stderr).toContain('ONNX');
  });
});
