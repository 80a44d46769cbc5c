import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Random } from '../../src/random.ts';
import { closesOf, ImportWorkspace, NOW, uniformCsv, uniformRows, zipOf } from './test-files.ts';

const FIXTURE = fileURLToPath(new URL('./importing-process.fixture.ts', import.meta.url));
const SYMBOLS = Array.from({ length: 8 }, (_, i) => `M${i}USDT`);
const HOURS = 400;

let workspace: ImportWorkspace;

beforeEach(async () => {
  workspace = await ImportWorkspace.open();
});

afterEach(() => workspace.close());

/** Runs an import in another process and kills it a while after it has begun; false where it had ended by then. */
async function importAndKill(folder: string, delay: number): Promise<boolean> {
  const child = spawn(process.execPath, [FIXTURE, workspace.dataDir, folder, String(NOW)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.on('close', (_, signal) => resolve(signal)),
  );
  await new Promise((resolve) => child.stdout.once('data', resolve));
  await wait(delay);
  child.kill('SIGKILL');
  return (await ended) === 'SIGKILL';
}

test('kill -9 at any moment leaves whole files: each series is wholly there or not, and the next import ends the work', async () => {
  const random = new Random(77);
  const whole = closesOf(0, HOURS);
  const content = uniformCsv(uniformRows(0, HOURS));
  for (const symbol of SYMBOLS.slice(4)) workspace.put(`${symbol}-binance-perp-1h.csv`, content);
  const packed = SYMBOLS.slice(0, 4).map((symbol) => ({ name: `${symbol}-binance-perp-1h.csv`, content }));
  workspace.put('a.zip', zipOf(packed));
  const folder = join(workspace.folder, 'files');
  let kills = 0;
  for (let round = 0; round < 3; round++) {
    if (await importAndKill(folder, random.uniform() * 60)) kills++;
    for (const { symbol, rows } of await workspace.store.catalogue()) {
      expect(rows).toBe(HOURS);
      expect(await workspace.storedCloses(`${symbol}-binance-perp-1h`)).toEqual(whole);
    }
  }
  expect(kills).toBeGreaterThan(0);
  const report = await workspace.import(folder);
  expect(report).toMatchObject({ rows: SYMBOLS.length * HOURS, refusedFiles: 0, refusedRows: 0 });
  expect((await workspace.store.catalogue()).map(({ symbol }) => symbol)).toEqual(SYMBOLS);
  await workspace.expectClean();
});
