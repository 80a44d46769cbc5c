import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';

const isThere = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/** Both come with Debian's package `prometheus`; without it their tests are skipped, and the gate installs it. */
export const hasPrometheus = isThere('prometheus') && isThere('promtool');
export const WHERE = hasPrometheus ? '' : ' (SKIPPED: Debian package prometheus is not installed)';

export interface Checked {
  readonly code: number | null;
  readonly output: string;
}

/** Runs promtool to its end. */
export function promtool(args: readonly string[], input = '', cwd?: string): Checked {
  const { status, stdout, stderr } = spawnSync('promtool', args, {
    input,
    encoding: 'utf8',
    timeout: 60_000,
    ...(cwd === undefined ? {} : { cwd }),
  });
  return { code: status, output: stdout + stderr };
}

export interface RunningPrometheus {
  /** The `data` of an answer of its API. */
  ask<T>(path: string): Promise<T>;
  end(): Promise<void>;
}

/** Starts a Prometheus that scrapes a service every second and loads rules; all that it keeps is in a folder that goes with it. */
export async function startPrometheus(
  target: string,
  ruleFiles: readonly string[],
): Promise<RunningPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-prometheus-'));
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: [{ job_name: 'plimsoll', static_configs: [{ targets: [target] }] }],
  };
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      // Its pages are not used, and where Debian puts them is nobody's business here.
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const ended = once(child, 'close');
  const ask = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://${address}${path}`);
    const answer = (await response.json()) as { status: string; data: T; error?: string };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; ; tries++) {
    const isReady = await fetch(`http://${address}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return { ask, end };
    if (child.exitCode !== null || tries > 300) {
      await end();
      throw new Error(`Prometheus did not start:\n${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
