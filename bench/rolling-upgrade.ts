import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { OwnServer, TestDatabase } from '../data/postgres/test-server.ts';
import { table } from '../src/cli/command.ts';
import { print } from './measure.ts';

/**
 * From one release to the next without a failed request: `npm run bench -- rolling-upgrade CHECKOUT`, CHECKOUT a folder with the release
 * before and its packages. Two deciders and two readers of it on PostgreSQL; requests go to whichever reader says that it is ready, as a
 * load balancer sends them; the new release migrates the schema beside them, then takes one place after the other, deciders last.
 */
const [, , , before] = process.argv;
const NOW = resolve(import.meta.dirname, '..');
const CLIENTS = 20;
const DRAIN_SECONDS = 2;
const SETTLED_SECONDS = 4;

interface Place {
  readonly name: string;
  readonly role: 'decide' | 'serve';
  readonly port: number;
  process: ChildProcess;
  isReady: boolean;
}

if (before === undefined) print('give the folder of a checkout of the release before');
else await measure(resolve(before));

async function measure(old: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-upgrade-'));
  const server = await OwnServer.start();
  const database = await TestDatabase.create({ url: (name) => server.url(name) });
  const places: Place[] = [];
  const counts = {
    answered: 0,
    failed: 0,
    failures: new Map<string, number>(),
    users: new Map<string, number>(),
  };
  let isOver = false;
  const start = (home: string, name: string, role: Place['role'], port: number): ChildProcess =>
    spawn(
      process.execPath,
      [join(home, 'src/cli.ts'), 'serve', '--port', String(port), '--data-dir', join(folder, name)],
      {
        env: environment(role),
        stdio: ['ignore', 'ignore', 'ignore'],
      },
    );
  const environment = (role: string): Record<string, string> => ({
    PATH: '/usr/bin:/bin',
    PLIMSOLL_DATABASE_URL: database.url,
    PLIMSOLL_ROLE: role,
    PLIMSOLL_DRAIN_SECONDS: String(DRAIN_SECONDS),
    PLIMSOLL_TRAINING_SCHEDULE: 'off',
  });
  try {
    for (const [i, [name, role]] of (
      [
        ['d1', 'decide'],
        ['d2', 'decide'],
        ['s1', 'serve'],
        ['s2', 'serve'],
      ] as const
    ).entries()) {
      mkdirSync(join(folder, name));
      // Checkpoints are signed with one key.
      if (name === 'd2') copyFileSync(join(folder, 'd1/checkpoint.key'), join(folder, 'd2/checkpoint.key'));
      const port = 18_500 + i;
      const place: Place = { name, role, port, process: start(old, name, role, port), isReady: false };
      places.push(place);
      while (!(await isReady(place))) await wait(100);
    }
    const readers = places.filter(({ role }) => role === 'serve');
    const keyOf = ({ name }: Place): string =>
      readFileSync(join(folder, name, 'operator.key'), 'utf8').trim();
    const watching = (async () => {
      for (; !isOver; await wait(100)) for (const place of readers) place.isReady = await isReady(place);
    })();
    await wait(500);
    const tellFailure = (why: string): void => {
      counts.failed++;
      counts.failures.set(why, (counts.failures.get(why) ?? 0) + 1);
    };
    const ask = async (place: Place, key: string, client: number, i: number): Promise<void> => {
      const url = `http://127.0.0.1:${place.port}`;
      const user = `user-${client}`;
      const write = {
        method: 'PUT',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      };
      const leverage = 2 + (i % 20);
      try {
        const response = await (i % 10 === 9
          ? fetch(`${url}/v1/users/${user}`, { ...write, body: JSON.stringify({ maxLeverage: leverage }) })
          : fetch(`${url}${i % 2 === 0 ? '/v1/limits' : '/v1/markets/BOREUSDT/brackets'}`));
        const text = await response.text();
        if (response.ok) {
          counts.answered++;
          if (i % 10 === 9) counts.users.set(user, leverage);
          return;
        }
        tellFailure(`${response.status} ${(JSON.parse(text) as { code?: string }).code}`);
      } catch (thrown) {
        tellFailure(String((thrown as { cause?: unknown }).cause ?? thrown));
      }
    };
    const load = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let i = 0; !isOver; i++) {
        const ready = readers.filter((place) => place.isReady);
        if (ready.length === 0) {
          counts.failed++;
          await wait(50);
          continue;
        }
        const place = ready[(i + client) % ready.length];
        await ask(place, keyOf(place), client, i);
      }
    });
    const schema = async (): Promise<string> =>
      JSON.stringify(
        (await database.query('SELECT max(version) AS version FROM plimsoll.schema_version'))[0],
      );
    const schemaBefore = await schema();
    await wait(SETTLED_SECONDS * 1000);
    const migrated = execFileSync(
      process.execPath,
      [join(NOW, 'src/cli.ts'), 'migrate', '--data-dir', join(folder, 'd1')],
      {
        env: environment('decide'),
        encoding: 'utf8',
      },
    );
    await wait(SETTLED_SECONDS * 1000);
    for (const place of [places[2], places[3], places[1], places[0]]) {
      const ended = new Promise((done) => place.process.once('exit', done));
      place.process.kill('SIGTERM');
      await ended;
      place.process = start(NOW, place.name, place.role, place.port);
      while (!(await isReady(place))) await wait(100);
      await wait(SETTLED_SECONDS * 1000);
    }
    isOver = true;
    await Promise.all([watching, ...load]);
    const stored = new Map(
      (await database.query('SELECT user_id, max_leverage FROM plimsoll.user_policy')).map((row) => [
        row.user_id as string,
        Number(row.max_leverage),
      ]),
    );
    const lost = [...counts.users].filter(([user, leverage]) => stored.get(user) !== leverage);
    print(migrated.trim());
    print(
      table(
        ['measure', 'value'],
        [
          ['schema before, after', `${schemaBefore} ${await schema()}`],
          ['places taken by the new release', '4'],
          ['requests answered', String(counts.answered)],
          ['requests failed', String(counts.failed)],
          ['acknowledged users lost', String(lost.length)],
          ...[...counts.failures].map(([why, count]): [string, string] => [`failed: ${why}`, String(count)]),
        ],
      ),
    );
  } finally {
    isOver = true;
    for (const place of places) place.process.kill('SIGKILL');
    await wait(500);
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function isReady({ port }: Place): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    await response.text();
    return response.ok;
  } catch {
    return false;
  }
}
