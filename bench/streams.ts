import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NatsBroker } from '../data/nats/nats-broker.ts';
import { dropStreams, testNats } from '../data/nats/test-server.ts';
import { SqliteAccountStore } from '../data/sqlite-account-store.ts';
import { table } from '../src/cli/command.ts';
import {
  knowMarkets,
  ownShard,
  prepareShard,
  shardDesk,
} from '../src/control/streams/shard-owner.fixture.ts';
import { Random } from '../src/random.ts';
import { median, print } from './measure.ts';

/**
 * Accounts through NATS JetStream beside the same lines into one's own file, in one run: `npm run bench -- streams [ACCOUNTS] [KILLS]`.
 * How fast events of a stream are taken in, what a request waits for, and how long a partition has no owner when its owner is killed.
 */
const [, , , accounts = '100000', kills = '10'] = process.argv;
const ACCOUNTS = Number(accounts);
const LINES = 1000;
const ROUNDS = 100;
const SINGLE = 300;

const nats = await testNats();
if (nats === null) process.exit(1);
const prefix = `plimsollbench_${process.pid}`;
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-streams-'));
const options = { url: nats.url, prefix, credentials: null, partitions: 1, replicas: 1, name: 'bench' };
const broker = await NatsBroker.open(options);
try {
  await prepareShard(broker, 0, mkdtempSync(join(folder, 'prepared')));
  print(`load ${loadavg()[0].toFixed(1)}, ${ACCOUNTS} accounts`);
  await intake();
  await takeovers();
} finally {
  await broker.close();
  await dropStreams(nats.url, prefix);
  await nats.stop();
  rmSync(folder, { recursive: true });
}

async function intake(): Promise<void> {
  const random = new Random(1);
  const batches = Array.from({ length: ROUNDS }, () => batchOf(random));
  const rows: string[][] = [];
  const own = SqliteAccountStore.open(mkdtempSync(join(folder, 'own')));
  const desk = shardDesk(own, Number.POSITIVE_INFINITY);
  knowMarkets(desk);
  const ownSeconds = await secondsOf(async () => {
    for (const text of batches) {
      desk.takeLines(text, 0);
      await desk.commit();
    }
  });
  const perSecond = (lines: number, seconds: number): string =>
    Math.round(lines / seconds).toLocaleString('en');
  const baseline = (ROUNDS * LINES) / ownSeconds;
  const row = (what: string, lines: number, seconds: number, base: number): void => {
    rows.push([what, perSecond(lines, seconds), (lines / seconds / base).toFixed(2)]);
  };
  row(`own file, batches of ${LINES}`, ROUNDS * LINES, ownSeconds, baseline);
  const kept = Promise.withResolvers<void>();
  const owner = await ownShard({
    ...{ broker, worker: 'bench', session: 'bench', folder: join(folder, 'bench'), snapshotBytes: 1e12 },
    onMessage: (message) => {
      if ('shard' in message && message.shard.state === 'kept') kept.resolve();
    },
  });
  await kept.promise;
  const requested = await secondsOf(async () => {
    for (const text of batches) await owner.ask('lines', { text, at: 0 });
  });
  row(
    `requests of ${LINES} lines through the stream, one after the other`,
    ROUNDS * LINES,
    requested,
    baseline,
  );
  const singles = Array.from({ length: SINGLE }, () => lineOf(random));
  const ownSingle = await secondsOf(async () => {
    for (const text of singles) {
      desk.takeLines(text, 0);
      await desk.commit();
    }
  });
  const requestedSingle = await secondsOf(async () => {
    for (const text of singles) await owner.ask('lines', { text, at: 0 });
  });
  row('own file, one line each', SINGLE, ownSingle, SINGLE / ownSingle);
  row(
    'requests of one line through the stream, one after the other',
    SINGLE,
    requestedSingle,
    SINGLE / ownSingle,
  );
  await owner.stop();

  // A backlog, as an owner finds it that comes late.
  const encoder = new TextEncoder();
  const events = Array.from({ length: 20_000 }, () => encoder.encode(lineOf(random)));
  for (let from = 0; from < events.length; from += 500)
    await Promise.all(events.slice(from, from + 500).map((body) => broker.log.append('accounts.0', body)));
  for (const text of batches)
    for (const piece of piecesOf(text)) await broker.log.append('accounts.0', encoder.encode(piece));
  const again = Promise.withResolvers<void>();
  const second = await ownShard({
    ...{ broker, worker: 'late', session: 'late', folder: join(folder, 'bench'), snapshotBytes: 1e12 },
    onMessage: (message) => {
      if ('shard' in message && message.shard.state === 'kept') again.resolve();
    },
  });
  const taken = await secondsOf(async () => {
    await again.promise;
    // Answered behind everything that came before it.
    await second.ask('lines', { text: lineOf(random), at: 0 });
  });
  row(
    'backlog of the stream: 20,000 events of a line, then as many batches as above',
    20_000 + ROUNDS * LINES,
    taken,
    baseline,
  );
  await second.stop();
  own.close();
  print(table(['accounts taken in', 'lines/s', 'to own file'], rows));
}

