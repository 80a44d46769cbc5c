import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NatsBroker } from './nats-broker.ts';
import { NATS_SERVER, OwnNats, SKIPPED, testPrefix } from './test-server.ts';

if (NATS_SERVER === null) process.stderr.write(`${SKIPPED}\n`);

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe.skipIf(NATS_SERVER === null)('NATS that fails', () => {
  let server: OwnNats;
  let prefix: string;
  let broker: NatsBroker | null;

  beforeAll(async () => {
    server = await OwnNats.start(['--user', 'ann', '--pass', 'hush']);
  });
  beforeEach(() => {
    prefix = testPrefix();
    broker = null;
  });
  afterEach(async () => {
    await broker?.close();
  });
  afterAll(() => server.stop());

  const withUser = (): string => server.url.replace('//', '//ann:hush@');
  const open = (url: string, credentials: string | null = null) =>
    NatsBroker.open({ url, prefix, credentials, partitions: 1, replicas: 1, name: 'test' });

  async function removeStream(name: string): Promise<void> {
    const connection = await connect({ servers: server.url, user: 'ann', pass: 'hush' });
    await (await jetstreamManager(connection)).streams.delete(name);
    await connection.close();
  }

  test('a wrong address says so at once, and no secret of it', async () => {
    const failing = open('nats://ann:hush@127.0.0.1:1');
    await expect(failing).rejects.toMatchObject({
      code: 'STREAM_UNAVAILABLE',
      message: expect.stringContaining('nats://127.0.0.1:1: NATS does not answer'),
    });
    await expect(failing).rejects.not.toThrow(/hush/);
  });

  test('a user that is not let in is refused at once, with the remedy', async () => {
    for (const url of [server.url, server.url.replace('//', '//ann:wrong@')])
      await expect(open(url)).rejects.toMatchObject({
        code: 'STREAM_REFUSED',
        remedy: expect.stringContaining('PLIMSOLL_NATS_URL'),
      });
  });

  test('credentials that cannot be read, or are none, are told by their file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plimsoll-nats-'));
    const path = join(folder, 'user.creds');
    await expect(open(server.url, path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(path),
    });
    writeFileSync(path, 'nothing');
    await expect(open(server.url, path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    rmSync(folder, { recursive: true });
  });

  test('a server without JetStream says what it lacks', async () => {
    const plain = await OwnNats.start([], false);
    await expect(open(plain.url)).rejects.toMatchObject({
      code: 'STREAM_UNAVAILABLE',
      message: expect.stringContaining('without JetStream'),
    });
    await plain.stop();
  });

  test('a stream that is removed while it is used stops whoever follows and whoever appends, and is not made again', async () => {
    broker = await open(withUser());
    await broker.log.append('accounts.0', bytes('1'));
    const lost = Promise.withResolvers<string>();
    const following = broker.log.follow(
      'accounts.0',
      0,
      async () => undefined,
      ({ code }) => lost.resolve(code),
    );
    await removeStream(`${prefix}_accounts_0`);
    await expect(broker.log.append('accounts.0', bytes('2'))).rejects.toMatchObject({ code: 'STREAM_LOST' });
    expect(await lost.promise).toBe('STREAM_LOST');
    await following.stop();
    await expect(open(withUser())).rejects.toMatchObject({
      code: 'STREAM_LOST',
      message: expect.stringContaining(`${prefix}_accounts_0`),
    });
  });

  test('a server that is killed and comes back: nothing goes out meanwhile, what was acknowledged is there, followers go on', async () => {
    broker = await open(withUser());
    const seen: number[] = [];
    const failures: unknown[] = [];
    const following = broker.log.follow(
      'accounts.0',
      0,
      async (entries) => void seen.push(...entries.map(({ sequence }) => sequence)),
      (error) => failures.push(error),
    );
    for (let i = 0; i < 5; i++) await broker.log.append('accounts.0', bytes(`${i}`));
    while (seen.length < 5) await wait(5);
    await server.kill();
    while (broker.failure() === null) await wait(5);
    await expect(broker.log.append('accounts.0', bytes('away'))).rejects.toMatchObject({
      code: 'STREAM_UNAVAILABLE',
    });
    await server.resume();
    while (broker.failure() !== null) await wait(20);
    for (let i = 5; i < 8; i++) await broker.log.append('accounts.0', bytes(`${i}`));
    while (seen.length < 8) await wait(20);
    await following.stop();
    expect([seen, failures]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8], []]);
    const texts = (await broker.log.read('accounts.0', 0, 100)).map(({ body }) =>
      Buffer.from(body).toString(),
    );
    expect(texts).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
  });
});
