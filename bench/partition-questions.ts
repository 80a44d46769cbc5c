import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NatsBroker } from '../data/nats/nats-broker.ts';
import { dropStreams, testNats } from '../data/nats/test-server.ts';
import { table } from '../src/cli/command.ts';
import { PartitionAsker } from '../src/control/streams/partition-asker.ts';
import { prepareShard } from '../src/control/streams/shard-owner.fixture.ts';
import { Random } from '../src/random.ts';
import { median, print } from './measure.ts';

/**
 * What a process pays that asks another one for accounts: `npm run bench -- partition-questions`. The owner is a process of its own;
 * one question at a time, many at once, and a picture of everybody, at four sizes.
 */
const SIZES = [1_000, 10_000, 100_000, 300_000];
const ALONE = 500;
const TOGETHER = 20_000;
const IN_FLIGHT = 200;
const LINES = 500;

const nats = await testNats();
if (nats === null) process.exit(1);
const fixture = fileURLToPath(new URL('../data/nats/owning-process.fixture.ts', import.meta.url));
print(`load ${loadavg()[0].toFixed(1)}`);
const rows: string[][] = [];
for (const accounts of SIZES) rows.push(await measured(accounts));
print(
  table(
    [
      ...['accounts', 'one at a time, ms', '99 %', `${IN_FLIGHT} at once, a second`],
      ...['picture, ms', 'MB', 'bytes an account'],
    ],
    rows,
  ),
);
await nats.stop();

async function measured(accounts: number): Promise<string[]> {
  const url = nats?.url ?? '';
  const prefix = `plimsollbench_${process.pid}_${accounts}`;
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-questions-'));
  const options = { url, prefix, credentials: null, partitions: 1, replicas: 1, name: 'bench' };
  const broker = await NatsBroker.open(options);
  await prepareShard(broker, 0, mkdtempSync(join(folder, 'prepared')));
  const args = [fixture, url, prefix, 'owner', join(folder, 'owner'), String(1e12), '3000'];
  const owner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await new Promise<void>((resolve) => {
      owner.stdout.on('data', (chunk) => {
        if (String(chunk).includes('kept')) resolve();
      });
    });
    const asker = new PartitionAsker(broker.questions);
    await fill(asker, accounts);
    const random = new Random(1);
    const ask = () => asker.ask(0, 'readingsOfUser', { userId: `user-${random.integer(accounts)}` });
    const alone: number[] = [];
    for (let i = 0; i < ALONE; i++) alone.push(await millisecondsOf(ask));
    let left = TOGETHER;
    const together = await millisecondsOf(async () => {
      await Promise.all(
        Array.from({ length: IN_FLIGHT }, async () => {
          while (left-- > 0) await ask();
        }),
      );
    });
    let positions = 0;
    const pictures: number[] = [];
    for (let i = 0; i < 5; i++)
      pictures.push(
        await millisecondsOf(async () => {
          const { accounts: columns } = await asker.ask(0, 'picture', {});
          positions = columns.market.length;
        }),
      );
    // As `picture-codec.ts` writes them: collateral, first position and count; three numbers and a market.
    const bytes = accounts * (8 + 4 + 2) + positions * (3 * 8 + 2);
    return [
      String(accounts),
      median(alone).toFixed(2),
      alone.toSorted((a, b) => a - b)[Math.floor(0.99 * ALONE)].toFixed(2),
      Math.round((TOGETHER / together) * 1000).toLocaleString('en'),
      median(pictures).toFixed(0),
      (bytes / 1e6).toFixed(1),
      (bytes / accounts).toFixed(0),
    ];
  } finally {
    const ended = new Promise((resolve) => owner.once('close', resolve));
    owner.kill('SIGKILL');
    await ended;
    await broker.close();
    await dropStreams(url, prefix);
    rmSync(folder, { recursive: true });
  }
}

async function fill(asker: PartitionAsker, accounts: number): Promise<void> {
  const random = new Random(2);
  for (let from = 0; from < accounts; from += LINES) {
    const lines = Array.from({ length: Math.min(LINES, accounts - from) }, (_, i) =>
      JSON.stringify({
        ...{ accountId: `account-${from + i}`, userId: `user-${from + i}`, marginMode: 'cross' },
        equity: (4000 * random.uniform()).toFixed(4),
        positions: ['BTCUSDT', 'ETHUSDT', 'NEWUSDT'].map((symbol) => ({
          ...{ symbol, side: 'long', quantity: random.uniform().toFixed(6), entryPrice: '2000' },
        })),
      }),
    );
    const { refused } = await asker.ask(0, 'lines', { text: lines.join('\n') });
    if (refused.length > 0) throw new Error(`refused: ${refused[0].message}`);
  }
}

async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}
