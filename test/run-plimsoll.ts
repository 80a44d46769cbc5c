import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ENTRY = join(import.meta.dirname, '..', 'src', 'cli.ts');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line to its end, as a user's shell does, without any setting of the tester's own environment. */
export function plimsoll(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const child = start(args, environment);
  const output = collect(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...output() }));
  });
}

export interface Served {
  readonly url: string;
  readonly process: ChildProcess;
  /** Resolves when the service says that limits are in force. */
  readonly inForce: Promise<void>;
  stderr(): string;
  /** Sends a signal and waits for the end; resolves with the exit code, null after a kill. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts `plimsoll serve` on a free port and waits until it answers. */
export async function serve(
  dataDir: string,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<Served> {
  const child = start(['serve', '--port', '0', '--data-dir', dataDir, ...args], environment);
  const output = collect(child);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const seen = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(output().stderr);
        if (match !== null) resolve(match);
      };
      child.stderr?.on('data', look);
      child.once('close', (code) =>
        reject(new Error(`the service ended with ${code} before ${pattern}:\n${output().stderr}`)),
      );
      look();
    });
  const inForce = seen(/are in force/).then(() => {});
  // Whoever does not wait for the limits is not told that they never came.
  inForce.catch(() => {});
  const [, url] = await seen(/answers on (http\S+),/);
  return {
    url,
    process: child,
    inForce,
    stderr: () => output().stderr,
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

function start(args: readonly string[], environment: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [ENTRY, ...args], {
    env: { PATH: '/usr/bin:/bin', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function collect(child: ChildProcess): () => { stdout: string; stderr: string } {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  return () => ({ stdout, stderr });
}

/** A service on a folder of its own that has made its first limits, with the key that it printed. */
export async function serveFirst(
  name: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{
  readonly dataDir: string;
  readonly key: string;
  readonly served: Served;
  readonly remove: () => void;
}> {
  const folder = mkdtempSync(join(tmpdir(), `plimsoll-${name}-`));
  const dataDir = join(folder, 'var');
  const served = await serve(dataDir, [], environment);
  await served.inForce;
  const key = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
  return { dataDir, key, served, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
