import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stopwatchSeconds } from '../../src/clock.ts';
import type { Random } from '../../src/random.ts';
import { type Line, type Switch, Wire } from './lines.fixture.ts';

const FIXTURE = fileURLToPath(new URL('./leading-process.fixture.ts', import.meta.url));

export type Fault = 'kill' | 'pause' | 'cut';

export interface Acknowledged {
  readonly version: number;
  readonly term: number;
}

/** One process of the pair, with what it said. */
class Contender {
  readonly acknowledged: Acknowledged[] = [];
  readonly line: Line;
  /** The term that it leads in, as far as it has said. */
  term: number | null = null;
  isReady = false;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(line: Line) {
    this.line = line;
    const [program, ...args] = [...line.through, process.execPath, FIXTURE, line.url];
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#ended = new Promise((resolve) => this.#child.once('exit', resolve));
    let rest = '';
    this.#child.stdout?.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(line.split(' '));
    });
  }

  static async start(line: Line): Promise<Contender> {
    const contender = new Contender(line);
    while (!contender.isReady) await wait(10);
    return contender;
  }

  #hear([what, first, second]: readonly string[]): void {
    if (what === 'ready') this.isReady = true;
    else if (what === 'leads') this.term = Number(first);
    else if (what === 'lost') this.term = null;
    else if (what === 'published') this.acknowledged.push({ version: Number(first), term: Number(second) });
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
    this.line.close();
  }
}

export interface RoundsReport {
  /** From the fault to the first book of the next leader, seconds, a round each. */
  readonly takeoverSeconds: readonly number[];
  readonly acknowledged: readonly Acknowledged[];
}

/**
 * Two processes that lead in turn; whoever leads meets a fault at a random moment, `rounds` times. One that was paused or cut off
 * comes back once the other has published, and stays as its standby.
 *
 * @param over puts each process into a network namespace; without it each has a wire through this process.
 */
export async function faultRounds(
  url: string,
  fault: Fault,
  rounds: number,
  random: Random,
  over?: Switch,
): Promise<RoundsReport> {
  const start = async (): Promise<Contender> => Contender.start(over?.plug(url) ?? (await Wire.to(url)));
  const pair = [await start(), await start()];
  const gone: Contender[] = [];
  const takeoverSeconds: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const leader = await leaderOf(pair);
      const standby = pair[1 - pair.indexOf(leader)];
      await wait(random.uniform() * 400);
      const term = leader.term ?? 0;
      const since = stopwatchSeconds();
      if (fault === 'kill') await leader.kill();
      else if (fault === 'pause') leader.signal('SIGSTOP');
      else leader.line.cut();
      // Of a term after this one: what a leader published before it was cut off may be told late.
      while ((standby.acknowledged.at(-1)?.term ?? 0) <= term) await wait(5);
      takeoverSeconds.push(stopwatchSeconds() - since);
      if (fault === 'kill') {
        gone.push(leader);
        pair[pair.indexOf(leader)] = await start();
      } else {
        if (fault === 'pause') leader.signal('SIGCONT');
        else leader.line.mend();
        while (leader.term !== null) await wait(10);
      }
    }
    return { takeoverSeconds, acknowledged: [...gone, ...pair].flatMap((one) => one.acknowledged) };
  } finally {
    await Promise.all(pair.map((one) => one.kill()));
  }
}

/** Whoever leads and has published in its term; none of the pair is at fault now. */
async function leaderOf(pair: readonly Contender[]): Promise<Contender> {
  for (;;) {
    const leader = pair.find(({ term, acknowledged }) => term !== null && acknowledged.at(-1)?.term === term);
    if (leader !== undefined) return leader;
    await wait(10);
  }
}
