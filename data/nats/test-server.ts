import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';

/** Where a server of the machine is looked for, where PLIMSOLL_TEST_NATS_URL names no other. */
const LOCAL_URL = 'nats://127.0.0.1:4222';

/** The program; null where it is not installed. */
export const NATS_SERVER: string | null =
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
    .map((folder) => join(folder, 'nats-server'))
    .find((path) => existsSync(path)) ?? null;

export const SKIPPED =
  'NATS suites are skipped: there is no NATS with JetStream. Install nats-server; suites without faults also run with PLIMSOLL_TEST_NATS_URL=nats://HOST:PORT.';

/** A NATS with JetStream that tests may make streams on; null where there is none, which is said. */
export async function testNats(): Promise<TestNats | null> {
  const url = process.env.PLIMSOLL_TEST_NATS_URL ?? LOCAL_URL;
  if (await answers(url)) return { url, stop: async () => {} };
  if (NATS_SERVER !== null) return OwnNats.start();
  process.stderr.write(`${SKIPPED}\n`);
  return null;
}

export interface TestNats {
  readonly url: string;
  /** Ends it where it was started here. */
  stop(): Promise<void>;
}

async function answers(url: string): Promise<boolean> {
  let connection: NatsConnection | null = null;
  try {
    connection = await connect({ servers: url, timeout: 1_000, reconnect: false });
    await (await jetstreamManager(connection, { timeout: 1_000 })).getAccountInfo();
    return true;
  } catch {
    return false;
  } finally {
    await connection?.close();
  }
}

/** A server of one test, that it may kill and start again. */
export class OwnNats implements TestNats {
  readonly #folder = mkdtempSync(join(tmpdir(), 'plimsoll-nats-'));
  readonly #port: number;
  readonly #args: readonly string[];
  #ended: Promise<unknown> = Promise.resolve();
  #child: ReturnType<typeof spawn> | null = null;

  private constructor(port: number, args: readonly string[], hasJetStream: boolean) {
    this.#port = port;
    this.#args = [...(hasJetStream ? ['-js', '-sd', this.#folder] : []), ...args];
  }

  /** @param args more of the program's own, such as `--user`. */
  static async start(args: readonly string[] = [], hasJetStream = true): Promise<OwnNats> {
    const own = new OwnNats(await freePort(), args, hasJetStream);
    await own.resume();
    return own;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  async resume(): Promise<void> {
    const own = ['-a', '127.0.0.1', '-p', String(this.#port), ...this.#args];
    const child = spawn(NATS_SERVER ?? 'nats-server', own, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('close', resolve));
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stderr?.on('data', (chunk) => {
        said += chunk;
        if (said.includes('Server is ready')) resolve();
      });
      child.once('error', reject);
      child.once('close', () => reject(new Error(`nats-server ended: ${said.slice(-500)}`)));
    });
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

let made = 0;

/** A beginning of names that no other test has. */
export function testPrefix(): string {
  return `plimsolltest_${process.pid}_${++made}`;
}

/** Takes all streams of a test away. */
export async function dropStreams(url: string, prefix: string): Promise<void> {
  const connection = await connect({ servers: url });
  try {
    const manager = await jetstreamManager(connection);
    for await (const { config } of manager.streams.list())
      if (config.name.replace(/^KV_/, '').startsWith(`${prefix}_`)) await manager.streams.delete(config.name);
  } finally {
    await connection.close();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
