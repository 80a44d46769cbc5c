import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { SqliteStateStore } from '../../data/sqlite-state-store.ts';
import { decisionDraft } from '../../data/test-books.ts';
import { ManualClock } from '../clock.ts';
import { localAccounts } from '../control/accounts/local-accounts.fixture.ts';
import { ControlPlane } from '../control/control-plane.ts';
import type { CycleFacts } from '../control/decision-cycle.ts';
import { NOTHING_SEEN } from '../control/nothing-seen.fixture.ts';
import type { ModelSummary } from '../control/reads.ts';
import { decideBook } from '../limits/decide.ts';
import type { MarketInput } from '../limits/market-input.ts';
import { DEFAULT_POLICY } from '../limits/policy.ts';
import { context, DECIDED_AT, forecast, HOUR, largeMarket } from '../limits/test-inputs.ts';
import type { LimitBook } from '../limits/types.ts';
import { Metrics } from '../metrics/metrics.ts';
import { Keyring, type KnownKey } from './auth.ts';
import { Service } from './service.ts';

/** A real service for tests: real store in a folder of its own, real control plane, real books, real sockets. */
export const OPERATOR_KEY = 'operator-key-of-the-tests_0123456789';
export const OPERATOR = { authorization: `Bearer ${OPERATOR_KEY}` };

