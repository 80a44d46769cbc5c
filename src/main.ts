import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ensureCheckpointKey } from '../data/checkpoint-key.ts';
import { type HeldLock, waitForLock } from '../data/lock.ts';
import { ensureOperatorKey, type OperatorKey } from '../data/operator-key.ts';
import { changeListener } from '../data/postgres/change-listener.ts';
import { SeriesFiles } from '../data/series-files.ts';
import { SigningSecrets } from '../data/signing-secret.ts';
import { ModelRegistry } from '../models/registry.ts';
import { ChainVerifier } from './chain-verifier.ts';
import { type Clock, stopwatchSeconds } from './clock.ts';
import { type Config, isLoopback } from './config.ts';
import { KeyWatch } from './control/access/key-watch.ts';
import { accountsElsewhere } from './control/accounts/no-accounts.ts';
import { ControlPlane } from './control/control-plane.ts';
import { SHADOW_ENTRIES } from './control/shadow-watch.ts';
import { StorageWatch } from './control/storage-watch.ts';
import { WorkerProposer } from './control/worker-proposer.ts';
import { startDeciding } from './deciding.ts';
import type { DecisionWorkerData } from './decision-worker.ts';
import { asPlimsollError, PlimsollError } from './errors.ts';
import { ForecastWatch } from './forecast-watch.ts';
import { Identities } from './http/access/identities.ts';
import { keyringOf } from './http/auth.ts';
import { believedPrices } from './http/price-routes.ts';
import { Service } from './http/service.ts';
import { startAccounts } from './kept-accounts.ts';
import { Leading } from './leading.ts';
import type { LimitBook } from './limits/types.ts';
import { Metrics } from './metrics/metrics.ts';
import { promoteModel } from './model-promotion.ts';
import { openStore } from './opened-store.ts';
import { BUILT_CONSOLE, PROGRAM_VERSION, SHIPPED_MODELS, siblingUrl } from './program.ts';
import { modelDetail, modelSummaries } from './registry-view.ts';
import { governanceTeller, modelTeller } from './service-log.ts';
import { SharedModels } from './shared-models.ts';
import { followerOf, leadershipOf, notLeading, requireOwnCheckpoints } from './shared-store.ts';
import { openTrainingQueue, trainingsOf } from './shared-training.ts';
import { decisionSpan, requestSpan, SpanExport } from './spans.ts';
import { Streams, sourceOf } from './streams.ts';

export interface ServiceInput {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long to wait for the data folder where another service still has it; 0 to be refused at once. */
  readonly waitMilliseconds?: number;
}

export interface RunningService {
  readonly url: string;
  /** The operator key of the data folder; null where keys are configured instead. */
  readonly operatorKey: OperatorKey | null;
  /** Resolves with the first book that is in force: at once where one was stored. */
  readonly firstBook: Promise<LimitBook>;
  /** Lets requests and a running publication end, then closes everything. Nothing acknowledged is lost. */
  stop(): Promise<void>;
}

const DRAIN_MILLISECONDS = 10_000;
/** A process that was killed lets go of the lead within this. */
const ALONE_MILLISECONDS = 10_000;
/** Large enough that a disk on which it has room has room for a decision too. */
const PROBE = '.'.repeat(256 * 1024);

/**
 * Wires the service and starts it: every start is a recovery from the data folder. It answers as soon as this returns;
 * limits come with the first book.
 *
 * @throws PlimsollError LOCKED when another service has the data folder, CONFIG_INVALID, STORE_DAMAGED.
 */
export async function startService(input: ServiceInput): Promise<RunningService> {
  const { config } = input;
  makeFolder(config.dataDir);
  const lock = await waitForLock(
    join(config.dataDir, 'service.lock'),
    'a service',
    input.waitMilliseconds ?? 0,
  );
  const undo: (() => unknown)[] = [() => lock.release()];
  try {
    return await start(input, lock, undo);
  } catch (thrown) {
    for (const step of undo.reverse()) await step();
    throw thrown;
  }
}

