import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SqliteAccountStore } from '../../../data/sqlite-account-store.ts';
import { KILLS, killMoments, runAndKill, sayKills } from '../../../test/kills.ts';
import type { Intervention } from '../../accounts/interventions/intervention.ts';
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

function allOf(store: SqliteAccountStore): readonly Intervention[] {
  return store.interventionsAfter(0, 1_000_000);
}

test('kill -9 at any moment of a day of ticks: the same accounts, and the same interventions, each once', async () => {
  const moments = killMoments('accounts');
  let acknowledged = -1;
  let kills = 0;
  while (kills < KILLS.accounts) {
    // Every fifth counts from the start, to hit the recovery too; the others are spread over the day.
    const isDuringStart = kills % 5 === 4;
    const { lines, wasKilled } = await runAndKill(
      FIXTURE,
      [folder, String(acknowledged + 1), String(SNAPSHOT_BYTES)],
      {
        afterLines: isDuringStart ? 0 : 1 + moments.integer((1.4 * STEPS) / KILLS.accounts),
        milliseconds: moments.uniform() * (isDuringStart ? 400 : 6),
      },
    );
    // The day must not be over before its kills are.
    expect(wasKilled).toBe(true);
    kills++;
    if (lines.length > 0) acknowledged = Number(lines.at(-1));
  }
  sayKills('accounts', kills);
  const store = SqliteAccountStore.open(folder);
  const desk = deskOn(store, SNAPSHOT_BYTES);
  for (let minute = acknowledged + 1; minute < STEPS; minute++) {
    step(desk, minute);
    await desk.commit();
  }

  const undisturbed = mkdtempSync(join(tmpdir(), 'plimsoll-accounts-'));
  const other = SqliteAccountStore.open(undisturbed);
  const expected = deskOn(other, Number.POSITIVE_INFINITY);
  for (let minute = 0; minute < STEPS; minute++) {
    step(expected, minute);
    await expected.commit();
  }
  expect(kills).toBe(KILLS.accounts);
  expect(acknowledged).toBeGreaterThan(STEPS / 4);
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
}, 300_000);
