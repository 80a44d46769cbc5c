import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KILLS, killMoments, runAndKill, sayKills } from '../../test/kills.ts';
import { closesOf, ImportWorkspace, NOW, uniformCsv, uniformRows, zipOf } from './test-files.ts';

const FIXTURE = fileURLToPath(new URL('./importing-process.fixture.ts', import.meta.url));
const SYMBOLS = Array.from({ length: 8 }, (_, i) => `M${i}USDT`);
const HOURS = 400;

let workspace: ImportWorkspace;

beforeEach(async () => {
  workspace = await ImportWorkspace.open();
});

afterEach(() => workspace.close());

test('kill -9 at any moment leaves whole files: each series is wholly there or not, and the next import ends the work', async () => {
  const moments = killMoments('import');
  const whole = closesOf(0, HOURS);
  const content = uniformCsv(uniformRows(0, HOURS));
  for (const symbol of SYMBOLS.slice(4)) workspace.put(`${symbol}-binance-perp-1h.csv`, content);
  const packed = SYMBOLS.slice(0, 4).map((symbol) => ({ name: `${symbol}-binance-perp-1h.csv`, content }));
  workspace.put('a.zip', zipOf(packed));
  const folder = join(workspace.folder, 'files');
  let kills = 0;
  while (kills < KILLS.import) {
    const { wasKilled } = await runAndKill(FIXTURE, [workspace.dataDir, folder, String(NOW)], {
      afterLines: 1,
      milliseconds: moments.uniform() * 40,
    });
    if (wasKilled) kills++;
    for (const { symbol, rows } of await workspace.store.catalogue()) {
      expect(rows).toBe(HOURS);
      expect(await workspace.storedCloses(`${symbol}-binance-perp-1h`)).toEqual(whole);
    }
  }
  sayKills('import', kills);
  expect(kills).toBe(KILLS.import);
  const report = await workspace.import(folder);
  expect(report).toMatchObject({ rows: SYMBOLS.length * HOURS, refusedFiles: 0, refusedRows: 0 });
  expect((await workspace.store.catalogue()).map(({ symbol }) => symbol)).toEqual(SYMBOLS);
  await workspace.expectClean();
}, 300_000);
