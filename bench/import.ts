import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { stopwatchSeconds } from '../src/clock.ts';
import { filledStore, importAll, REAL_HISTORY } from './history.ts';
import { median, megabytes, print } from './measure.ts';

/** Import of all real history against `zcat | wc -l` over the same files: unpacking and counting lines, no more. */
const ROUNDS = 3;

if (!existsSync(REAL_HISTORY)) print('no real history beside the checkout: nothing to import');
else {
  const files = readdirSync(REAL_HISTORY).filter((file) => file.endsWith('.gz'));
  const zcat = 'zcat -- "$@" | wc -l';
  const baseline: number[] = [];
  const first: number[] = [];
  const again: number[] = [];
  let facts = '';
  for (let round = 0; round < ROUNDS; round++) {
    let started = stopwatchSeconds();
    execFileSync('sh', ['-c', zcat, 'zcat', ...files.map((file) => join(REAL_HISTORY, file))]);
    baseline.push(stopwatchSeconds() - started);
    started = stopwatchSeconds();
    const { dataDir, store, report, remove } = await filledStore();
    first.push(stopwatchSeconds() - started);
    started = stopwatchSeconds();
    const repeated = await importAll(store, dataDir);
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
