import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SAMPLE_MARKETS } from '../../data/sample/markets.ts';
import { plimsoll, type Served, serve, serveFirst } from '../run-plimsoll.ts';

/** `plimsoll serve --supervised`: services that take each other's place behind one port. */
let held: Served;
let dataDir: string;
let key: string;
let remove: () => void;

beforeAll(async () => {
  const first = await serveFirst('rolling');
  ({ dataDir, key, remove } = first);
  expect(await first.served.end('SIGTERM')).toBe(0);
  held = await serve(dataDir, ['--supervised', '--training-schedule', 'off']);
  await held.inForce;
}, 120_000);
afterAll(async () => {
  await held.end('SIGTERM');
  remove();
});

/** The process that has the data folder; not a number between two of them. */
function owner(): number {
  try {
    return Number.parseInt(readFileSync(join(dataDir, 'service.lock'), 'utf8'), 10);
  } catch {
    return Number.NaN;
  }
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
}

interface Tally {
  answered: number;
  readonly failed: string[];
  readonly users: Set<string>;
}

/** Reads and writes over connections that are kept, and reads over new ones, until it is told to stop. */
function load(signal: AbortSignal): Promise<Tally> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const tally: Tally = { answered: 0, failed: [], users: new Set() };
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  let user = 0;
  const ask = (method: string, path: string, body: string, through: Agent | false): Promise<boolean> =>
    new Promise((resolve) => {
      const fail = (why: unknown): void => {
        tally.failed.push(`${method} ${path}: ${why}`);
        resolve(false);
      };
      const options = { method, path, agent: through, headers: body === '' ? {} : headers };
      const outgoing = request(held.url, options, (incoming) => {
        incoming.resume();
        incoming.on('error', fail);
        incoming.on('end', () => {
          if (incoming.statusCode !== 200) return fail(incoming.statusCode);
          tally.answered++;
          resolve(true);
        });
      });
      outgoing.on('error', fail);
      outgoing.end(body);
    });
  const kinds = [
    ...Array.from({ length: 6 }, () => () => ask('GET', '/v1/limits', '', agent)),
    async () => {
      const id = `rolling-${user++}`;
      if (await ask('PUT', `/v1/users/${id}`, '{"maxLeverage":3}', agent)) tally.users.add(id);
      await wait(5);
    },
    async () => {
      await ask('GET', '/v1/markets', '', false);
      await wait(5);
    },
  ];
  const clients = kinds.map(async (once) => {
    while (!signal.aborted) await once();
  });
  return Promise.all(clients).then(() => {
    agent.destroy();
    return tally;
  });
}

test('two restarts under load: not one request fails, and nothing that was answered is lost', async () => {
  const ending = new AbortController();
  const loading = load(ending.signal);
  const owners = [owner()];
  for (let restart = 0; restart < 2; restart++) {
    await wait(300);
    held.process.kill('SIGHUP');
    while (owner() === owners.at(-1) || Number.isNaN(owner())) await wait(20);
    owners.push(owner());
    // Until the next one answers.
    expect((await fetch(`${held.url}/readyz`)).status).toBe(200);
  }
  await wait(300);
  ending.abort();
  const { answered, failed, users } = await loading;
  process.stderr.write(`rolling restart: ${answered} requests answered, ${failed.length} failed\n`);
  expect(failed).toEqual([]);
  expect(new Set(owners).size).toBe(3);
  expect(answered).toBeGreaterThan(100);
  const caps = await Promise.all(
    [...users].slice(-40).map(async (id) => {
      const response = await fetch(`${held.url}/v1/users/${id}/caps?symbol=${SAMPLE_MARKETS[0].symbol}`);
      return ((await response.json()) as { caps: { maxLeverage: number }[] }).caps[0].maxLeverage;
    }),
  );
  expect(caps.length).toBeGreaterThan(5);
  expect(Math.max(...caps)).toBeLessThanOrEqual(3);
}, 120_000);

test('a service that is killed is started again, and whoever connects meanwhile is answered', async () => {
  const killed = owner();
  process.kill(killed, 'SIGKILL');
  while (isRunning(killed)) await wait(5);
  // Connections that the killed one had are gone with it; a new one waits for the next.
  const status = await new Promise((resolve, reject) => {
    const path = '/v1/limits';
    const outgoing = request(held.url, { path, agent: false }, ({ statusCode }) => resolve(statusCode));
    outgoing.on('error', reject);
    outgoing.end();
  });
  expect(status).toBe(200);
  expect(owner()).not.toBe(killed);
  const verified = await plimsoll(['audit', 'verify', '--data-dir', dataDir]);
  expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('both chains hold')]);
}, 60_000);

test('told to end, both end in order', async () => {
  const last = owner();
  expect(await held.end('SIGTERM')).toBe(0);
  expect(isRunning(last)).toBe(false);
  await expect(fetch(`${held.url}/livez`)).rejects.toThrow();
}, 60_000);