async function start(
  { config, clock, logger }: ServiceInput,
  lock: HeldLock,
  undo: (() => unknown)[],
): Promise<RunningService> {
  const { role, databaseUrl } = config;
  const mayDecide = role === 'all' || role === 'decide';
  const keepsAccounts = role === 'all' || role === 'accounts';
  const needsKeys = config.keys.length > 0 || config.requireKeys || config.identity !== null;
  const operatorKey = needsKeys ? null : await ensureOperatorKey(config.dataDir);
  const signer = mayDecide ? await ensureCheckpointKey(config.dataDir) : undefined;
  const metrics = new Metrics({ watchList: config.watchList, version: PROGRAM_VERSION });
  const leadership = databaseUrl !== null && mayDecide ? leadershipOf(databaseUrl, role) : null;
  const leads = (): boolean =>
    leadership === null ? databaseUrl === null : leadership.candidate.term() !== null;
  const streams =
    config.natsUrl === null ? null : await Streams.open(config, config.natsUrl, keepsAccounts, logger);
  undo.push(() => streams?.stop());
  const { store, shared } = await openStore(config, {
    ...(signer === undefined ? {} : { signer }),
    ...(keepsAccounts ? { source: sourceOf(config, streams) } : {}),
    name: role,
    inputsKeptDays: config.inputsKeptDays,
    term: () => leadership?.candidate.term() ?? null,
    mayMigrate: true,
  });
  undo.push(() => store.close());
  if (shared !== null && signer !== undefined) await requireOwnCheckpoints(shared, config.dataDir, signer);
  if (leadership !== null) {
    undo.push(() => leadership.candidate.stop());
    leadership.candidate.start();
    if (role === 'all') await leadership.alone(ALONE_MILLISECONDS);
  }
  const registry = new ModelRegistry(SHIPPED_MODELS, config.dataDir);
  const models =
    databaseUrl === null ? null : new SharedModels({ url: databaseUrl, registry, logger, leads });
  undo.push(() => models?.stop());
  await models?.look();
  models?.start();
  const workers =
    databaseUrl === null || role !== 'decide' ? null : await openTrainingQueue(databaseUrl, 'jobs', logger);
  undo.push(() => workers?.close());
  const proposer = new WorkerProposer(siblingUrl(import.meta.url, 'decision-worker'), workerDataOf(config));
  undo.push(() => proposer.close());
  const keptAccounts = startAccounts({
    ...{ config, clock, logger, metrics, streams, keepsAccounts },
  });
  undo.push(() => keptAccounts.stop());
  const { accounts, thread: accountThread } = keptAccounts;
  if (streams !== null && accountThread !== null) {
    streams.keepAccounts(accountThread);
    if (role === 'all') await streams.alone(ALONE_MILLISECONDS);
  }
  const series = new SeriesFiles(config.dataDir);
  const usersSeen = shared === null ? 0 : (await shared.heads()).users;
  /** Whoever does not decide reads what the watch of the one that does has stored. */
  const forecasts = (): ForecastWatch =>
    new ForecastWatch({
      ...{ store, registry, metrics, clock, logger },
      catalogue: async () => [],
      train: null,
      triggerHours: 0,
    });
  const control = await ControlPlane.recover({
    store,
    accounts,
    onFailure: (err) =>
      logger.error({ err }, 'what is pushed is behind; it is tried again with the next event'),
    clock,
    policy: config.policy,
    governanceObserver: governanceTeller(logger, metrics),
    get preview() {
      return leads() ? proposer.preview : null;
    },
    readTrack: proposer.readTrack,
    priceObserver: metrics.intake,
    activityObserver: metrics.intake,
    leads,
    decides: mayDecide,
    storeReasons: () => [follower?.reason ?? [], streams?.reason() ?? []].flat(),
    promoteModel: async (version, actor, reason) => {
      const shadowed = await store.watchEntries(SHADOW_ENTRIES);
      const promote = (): Promise<string | null> =>
        promoteModel({
          ...{ registry, version, actor, reason, at: clock.now(), shadow: shadowed },
          hasRealMarkets: async () => (await series.manifests()).some(({ simulated }) => !simulated),
          appendAudit: (draft) => store.appendAudit(draft),
        });
      const previous = await (models === null ? promote() : models.promoting(promote));
      leading.wake();
      return previous;
    },
    listModels: async () => modelSummaries(registry, await store.watchEntries(SHADOW_ENTRIES)),
    coverage: () => leading.coverage() ?? forecasts().report(),
    modelDetail: async (version) => modelDetail(registry, version, await store.watchEntries(SHADOW_ENTRIES)),
  });
  proposer.whenCorrelated((correlations) => control.correlated(correlations));
  const recovered = control.currentBook();
  if (recovered !== null) metrics.bookInForce(recovered);
  if (signer !== undefined) {
    await store.appendAudit(startEntry(config, clock, recovered, signer.keyId));
    await store.appendCheckpoint(clock.now());
  }
  const tellModel = modelTeller(registry, metrics);
  await tellModel(recovered?.model ?? null);
  const follower = shared === null ? null : followerOf(shared, control, usersSeen, logger, metrics);
  if (streams !== null) void control.feed.pump();
  streams?.judgePrices((text) => believedPrices(control.prices, text, clock.now()));
  control.onPublish((book) => {
    if (leads()) streams?.show(book);
    if (leads()) return;
    metrics.bookInForce(book);
    void tellModel(book.model);
  });
  const leading = new Leading(
    async () => {
      await follower?.look();
      return startDeciding({
        ...{ config, clock, logger, metrics, store, control, registry, series, proposer, tellModel },
        refresh: async () => follower?.look(),
        trainings: () => trainingsOf(workers, models, { store, metrics, clock, logger, config }),
        onDecided: (book, facts) => spans?.add(decisionSpan(book, facts, clock.now())),
        onFailed: (error) => storage.failed(asPlimsollError(error)),
      });
    },
    (err) => logger.error({ err }, 'deciding could not begin, or end; it is tried again'),
  );
  const identities = identitiesOf(config.identity, clock);
  const keyring = keyringOf(config.keys, operatorKey?.hash ?? null, clock, identities !== null);
  const keyWatch = new KeyWatch({
    store: store.keys,
    unseal: async ({ id }, sealed) => (await SigningSecrets.open(config.dataDir)).unseal(sealed, id),
    onKeys: (known, hasAny) => keyring.useStored(known, hasAny),
    onFailure: (err) => logger.error({ err }, 'the stored keys cannot be read; those that are known stay'),
  });
  await keyWatch.start();
  undo.push(() => keyWatch.stop());
  /** What the leader does on NATS. */
  const lead = async (isLeading: boolean): Promise<void> => {
    const current = control.currentBook();
    if (isLeading && current !== null) streams?.show(current);
    await streams?.leads(isLeading);
  };
  let auditEntries = await store.auditLength();
  const { traceEndpoint: endpoint } = config;
  const spans = endpoint === null ? null : new SpanExport({ endpoint, version: PROGRAM_VERSION, logger });
  const storage = new StorageWatch({
    probe: () => store.putWatchEntries([{ name: 'storage.probe', body: PROBE }]),
    onChange: (isFailing) => {
      control.storageFailing(isFailing);
      metrics.storage.failing(isFailing);
      if (isFailing) logger.error('nothing can be stored: writes are refused, reads go on');
      else logger.info('what comes in can be stored again');
      // What was decided meanwhile could not be published.
      if (!isFailing) leading.wake();
    },
  });
  undo.push(() => storage.stop());
  const service = new Service({
    reads: control,
    ...(spans === null
      ? {}
      : { onTraced: (trace, answered) => spans.add(requestSpan(trace, answered, clock.now())) }),
    onFault: (failure) => storage.failed(failure),
    clock,
    logger,
    observer: metrics,
    accessObserver: metrics.access,
    rateLimits: config.rateLimits,
    answers: store.answers,
    metrics: async (isOpenMetrics) => {
      metrics.governance.observe(control.governance.state(), control.governance.time());
      await accounts.summary().then(
        (summary) => metrics.accounts.observe(summary),
        () => undefined,
      );
      metrics.store.streamed(streams?.reason() ?? null, streams?.keeps ?? false, streams?.partitions ?? 0);
      // While the store is away its last length stays.
      auditEntries = await store.auditLength().catch(() => auditEntries);
      return metrics.scrape({ isDegraded: control.status().degraded, auditEntries }, isOpenMetrics);
    },
    keyring,
    identities,
    ...(shared === null
      ? {}
      : { claimNonce: (nonce, until) => shared.claimNonce(nonce, until, clock.now()) }),
    refusalOf: (needs) => {
      if (needs === 'accounts') return (accountThread ?? streams) ? null : accountsElsewhere();
      return leads() ? null : notLeading();
    },
    consoleFolder: BUILT_CONSOLE,
    version: PROGRAM_VERSION,
    stopwatch: stopwatchSeconds,
  });
  const url = await listen(service, config);
  lock.announce(url);
  const firstBook = firstBookOf(control);
  const listener = databaseUrl === null ? null : changeListener(databaseUrl, () => follower?.wake());
  follower?.start();
  listener?.start();
  leadership?.whenChanged((term, reason) => {
    metrics.store.led(term);
    if (term === null) logger.warn({ reason }, 'this process no longer decides');
    else logger.info({ term }, 'this process decides');
    void leading.set(term !== null);
    void lead(term !== null);
  });
  if (databaseUrl === null) {
    metrics.store.led(1);
    await leading.set(true);
    await lead(true);
  }
  const verifier = mayDecide ? new ChainVerifier({ config, metrics, clock, logger }) : null;
  verifier?.start();

  return {
    url,
    operatorKey,
    firstBook,
    stop: async () => {
      keyWatch.stop();
      storage.stop();
      service.drain();
      if (config.drainSeconds > 0) await setTimeout(config.drainSeconds * 1000);
      leadership?.whenChanged(() => undefined);
      await streams?.stopTaking();
      // A proposal that runs is given up: nothing of it was shown or stored. A publication comes to its end.
      await Promise.all([
        leading.set(false),
        verifier?.stop(),
        service.stop(DRAIN_MILLISECONDS),
        proposer.close(),
      ]);
      await Promise.all([leadership?.candidate.stop(), listener?.stop(), follower?.stop()]);
      await Promise.all([models?.stop(), workers?.close()]);
      await control.feed.close();
      await keptAccounts.stop();
      await streams?.stop();
      await spans?.stop();
      if (signer !== undefined)
        await store
          .appendCheckpoint(clock.now())
          .catch((err) => logger.error({ err }, 'the last checkpoint could not be written'));
      await store.close();
      lock.release();
    },
  };
}

