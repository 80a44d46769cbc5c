import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopwatchSeconds } from '../src/clock.ts';
import { median, print } from './measure.ts';

/** Starts: of the command line from sources and from `dist` against bare Node, and of the service until limits are in force. */
const ROUNDS = 5;
const ROOT = join(import.meta.dirname, '..');

const bare = await timed(() => run(['-e', '0']));
print(`node -e 0                     ${bare.toFixed(2)} s`);
for (const entry of ['src/cli.ts', 'dist/src/cli.js'].filter((file) => existsSync(join(ROOT, file)))) {
  const seconds = await timed(() => run([join(ROOT, entry), '--help']));
  print(
    `${`${entry} --help`.padEnd(29)} ${seconds.toFixed(2)} s, ${(seconds / bare).toFixed(1)} × bare Node`,
  );
}
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-start-'));
let number = 0;
const first = await timed(() => serveOnce(join(folder, String(number++))));
print(`first start, until in force   ${first.toFixed(2)} s, ${(first / bare).toFixed(1)} × bare Node`);
const second = await timed(() => serveOnce(join(folder, '0')));
print(`later start, until in force   ${second.toFixed(2)} s, ${(second / bare).toFixed(1)} × bare Node`);
rmSync(folder, { recursive: true });

async function timed(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = stopwatchSeconds();
    await work();
    times.push(stopwatchSeconds() - started);
  }
  return median(times);
}

function run(args: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    spawn(process.execPath, args, { stdio: 'ignore' }).once('close', () => resolve());
  });
}

/** Times the start alone: the end is waited for in the background of the next one. */
function serveOnce(dataDir: string): Promise<void> {
  const child = spawn(
    process.execPath,
    [join(ROOT, 'src/cli.ts'), 'serve', '--port', '0', '--data-dir', dataDir],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  return new Promise((resolve) => {
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
      if (!text.includes('are in force')) return;
      child.kill('SIGKILL');
      resolve();
    });
  });
}
