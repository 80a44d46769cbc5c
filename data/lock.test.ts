import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { acquireLock, waitForLock } from './lock.ts';

const FIXTURE = fileURLToPath(new URL('./lock-holder.fixture.ts', import.meta.url));

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-lock-'));
  path = join(folder, 'deep', 'work.lock');
});

afterEach(() => rmSync(folder, { recursive: true }));

interface Holder {
  readonly said: string;
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  readonly ended: Promise<void>;
}

/** Another process that tries to take the lock, once it has said how that went. */
async function startHolder(): Promise<Holder> {
  const child = spawn(process.execPath, [FIXTURE, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const said = await new Promise<string>((resolve) =>
    child.stdout.once('data', (chunk) => resolve(String(chunk))),
  );
  return { said: said.trim(), process: child, ended };
}

function failureOf(work: () => unknown): unknown {
  try {
    work();
  } catch (thrown) {
    return thrown;
  }
  return null;
}

test('in one process the lock is had once; released, it can be had again, and a second release does nothing', () => {
  const lock = acquireLock(path, 'an import');
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
  expect(failureOf(() => acquireLock(path, 'an import'))).toMatchObject({
    code: 'LOCKED',
    message: `an import is running already in process ${process.pid}`,
    remedy: 'Wait until it has ended, or use another data folder.',
    details: { processId: process.pid },
  });
  lock.release();
  expect(existsSync(path)).toBe(false);
  const next = acquireLock(path, 'an import');
  lock.release();
  expect(failureOf(() => acquireLock(path, 'an import'))).toMatchObject({ code: 'LOCKED' });
  next.release();
});

test('locks at other paths are other locks', () => {
  const one = acquireLock(path, 'an import');
  const other = acquireLock(join(folder, 'other.lock'), 'a training');
  one.release();
  other.release();
  expect(existsSync(join(folder, 'other.lock'))).toBe(false);
});

describe('a second process', () => {
  test('that holds the lock is named in the refusal; when it lets go, the lock is free', async () => {
    const holder = await startHolder();
    expect(holder.said).toBe('held');
    expect(failureOf(() => acquireLock(path, 'an import'))).toMatchObject({
      code: 'LOCKED',
      message: `an import is running already in process ${holder.process.pid}`,
      details: { processId: holder.process.pid },
    });
    holder.process.stdin.end();
    await holder.ended;
    acquireLock(path, 'an import').release();
  });

  test('that asks for a held lock is refused, and the lock stays with its owner', async () => {
    const lock = acquireLock(path, 'an import');
    const holder = await startHolder();
    await holder.ended;
    expect(holder.said).toBe('LOCKED');
    expect(failureOf(() => acquireLock(path, 'an import'))).toMatchObject({ code: 'LOCKED' });
    expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
    lock.release();
  });

  test('that was killed holds nothing any more, though its name is still there', async () => {
    const holder = await startHolder();
    holder.process.kill('SIGKILL');
    await holder.ended;
    expect(readFileSync(path, 'utf8')).toBe(`${holder.process.pid}\n`);
    const lock = acquireLock(path, 'an import');
    expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
    lock.release();
  });

  test('of several at once after a killed owner exactly one gets the lock', async () => {
    const killed = await startHolder();
    killed.process.kill('SIGKILL');
    await killed.ended;
    const holders = await Promise.all([startHolder(), startHolder(), startHolder()]);
    expect(holders.map(({ said }) => said).sort()).toEqual(['LOCKED', 'LOCKED', 'held']);
    for (const holder of holders) {
      holder.process.stdin.end();
      await holder.ended;
    }
  });
});

test('a process id left by a crash means nothing, be it that of this process, as in a restarted container', () => {
  acquireLock(path, 'an import').release();
  for (const left of [`${process.pid}\n`, `${process.ppid}\n`, '', 'not a number']) {
    writeFileSync(path, left);
    const lock = acquireLock(path, 'an import');
    expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
    lock.release();
  }
});

describe('waiting', () => {
  test('gets the lock as soon as it is let go', async () => {
    const lock = acquireLock(path, 'a write');
    const order: string[] = [];
    const waiting = waitForLock(path, 'a write', 10_000).then((next) => {
      order.push('waited');
      next.release();
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    order.push('released');
    lock.release();
    await waiting;
    expect(order).toEqual(['released', 'waited']);
  });

  test('ends with the refusal when patience does', async () => {
    const lock = acquireLock(path, 'a write');
    await expect(waitForLock(path, 'a write', 40)).rejects.toMatchObject({ code: 'LOCKED' });
    lock.release();
  });
});