/** @returns where it answers. @throws PlimsollError CONFIG_INVALID. */
async function listen(service: Service, config: Config): Promise<string> {
  const { listenDescriptor: descriptor, keys, requireKeys, identity } = config;
  const { address, port } = await service.start(descriptor === null ? config : { descriptor });
  // The host that was configured is not that of a socket which was handed over.
  if (!isLoopback(address) && keys.length === 0 && identity === null && !requireKeys) {
    await service.stop(0);
    throw new PlimsollError('CONFIG_INVALID', `the socket at ${address} can be reached from other machines`, {
      remedy: 'Set PLIMSOLL_KEYS, or PLIMSOLL_REQUIRE_KEYS=true and plimsoll keys add.',
    });
  }
  const host = descriptor === null ? config.host : address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function makeFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
  } catch (cause) {
    throw new PlimsollError('CONFIG_INVALID', `the data folder ${dataDir} cannot be made`, {
      remedy: 'Choose a folder that this user may write: --data-dir, or PLIMSOLL_DATA_DIR.',
      cause,
    });
  }
}

function workerDataOf({ dataDir, sampleMarket, policy, logLevel }: Config): DecisionWorkerData {
  return { config: { dataDir, sampleMarket, policy, logLevel }, shippedModels: SHIPPED_MODELS };
}

