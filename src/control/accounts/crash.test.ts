import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SqliteAccountStore } from '../../../data/sqlite-account-store.ts';
import { KILLS, killMoments, runAndKill, sayKills } from '../../../test/kills.ts';
import type { Intervention } from '../../accounts/interventions/intervention.ts';
import type { AccountDesk } from './account-desk.ts';
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
        afterLines: isDuringStart ? 0 : 1 + moments.integer(STEPS / KILLS.accounts),
        milliseconds: moments.uniform() * (isDuringStart ? 400 : 6),
      },
    );
    if (lines.length > 0) acknowledged = Number(lines.at(-1));
    if (wasKilled) kills++;
    else {
      // How far a process comes between a line and its kill is the machine's affair: a day that is over is followed by another.
      expect(acknowledged).toBe(STEPS - 1);
      await expectAsUndisturbed(acknowledged);
      rmSync(folder, { recursive: true });
      mkdirSync(folder);
      acknowledged = -1;
    }
  }
  sayKills('accounts', kills);
  expect(kills).toBe(KILLS.accounts);
  await expectAsUndisturbed(acknowledged);
}, 300_000);

/** Lives through what is left of the day, and compares it with one that nobody killed. */
async function expectAsUndisturbed(acknowledged: number): Promise<void> {
  const store = SqliteAccountStore.open(folder);
  const desk = deskOn(store, SNAPSHOT_BYTES);
  await live(desk, acknowledged + 1);
  const undisturbed = mkdtempSync(join(tmpdir(), 'plimsoll-accounts-'));
  const other = SqliteAccountStore.open(undisturbed);
  const expected = deskOn(other, Number.POSITIVE_INFINITY);
  await live(expected, 0);
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
}

async function live(desk: AccountDesk, from: number): Promise<void> {
  for (let minute = from; minute < STEPS; minute++) {
    step(desk, minute);
    await desk.commit();
  }
}
