import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BarStore } from '../data/bar-store.ts';
import { SqliteStateStore } from '../data/sqlite-state-store.ts';
import { ModelRegistry } from '../models/registry.ts';
import { ManualClock } from '../src/clock.ts';
import { SHADOW_ENTRIES } from '../src/control/shadow-watch.ts';
import { Metrics } from '../src/metrics/metrics.ts';
import { SHIPPED_MODELS } from '../src/program.ts';
import { modelSummaries } from '../src/registry-view.ts';
import { ShadowScoring } from '../src/shadow-scoring.ts';
import { RANDOM_MARKET_START, randomMarket } from './random-market.ts';
import { plimsoll } from './run-plimsoll.ts';

const HOUR = 3_600_000;
const HOURS = 1200;
const CHALLENGER = '20250101-00000001';
const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-shadow-'));
const logged: string[] = [];
const logger = pino({ level: 'info' }, { write: (line: string) => logged.push(line) });
const champion: string = JSON.parse(readFileSync(join(SHIPPED_MODELS, 'aliases.json'), 'utf8')).champion;
const registry = new ModelRegistry(SHIPPED_MODELS, dataDir);
const clock = new ManualClock(RANDOM_MARKET_START + (HOURS - 100) * HOUR);
let store: SqliteStateStore;

beforeAll(async () => {
  const bars = await BarStore.open(dataDir);
  for (let seed = 1; seed <= 3; seed++) {
    const market = randomMarket({ seed, hours: HOURS });
    const { symbol } = market;
    const series = { symbol, venue: 'test', kind: 'perp', intervalMilliseconds: HOUR, simulated: false };
    await bars.writeSeries(series, market.bars);
  }
  bars.close();
  store = SqliteStateStore.open(dataDir);
});
afterAll(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** The champion's own weights under another version: its scores must be the champion's. */
function registerCopy(): void {
  const folder = join(dataDir, 'models', 'versions', CHALLENGER);
  mkdirSync(join(folder, '..'), { recursive: true });
  cpSync(join(SHIPPED_MODELS, 'versions', champion), folder, { recursive: true });
  const path = join(folder, 'manifest.json');
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll(champion, CHALLENGER));
  writeFileSync(
    join(dataDir, 'models', 'aliases.json'),
    JSON.stringify({ champion, challenger: CHALLENGER }),
  );
}

function scoring(metrics: Metrics, budgetMilliseconds = 60_000): ShadowScoring {
  return new ShadowScoring({ store, registry, metrics, clock, logger, dataDir, budgetMilliseconds });
}

async function advance(shadow: ShadowScoring, hours: number): Promise<void> {
  for (let i = 0; i < hours; i++) {
    clock.advance(HOUR);
    await shadow.run();
  }
}

async function shadowNow() {
  const models = await modelSummaries(registry, await store.watchEntries(SHADOW_ENTRIES));
  return models.find(({ version }) => version === CHALLENGER)?.shadow ?? null;
}

describe('shadow scoring in a thread of its own', () => {
  test('without a challenger nothing is forecast and nothing kept', async () => {
    const metrics = new Metrics({ watchList: [], version: '1' });
    const shadow = scoring(metrics);
    await advance(shadow, 1);
    await shadow.stop();
    expect(await store.watchEntries('')).toEqual([]);
  });

  test('a challenger with the weights of the champion scores as it does, also over a restart; commands and metrics show it', async () => {
    registerCopy();
    const first = scoring(new Metrics({ watchList: [], version: '1' }));
    await advance(first, 6);
    await first.stop();
    const before = await shadowNow();
    // Origins 1 to 5 over an hour and 1 and 2 over four: three markets, two sides, four confidences.
    expect(before?.observations).toBe(3 * 2 * 4 * (5 + 2));
    const metrics = new Metrics({ watchList: [], version: '1' });
    const second = scoring(metrics);
    await advance(second, 2);
    await second.stop();
    const after = await shadowNow();
    expect(after?.observations).toBe(3 * 2 * 4 * (7 + 4));
    expect(after?.pinball?.ratio).toBe(1);
    expect(after?.fz0?.difference).toBe(0);
    expect(after?.verdict).toBe('undecided');
    expect(after?.since).toBe(before?.since);
    const { text } = await metrics.scrape({ isDegraded: false, auditEntries: 0 });
    expect(text).toContain(`plimsoll_shadow_observations ${3 * 2 * 4 * 11}`);
    expect(text).toMatch(/plimsoll_shadow_score\{score="fz0",forecaster="challenger"\} -?\d/);
    const { stdout } = await plimsoll(['models', '--data-dir', dataDir]);
    expect(stdout).toContain(`${CHALLENGER} in the shadow of shock-network@${champion}`);
    const { stdout: json } = await plimsoll(['models', '--json', '--data-dir', dataDir]);
    const { models } = JSON.parse(json);
    expect(models.map(({ shadow }: { shadow: unknown }) => shadow)).toEqual([null, after]);
  });

  test('one that is too slow is given up in its time, counted, and not tried again at once', async () => {
    const shadow = scoring(new Metrics({ watchList: [], version: '1' }), 1);
    await advance(shadow, 1);
    expect((await shadowNow())?.failures).toEqual({ failed: 0, invalid: 0, slow: 1 });
    await shadow.run();
    await shadow.stop();
    expect((await shadowNow())?.failures.slow).toBe(1);
  });

  test('one that cannot be loaded is counted with its reason', async () => {
    writeFileSync(join(dataDir, 'models', 'versions', CHALLENGER, 'weights.bin'), 'rubbish');
    const shadow = scoring(new Metrics({ watchList: [], version: '1' }));
    await advance(shadow, 1);
    await shadow.stop();
    const summary = await shadowNow();
    expect(summary?.failures.failed).toBe(1);
    expect(summary?.lastFailure).toContain('checksum');
  });

  test('promotion of one that was significantly worse is refused, with what was seen of it', async () => {
    rmSync(join(dataDir, 'models'), { recursive: true });
    registerCopy();
    const name = `shadow/record/shock-network@${champion}/shock-network@${CHALLENGER}`;
    const [{ body }] = await store.watchEntries(name);
    const record = JSON.parse(body ?? '');
    for (const chain of record.evidence[0].chains) chain.worse.fill(20);
    await store.putWatchEntries([{ name, body: JSON.stringify(record) }]);
    const refused = await plimsoll(['promote', 'challenger', '--data-dir', dataDir]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('significantly worse');
    expect(await registry.versionOf('champion')).toBe(champion);
    const why = ['--override', '--reason', 'the champion was trained on what is gone'];
    const forced = await plimsoll(['promote', 'challenger', ...why, '--data-dir', dataDir]);
    expect(forced.stdout).toContain('in spite of the shadow of');
  });
});
