import { readFileSync } from 'node:fs';
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type NatsConnection,
} from '@nats-io/transport-node';
import { PlimsollError } from '../../src/errors.ts';
import { asStreamError, shownUrl, unavailable } from './failures.ts';

export interface NatsPlace {
  /** `nats://USER:PASSWORD@HOST:PORT`, or `tls://`; several separated by commas. */
  readonly url: string;
  /** File of a user's credentials (`.creds`); null without. */
  readonly credentials: string | null;
}

const CONNECT_MILLISECONDS = 3_000;
const ANSWER_MILLISECONDS = 5_000;
const RECONNECT_MILLISECONDS = 250;

/** The way to NATS. It comes back by itself; while it is away nothing is sent, so that nothing goes out later than it was meant. */
export class NatsWay {
  readonly where: string;
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  #isAway = false;
  #refusal: PlimsollError | null = null;

  private constructor(where: string, connection: NatsConnection, manager: JetStreamManager) {
    this.where = where;
    this.connection = connection;
    this.client = jetstream(connection, { timeout: ANSWER_MILLISECONDS });
    this.manager = manager;
    void this.#watch();
  }

  /** @throws PlimsollError STREAM_UNAVAILABLE, STREAM_REFUSED, CONFIG_INVALID. */
  static async open({ url, credentials }: NatsPlace, name: string): Promise<NatsWay> {
    const where = shownUrl(url);
    let connection: NatsConnection | null = null;
    try {
      connection = await connect({ ...optionsOf(url, credentials), name: `plimsoll ${name}` });
      return new NatsWay(
        where,
        connection,
        await jetstreamManager(connection, { timeout: ANSWER_MILLISECONDS }),
      );
    } catch (thrown) {
      await connection?.close();
      throw asStreamError(where, thrown);
    }
  }

  failure(): PlimsollError | null {
    if (this.#refusal !== null) return this.#refusal;
    return this.#isAway || this.connection.isClosed()
      ? unavailable(this.where, 'the connection is lost')
      : null;
  }

  /** Work on the way as it is now; its failures in our words. */
  async on<T>(work: () => Promise<T>): Promise<T> {
    const failure = this.failure();
    if (failure !== null) throw failure;
    try {
      return await work();
    } catch (thrown) {
      throw asStreamError(this.where, thrown);
    }
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  async #watch(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect') this.#isAway = true;
      else if (status.type === 'reconnect') this.#isAway = false;
      else if (status.type === 'error') {
        const error = asStreamError(this.where, status.error);
        if (error.code === 'STREAM_REFUSED') this.#refusal = error;
      }
    }
  }
}

/** User and password stand in the address, where the client does not look for them. */
function optionsOf(url: string, credentials: string | null): ConnectionOptions {
  const servers = url.split(',').map((one) => new URL(one));
  const [{ username, password, protocol }] = servers;
  const user = decodeURIComponent(username);
  return {
    servers: servers.map(({ host }) => host),
    timeout: CONNECT_MILLISECONDS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MILLISECONDS,
    pingInterval: 2_000,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
    ...(protocol === 'tls:' ? { tls: {} } : {}),
    ...(user === '' ? {} : password === '' ? { token: user } : { user, pass: decodeURIComponent(password) }),
    ...(credentials === null ? {} : { authenticator: credsAuthenticator(readCredentials(credentials)) }),
  };
}

function readCredentials(path: string): Uint8Array {
  const fault = (what: string, cause?: unknown) =>
    new PlimsollError('CONFIG_INVALID', `natsCredentials: ${path} ${what}`, {
      remedy:
        'Name the credentials of a user (.creds) that this process may read: PLIMSOLL_NATS_CREDENTIALS.',
      ...(cause === undefined ? {} : { cause }),
    });
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (cause) {
    throw fault('cannot be read', cause);
  }
  if (!content.includes('BEGIN NATS USER JWT')) throw fault('holds no credentials');
  return content;
}