export function sha256Of(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

export const FACTS: CycleFacts = {
  fallbackReason: null,
  lastObservationBySource: { binance: DECIDED_AT - HOUR },
  coverage: [],
  origins: [],
  seen: NOTHING_SEEN,
  seconds: 0.25,
  closes: Object.fromEntries(
    ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'].map((symbol) => [symbol, { asOf: DECIDED_AT - HOUR, price: 100 }]),
  ),
};

export const MODEL: ModelSummary = {
  name: 'shock-network',
  version: 'test',
  aliases: ['champion'],
  createdAt: '2024-05-31T00:00:00.000Z',
  dataFrom: '2020-01-01T00:00:00.000Z',
  dataTo: '2024-05-30T00:00:00.000Z',
  markets: 3,
  simulated: false,
  shipped: true,
  gates: 'passed',
  shadow: null,
};

/**
 * Five markets: three large ones, a small and simulated one, and one whose data are rejected.
 *
 * @param hourlyTail 99.5 % VaR over an hour, by every forecaster; at the default a large market gets more leverage than
 *   a new account.
 */
export function marketInputs(hourlyTail = 0.008): MarketInput[] {
  const market = (symbol: string, changes: Partial<MarketInput> = {}): MarketInput =>
    largeMarket({
      symbol,
      shockModel: forecast('shock-network@test', hourlyTail),
      historical: forecast('historical@1', hourlyTail),
      filtered: forecast('filtered@1', hourlyTail),
      tail: forecast('tail@1', hourlyTail),
      ...changes,
    });
  return [
    market('BTCUSDT'),
    market('ETHUSDT'),
    market('SOLUSDT'),
    market('AURUSDT', {
      simulated: true,
      historyDays: 30,
      liquidity: { hourlyVolume: 2e5, dailyVolatility: 0.09 },
    }),
    market('RUNEUSDT', { quality: 'reject', qualityFindings: ['too "few" <bars>'] }),
  ];
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever came.
  readonly json: any;
}

export interface Call {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** A string or bytes are sent as they are, anything else as JSON with its content type. */
  readonly body?: unknown;
}

export class TestService {
  readonly clock: ManualClock;
  readonly store: SqliteStateStore;
  readonly plane: ControlPlane;
  readonly accounts: ReturnType<typeof localAccounts>;
  readonly metrics: Metrics;
  readonly service: Service;
  /** Everything that was logged as an error. */
  readonly errors: readonly string[];
  url = '';
  /** Of the store. */
  readonly folder: string;
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(
    folder: string,
    store: SqliteStateStore,
    plane: ControlPlane,
    accounts: ReturnType<typeof localAccounts>,
    clock: ManualClock,
    keys: readonly KnownKey[] | undefined,
    metrics: Metrics,
  ) {
    const errors: string[] = [];
    this.errors = errors;
    this.folder = folder;
    this.store = store;
    this.plane = plane;
    this.accounts = accounts;
    this.clock = clock;
    this.metrics = metrics;
    this.service = new Service({
      reads: plane,
      clock,
      logger: pino({ level: 'error' }, { write: (line: string) => errors.push(line) }),
      observer: this.metrics,
      metrics: async () =>
        this.metrics.scrape({ isDegraded: plane.status().degraded, auditEntries: await store.auditLength() }),
      keyring: new Keyring(
        keys ?? [{ name: 'operator', role: 'operator', sha256: sha256Of(OPERATOR_KEY) }],
        keys === undefined,
      ),
      version: '1.2.3',
      stopwatch: () => clock.now() / 1000,
    });
  }

  /** @param books published before it starts. @param keys without any, reads are open and `OPERATOR_KEY` writes. */
  static async start({
    books = 1,
    keys,
  }: {
    readonly books?: number;
    readonly keys?: readonly KnownKey[];
  } = {}): Promise<TestService> {
    const folder = mkdtempSync(join(tmpdir(), 'plimsoll-http-'));
    const clock = new ManualClock(DECIDED_AT + 60_000);
    const store = SqliteStateStore.open(folder);
    const metrics = new Metrics({ watchList: ['BTCUSDT'], version: '1.2.3' });
    const options = {
      store,
      clock,
      policy: DEFAULT_POLICY,
      priceObserver: metrics,
      listModels: async () => [MODEL],
    };
    const local = localAccounts(folder, clock, DEFAULT_POLICY);
    const plane = await ControlPlane.recover({ ...options, accounts: local.accounts });
    const test = new TestService(folder, store, plane, local, clock, keys, metrics);
    for (let book = 0; book < books; book++) await test.publish();
    const { port } = await test.service.start('127.0.0.1', 0);
    test.url = `http://127.0.0.1:${port}`;
    return test;
  }

  /** Decides from the inputs, makes the book durable and shows it. */
  async publish(inputs: readonly MarketInput[] = marketInputs(), decidedAt?: number): Promise<LimitBook> {
    const previous = this.plane.currentBook();
    const at = decidedAt ?? (previous === null ? DECIDED_AT : previous.decidedAt + HOUR);
    // No book is decided in the future.
    this.clock.set(Math.max(this.clock.now(), at));
    const governance = this.plane.governance.state();
    const book = decideBook(inputs, previous, context({ decidedAt: at, governance }));
    await this.store.publish(book, decisionDraft(book));
    this.plane.show(book, FACTS);
    return book;
  }

  call(path: string, { method = 'GET', headers = {}, body }: Call = {}): Promise<Answer> {
    const isRaw = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
    const bytes = isRaw ? (body ?? '') : JSON.stringify(body);
    const sent: OutgoingHttpHeaders = {
      ...(isRaw ? {} : { 'content-type': 'application/json' }),
      ...(bytes.length === 0 ? {} : { 'content-length': Buffer.byteLength(bytes) }),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(
        this.url,
        { path, method, headers: sent, agent: this.#agent },
        async (incoming) => {
          const chunks: Buffer[] = [];
          for await (const chunk of incoming) chunks.push(chunk);
          const whole = Buffer.concat(chunks);
          const text = whole.toString();
          const isJson = /json/.test(incoming.headers['content-type'] ?? '') && whole.length > 0;
          const isPlain = incoming.headers['content-encoding'] === undefined;
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: whole,
            text,
            json: isJson && isPlain ? JSON.parse(text) : undefined,
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(bytes);
    });
  }

  put(path: string, body: unknown, headers: OutgoingHttpHeaders = OPERATOR): Promise<Answer> {
    return this.call(path, { method: 'PUT', headers, body });
  }

  post(path: string, body: unknown, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.call(path, { method: 'POST', headers, body });
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    await this.service.stop(1000);
    await this.accounts.close();
    await this.store.close();
    rmSync(this.folder, { recursive: true });
  }
}
