import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { NatsBroker } from '../data/nats/nats-broker.ts';
import { dropStreams, testNats } from '../data/nats/test-server.ts';
import { table } from '../src/cli/command.ts';
import { partitionOf } from '../src/control/streams/partition.ts';
import { prepareShard } from '../src/control/streams/shard-owner.fixture.ts';
import { Random } from '../src/random.ts';
import { CoreShare } from './core-share.ts';
import { median, print } from './measure.ts';

/**
 * What a second partition of the accounts brings: `npm run bench -- shards [ROUNDS]`. A backlog of as many lines a partition, taken in by one
 * process and by two, in turns. As root each process is held to a share of a core, so that two of them and NATS have the cores that they need.
 */
const [, , , rounds = '3'] = process.argv;
const SHARE_OF_CORE = 0.35;
const BATCHES = 60;
const LINES = 500;
const ACCOUNTS = 20_000;

const nats = await testNats();
if (nats === null) process.exit(1);
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-shards-'));
const perSecond = new Map<number, number[]>([
  [1, []],
  [2, []],
]);
let isHeld = true;
try {
  for (let round = 0; round < Number(rounds); round++)
    for (const partitions of [1, 2]) perSecond.get(partitions)?.push(await measure(partitions, round));
  const [one, two] = [...perSecond.values()].map(median);
  print(`load ${loadavg()[0].toFixed(1)}`);
  print(
    table(
      [
        isHeld ? `partitions, ${SHARE_OF_CORE} of a core each` : 'partitions, not held to a share',
        'lines a second',
        'ratio',
      ],
      [
        ['1', one.toFixed(0), '1'],
        ['2', two.toFixed(0), (two / one).toFixed(2)],
      ],
    ),
  );
} finally {
  await nats.stop();
  rmSync(folder, { recursive: true });
}

/** @returns lines a second of all partitions together. */
async function measure(partitions: number, round: number): Promise<number> {
  const url = nats?.url ?? '';
  const prefix = `plimsollshards_${process.pid}_${partitions}_${round}`;
  const broker = await NatsBroker.open({
    url,
    prefix,
    credentials: null,
    partitions,
    replicas: 1,
    name: 'bench',
  });
  const share = new CoreShare(SHARE_OF_CORE);
  try {
    for (let partition = 0; partition < partitions; partition++) {
      await prepareShard(broker, partition, mkdtempSync(join(folder, 'prepared-')));
      await fill(broker, partition, partitions);
    }
    const owners: ChildProcess[] = [];
    for (let i = 0; i < partitions; i++) {
      const own = mkdtempSync(join(folder, 'owner-'));
      const args = [url, prefix, String(partitions), `owner-${i}`, own, lineOf(new Random(1), 'account-0')];
      const owner = fork(new URL('./shards-owner.ts', import.meta.url), args);
      await once(owner, 'message');
      isHeld = share.hold(owner.pid) && isHeld;
      owners.push(owner);
    }
    const seconds = await Promise.all(
      owners.map(async (owner) => {
        const answered = once(owner, 'message');
        owner.send('go');
        const [taken] = (await answered) as [number];
        await once(owner, 'exit');
        return taken;
      }),
    );
    return seconds.reduce((sum, taken) => sum + (BATCHES * LINES) / taken, 0);
  } finally {
    share.close();
    await broker.close();
    await dropStreams(url, prefix);
  }
}

async function fill(broker: NatsBroker, partition: number, partitions: number): Promise<void> {
  const random = new Random(partition + 1);
  const ids = Array.from({ length: ACCOUNTS }, (_, i) => `account-${i}`).filter(
    (id) => partitionOf(id, partitions) === partition,
  );
  const encoder = new TextEncoder();
  for (let batch = 0; batch < BATCHES; batch++) {
    const lines = Array.from({ length: LINES }, () => lineOf(random, ids[random.integer(ids.length)]));
    await broker.log.append(`accounts.${partition}`, encoder.encode(lines.join('\n')));
  }
}

function lineOf(random: Random, accountId: string): string {
  return JSON.stringify({
    ...{ accountId, userId: accountId, marginMode: 'cross' },
    equity: (400 + 4000 * random.uniform()).toFixed(4),
    positions: [
      { symbol: 'BTCUSDT', side: 'long', quantity: (random.uniform() / 2).toFixed(6), entryPrice: '30000' },
      { symbol: 'ETHUSDT', side: 'short', quantity: random.uniform().toFixed(6), entryPrice: '2000' },
    ],
  });
}
