import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { stopwatchSeconds } from '../src/clock.ts';
import { marketDataFolder } from '../test/market-data-folder.ts';
import { filledStore, importAll } from './history.ts';
import { median, megabytes, print } from './measure.ts';

/** Import of all real history against `zcat | wc -l` over the same files: unpacking and counting lines, no more. */
const ROUNDS = 3;

const folder = marketDataFolder();
if (folder === null) print('no real history beside the checkout: nothing to import');
else {
  const files = readdirSync(folder).filter((file) => file.endsWith('.gz'));
  const zcat = 'zcat -- "$@" | wc -l';
  const baseline: number[] = [];
  const first: number[] = [];
  const again: number[] = [];
  let facts = '';
  for (let round = 0; round < ROUNDS; round++) {
    let started = stopwatchSeconds();
    execFileSync('sh', ['-c', zcat, 'zcat', ...files.map((file) => join(folder, file))]);
    baseline.push(stopwatchSeconds() - started);
    started = stopwatchSeconds();
    const { dataDir, store, report, remove } = await filledStore();
    first.push(stopwatchSeconds() - started);
    started = stopwatchSeconds();
    const repeated = await importAll(store, dataDir, folder);
    again.push(stopwatchSeconds() - started);
    facts = `${report?.rows} rows, ${report?.added} added, ${report?.refusedRows} rows and ${report?.refusedFiles} files refused; again: ${repeated.added} added`;
    remove();
  }
  const rows = Number(facts.split(' ')[0]);
  print(facts);
  print(`zcat | wc -l      ${median(baseline).toFixed(2)} s`);
  print(
    `first import      ${median(first).toFixed(2)} s, ${Math.round(rows / median(first))} rows/s, ${(median(first) / median(baseline)).toFixed(1)} × the baseline`,
  );
  print(`the same again    ${median(again).toFixed(2)} s`);
  print(`memory            ${megabytes(process.memoryUsage.rss())} at the end`);
}
