import { type ChildProcess, spawn } from 'node:child_process';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stopwatchSeconds } from '../../src/clock.ts';
import type { Random } from '../../src/random.ts';

const FIXTURE = fileURLToPath(new URL('./leading-process.fixture.ts', import.meta.url));

export type Fault = 'kill' | 'pause' | 'cut';

export interface Acknowledged {
  readonly version: number;
  readonly term: number;
}

/** A wire that can be cut: then nothing goes either way, and nobody is told. */
class Wire {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #isCut = false;

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ]) {
        this.#sockets.add(one);
        one.on('data', (bytes) => {
          if (!this.#isCut) other.write(bytes);
        });
        one.on('error', () => undefined);
        one.on('close', () => {
          this.#sockets.delete(one);
          if (!this.#isCut) other.destroy();
        });
      }
    });
  }

  static async to(url: string): Promise<{ wire: Wire; url: string }> {
    const near = new URL(url);
    const wire = new Wire(Number(near.port || 5432));
    await new Promise<void>((resolve) => wire.#server.listen(0, '127.0.0.1', resolve));
    near.hostname = '127.0.0.1';
    near.port = String((wire.#server.address() as { port: number }).port);
    return { wire, url: near.href };
  }

  cut(): void {
    this.#isCut = true;
  }

  /** What was open is broken by now, and both ends see it. */
  mend(): void {
    this.#isCut = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.mend();
    this.#server.close();
  }
}

/** One process of the pair, with what it said. */
class Contender {
  readonly acknowledged: Acknowledged[] = [];
  readonly wire: Wire;
  /** The term that it leads in, as far as it has said. */
  term: number | null = null;
  isReady = false;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(wire: Wire, url: string) {
    this.wire = wire;
    this.#child = spawn(process.execPath, [FIXTURE, url], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#ended = new Promise((resolve) => this.#child.once('exit', resolve));
    let rest = '';
    this.#child.stdout?.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(line.split(' '));
    });
  }

  static async start(url: string): Promise<Contender> {
    const { wire, url: near } = await Wire.to(url);
    const contender = new Contender(wire, near);
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
    this.wire.close();
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
 */
export async function faultRounds(
  url: string,
  fault: Fault,
  rounds: number,
  random: Random,
): Promise<RoundsReport> {
  const pair = [await Contender.start(url), await Contender.start(url)];
  const gone: Contender[] = [];
  const takeoverSeconds: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const leader = await leaderOf(pair);
      const standby = pair[1 - pair.indexOf(leader)];
      await wait(random.uniform() * 400);
      const before = standby.acknowledged.length;
      const since = stopwatchSeconds();
      if (fault === 'kill') await leader.kill();
      else if (fault === 'pause') leader.signal('SIGSTOP');
      else leader.wire.cut();
      while (standby.acknowledged.length === before) await wait(5);
      takeoverSeconds.push(stopwatchSeconds() - since);
      if (fault === 'kill') {
        gone.push(leader);
        pair[pair.indexOf(leader)] = await Contender.start(url);
      } else {
        if (fault === 'pause') leader.signal('SIGCONT');
        else leader.wire.mend();
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
