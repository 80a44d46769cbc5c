import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BarStore } from '../data/bar-store.ts';
import { SqliteStateStore } from '../data/sqlite-state-store.ts';
import { decisionDraft, nextBook } from '../data/test-books.ts';
import { ModelRegistry } from '../models/registry.ts';
import { ChainVerifier } from '../src/chain-verifier.ts';
import { systemClock } from '../src/clock.ts';
import type { LimitBook } from '../src/limits/types.ts';
import { Metrics } from '../src/metrics/metrics.ts';
import { ScheduledTraining } from '../src/scheduled-training.ts';
import { DEFAULT_GATE_POLICY } from '../training/judge/gate-policy.ts';
import { scheduleTraining } from '../training/schedule.ts';
import { randomMarket } from './random-market.ts';

const root = mkdtempSync(join(tmpdir(), 'plimsoll-scheduled-'));
const logged: string[] = [];
const logger = pino({ level: 'info' }, { write: (line: string) => logged.push(line) });
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function sample(metrics: Metrics, line: string): Promise<boolean> {
  const { text } = await metrics.scrape({ isDegraded: false, auditEntries: 0 });
  return text.split('\n').includes(line);
}

describe('a scheduled training', () => {
  const dataDir = join(root, 'training');
  let store: SqliteStateStore;

  beforeAll(async () => {
    const bars = await BarStore.open(dataDir);
    for (let seed = 1; seed <= 6; seed++) {
      const market = randomMarket({ seed, hours: 5600 });
      const series = {
        symbol: market.symbol,
        venue: 'test',
        kind: 'perp',
        intervalMilliseconds: 3_600_000,
        simulated: false,
      };
      await bars.writeSeries(series, market.bars);
    }
    bars.close();
    store = SqliteStateStore.open(dataDir);
  });
  afterAll(() => store.close());

  const trainingOf = (metrics: Metrics, folder = dataDir, limitMinutes = 120): ScheduledTraining =>
    new ScheduledTraining({
      store,
      metrics,
      clock: systemClock,
      logger,
      gates: DEFAULT_GATE_POLICY,
      limitMinutes,
      dataDir: folder,
    });

  test('runs in a process of its own, leaves the event loop free, and is recorded, audited and counted', async () => {
    const metrics = new Metrics({ watchList: [], version: '1' });
    let turns = 0;
    const turning = setInterval(() => turns++, 5);
    const training = trainingOf(metrics);
    const run = training.run();
    // A second call during the first is the same run.
    expect(training.run()).toBe(run);
    await run;
    clearInterval(turning);
    expect(turns).toBeGreaterThan(100);
    const [recorded, ...others] = await store.trainingRuns(10);
    expect(others).toEqual([]);
    expect(recorded).toMatchObject({ result: 'succeeded', trigger: 'schedule' });
    expect(recorded.finishedAt).not.toBeNull();
    const registry = new ModelRegistry(join(root, 'none'), dataDir);
    const [version] = (await registry.list()).map(({ manifest }) => manifest);
    expect(version).toMatchObject({ version: recorded.modelVersion, gates: { results: expect.any(Array) } });
    // Who is a challenger is for the gates to say.
    const challenger = version.gates?.passed === true ? recorded.modelVersion : null;
    expect(await registry.versionOf('challenger')).toBe(challenger);
    expect((await store.auditAfter(0, 10)).map(({ kind, subject }) => [kind, subject])).toEqual([
      ['training', recorded.modelVersion],
    ]);
    expect(await sample(metrics, 'plimsoll_training_runs_total{result="succeeded"} 1')).toBe(true);
  });

  test('that cannot work is recorded with its reason, and the service goes on', async () => {
    const metrics = new Metrics({ watchList: [], version: '1' });
    await trainingOf(metrics, join(root, 'nothing-stored')).run();
    const [recorded] = await store.trainingRuns(1);
    expect(recorded).toMatchObject({ result: 'failed', modelVersion: null });
    expect(recorded.message).toContain('no stored market');
    expect(await sample(metrics, 'plimsoll_training_runs_total{result="failed"} 1')).toBe(true);
  });

  test('that is stopped ends soon and leaves nothing behind', async () => {
    const folder = join(root, 'stopped');
    const training = trainingOf(new Metrics({ watchList: [], version: '1' }), folder);
    const run = training.run();
    await training.stop();
    await run;
    expect((await store.trainingRuns(1))[0].result).toBe('failed');
    expect(existsSync(join(folder, 'models'))).toBe(false);
    const before = (await store.trainingRuns(100)).length;
    await training.run();
    expect((await store.trainingRuns(100)).length).toBe(before);
  });

  test('that takes too long is ended, changes nothing, and says what to do; its trigger is on the record', async () => {
    const before = (await new ModelRegistry(join(root, 'none'), dataDir).list()).length;
    await trainingOf(new Metrics({ watchList: [], version: '1' }), dataDir, 1 / 120).run(
      'coverage',
      'VaR was exceeded',
    );
    const [recorded] = await store.trainingRuns(1);
    expect(recorded).toMatchObject({ result: 'failed', trigger: 'coverage', modelVersion: null });
    expect(recorded.message).toContain('raise trainingLimitMinutes');
    expect((await new ModelRegistry(join(root, 'none'), dataDir).list()).length).toBe(before);
  });

  test('that a killed service left open is over at the next start', async () => {
    const open = {
      id: 'left',
      startedAt: Date.UTC(2100, 0, 1),
      finishedAt: null,
      modelVersion: null,
      message: '',
    };
    const finishedAt = Date.UTC(2099, 0, 1);
    await store.recordTrainingRun({
      ...{ ...open, id: 'before', startedAt: finishedAt - 1000, finishedAt },
      ...{ result: 'succeeded', trigger: 'schedule' },
    });
    await store.recordTrainingRun({ ...open, result: 'running', trigger: 'schedule' });
    const metrics = new Metrics({ watchList: [], version: '1' });
    await trainingOf(metrics).recover();
    const [recovered] = await store.trainingRuns(1);
    expect(recovered).toMatchObject({ id: 'left', result: 'failed' });
    expect(recovered.message).toContain('goes on');
    // A restart is no missed training: when the last one succeeded is told again.
    expect(
      await sample(metrics, `plimsoll_training_last_success_timestamp_seconds ${finishedAt / 1000}`),
    ).toBe(true);
  });

  test('knows the longest time between its runs, by which a missed one is noticed', () => {
    const never = async (): Promise<void> => {};
    for (const [expression, hours] of [
      ['17 3 * * *', 24],
      ['0 0,8 * * *', 16],
      ['0 6 * * 1-5', 72],
    ] as const) {
      const schedule = scheduleTraining(expression, never);
      schedule.stop();
      expect([expression, schedule.intervalSeconds]).toEqual([expression, hours * 3600]);
    }
  });

  test('starts when the cron expression says so', async () => {
    let runs = 0;
    const schedule = scheduleTraining('* * * * * *', async () => {
      runs++;
    });
    while (runs === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    schedule.stop();
    expect(runs).toBeGreaterThan(0);
  });
});

describe('the verification of the chains', () => {
  const dataDir = join(root, 'chains');

  test('holds for what was published, and counts and names what was changed afterwards', async () => {
    const store = SqliteStateStore.open(dataDir);
    let book: LimitBook | null = null;
    for (let version = 1; version <= 5; version++) {
      book = nextBook(book, { AURUSDT: 20 - version });
      await store.publish(book, decisionDraft(book));
    }
    const metrics = new Metrics({ watchList: [], version: '1' });
    const verifier = new ChainVerifier({
      clock: systemClock,
      config: { dataDir, databaseUrl: null },
      metrics,
      logger,
    });
    expect(await verifier.run()).toBe(true);
    const verifiedAt = (await metrics.scrape({ isDegraded: false, auditEntries: 0 })).text;
    expect(verifiedAt).toMatch(/^plimsoll_audit_verified_timestamp_seconds [1-9]/m);
    await store.close();
    const database = new DatabaseSync(join(dataDir, 'state.sqlite'));
    database.exec(`UPDATE book SET body = replace(body, '18', '88') WHERE version = 2`);
    database.close();
    expect(await verifier.run()).toBe(false);
    expect(await sample(metrics, 'plimsoll_audit_verification_failures_total 1')).toBe(true);
    expect(logged.at(-1)).toContain('"version":2');
    await verifier.stop();
  });

  test('a state that cannot be opened is a failure as well', async () => {
    const metrics = new Metrics({ watchList: [], version: '1' });
    const config = { dataDir: '/dev/null/nowhere', databaseUrl: null };
    const nowhere = { clock: systemClock, config, metrics, logger };
    expect(await new ChainVerifier(nowhere).run()).toBe(false);
    expect(await sample(metrics, 'plimsoll_audit_verification_failures_total 1')).toBe(true);
  });
});
