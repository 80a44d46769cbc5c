import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SqliteAccountStore } from '../../../data/sqlite-account-store.ts';
import type { Intervention } from '../../accounts/interventions/intervention.ts';
import { Random } from '../../random.ts';
import { deskOn, STEPS, step } from './day-of-ticks.fixture.ts';

const FIXTURE = fileURLToPath(new URL('./ticking-process.fixture.ts', import.meta.url));
const SNAPSHOT_BYTES = 20_000;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-accounts-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Lives on from a minute; killed after some milliseconds, counted from its start or its first acknowledgement. */
async function runAndKill(from: number, delay: number, isDuringStart: boolean): Promise<number> {
  const args = [FIXTURE, folder, String(from), String(SNAPSHOT_BYTES)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const first = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      resolve();
    });
  });
  if (!isDuringStart) await Promise.race([first, ended]);
  await Promise.race([wait(delay), ended]);
  child.kill('SIGKILL');
  await ended;
  const whole = output.split('\n').slice(0, -1);
  return whole.length === 0 ? from - 1 : Number(whole.at(-1));
}

function allOf(store: SqliteAccountStore): readonly Intervention[] {
  return store.interventionsAfter(0, 1_000_000);
}

test('kill -9 at any moment of a day of ticks: the same accounts, and the same interventions, each once', async () => {
  const random = new Random(7);
  let acknowledged = -1;
  let kills = 0;
  while (acknowledged < STEPS - 1) {
    const isDuringStart = kills % 5 === 4;
    const delay = random.uniform() * (isDuringStart ? 250 : 120);
    acknowledged = await runAndKill(acknowledged + 1, delay, isDuringStart);
    kills++;
  }
  const store = SqliteAccountStore.open(folder);
  const desk = deskOn(store, SNAPSHOT_BYTES);

  const undisturbed = mkdtempSync(join(tmpdir(), 'plimsoll-accounts-'));
  const other = SqliteAccountStore.open(undisturbed);
  const expected = deskOn(other, Number.POSITIVE_INFINITY);
  for (let minute = 0; minute < STEPS; minute++) {
    step(expected, minute);
    await expected.commit();
  }
  expect(kills).toBeGreaterThan(5);
  expect(allOf(other).length).toBeGreaterThan(200);
  expect(allOf(store)).toEqual(allOf(other));
  expect(allOf(store).map(({ sequence }) => sequence)).toEqual(allOf(other).map((_, i) => i + 1));
  for (let row = 0; row < expected.book.accounts; row++)
    expect(desk.reading(expected.book.accountIdOf(row))).toEqual(
      expected.reading(expected.book.accountIdOf(row)),
    );
  expect(desk.engine.stageRecords()).toEqual(expected.engine.stageRecords());
  store.close();
  other.close();
  rmSync(undisturbed, { recursive: true });
}, 120_000);
