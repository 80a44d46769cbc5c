import { existsSync } from 'node:fs';
import { table } from '../src/cli/command.ts';
import { type SimulationResult, simulate } from '../test/simulation/year.ts';
import { megabytes, print } from './measure.ts';

/**
 * A simulated year of the service: every invariant at every moment, with a seed that repeats it.
 *
 *     npm run bench -- year [SEED] [DAYS] [INTENSITY]
 */
const SEED = Number(process.argv[3] ?? 1);
const DAYS = Number(process.argv[4] ?? 365);
const INTENSITY = Number(process.argv[5] ?? 1);
const SHOWN_DAYS = 30;
/** Memory that looks like a disk: what survives a crash is decided by the simulation, and not by when a disk flushes. */
const MEMORY_DISK = '/dev/shm';

let peak = 0;
const since = performance.now();
const result = await simulate({
  seed: SEED,
  days: DAYS,
  intensity: INTENSITY,
  ...(existsSync(MEMORY_DISK) ? { parent: MEMORY_DISK } : {}),
  onDay: (day, { checks }) => {
    peak = Math.max(peak, process.memoryUsage.rss());
    if (day % SHOWN_DAYS === 0 && day < DAYS)
      process.stderr.write(`day ${day}: ${checks.decisions} decisions, ${seconds().toFixed(0)} s\n`);
  },
});

print(table(['seed', 'what', 'number'], rowsOf(result)));
for (const { invariant, fault } of result.violations) print(`VIOLATED ${invariant}: ${fault}`);
if (result.violations.length > 0) {
  print('what came before, the newest last:');
  for (const line of result.trace) print(line);
  process.exitCode = 1;
}

function seconds(): number {
  return (performance.now() - since) / 1000;
}

/** Of all threads: on a machine that others use, the one to compare. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function rowsOf(of: SimulationResult): string[][] {
  const { observations, ofForecasts, ofMargins } = of.exceedances;
  const share = (count: number): string => `${((100 * count) / Math.max(1, observations)).toFixed(2)} %`;
  const rows: readonly (readonly [string, number | string])[] = [
    ['days', of.days],
    ['intensity', INTENSITY],
    ['decisions', of.decisions],
    ...Object.entries(of.moves).map(([move, count]) => [`moves of markets: ${move}`, count] as const),
    ['crashes', of.crashes],
    ['failed cycles', of.failedCycles],
    ['steps of people', of.steps],
    ['steps refused', of.refusals],
    ['requests repeated', of.retries],
    ['user policies', of.userPolicies],
    ['model failures', of.modelFailures],
    ['lies fed', [...of.lies.values()].reduce((sum, count) => sum + count, 0)],
    ['events told', of.events],
    ['losses judged', observations],
    ['beyond 99 % VaR', share(ofForecasts)],
    ['beyond initial margin', share(ofMargins)],
    ['decisions replayed', of.replays],
    ['invariants checked', of.asked],
    ['violations', of.violations.length],
    ['seconds', seconds().toFixed(0)],
    ['seconds of processor', processorSeconds().toFixed(0)],
    ['most memory', megabytes(peak)],
    ['hash of the last book', of.hash.slice(0, 16)],
  ];
  return rows.map(([what, number]) => [String(of.seed), what, String(number)]);
}
