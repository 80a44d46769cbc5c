import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BarStore } from '../data/bar-store.ts';
import { prepareDatabase } from '../data/postgres/migrate.ts';
import { PostgresStateStore } from '../data/postgres/postgres-state-store.ts';
import { OwnServer, TestDatabase } from '../data/postgres/test-server.ts';
import { TrainingQueue } from '../data/postgres/training-queue.ts';
import { table } from '../src/cli/command.ts';
import { stopwatchSeconds } from '../src/clock.ts';
import { PROGRAM_ROOT } from '../src/program.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';
import { RANDOM_MARKET_START, randomMarket } from '../test/random-market.ts';
import { DEFAULT_GATE_POLICY } from '../training/judge/gate-policy.ts';
import { trainInChildProcess } from '../training/schedule.ts';
import { print } from './measure.ts';

/**
 * One training by one machine's own process, by one worker and by two: `npm run bench -- shared-training [MARKETS] [HOURS]`. All on this
 * machine, with a PostgreSQL of their own; twice, there and back.
 */
const [, , , markets = '12', hours = '12000'] = process.argv;
const END = RANDOM_MARKET_START + Number(hours) * HOUR_MILLISECONDS;
const CLOCK_TICKS = 100;
const root = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'));
const server = await OwnServer.start();
print(`${markets} markets of ${hours} hours, seeds 1, 2, 3, as the schedule trains`);
try {
  const rows: string[][] = [];
  for (const [round, workers] of [0, 1, 2, 2, 1, 0].entries()) {
    const load = loadavg()[0];
    const measured = await (workers === 0 ? alone(`alone-${round}`) : shared(workers, round));
    rows.push([
      workers === 0 ? 'its own process' : `${workers} worker${workers === 1 ? '' : 's'}`,
      measured.seconds.toFixed(1),
      measured.processorSeconds.toFixed(1),
      load.toFixed(1),
      measured.weights.slice(0, 16),
    ]);
  }
  print(table(['trained by', 'seconds', 'processor seconds', 'load before', 'weights'], rows));
} finally {
  await server.stop();
  rmSync(root, { recursive: true, force: true });
}

interface Measured {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly weights: string;
}

async function alone(name: string): Promise<Measured> {
  const dataDir = await folderWith(name);
  const [started, used] = [stopwatchSeconds(), processorSeconds('self')];
  const task = { dataDir, shippedModels: join(root, 'none'), gates: DEFAULT_GATE_POLICY };
  const { version } = await trainInChildProcess(task, new AbortController().signal, () => {});
  const seconds = stopwatchSeconds() - started;
  return { seconds, processorSeconds: processorSeconds('self') - used, weights: weightsOf(dataDir, version) };
}

async function shared(workers: number, round: number): Promise<Measured> {
  const database = await TestDatabase.create({ url: (name) => server.url(name) });
  await prepareDatabase(database.url);
  const queue = await TrainingQueue.open({
    ...{ url: database.url, name: 'bench', works: false, onFailure: () => undefined },
  });
  const store = await PostgresStateStore.open({ url: database.url, name: 'bench', sessions: 1 });
  const folders = await Promise.all(
    Array.from({ length: workers }, (_, i) => folderWith(`worker-${round}-${i}`)),
  );
  const processes = await Promise.all(folders.map((dataDir, i) => startWorker(database.url, dataDir, i)));
  const used = processes.map(({ pid }) => processorSeconds(pid));
  const terms = JSON.stringify({ gates: DEFAULT_GATE_POLICY });
  const started = stopwatchSeconds();
  await queue.ask({ trigger: 'command', why: '', at: END, limitMinutes: 120, terms });
  let [run] = await store.trainingRuns(1);
  while (run.result === 'running') {
    await wait(50);
    [run] = await store.trainingRuns(1);
  }
  const seconds = stopwatchSeconds() - started;
  // Their children count once they have ended.
  await wait(3_000);
  const spent = processes.map(({ pid }, i) => processorSeconds(pid) - used[i]);
  for (const one of processes) one.kill('SIGTERM');
  await Promise.all(processes.map((one) => new Promise((resolve) => one.once('close', resolve))));
  await Promise.all([queue.close(), store.close()]);
  await database.drop();
  if (run.modelVersion === null) throw new Error(run.message);
  const version = run.modelVersion;
  const weights = folders.map((dataDir) => weightsOf(dataDir, version)).find((one) => one !== '') ?? '';
  return { seconds, processorSeconds: spent.reduce((sum, one) => sum + one, 0), weights };
}

async function folderWith(name: string): Promise<string> {
  const dataDir = join(root, name);
  const bars = await BarStore.open(dataDir);
  for (let seed = 1; seed <= Number(markets); seed++) {
    const market = randomMarket({ seed, hours: Number(hours) });
    const series = {
      symbol: market.symbol,
      venue: 'test',
      kind: 'perp',
      intervalMilliseconds: HOUR_MILLISECONDS,
    };
    await bars.writeSeries({ ...series, simulated: true }, market.bars);
  }
  bars.close();
  return dataDir;
}

function startWorker(url: string, dataDir: string, number: number): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [join(PROGRAM_ROOT, 'src', 'cli.ts'), 'serve', '--port', '0', '--data-dir', dataDir],
    {
      env: {
        PATH: '/usr/bin:/bin',
        PLIMSOLL_DATABASE_URL: url,
        PLIMSOLL_ROLE: 'train',
        PLIMSOLL_WORKER_NAME: `bench-${number}`,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
      if (/answers on/.test(said)) resolve(child);
    });
    child.once('close', () => reject(new Error(said)));
  });
}

/** Of a process and of its children that have ended, as Linux counts them. */
function processorSeconds(pid: number | 'self' | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / CLOCK_TICKS;
}

/** Empty where the version is not in this folder. */
function weightsOf(dataDir: string, version: string): string {
  try {
    const bytes = readFileSync(join(dataDir, 'models', 'versions', version, 'weights.bin'));
    return createHash('sha256').update(bytes).digest('hex');
  } catch {
    return '';
  }
}
