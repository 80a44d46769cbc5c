import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { SqliteStateStore } from '../../data/sqlite-state-store.ts';
import { decisionDraft } from '../../data/test-books.ts';
import { ModelRegistry } from '../../models/registry.ts';
import { randomMarket } from '../../test/random-market.ts';
import { type Clock, ManualClock } from '../clock.ts';
import { localAccounts } from '../control/accounts/local-accounts.fixture.ts';
import { ControlPlane } from '../control/control-plane.ts';
import type { CycleFacts } from '../control/decision-cycle.ts';
import { limitsEvent } from '../control/feed/feed-event.ts';
import { NOTHING_SEEN } from '../control/nothing-seen.fixture.ts';
import type { ModelSummary } from '../control/reads.ts';
import { trackOf } from '../control/track-point.ts';
import { readTrack } from '../control/track-reading.ts';
import { ForecastWatch } from '../forecast-watch.ts';
import { decideBook } from '../limits/decide.ts';
import type { MarketInput } from '../limits/market-input.ts';
import { DEFAULT_POLICY } from '../limits/policy.ts';
import { context, DECIDED_AT, forecast, HOUR, largeMarket } from '../limits/test-inputs.ts';
import type { LimitBook } from '../limits/types.ts';
import { Metrics } from '../metrics/metrics.ts';
import { BUILT_CONSOLE, SHIPPED_MODELS } from '../program.ts';
import { modelDetail } from '../registry-view.ts';
import type { MarketHistory } from '../risk/bars.ts';
import type { Identities } from './access/identities.ts';
import { type RateLimits, UNLIMITED } from './access/rate-limits.ts';
import { Keyring, type KnownKey } from './auth.ts';
import type { ConnectionPatience } from './bounds.ts';
import { undescribed } from './described.fixture.ts';
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

