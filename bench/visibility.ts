import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { OwnServer, TestDatabase } from '../data/postgres/test-server.ts';
import { table } from '../src/cli/command.ts';
import { type Served, serve } from '../test/run-plimsoll.ts';
import { median, print } from './measure.ts';

/**
 * How long after a book was committed a hundred readers see it: `npm run bench -- visibility [BOOKS]`. Readers ask the process that decides
 * or one that follows it over PostgreSQL, again and again or by a stream; one kind at a time. The time of the commit is that of the
 * database, which runs on the same machine. Each book comes of an override.
 */
const [, , , books = '30'] = process.argv;
const READERS = 100;
/** Between an answer and the next question of a reader that asks: so long a new book may have been there unseen. */
const ASK_EVERY_MILLISECONDS = 20;
const SYMBOL = 'BOREUSDT';

/** Is told the version that a reader has seen. */
type Seen = (version: number) => void;
/** @returns how to end all of them. */
type Follow = (url: string, seen: (reader: number) => Seen) => () => void;

const KINDS: readonly (readonly [string, Follow])[] = [
  [`GET, asked every ${ASK_EVERY_MILLISECONDS} ms`, asking],
  ['server-sent events', streaming],
  ['WebSocket', overSockets],
];

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-visibility-'));
const server = await OwnServer.start();
const running: Served[] = [];
try {
  const database = await TestDatabase.create({ url: (name) => server.url(name) });
  await database.query('ALTER SYSTEM SET track_commit_timestamp = on');
  await server.halt();
  await server.resume();
  const counted = await TestDatabase.create({ url: (name) => server.url(name) });
  const leader = await start(counted, 'decide', 'leader');
  await leader.inForce;
  const follower = await start(counted, 'serve', 'follower');
  await until(async () => (await versionOf(follower)) > 0);
  const rows: string[][] = [];
  for (const [name, served] of [
    ['the one that decides', leader],
    ['one that follows', follower],
  ] as const)
    for (const [kind, follow] of KINDS)
      rows.push([name, kind, ...(await measured(counted, leader, served, follow))]);
  print(`${READERS} readers of ${books} books each; ms after the commit`);
  print(table(['process', 'readers', 'median', 'p99', 'the last reader, median', 'longest'], rows));
} finally {
  await Promise.all(running.map((one) => one.end('SIGTERM')));
  await server.stop();
  rmSync(folder, { recursive: true });
}

async function start(database: TestDatabase, role: string, name: string): Promise<Served> {
  const served = await serve(join(folder, name), [], {
    PLIMSOLL_DATABASE_URL: database.url,
    PLIMSOLL_ROLE: role,
    PLIMSOLL_LOG_LEVEL: 'warn',
  });
  running.push(served);
  return served;
}

/** The delays of all readers over all books. */
async function measured(
  database: TestDatabase,
  leader: Served,
  served: Served,
  follow: Follow,
): Promise<string[]> {
  const seen = Array.from({ length: READERS }, () => new Map<number, number>());
  const end = follow(served.url, (reader) => (version) => {
    const own = seen[reader];
    if (!own.has(version)) own.set(version, performance.timeOrigin + performance.now());
  });
  await wait(1000);
  const key = readFileSync(join(folder, 'leader', 'operator.key'), 'utf8').trim();
  const [delays, last]: number[][] = [[], []];
  for (let book = 0; book < Number(books); book++) {
    const version = (await versionOf(leader)) + 1;
    const { status } = await fetch(`${leader.url}/v1/overrides`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        symbol: SYMBOL,
        maxLeverage: 1 + (version % 2),
        hours: 1,
        reason: 'a benchmark',
      }),
    });
    if (status !== 200) throw new Error(`the override was answered with ${status}`);
    await until(() => seen.every((own) => own.has(version)));
    const [row] = await database.query(
      'SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS at FROM book WHERE version = $1',
      [version],
    );
    const committed = Number(row.at);
    const own = seen.map((reader) => (reader.get(version) as number) - committed);
    delays.push(...own);
    last.push(Math.max(...own));
    // Questions and books do not keep step.
    await wait(37 + 11 * (book % 7));
  }
  end();
  delays.sort((a, b) => a - b);
  const p99 = delays[Math.floor(0.99 * delays.length)];
  return [median(delays), p99, median(last), Math.max(...last)].map((value) => value.toFixed(1));
}

function asking(url: string, seen: (reader: number) => Seen): () => void {
  const agent = new Agent({ keepAlive: true, maxSockets: READERS });
  let isOver = false;
  for (let reader = 0; reader < READERS; reader++) {
    const told = seen(reader);
    const ask = (): void => {
      if (isOver) return;
      get(`${url}/v1/markets/${SYMBOL}/brackets`, { agent }, (response) => {
        let text = '';
        response.setEncoding('latin1');
        response.on('data', (piece) => {
          text += piece;
        });
        response.on('end', () => {
          told(versionIn(text));
          setTimeout(ask, ASK_EVERY_MILLISECONDS);
        });
      }).on('error', (error) => {
        // Those that are under way in the end are cut off.
        if (!isOver) throw error;
      });
    };
    setTimeout(ask, (reader * ASK_EVERY_MILLISECONDS) / READERS);
  }
  return () => {
    isOver = true;
    agent.destroy();
  };
}

function streaming(url: string, seen: (reader: number) => Seen): () => void {
  const agent = new Agent({ maxSockets: READERS });
  const all = Array.from({ length: READERS }, (_, reader) => {
    const told = seen(reader);
    const asked = get(`${url}/v1/stream?kinds=limits`, { agent }, (response) => {
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (piece) => {
        const events = (rest + piece).split('\n\n');
        rest = events.pop() ?? '';
        for (const event of events) if (event.includes('data: ')) told(versionIn(event));
      });
    });
    asked.on('error', () => undefined);
    return asked;
  });
  return () => {
    for (const asked of all) asked.destroy();
  };
}

function overSockets(url: string, seen: (reader: number) => Seen): () => void {
  const all = Array.from({ length: READERS }, (_, reader) => {
    const told = seen(reader);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?kinds=limits`);
    socket.on('message', (message) => told(versionIn(String(message))));
    return socket;
  });
  return () => {
    for (const socket of all) socket.terminate();
  };
}

/** 0 for what names none. */
function versionIn(text: string): number {
  return Number(/"version":(\d+)/.exec(text)?.[1] ?? 0);
}

async function versionOf({ url }: Served): Promise<number> {
  return versionIn(await (await fetch(`${url}/v1/limits`)).text());
}

async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await is()); waited += 5) {
    if (waited > 20_000) throw new Error('a reader never saw a book');
    await wait(5);
  }
}
