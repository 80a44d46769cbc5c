import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import autocannon from 'autocannon';
import { OwnServer, TestDatabase } from '../data/postgres/test-server.ts';
import { table } from '../src/cli/command.ts';
import { type Served, serve } from '../test/run-plimsoll.ts';
import { CoreShare } from './core-share.ts';
import { median, print } from './measure.ts';

/**
 * What readers beside a leader bring: `npm run bench -- replicas [BOOKS] [ROUNDS]`. How long after the leader a reader shows a new
 * book, over so many books; and what two answer against one, in turns. As root each reader is held to a share of a core, so that two
 * of them and the load have the cores that they need; what is compared is then the capacity of the same share, once and twice.
 */
const [, , , books = '50', rounds = '5'] = process.argv;
const SHARE_OF_CORE = 0.35;
const SECONDS = 4;
const CONNECTIONS = 20;
const SYMBOL = 'BOREUSDT';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-replicas-'));
const server = await OwnServer.start();
const database = await TestDatabase.create({ url: (name) => server.url(name) });
const running: Served[] = [];
const share = new CoreShare(SHARE_OF_CORE);
try {
  const leader = await start('decide', 'leader');
  await leader.inForce;
  const readers = [await start('serve', 'a'), await start('serve', 'b')];
  for (const reader of readers) await until(async () => (await versionOf(reader)) > 0);
  await measureVisibility(leader, readers[0]);
  await measureCapacity(readers);
} finally {
  await Promise.all(running.map((one) => one.end('SIGTERM')));
  share.close();
  await server.stop();
  rmSync(folder, { recursive: true });
}

function start(role: string, name: string): Promise<Served> {
  const environment = {
    PLIMSOLL_DATABASE_URL: database.url,
    PLIMSOLL_ROLE: role,
    PLIMSOLL_LOG_LEVEL: 'warn',
  };
  const served = serve(join(folder, name), [], environment);
  void served.then((one) => running.push(one));
  return served;
}

async function versionOf({ url }: Served): Promise<number> {
  const response = await fetch(`${url}/v1/limits`);
  const { version } = (await response.json()) as { version?: number };
  return version ?? 0;
}

async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await wait(20);
}

/** When each version came on the stream of a process, milliseconds of this process' clock. */
async function follow({ url }: Served, arrived: Map<number, number>): Promise<void> {
  const { body } = await fetch(`${url}/v1/stream`);
  let rest = '';
  for await (const chunk of (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
    const now = performance.now();
    const events = (rest + chunk).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      const { version } = JSON.parse(data ?? '{}') as { version?: number };
      if (version !== undefined && !arrived.has(version)) arrived.set(version, now);
    }
  }
}

/** Each book comes of an override on the leader. */
async function measureVisibility(leader: Served, reader: Served): Promise<void> {
  const [atLeader, atReader] = [new Map<number, number>(), new Map<number, number>()];
  const following = [follow(leader, atLeader), follow(reader, atReader)];
  for (const one of following) one.catch(() => undefined);
  await wait(500);
  const key = readFileSync(join(folder, 'leader', 'operator.key'), 'utf8').trim();
  const first = await versionOf(leader);
  for (let book = 1; book <= Number(books); book++) {
    await fetch(`${leader.url}/v1/overrides`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ symbol: SYMBOL, maxLeverage: 1 + (book % 2), hours: 1, reason: 'a benchmark' }),
    });
    await until(async () => atReader.has(first + book) && atLeader.has(first + book));
  }
  const lags = [...atReader]
    .filter(([version]) => version > first)
    .map(([version, at]) => at - (atLeader.get(version) ?? Number.NaN))
    .sort((a, b) => a - b);
  const milliseconds = (lag: number): string => `${lag.toFixed(1)} ms`;
  print(
    table(
      ['new book on the reader after the leader', 'value'],
      [
        ['books', String(lags.length)],
        ['median', milliseconds(median(lags))],
        ['longest', milliseconds(lags.at(-1) ?? Number.NaN)],
        ['on the reader first', String(lags.filter((lag) => lag < 0).length)],
      ],
    ),
  );
}

async function measureCapacity(readers: readonly Served[]): Promise<void> {
  const isHeld = readers.map(({ process: child }) => share.hold(child.pid)).every((held) => held);
  const perSecond: [number[], number[]] = [[], []];
  for (let round = 0; round <= Number(rounds); round++) {
    for (const count of [1, 2] as const) {
      const results = await Promise.all(
        readers
          .slice(0, count)
          .map(({ url }) =>
            autocannon({ url: `${url}/v1/limits`, connections: CONNECTIONS, duration: SECONDS }),
          ),
      );
      if (results.some(({ non2xx, errors }) => non2xx + errors > 0))
        throw new Error('a reader answered with failures');
      // The first round warms up.
      if (round > 0)
        perSecond[count - 1].push(results.reduce((sum, { requests }) => sum + requests.average, 0));
    }
  }
  const [one, two] = perSecond.map(median);
  print(
    table(
      [
        isHeld ? `readers, ${SHARE_OF_CORE} of a core each` : 'readers, not held to a share',
        'limits a second',
        'ratio',
      ],
      [
        ['1', one.toFixed(0), '1'],
        ['2', two.toFixed(0), (two / one).toFixed(2)],
      ],
    ),
  );
}
