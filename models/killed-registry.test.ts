import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { inLanes, KILLS, runAndKill } from '../test/kills.ts';
import { ModelRegistry } from './registry.ts';

const PROMOTING_ON = fileURLToPath(new URL('./registering-process.fixture.ts', import.meta.url));
const PROMOTING = fileURLToPath(new URL('./promoting-process.fixture.ts', import.meta.url));
const shipped = import.meta.dirname;
const champion: string = JSON.parse(readFileSync(join(shipped, 'aliases.json'), 'utf8')).champion;
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-killed-registry-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dataDirOf = (lane: number): string => join(folder, `lane-${lane}`);
/** Of a version that the process made: they rise. */
const numberOf = (version: string): number => Number.parseInt(version.split('-')[1], 16);

test('kill -9 while versions are added and promoted: the aliases are whole, and name versions that load', async () => {
  const made = await inLanes('promotion', async (lane, kills, moments) => {
    const dataDir = dataDirOf(lane);
    const registry = new ModelRegistry(shipped, dataDir);
    /** Acknowledged by a promotion that was made. */
    const promoted: string[] = [];
    for (let kill = 0; kill < kills; kill++) {
      const first = String(kill * 1000 + 1);
      const { lines, wasKilled } = await runAndKill(PROMOTING_ON, [shipped, dataDir, champion, first], {
        afterLines: 1 + moments.integer(3),
        milliseconds: moments.uniform() * 120,
      });
      expect(wasKilled).toBe(true);
      promoted.push(...lines);
      const inUse = (await registry.versionOf('champion')) ?? '';
      await registry.load(inUse);
      // What was acknowledged last is in use, or what was being promoted after it.
      expect(numberOf(inUse)).toBeGreaterThanOrEqual(numberOf(promoted.at(-1) ?? ''));
    }
    const models = await registry.list();
    for (const { manifest } of models) await registry.load(manifest.version);
    const versions = models.map(({ manifest }) => manifest.version);
    expect(promoted.filter((version) => !versions.includes(version))).toEqual([]);
    expect(promoted.length).toBeGreaterThanOrEqual(kills);
    return kills;
  });
  expect(made).toBe(KILLS.promotion);
}, 300_000);

test('kill -9 between the record of a promotion and the promotion: the champion stays, and the same promotion can be made again', async () => {
  const dataDir = dataDirOf(0);
  const registry = new ModelRegistry(shipped, dataDir);
  const before = await registry.versionOf('champion');
  const version = (await registry.list()).find(({ aliases }) => aliases.length === 0)?.manifest.version ?? '';
  const file = join(dataDir, 'record');
  const child = spawn(process.execPath, [PROMOTING, shipped, dataDir, version, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGKILL');
  await ended;
  expect(readFileSync(file, 'utf8')).toBe(`${before} → ${version}`);
  expect(await registry.versionOf('champion')).toBe(before);
  expect(await registry.promote(version, { override: true })).toBe(before);
}, 60_000);
