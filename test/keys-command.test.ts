import { createHash, createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { plimsoll, type Served, serve } from './run-plimsoll.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-keys-command-'));
const dataDir = join(folder, 'data');
let running: Served | undefined;
afterAll(async () => {
  await running?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const keys = async (...args: string[]) => {
  const { code, stdout, stderr } = await plimsoll(['keys', ...args, '--data-dir', dataDir, '--json']);
  expect([args, code, stderr]).toEqual([args, 0, '']);
  return JSON.parse(stdout);
};
const statusOf = async (path: string, key?: string): Promise<number> => {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return (await fetch(`${running?.url}${path}`, { headers })).status;
};

/** As the answers say it: tests read no clock. */
async function serverTime(): Promise<number> {
  const { headers } = await fetch(`${running?.url}/livez`);
  return Date.parse(headers.get('date') ?? '');
}

/** What a command wrote reaches the service when it looks again, which is within seconds. */
async function becomes(wanted: number, look: () => Promise<number>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if ((await look()) === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await look()).toBe(wanted);
}

test('a key that is added while the service runs closes it to all others; rotation has an overlap, a revoked key has none', async () => {
  running = await serve(dataDir, ['--training-schedule', 'off']);
  await running.inForce;
  expect(await statusOf('/v1/limits')).toBe(200);
  const operatorKey = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();

  const reader = await keys('add', 'desk', '--role', 'reader', '--reason', 'a test');
  expect(Buffer.from(reader.key, 'base64url')).toHaveLength(32);
  await becomes(401, () => statusOf('/v1/limits'));
  expect(await statusOf('/v1/limits', reader.key)).toBe(200);
  expect(await statusOf('/v1/limits', operatorKey)).toBe(403);
  expect(await statusOf('/livez')).toBe(200);

  const second = await keys('rotate', 'desk');
  await becomes(200, () => statusOf('/v1/limits', second.key));
  expect(await statusOf('/v1/limits', reader.key)).toBe(200);
  await keys('revoke', 'desk', '--id', reader.id);
  await becomes(403, () => statusOf('/v1/limits', reader.key));
  expect(await statusOf('/v1/limits', second.key)).toBe(200);
  // With its last key a service does not open again.
  await keys('revoke', 'desk');
  await becomes(403, () => statusOf('/v1/limits', second.key));
  expect(await statusOf('/v1/limits')).toBe(401);

  const { keys: listed } = await keys('list');
  expect(listed.map(({ state }: { state: string }) => state)).toEqual(['revoked', 'revoked']);
  const told = JSON.stringify(listed) + running.stderr();
  for (const file of readdirSync(dataDir)) {
    if (!statSync(join(dataDir, file)).isFile()) continue;
    for (const { key } of [reader, second])
      expect([file, readFileSync(join(dataDir, file)).includes(key)]).toEqual([file, false]);
  }
  for (const { key } of [reader, second]) expect(told).not.toContain(key);
  expect(await running.end('SIGTERM')).toBe(0);
  running = undefined;
}, 60_000);

test('governance at the command line asks for a stored key too, and obeys its role', async () => {
  const officer = await keys('add', 'officer', '--role', 'operator');
  const reader = await keys('add', 'viewer', '--role', 'reader');
  const freeze = (...args: string[]) =>
    plimsoll(['freeze', '--reason', 'a test', '--data-dir', dataDir, ...args]);
  expect((await freeze()).stderr).toContain('--key-file FILE');
  const files = [officer, reader].map(({ name, key }) => {
    const path = join(folder, `${name}.key`);
    writeFileSync(path, `${key}\n`, { mode: 0o600 });
    return path;
  });
  expect((await freeze('--key-file', files[0])).code).toBe(0);
  expect((await freeze('--key-file', files[1])).stderr).toContain('FORBIDDEN');
});

test('a signed key that a command makes signs what the running service takes, and starts with it', async () => {
  const made = await keys('add', 'matching', '--role', 'exchange', '--signed');
  running = await serve(dataDir, ['--training-schedule', 'off']);
  await running.inForce;
  const body = JSON.stringify({ maxLeverage: 3 });
  const put = async (): Promise<number> => {
    const timestamp = await serverTime();
    const nonce = randomUUID();
    const digest = createHash('sha256').update(body).digest('hex');
    const text = ['PUT', '/v1/users/u1', timestamp, nonce, digest].join('\n');
    const secret = Buffer.from(made.signingSecret, 'base64url');
    const headers = {
      'content-type': 'application/json',
      'plimsoll-key': made.id,
      'plimsoll-timestamp': String(timestamp),
      'plimsoll-nonce': nonce,
      'plimsoll-signature': createHmac('sha256', secret).update(text).digest('hex'),
    };
    return (await fetch(`${running?.url}/v1/users/u1`, { method: 'PUT', headers, body })).status;
  };
  // What is signed within five seconds of a start is refused.
  await becomes(200, put);
  expect(running.stderr()).not.toContain(made.signingSecret);
  expect(await running.end('SIGTERM')).toBe(0);
  running = undefined;
});

test('before there is any key, a service that requires them lets nobody in, on any address', async () => {
  const empty = join(folder, 'empty');
  const environment = { PLIMSOLL_REQUIRE_KEYS: 'true', PLIMSOLL_HOST: '127.0.0.1' };
  running = await serve(empty, ['--training-schedule', 'off'], environment);
  expect(await statusOf('/v1/limits')).toBe(401);
  expect(await statusOf('/livez')).toBe(200);
  expect(readdirSync(empty)).not.toContain('operator.key');
  await running.inForce;
  expect(await running.end('SIGTERM')).toBe(0);
  running = undefined;
});

test('the key files of a folder are made once, for nobody else to read', async () => {
  const prepare = () => plimsoll(['keys', 'prepare', '--data-dir', join(folder, 'prepared'), '--json']);
  const first = await prepare();
  const { files } = JSON.parse(first.stdout) as { files: string[] };
  expect(files.map((file) => [basename(file), statSync(file).mode & 0o777])).toEqual([
    ['checkpoint.key', 0o600],
    ['checkpoint.pub', 0o644],
    ['signing.key', 0o600],
  ]);
  const texts = files.map((file) => readFileSync(file, 'utf8'));
  expect((await prepare()).stdout).toBe(first.stdout);
  expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(texts);
});

test.each([
  [
    'a scope beyond the role',
    ['add', 'x', '--role', 'reader', '--scopes', 'users:write'],
    2,
    'does not have users:write',
  ],
  ['a role that is none', ['add', 'x', '--role', 'king'], 2, 'reader, exchange'],
  ['an end that is over', ['add', 'x', '--role', 'reader', '--expires', '2020-01-01'], 5, 'EXPIRY_INVALID'],
  ['a name that has a key', ['add', 'officer', '--role', 'reader'], 6, 'plimsoll keys rotate officer'],
  ['a name that has none', ['rotate', 'nobody'], 4, 'KEY_UNKNOWN'],
])('%s is refused', async (_, args, code, words) => {
  const refused = await plimsoll(['keys', ...args, '--data-dir', dataDir]);
  expect([refused.code, refused.stdout]).toEqual([code, '']);
  expect(refused.stderr).toContain(words);
});
