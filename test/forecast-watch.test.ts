import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SqliteStateStore } from '../data/sqlite-state-store.ts';
import { nextBook } from '../data/test-books.ts';
import { ModelRegistry } from '../models/registry.ts';
import { ManualClock } from '../src/clock.ts';
import type { CycleFacts } from '../src/control/decision-cycle.ts';
import { NOTHING_SEEN } from '../src/control/nothing-seen.fixture.ts';
import type { StoredMarket } from '../src/control/training-triggers.ts';
import { ForecastWatch } from '../src/forecast-watch.ts';
import type { LimitBook } from '../src/limits/types.ts';
import { Metrics } from '../src/metrics/metrics.ts';
import { SHIPPED_MODELS } from '../src/program.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2025, 5, 1);
const logger = pino({ level: 'silent' });

let folder: string;
let store: SqliteStateStore;
let clock: ManualClock;
let metrics: Metrics;
let model: string;
let stored: StoredMarket[];
let trained: [string, string][];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-forecast-watch-'));
  store = SqliteStateStore.open(folder);
  clock = new ManualClock(START);
  metrics = new Metrics({ watchList: [], version: '1' });
  model = `shock-network@${await new ModelRegistry(SHIPPED_MODELS, folder).versionOf('champion')}`;
  stored = [];
  trained = [];
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function watching(triggerHours = 24): ForecastWatch {
  return new ForecastWatch({
    ...{ store, metrics, clock, logger, triggerHours },
    registry: new ModelRegistry(SHIPPED_MODELS, folder),
    catalogue: async () => stored,
    train: (trigger, why) => {
      trained.push([trigger, why]);
      const open = {
        finishedAt: null,
        result: 'running',
        modelVersion: null,
        trigger,
        message: why,
      } as const;
      void store.recordTrainingRun({ ...open, id: String(trained.length), startedAt: clock.now() });
    },
  });
}

/** An hour passes; of `observations` forecasts over an hour at 95 %, `exceedances` were exceeded. */
function pass(watch: ForecastWatch, exceedances: number, observations = 20, by = model): Promise<void> {
  clock.advance(HOUR);
  const now = clock.now();
  const book: LimitBook = { ...nextBook(null, { BTCUSDT: 20 }), model: by, asOf: now };
  const origin = { asOf: now - HOUR, horizonHours: 1, confidence: 0.95, observations, exceedances };
  const facts: CycleFacts = {
    ...{ fallbackReason: null, lastObservationBySource: {}, coverage: [], seconds: 0 },
    origins: [origin],
    seen: NOTHING_SEEN,
  };
  return watch.published(book, facts);
}

const sampleOf = async (line: string): Promise<boolean> =>
  (await metrics.scrape({ isDegraded: false, auditEntries: 0 })).text.split('\n').includes(line);

const ALARM = 'plimsoll_coverage_alarm{confidence="0.95",horizon="1",direction="exceeded"}';

describe('the watch of published forecasts', () => {
  test('lost coverage raises an alarm, over a restart, and triggers one training and no second', async () => {
    let watch = watching();
    for (let i = 0; i < 5; i++) await pass(watch, 4);
    expect(await sampleOf(`${ALARM} 0`)).toBe(true);
    watch = watching();
    for (let i = 0; i < 6; i++) await pass(watch, 4);
    expect(await sampleOf(`${ALARM} 1`)).toBe(true);
    expect(trained).toEqual([
      ['coverage', expect.stringMatching(/^VaR at 0.95 over 1 h was exceeded \d+ times/)],
    ]);
    for (let i = 0; i < 30; i++) await pass(watching(), 4);
    expect(trained).toHaveLength(1);
  });

  test('its report says what was counted, over a restart, and waits for what is being taken in', async () => {
    const watch = watching();
    expect(await watch.report()).toEqual({ model: null, tiers: [], drift: null });
    const last = Array.from({ length: 12 }, () => pass(watch, 4)).at(-1);
    const report = await watch.report();
    await last;
    // An origin counts an hour after its horizon, so the newest one is open.
    expect(report).toMatchObject({ model, drift: null });
    expect(report.tiers[0]).toMatchObject({
      ...{ horizonHours: 1, confidence: 0.95, observations: 220, exceedances: 44 },
      ...{ exceedanceRate: 0.2, expectedRate: 0.05 },
      alarmedAt: { exceeded: expect.any(Number), overstated: null },
    });
    expect(await watching().report()).toEqual(report);
  });

  test('another model begins without an alarm', async () => {
    const watch = watching();
    for (let i = 0; i < 60; i++) await pass(watch, 4);
    expect(await sampleOf(`${ALARM} 1`)).toBe(true);
    await pass(watch, 4, 20, 'shock-network@20990101-00000000');
    expect(await sampleOf(`${ALARM} 0`)).toBe(true);
  });

  test('forecasts that hold trigger nothing', async () => {
    const watch = watching();
    for (let i = 0; i < 60; i++) await pass(watch, 1);
    expect(trained).toEqual([]);
  });

  test('a market that became old enough triggers a training; a young, a simulated, an ended and a known one do not', async () => {
    const day = 24 * HOUR;
    const market = (symbol: string, days: number, changes: Partial<StoredMarket> = {}): StoredMarket => ({
      ...{ symbol, simulated: false, from: START - days * day, to: START },
      ...changes,
    });
    stored = [
      market('BTCUSDT', 900),
      market('YOUNGUSDT', 30),
      market('AURUSDT', 900, { simulated: true }),
      market('GONEUSDT', 900, { to: START - 30 * day }),
    ];
    const watch = watching();
    await pass(watch, 1);
    expect(trained).toEqual([]);
    stored.push(market('NEWUSDT', 100));
    await pass(watch, 1);
    expect(trained).toEqual([['new-market', expect.stringContaining('NEWUSDT')]]);
    // Within the distance nothing is triggered; after it, only what is new.
    stored.push(market('LATERUSDT', 100));
    for (let i = 0; i < 23; i++) await pass(watch, 1);
    expect(trained).toHaveLength(1);
    await pass(watch, 1);
    expect(trained[1]).toEqual(['new-market', expect.stringMatching(/^LATERUSDT[^;]*$/)]);
  });

  test('a distance of 0 hours triggers nothing at all', async () => {
    const watch = watching(0);
    for (let i = 0; i < 60; i++) await pass(watch, 4);
    expect(trained).toEqual([]);
  });
});