function startEntry(config: Config, clock: Clock, recovered: LimitBook | null, checkpointKey: string) {
  const reason = recovered === null ? 'first start' : `recovered book ${recovered.version}`;
  const details = { version: PROGRAM_VERSION, policy: config.policy.name, checkpointKey };
  return { at: clock.now(), kind: 'start', actor: 'service', subject: 'service', reason, details } as const;
}

/** @throws PlimsollError CONFIG_INVALID where the file of the issuer's keys cannot be read. */
function identitiesOf(identity: Config['identity'], clock: Clock): Identities | null {
  if (identity === null) return null;
  const { issuer, audience, jwksUrl, jwksFile = '', roleClaim, roles = null } = identity;
  try {
    const keys = jwksUrl === undefined ? JSON.parse(readFileSync(jwksFile, 'utf8')) : new URL(jwksUrl);
    return new Identities({ issuer, audience, keys, roleClaim, roles, clock });
  } catch (cause) {
    throw new PlimsollError('CONFIG_INVALID', `identity: the keys in ${jwksFile} cannot be read`, {
      remedy: "Give a JSON Web Key Set, the issuer's public keys.",
      cause,
    });
  }
}

function firstBookOf(control: ControlPlane): Promise<LimitBook> {
  const current = control.currentBook();
  if (current !== null) return Promise.resolve(current);
  return new Promise((resolve) => {
    const forget = control.onPublish((book) => {
      forget();
      resolve(book);
    });
  });
}
