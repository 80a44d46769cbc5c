import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Champion } from './champion.ts';
import { ModelRegistry } from './registry.ts';

const shipped = import.meta.dirname;
const root = mkdtempSync(join(tmpdir(), 'plimsoll-registry-'));
const champion: string = JSON.parse(readFileSync(join(shipped, 'aliases.json'), 'utf8')).champion;
let count = 0;
let dataDir: string;
let folder: string;

/** A data folder with its own copy of the shipped champion, to be damaged at will. */
beforeEach(() => {
  dataDir = join(root, String(count++));
  folder = join(dataDir, 'models', 'versions', champion);
  mkdirSync(folder, { recursive: true });
  cpSync(join(shipped, 'versions', champion), folder, { recursive: true });
  writeFileSync(join(dataDir, 'models', 'aliases.json'), JSON.stringify({ champion }));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const registry = (): ModelRegistry => new ModelRegistry(join(root, 'none'), dataDir);

function editManifest(change: (manifest: Record<string, never>) => void): void {
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  change(manifest);
  writeFileSync(path, JSON.stringify(manifest));
}

describe('the shipped champion', () => {
  test('loads whole, was trained on real history, and its folder holds no market data', async () => {
    const own = new ModelRegistry(shipped, join(root, 'empty'));
    expect(await own.versionOf('champion')).toBe(champion);
    const predictor = await own.load(champion);
    expect(predictor.id).toBe(`shock-network@${champion}`);
    const { data, evaluation } = await own.manifest(champion);
    expect(data.simulated).toBe(false);
    expect(data.markets.length).toBeGreaterThan(30);
    expect(evaluation).not.toBeNull();
    expect(await own.document(champion, 'card.md')).toContain(champion);
    expect(await own.document(champion, 'scores.csv')).toContain('historical');
  });
});

describe('a damaged version is refused, by name', () => {
  const cases: readonly [string, () => void, RegExp][] = [
    [
      'one bit of the weights',
      () => {
        const path = join(folder, 'weights.bin');
        const bytes = readFileSync(path);
        bytes[1000] ^= 1;
        writeFileSync(path, bytes);
      },
      /checksum/,
    ],
    [
      'weights cut short',
      () =>
        writeFileSync(
          join(folder, 'weights.bin'),
          readFileSync(join(folder, 'weights.bin')).subarray(0, 500),
        ),
      /checksum/,
    ],
    ['no weights', () => rmSync(join(folder, 'weights.bin')), /weights are missing/],
    ['no manifest', () => rmSync(join(folder, 'manifest.json')), /no manifest/],
    ['a manifest that is no JSON', () => writeFileSync(join(folder, 'manifest.json'), '{'), /not valid JSON/],
    [
      'a manifest of another version',
      () => editManifest((m) => Object.assign(m, { version: '20200101-00000000' })),
      /is that of/,
    ],
    [
      'another feature specification',
      () => editManifest((m) => Object.assign(m.features, { specHash: '0'.repeat(64) })),
      /feature specification/,
    ],
    [
      'a scaler that was edited',
      () => editManifest((m) => Object.assign((m.scaling as Record<string, never>).featureMean, { 0: 99 })),
      /does not repeat/,
    ],
    [
      'a variance factor of zero',
      () =>
        editManifest((m) => Object.assign((m.scaling as Record<string, never>).varianceFactors, { 0: 0 })),
      /does not hold/,
    ],
  ];
  test.each(cases)('%s', async (_, damage, message) => {
    damage();
    await expect(registry().load(champion)).rejects.toMatchObject({
      code: 'MODEL_DAMAGED',
      message: expect.stringMatching(message),
      remedy: expect.stringContaining('Promote another version'),
    });
  });

  test('the champion then is absent with a reason, is told of once, and is back when it is mended', async () => {
    const told: string[] = [];
    const source = new Champion(registry(), (message) => told.push(message));
    const whole = readFileSync(join(folder, 'weights.bin'));
    writeFileSync(join(folder, 'weights.bin'), 'rubbish');
    for (let i = 0; i < 3; i++)
      expect(await source.champion()).toEqual({ predictor: null, reason: 'model_damaged' });
    expect(told).toHaveLength(1);
    writeFileSync(join(folder, 'weights.bin'), whole);
    expect((await source.champion()).predictor?.id).toBe(`shock-network@${champion}`);
  });

  test('a file of aliases that is no JSON stops neither the list of reasons nor the service', async () => {
    writeFileSync(join(dataDir, 'models', 'aliases.json'), 'not json');
    const source = new Champion(registry(), () => {});
    expect(await source.champion()).toEqual({ predictor: null, reason: 'model_damaged' });
  });
});

describe('aliases', () => {
  test('without any there is no champion, and that is a reason of its own', async () => {
    rmSync(join(dataDir, 'models', 'aliases.json'));
    const source = new Champion(registry(), () => {});
    expect(await source.champion()).toEqual({ predictor: null, reason: 'no_champion' });
  });

  test('promotion and rollback are undone by each other and survive a restart', async () => {
    const second = await copyVersion('20250101-00000001', { passed: true });
    expect(await registry().promote(second)).toBe(champion);
    expect(await registry().versionOf('champion')).toBe(second);
    expect(await registry().rollback()).toEqual({ from: second, to: champion });
    expect(await registry().versionOf('champion')).toBe(champion);
    await expect(registry().rollback()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a change of the champion that cannot be recorded is not made, and one that is refused is not recorded', async () => {
    const second = await copyVersion('20250101-00000006', { passed: true });
    const failing = async (): Promise<never> => Promise.reject(new Error('the disk is full'));
    await expect(registry().promote(second, { record: failing })).rejects.toThrow('the disk is full');
    expect(await registry().versionOf('champion')).toBe(champion);
    await registry().promote(second);
    await expect(registry().rollback(failing)).rejects.toThrow('the disk is full');
    expect(await registry().versionOf('champion')).toBe(second);
    await registry().rollback();
    const recorded: (string | null)[] = [];
    const record = async (from: string | null): Promise<void> => void recorded.push(from);
    const failed = await copyVersion('20250101-00000007', { passed: false });
    await expect(registry().promote(failed, { record })).rejects.toMatchObject({ code: 'GATE_FAILED' });
    expect(recorded).toEqual([]);
  });

  test('a version whose gates failed, or that has none, is promoted by an override only; going back never needs one', async () => {
    const failed = await copyVersion('20250101-00000004', { passed: false });
    const unknown = await copyVersion('20250101-00000005');
    for (const version of [failed, unknown]) {
      await expect(registry().promote(version)).rejects.toMatchObject({
        code: 'GATE_FAILED',
        details: { version, obstacles: [expect.any(String)] },
      });
      expect(await registry().versionOf('champion')).toBe(champion);
    }
    expect(await registry().promote(failed, { override: true })).toBe(champion);
    expect(await registry().obstacles(champion)).toEqual([]);
    expect(await registry().promote(champion)).toBe(failed);
    expect(await registry().rollback()).toEqual({ from: champion, to: failed });
  });

  test('gates that contradict themselves are a damaged manifest', async () => {
    const version = await copyVersion('20250101-00000006', { passed: true, claimed: false });
    await expect(registry().manifest(version)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
  });

  test('what cannot be loaded is not promoted, and the champion stays', async () => {
    const second = await copyVersion('20250101-00000002');
    writeFileSync(join(dataDir, 'models', 'versions', second, 'weights.bin'), 'rubbish');
    await expect(registry().promote(second)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
    await expect(registry().promote('20990101-ffffffff')).rejects.toMatchObject({ code: 'VERSION_UNKNOWN' });
    await expect(registry().promote('../../etc')).rejects.toMatchObject({ code: 'VERSION_UNKNOWN' });
    await expect(registry().promote(champion)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await registry().versionOf('champion')).toBe(champion);
  });

  test('a damaged version is left out of the list and the others stay in it', async () => {
    const second = await copyVersion('20250101-00000003');
    rmSync(join(folder, 'manifest.json'));
    expect((await registry().list()).map(({ manifest }) => manifest.version)).toEqual([second]);
  });

  test('a version that is there already is not written over', async () => {
    const { manifest } = (await registry().list())[0];
    await registry().add(manifest, Buffer.from('other weights'), { 'card.md': 'other card' });
    expect((await registry().load(champion)).id).toContain(champion);
    expect(existsSync(join(folder, 'card.md'))).toBe(true);
    expect(readFileSync(join(folder, 'card.md'), 'utf8')).not.toBe('other card');
  });
});

async function copyVersion(
  version: string,
  gates?: { readonly passed: boolean; readonly claimed?: boolean },
): Promise<string> {
  const target = join(dataDir, 'models', 'versions', version);
  cpSync(folder, target, { recursive: true });
  const path = join(target, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8').replaceAll(champion, version));
  if (gates !== undefined) {
    const { passed, claimed = passed } = gates;
    manifest.gates = {
      policyVersion: '1-00000000',
      champion,
      judgedAt: '2025-01-02T00:00:00.000Z',
      passed: claimed,
      results: [{ gate: 'size', passed, measured: 2, bound: 1, words: '2 bytes, at most 1' }],
    };
    manifest.lineage = {
      parent: champion,
      dataFingerprint: '0'.repeat(64),
      programVersion: '0.1.0',
      command: 'plimsoll train',
    };
  }
  writeFileSync(path, JSON.stringify(manifest));
  return version;
}

describe('a version from another registry', () => {
  const given = () => registry().filesOf(champion);
  const receiver = (): ModelRegistry =>
    new ModelRegistry(join(root, 'none'), join(root, `receiver-${count++}`));

  test('is whole where it was received, and names nobody', async () => {
    const other = receiver();
    expect(await other.has(champion)).toBe(false);
    await other.receive(await given());
    expect(await other.filesOf(champion)).toEqual(await given());
    expect((await other.load(champion)).id).toContain(champion);
    expect(await other.hasOwnAliases()).toBe(false);
    await other.receive(await given());
    await other.adopt({ champion });
    expect(await other.versionOf('champion')).toBe(champion);
  });

  test.each([
    ['a flipped bit in its weights', 'weights.bin'],
    ['a manifest that is none', 'manifest.json'],
  ])('with %s is refused, and nothing is left of it', async (_, damaged) => {
    const other = receiver();
    const { version, files } = await given();
    const bytes = files.map((file) =>
      file.name === damaged
        ? { ...file, bytes: file.bytes.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) }
        : file,
    );
    await expect(other.receive({ version, files: bytes })).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
    expect(await other.has(version)).toBe(false);
    expect(await other.list()).toEqual([]);
  });

  test.each([
    ['20240101-0123abcd', '../aliases.json'],
    ['20240101-0123abcd', 'a/b'],
    ['../20240101', 'card.md'],
  ])('is refused where it would write elsewhere: %s, %s', async (version, name) => {
    const files = [{ name, bytes: Buffer.from('{}') }];
    await expect(receiver().receive({ version, files })).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
  });

  test('that is nowhere to be had is not named champion', async () => {
    const other = receiver();
    await expect(other.adopt({ champion })).rejects.toMatchObject({ code: 'VERSION_UNKNOWN' });
    expect(await other.versionOf('champion')).toBeNull();
  });
});