async function takeovers(): Promise<void> {
  const random = new Random(2);
  const fixture = fileURLToPath(new URL('../data/nats/owning-process.fixture.ts', import.meta.url));
  const start = (name: string) => {
    const kept = Promise.withResolvers<number>();
    const args = [
      fixture,
      nats?.url ?? '',
      prefix,
      name,
      join(folder, name),
      String(64 * 1024 * 1024),
      '3000',
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.on('data', (chunk) => {
      if (String(chunk).includes('kept')) kept.resolve(performance.now());
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const kill = async (): Promise<void> => {
      child.kill('SIGKILL');
      await ended;
    };
    return { kept: kept.promise, kill };
  };
  let owner = start('a');
  await owner.kept;
  for (let line = 0; line < ACCOUNTS; line += LINES) {
    const lines = Array.from({ length: LINES }, (_, i) => lineOf(random, line + i)).join('\n');
    for (const piece of piecesOf(lines))
      await broker.log.append('accounts.0', new TextEncoder().encode(piece));
  }
  const seconds: number[] = [];
  for (let kill = 0; kill < Number(kills); kill++) {
    const standby = start(kill % 2 === 0 ? 'b' : 'a');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const since = performance.now();
    await owner.kill();
    seconds.push(((await standby.kept) - since) / 1000);
    owner = standby;
  }
  await owner.kill();
  print(
    `${kills} times kill -9, lease of 3 s, ${ACCOUNTS} accounts: the standby keeps them after ${median(seconds).toFixed(2)} s (median), ${Math.max(...seconds).toFixed(2)} s (longest)`,
  );
}

function lineOf(random: Random, account = random.integer(ACCOUNTS)): string {
  return JSON.stringify({
    ...{ accountId: `account-${account}`, userId: `user-${account}`, marginMode: 'cross' },
    equity: (400 + 4000 * random.uniform()).toFixed(4),
    positions: [
      { symbol: 'BTCUSDT', side: 'long', quantity: (random.uniform() / 2).toFixed(6), entryPrice: '30000' },
      { symbol: 'ETHUSDT', side: 'short', quantity: random.uniform().toFixed(6), entryPrice: '2000' },
    ],
  });
}

function batchOf(random: Random): string {
  return Array.from({ length: LINES }, () => lineOf(random)).join('\n');
}

/** Below the largest message of a server. */
function piecesOf(text: string): string[] {
  const lines = text.split('\n');
  return Array.from({ length: Math.ceil(lines.length / 500) }, (_, i) =>
    lines.slice(i * 500, i * 500 + 500).join('\n'),
  );
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const since = performance.now();
  await work();
  return (performance.now() - since) / 1000;
}
