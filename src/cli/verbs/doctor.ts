import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, totalmem } from 'node:os';
import { BarStore } from '../../../data/bar-store.ts';
import { ModelRegistry } from '../../../models/registry.ts';
import { type Config, loadConfig } from '../../config.ts';
import { asPlimsollError } from '../../errors.ts';
import { openStore } from '../../opened-store.ts';
import { SHIPPED_MODELS } from '../../program.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';

interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'note' | 'lacking';
  readonly detail: string;
}

const LEAST_NODE_MAJOR = 24;
const LEAST_FREE_BYTES = 2e9;
const LEAST_MEMORY_BYTES = 2e9;

/** Looks at everything that a start needs. Exit code 1 when something is lacking. */
export async function doctor(context: CliContext, { json, ...flags }: CommonOptions): Promise<void> {
  const { values: config } = loadConfig(flags);
  const checks: (readonly [string, () => Promise<Omit<Finding, 'what'>>])[] = [
    ['node', async () => checkNode()],
    ['memory', async () => checkMemory()],
    ['data folder', () => checkFolder(config)],
    ['market data', () => checkMarketData(config)],
    ['model backend', checkBackend],
    ['champion', () => checkChampion(config)],
    ['port', () => checkPort(config)],
    ...(config.databaseUrl === null ? [] : [['database', () => checkDatabase(config)] as const]),
    ...(config.natsUrl === null
      ? []
      : [['streams', () => checkStreams(config, config.natsUrl ?? '')] as const]),
  ];
  const findings: Finding[] = [];
  for (const [what, check] of checks) {
    const found = await check().catch((thrown) => {
      const { message, remedy } = asPlimsollError(thrown);
      return { state: 'lacking' as const, detail: `${message}${remedy === undefined ? '' : `. ${remedy}`}` };
    });
    findings.push({ what, ...found });
  }
  if (json === true) context.printJson({ findings });
  else
    context.print(
      table(
        ['what', 'state', 'detail'],
        findings.map(({ what, state, detail }) => [what, state, detail]),
      ),
    );
  if (findings.some(({ state }) => state === 'lacking')) context.setExitCode(1);
}

function checkNode(): Omit<Finding, 'what'> {
  const major = Number(process.versions.node.split('.')[0]);
  const detail = `${process.version} on ${process.platform} ${process.arch}, ${availableParallelism()} processors`;
  if (major >= LEAST_NODE_MAJOR) return { state: 'ok', detail };
  return {
    state: 'lacking',
    detail: `${detail}; Node ${LEAST_NODE_MAJOR} or newer is needed: run it through npm`,
  };
}

function checkMemory(): Omit<Finding, 'what'> {
  const detail = `${(totalmem() / 1e9).toFixed(1)} GB`;
  return totalmem() >= LEAST_MEMORY_BYTES
    ? { state: 'ok', detail }
    : { state: 'lacking', detail: `${detail}; ${LEAST_MEMORY_BYTES / 1e9} GB are needed` };
}

async function checkFolder({ dataDir }: Config): Promise<Omit<Finding, 'what'>> {
  await mkdir(dataDir, { recursive: true });
  await access(dataDir, constants.W_OK);
  const { bavail, bsize } = await statfs(dataDir);
  const free = bavail * bsize;
  const detail = `${dataDir} is writable, ${(free / 1e9).toFixed(1)} GB free`;
  return free >= LEAST_FREE_BYTES
    ? { state: 'ok', detail }
    : { state: 'lacking', detail: `${detail}; ${LEAST_FREE_BYTES / 1e9} GB are needed` };
}

async function checkMarketData({ dataDir, sampleMarket }: Config): Promise<Omit<Finding, 'what'>> {
  const store = await BarStore.open(dataDir);
  try {
    const series = await store.catalogue();
    const real = series.filter(({ simulated }) => !simulated);
    if (real.length > 0) return { state: 'ok', detail: `${real.length} imported series` };
    if (sampleMarket)
      return { state: 'note', detail: 'nothing imported: the service serves simulated markets' };
    return { state: 'lacking', detail: 'nothing imported, and simulated markets are switched off' };
  } finally {
    store.close();
  }
}

async function checkBackend(): Promise<Omit<Finding, 'what'>> {
  const { readyBackend } = await import('../../forecast/network.ts');
  const backend = await readyBackend();
  return backend === 'cpu'
    ? { state: 'note', detail: 'plain JavaScript: WebAssembly is not to be had, training is slow' }
    : { state: 'ok', detail: backend };
}

async function checkChampion({ dataDir }: Config): Promise<Omit<Finding, 'what'>> {
  const registry = new ModelRegistry(SHIPPED_MODELS, dataDir);
  const version = await registry.versionOf('champion');
  if (version === null) return { state: 'note', detail: 'none: the classical predictors decide' };
  await registry.load(version);
  return { state: 'ok', detail: `${version} loads and repeats its own forecast` };
}

async function checkDatabase(config: Config): Promise<Omit<Finding, 'what'>> {
  const { store } = await openStore(config, { name: 'doctor', sessions: 1 });
  try {
    const book = await store.latestBook();
    const detail =
      book === null ? 'answers; nothing is published' : `answers; book ${book.version} is in force`;
    return { state: 'ok', detail };
  } finally {
    await store.close();
  }
}

/** Makes nothing there. */
async function checkStreams(
  { natsCredentials: credentials }: Config,
  url: string,
): Promise<Omit<Finding, 'what'>> {
  const { NatsWay } = await import('../../../data/nats/connection.ts');
  const way = await NatsWay.open({ url, credentials }, 'doctor');
  await way.close();
  return { state: 'ok', detail: `${way.where} answers, with JetStream` };
}

async function checkPort({ host, port }: Config): Promise<Omit<Finding, 'what'>> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ message }) =>
      resolve({ state: 'note', detail: `${host}:${port} is not free (${message}): is a service running?` }),
    );
    server.listen(port, host, () =>
      server.close(() => resolve({ state: 'ok', detail: `${host}:${port} is free` })),
    );
  });
}
