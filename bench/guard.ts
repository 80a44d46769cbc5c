import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { BarStore } from '../data/bar-store.ts';
import { table } from '../src/cli/command.ts';
import { isoTime, ManualClock } from '../src/clock.ts';
import { loadConfig } from '../src/config.ts';
import { startService } from '../src/main.ts';
import { type BarSeries, type MarketHistory, sliceBars } from '../src/risk/bars.ts';
import { filledStore } from './history.ts';
import { megabytes, print } from './measure.ts';

/**
 * From a price that leaves its bound to the tighter bracket: the price goes in over HTTP, and the bracket of its market is
 * read over HTTP until it is in force. A real service on real bars, everything in it: decision, hash, store, readers.
 */
const MARKETS = [43, 500];
const BARS = 200 * 24;
/** Of the last close: each is further out of bounds than the one before, and near enough to it to be believed. */
const FALLS = [0.85, 0.75, 0.66];
const MOVES = 129;
/** Where all series end; the clock of the service stands a quarter of an hour later and moves with each price. */
const END = Date.UTC(2024, 0, 1);

const agent = new Agent({ keepAlive: true });
const filled = await filledStore();
const histories = (await filled.store.loadMarkets()).filter(({ bars }) => bars.length >= BARS);
filled.remove();

const rows: string[][] = [];
for (const count of MARKETS) {
  const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-bench-guard-'));
  const closes = await fill(dataDir, count);
  rows.push([String(count), ...(await measure(dataDir, closes))]);
  rmSync(dataDir, { recursive: true, force: true });
}
print(`the last ${BARS / 24} days of ${histories.length} histories, under other names beyond that`);
print(table(['markets', 'moves', 'p50 ms', 'p99 ms', 'worst ms', 'books'], rows));
print(`memory ${megabytes(process.memoryUsage.rss())}`);
agent.destroy();

/** @returns the close of each market's last bar. */
async function fill(dataDir: string, count: number): Promise<ReadonlyMap<string, number>> {
  const store = await BarStore.open(dataDir);
  const closes = new Map<string, number>();
  for (let m = 0; m < count; m++) {
    const { bars } = histories[m % histories.length] as MarketHistory;
    const symbol = `M${String(m).padStart(3, '0')}USDT`;
    const kept = endingAt(sliceBars(bars, bars.length - BARS, bars.length));
    const { intervalMilliseconds } = kept;
    await store.writeSeries(
      { symbol, venue: 'bench', kind: 'perp', intervalMilliseconds, simulated: false },
      kept,
    );
    closes.set(symbol, kept.close[BARS - 1]);
  }
  store.close();
  return closes;
}

function endingAt(bars: BarSeries): BarSeries {
  const later = END - bars.intervalMilliseconds - bars.openTime[bars.length - 1];
  return { ...bars, openTime: bars.openTime.map((at) => at + later) };
}

async function measure(dataDir: string, closes: ReadonlyMap<string, number>): Promise<string[]> {
  const clock = new ManualClock(END + 15 * 60_000);
  const { values } = loadConfig({ dataDir, port: '0', logLevel: 'error' });
  const config = { ...values, sampleMarket: false, trainingSchedule: null, decisionIntervalSeconds: 3600 };
  const service = await startService({ config, clock, logger: pino({ level: 'silent' }) });
  const { version: first } = await service.firstBook;
  const key = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
  const symbols = [...closes.keys()];
  const times: number[] = [];
  let version = first;
  for (let move = 0; move < MOVES; move++) {
    const symbol = symbols[(move * 7) % symbols.length];
    const fall = FALLS[Math.floor(move / Math.min(symbols.length, MOVES / FALLS.length)) % FALLS.length];
    clock.advance(1000);
    const price = ((closes.get(symbol) ?? 0) * (symbols.length > MOVES ? FALLS[0] : fall)).toFixed(12);
    const body = JSON.stringify({ symbol, price, time: isoTime(clock.now()) });
    const from = performance.now();
    const taken = await ask(service.url, 'POST', '/v1/prices', key, body);
    if (taken.accepted !== 1) throw new Error(`a price was not taken: ${JSON.stringify(taken)}`);
    do {
      await setTimeout(1);
      ({ version } = await ask(service.url, 'GET', `/v1/markets/${symbol}/brackets`, key));
    } while (version < first + move + 1);
    times.push(performance.now() - from);
  }
  await service.stop();
  times.sort((a, b) => a - b);
  const at = (share: number): string => times[Math.ceil(share * times.length) - 1].toFixed(0);
  return [String(MOVES), at(0.5), at(0.99), at(1), String(version - first)];
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the service answers.
function ask(url: string, method: string, path: string, key: string, body?: string): Promise<any> {
  const headers = {
    authorization: `Bearer ${key}`,
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/x-ndjson', 'content-length': Buffer.byteLength(body) }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { path, method, headers, agent }, async (incoming) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      resolve(JSON.parse(Buffer.concat(chunks).toString()));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