/** So many large markets, no two alike, for measurements. */
export function manyMarkets(count: number, hourlyTail: number): MarketInput[] {
  return Array.from({ length: count }, (_, m) => {
    const [first] = marketInputs(hourlyTail * (1 + (m % 97) / 200));
    const hourlyVolume = 2e6 * 1.01 ** (m % 400);
    return {
      ...first,
      symbol: `M${String(m).padStart(4, '0')}USDT`,
      liquidity: { hourlyVolume, dailyVolatility: 0.03 + (m % 53) / 1000 },
    };
  });
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

/** Of pino. */
const ERROR_LEVEL = 50;

/** What a start makes, from what the folder holds. */
interface Parts {
  readonly store: SqliteStateStore;
  readonly accounts: ReturnType<typeof localAccounts>;
  readonly plane: ControlPlane;
  readonly service: Service;
  readonly url: string;
}

export class TestService {
  readonly clock = new ManualClock(DECIDED_AT + 60_000);
  readonly metrics = new Metrics({ watchList: ['BTCUSDT'], version: '1.2.3' });
  /** Everything that was logged as an error, and as a warning. */
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  /** What has been read of bars. */
  histories: readonly MarketHistory[] = [
    randomMarket({ symbol: 'BTCUSDT', seed: 5, hours: 30 * 24, start: DECIDED_AT - 29 * 24 * HOUR }),
  ];
  /** Of the store. */
  readonly folder = mkdtempSync(join(tmpdir(), 'plimsoll-http-'));
  readonly #keys: readonly KnownKey[] | undefined;
  readonly #rateLimits: RateLimits;
  readonly #identities: ((clock: Clock) => Identities) | undefined;
  readonly #patience: ConnectionPatience | undefined;
  readonly #agent = new Agent({ keepAlive: true });
  #parts: Parts | undefined;

  private constructor(
    keys: readonly KnownKey[] | undefined,
    rateLimits: RateLimits,
    identities: ((clock: Clock) => Identities) | undefined,
    patience: ConnectionPatience | undefined,
  ) {
    this.#patience = patience;
    this.#keys = keys;
    this.#identities = identities;
    this.#rateLimits = rateLimits;
  }

  /** @param books published before it starts. @param keys without any, reads are open and `OPERATOR_KEY` writes. */
  static async start({
    books = 1,
    keys,
    rateLimits = UNLIMITED,
    identities,
    patience,
  }: {
    readonly books?: number;
    readonly keys?: readonly KnownKey[];
    readonly rateLimits?: RateLimits;
    readonly identities?: (clock: Clock) => Identities;
    readonly patience?: ConnectionPatience;
  } = {}): Promise<TestService> {
    const test = new TestService(keys, rateLimits, identities, patience);
    test.#parts = await test.#open();
    for (let book = 0; book < books; book++) await test.publish();
    return test;
  }

  get store(): SqliteStateStore {
    return this.#running().store;
  }

  get accounts(): ReturnType<typeof localAccounts> {
    return this.#running().accounts;
  }

  get plane(): ControlPlane {
    return this.#running().plane;
  }

  get service(): Service {
    return this.#running().service;
  }

  get url(): string {
    return this.#running().url;
  }

  /** Ends, and starts anew from what is stored. */
  async restart(): Promise<void> {
    await this.#close();
    this.#parts = await this.#open();
  }

  #log(line: string): void {
    const { level } = JSON.parse(line) as { level: number };
    (level >= ERROR_LEVEL ? this.errors : this.warnings).push(line);
  }

  #running(): Parts {
    if (this.#parts === undefined) throw new Error('the service is not open');
    return this.#parts;
  }

  async #open(): Promise<Parts> {
    const { folder, clock, metrics } = this;
    const store = SqliteStateStore.open(folder);
    const accounts = localAccounts(folder, clock, DEFAULT_POLICY);
    const logger = pino({ level: 'warn' }, { write: (line: string) => this.#log(line) });
    const registry = new ModelRegistry(SHIPPED_MODELS, folder);
    const watch = new ForecastWatch({
      ...{ store, registry, metrics, clock, logger },
      ...{ catalogue: async () => [], train: null, triggerHours: 0 },
    });
    const plane = await ControlPlane.recover({
      store,
      clock,
      policy: DEFAULT_POLICY,
      priceObserver: metrics.intake,
      activityObserver: metrics.intake,
      listModels: async () => [MODEL],
      coverage: () => watch.report(),
      modelDetail: async (version) => modelDetail(registry, version, await store.watchEntries('shadow/')),
      readTrack: async (request) => readTrack(this.histories, request),
      promoteModel: async () => 'before',
      accounts: accounts.accounts,
      onFailure: (error) => {
        throw error;
      },
    });
    const service = new Service({
      reads: plane,
      clock,
      logger,
      observer: metrics,
      accessObserver: metrics.access,
      rateLimits: this.#rateLimits,
      answers: store.answers,
      identities: this.#identities?.(clock) ?? null,
      metrics: async (isOpenMetrics) => {
        const live = { isDegraded: plane.status().degraded, auditEntries: await store.auditLength() };
        return metrics.scrape(live, isOpenMetrics);
      },
      keyring: new Keyring(
        this.#keys ?? [{ name: 'operator', role: 'operator', sha256: sha256Of(OPERATOR_KEY) }],
        this.#keys === undefined,
        clock,
      ),
      consoleFolder: BUILT_CONSOLE,
      version: '1.2.3',
      stopwatch: () => clock.now() / 1000,
      ...(this.#patience === undefined ? {} : { patience: this.#patience }),
    });
    const { port } = await service.start({ host: '127.0.0.1', port: 0 });
    return { store, accounts, plane, service, url: `http://127.0.0.1:${port}` };
  }

  /** Decides from the inputs, makes the book durable and shows it. */
  async publish(inputs: readonly MarketInput[] = marketInputs(), decidedAt?: number): Promise<LimitBook> {
    const previous = this.plane.currentBook();
    const at = decidedAt ?? (previous === null ? DECIDED_AT : previous.decidedAt + HOUR);
    // No book is decided in the future.
    this.clock.set(Math.max(this.clock.now(), at));
    const governance = this.plane.governance.state();
    const book = decideBook(inputs, previous, context({ decidedAt: at, governance }));
    const track = trackOf(book.version, book.markets, FACTS.closes, DEFAULT_POLICY);
    await this.store.publish(book, decisionDraft(book), undefined, [limitsEvent(book, previous)], track);
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
          const status = incoming.statusCode ?? 0;
          const json = isJson && isPlain ? JSON.parse(text) : undefined;
          const contentType = incoming.headers['content-type'] ?? '';
          // Whatever a test asks for, what comes must be what the OpenAPI document says.
          const fault = undescribed(method, path, { status, contentType, json });
          if (fault !== '') reject(new Error(fault));
          resolve({
            status,
            headers: incoming.headers,
            body: whole,
            text,
            json,
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
    await this.#close();
    rmSync(this.folder, { recursive: true });
  }

  async #close(): Promise<void> {
    const { service, accounts, plane, store } = this.#running();
    await service.stop(1000);
    await plane.feed.close();
    await accounts.close();
    await store.close();
    this.#parts = undefined;
  }
}
