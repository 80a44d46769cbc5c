import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BarStore } from '../data/bar-store.ts';
import type { NetworkManifest } from '../models/manifest.ts';
import { ModelRegistry } from '../models/registry.ts';
import { ManualClock } from '../src/clock.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';
import { RANDOM_MARKET_START, randomMarket } from '../test/random-market.ts';
import { DEFAULT_GATE_POLICY } from './judge/gate-policy.ts';
import { PieceMaker, type Recipe } from './pieces.ts';
import { type FinishedPieces, trainInDataDir } from './run.ts';
import { loadWindow, windowHash } from './window.ts';

const HOURS = 7500;
const root = mkdtempSync(join(tmpdir(), 'plimsoll-pieces-'));
const END = RANDOM_MARKET_START + HOURS * HOUR_MILLISECONDS;
const recipe: Recipe = { seeds: [1, 2], symbols: null, to: END, everyHours: 4, maximumEpochs: 1 };
const never = new AbortController().signal;
let markets: readonly MarketHistory[];
let single: Awaited<ReturnType<typeof trained>>;

/** Markets that go on for some hours after the window. */
async function folderWith(name: string, hoursAfter: number): Promise<string> {
  const dataDir = join(root, name);
  const store = await BarStore.open(dataDir);
  for (const seed of [1, 2, 3, 4]) {
    const { symbol, bars } = randomMarket({ seed, hours: HOURS + hoursAfter });
    const series = { symbol, venue: 'test', kind: 'perp', intervalMilliseconds: HOUR_MILLISECONDS };
    await store.writeSeries({ ...series, simulated: true }, bars);
  }
  store.close();
  return dataDir;
}

async function windowOf(dataDir: string): Promise<readonly MarketHistory[]> {
  const store = await BarStore.open(dataDir);
  try {
    return await loadWindow(store, recipe);
  } finally {
    store.close();
  }
}

/** A whole training of the window, with what a registry has of it and how many epochs were fitted here. */
async function trained(dataDir: string, finished?: FinishedPieces) {
  let epochs = 0;
  const { manifest, judgement } = await trainInDataDir(
    { dataDir, shippedModels: join(root, 'none') },
    {
      ...recipe,
      evaluate: true,
      window: windowHash(markets),
      // What a busy machine takes must not decide between the two.
      gates: { ...DEFAULT_GATE_POLICY, mostLatencyMilliseconds: 60_000 },
      clock: new ManualClock(Date.UTC(2026, 0, 1)),
      interrupted: never,
      onProgress: ({ remark }) => {
        if (remark.includes('epoch')) epochs++;
      },
    },
    '',
    finished,
  );
  const report = await new ModelRegistry(join(root, 'none'), dataDir).document(
    manifest.version,
    'report.html',
  );
  return { manifest, judgement, report: withoutLatencyRow(report ?? ''), epochs };
}

/** The latency of a forecast is measured anew each time. */
function withoutLatencyRow(text: string): string {
  return text.replace(/<tr><th scope="row">latency<.*?<\/tr>/, '');
}

function withoutLatency({ gates, ...manifest }: NetworkManifest) {
  return { ...manifest, gates: gates?.results.filter(({ gate }) => gate !== 'latency') };
}

/** The pieces as two machines make them that know nothing of each other, each every other one. */
async function* byTwo(dataDirs: readonly string[]): FinishedPieces {
  const makers = await Promise.all(dataDirs.map(async (one) => new PieceMaker(await windowOf(one), recipe)));
  for (const [i, name] of makers[0].names.entries())
    yield [name, (await makers[i % 2].make(name, never)) ?? new Uint8Array()];
}

beforeAll(async () => {
  const dataDir = await folderWith('single', 0);
  markets = await windowOf(dataDir);
  single = await trained(dataDir);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('a training in pieces', () => {
  test('has weights, judgement and report of one machine to the bit, also where newer bars came in meanwhile', async () => {
    expect(single.epochs).toBeGreaterThan(0);
    const others = [await folderWith('one', 0), await folderWith('other', 50)];
    const shared = await trained(others[0], byTwo(others));
    expect(shared.epochs).toBe(0);
    expect(withoutLatency(shared.manifest)).toEqual(withoutLatency(single.manifest));
    expect(shared.judgement).toEqual(single.judgement);
    expect(shared.report).toBe(single.report);
  });

  test('names fits by fold and seed, and the field by market; a name that is none makes nothing', async () => {
    const maker = new PieceMaker(markets, recipe);
    expect(maker.names).toEqual([
      ...['final.seed-1', 'final.seed-2', 'fold-0.seed-1', 'fold-0.seed-2'],
      ...[1, 2, 3, 4].map((seed) => `field.test${seed}usdt`),
    ]);
    expect(await maker.make('fold-9.seed-1', never)).toBeNull();
  });

  test('is refused on bars that are not those of its window, before anything is fitted or written', async () => {
    const dataDir = await folderWith('differs', 0);
    const store = await BarStore.open(dataDir);
    const { symbol, bars } = randomMarket({ seed: 5, hours: HOURS });
    const series = { symbol, venue: 'test', kind: 'perp', intervalMilliseconds: HOUR_MILLISECONDS };
    await store.writeSeries({ ...series, simulated: true }, bars);
    store.close();
    await expect(trained(dataDir)).rejects.toMatchObject({ code: 'DATA_DIFFERS' });
    expect(existsSync(join(dataDir, 'models'))).toBe(false);
  });
});
