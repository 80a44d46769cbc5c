import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BarStore } from '../data/bar-store.ts';
import { table } from '../src/cli/command.ts';
import { Random } from '../src/random.ts';
import { type BarSeries, emptyBars, sliceBars } from '../src/risk/bars.ts';
import { DAY_MILLISECONDS } from '../src/units.ts';
import { megabytes, print } from './measure.ts';

/**
 * One-minute bars of one market at rest: what a row takes, what an hour more costs beside a series of some length, and what is read.
 * The baseline of an hour more is the whole series written again, as one file would have to be. Processor time of this process.
 */
const MINUTE = 60_000;
const HOUR_ROWS = 60;
const MONTHS = [1, 3, 6, 12];
const ROUNDS = 5;
const SERIES = {
  symbol: 'AUSDT',
  venue: 'bench',
  kind: 'perp',
  intervalMilliseconds: MINUTE,
  simulated: true,
};

const rows: string[][] = [];
for (const months of MONTHS) rows.push(await measure(Math.round((months * 365 * 1440) / 12)));
print(
  table(
    [
      ...[
        'rows',
        'files',
        'bytes a row',
        'first write',
        'µs a row',
        'an hour more',
        'MB written',
        'all again',
      ],
      ...['read all', 'µs a row', 'read a week'],
    ],
    rows,
  ),
);
print(`memory ${megabytes(process.memoryUsage.rss())} at the end`);

async function measure(length: number): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-bars-'));
  const store = await BarStore.open(folder);
  const bars = walk(length + HOUR_ROWS * ROUNDS);
  const first = await cpuMilliseconds(() => store.writeSeries(SERIES, sliceBars(bars, 0, length)));
  const files = sizes(folder);
  const bytes = [...files.values()].reduce((sum, size) => sum + size, 0);
  const more: number[] = [];
  let written = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = sizes(folder);
    const from = length + round * HOUR_ROWS;
    const hour = sliceBars(bars, from, from + HOUR_ROWS);
    more.push(await cpuMilliseconds(() => store.writeSeries(SERIES, hour)));
    written = [...sizes(folder)].reduce((sum, [file, size]) => sum + (before.has(file) ? 0 : size), 0);
  }
  const [manifest] = await store.files.manifests();
  const all = await cpuMilliseconds(() => store.loadBars(manifest));
  const week = await cpuMilliseconds(() =>
    store.loadBars(manifest, { from: manifest.to - 7 * DAY_MILLISECONDS }),
  );
  store.close();
  rmSync(folder, { recursive: true });
  const milliseconds = (value: number): string => `${value.toFixed(0)} ms`;
  return [
    ...[String(length), String(files.size), (bytes / length).toFixed(1), milliseconds(first)],
    ...[((first * 1000) / length).toFixed(2), milliseconds(middle(more)), (written / 1e6).toFixed(2)],
    ...[(bytes / 1e6).toFixed(2), milliseconds(all), ((all * 1000) / length).toFixed(2), milliseconds(week)],
  ];
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

async function cpuMilliseconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function sizes(folder: string): Map<string, number> {
  const directory = join(folder, 'bars');
  return new Map(
    readdirSync(directory)
      .filter((file) => file.endsWith('.parquet'))
      .map((file) => [file, statSync(join(directory, file)).size]),
  );
}

/** Prices on a grid of a hundredth and volumes on one of a thousandth, as exchanges give them. SIMULATED. */
function walk(length: number): BarSeries {
  const random = Random.stream(1, 'bench-bars');
  const bars = emptyBars(length, MINUTE);
  let price = 30_000;
  const grid = (value: number): number => Math.round(value * 100) / 100;
  for (let i = 0; i < length; i++) {
    const close = grid(price * Math.exp(0.0007 * random.normal()));
    const spread = price * 0.0004 * random.exponential();
    bars.openTime[i] = Date.UTC(2024, 0) + i * MINUTE;
    bars.open[i] = grid(price);
    bars.high[i] = grid(Math.max(price, close) + spread);
    bars.low[i] = grid(Math.min(price, close) - spread);
    bars.close[i] = close;
    bars.volume[i] = Math.round(1000 * 40 * random.exponential()) / 1000;
    bars.quoteVolume[i] = grid(bars.volume[i] * close);
    price = close;
  }
  return bars;
}
