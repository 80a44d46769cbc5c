import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { Random } from '../src/random.ts';
import { ModelRegistry } from './registry.ts';

const FIXTURE = fileURLToPath(new URL('./registering-process.fixture.ts', import.meta.url));
const PROMOTING = fileURLToPath(new URL('./promoting-process.fixture.ts', import.meta.url));
const shipped = import.meta.dirname;
const champion: string = JSON.parse(readFileSync(join(shipped, 'aliases.json'), 'utf8')).champion;
const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-killed-registry-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

test('kill -9 while versions are added and promoted: the aliases are whole, and name versions that load', async () => {
  const random = new Random(5);
  const registry = new ModelRegistry(shipped, dataDir);
  let first = 1;
  for (let round = 0; round < 8; round++) {
    const child = spawn(process.execPath, [FIXTURE, shipped, dataDir, champion, String(first)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      child.on('close', (_, signal) => resolve(signal)),
    );
    await new Promise((resolve) => child.stdout.once('data', resolve));
    // After the first, at any moment of a later one.
    await wait(random.uniform() * 350);
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    const models = await registry.list();
    for (const { manifest } of models) await registry.load(manifest.version);
    const inUse = await registry.versionOf('champion');
    expect(models.map(({ manifest }) => manifest.version)).toContain(inUse);
    first = round * 1000 + 1001;
  }
  expect((await registry.list()).length).toBeGreaterThan(8);
}, 120_000);

test('kill -9 between the record of a promotion and the promotion: the champion stays, and the same promotion can be made again', async () => {
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
