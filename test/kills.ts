import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Random } from '../src/random.ts';

/**
 * How often the suite kills a process (SIGKILL) in the midst of each kind of work. Each test kills just as often and says so;
 * `kills.test.ts` adds them up.
 */
export const KILLS = {
  publication: 72,
  accounts: 44,
  promotion: 24,
  training: 52,
  import: 8,
  service: 8,
  shard: 6,
} as const;

export type KilledWork = keyof typeof KILLS;

/** A start is half as long with it. Fixtures write it out when they have begun, because what is killed does not. */
const COMPILE_CACHE = join(import.meta.dirname, '..', 'node_modules', '.cache', 'plimsoll-tests');

/** `FAULT_SEED=7 npx vitest run …` draws other moments. */
const SEED = process.env.FAULT_SEED ?? '20240101';

/** Draws the moments of one kind of work, and prints the seed with which they come again. */
export function killMoments(work: KilledWork, lane = 0): Random {
  say(`${work}, lane ${lane}: moments of FAULT_SEED=${SEED}`);
  return new Random(`kill ${work} ${lane} ${SEED}`);
}

/** Says how many kills were really made. A child that ended by itself before its kill is none. */
export function sayKills(work: KilledWork, made: number): void {
  say(`${work}: ${made} processes were killed`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

export interface KilledRun {
  /** Whole lines that it printed: what it has acknowledged. */
  readonly lines: readonly string[];
  /** False where it had ended before. */
  readonly wasKilled: boolean;
}

/**
 * Runs a fixture process and kills it with SIGKILL some milliseconds after its start, or after it has printed so many lines.
 *
 * @throws where it is to be killed and ends with a failure of its own before.
 */
export async function runAndKill(
  fixture: string,
  args: readonly string[],
  { afterLines, milliseconds }: { readonly afterLines: number; readonly milliseconds: number },
): Promise<KilledRun> {
  const child = spawn(process.execPath, [fixture, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  let output = '';
  let seen = 0;
  const ended = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) =>
    child.on('close', (code, signal) => resolve([code, signal])),
  );
  const printed = new Promise<void>((resolve) => {
    if (afterLines === 0) resolve();
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
      for (const byte of chunk) if (byte === 10) seen++;
      if (seen >= afterLines) resolve();
    });
  });
  await Promise.race([printed, ended]);
  await Promise.race([wait(milliseconds), ended]);
  child.kill('SIGKILL');
  const [code, signal] = await ended;
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`${fixture} ended with ${code} before its kill`);
  return { lines: output.split('\n').slice(0, -1), wasKilled: signal === 'SIGKILL' };
}

/** Runs a piece of work in two lanes at once, each with its share of the kills. @returns how many were made in all. */
export async function inLanes(
  work: KilledWork,
  run: (lane: number, kills: number, moments: Random) => Promise<number>,
): Promise<number> {
  const share = KILLS[work] / 2;
  const made = await Promise.all([0, 1].map((lane) => run(lane, share, killMoments(work, lane))));
  const total = made[0] + made[1];
  sayKills(work, total);
  return total;
}
