import { parentPort, workerData } from 'node:worker_threads';
import { BarStore } from '../data/bar-store.ts';
import { ModelRegistry } from '../models/registry.ts';
import type { WatchEntry } from './control/ports.ts';
import { type ShadowStep, ShadowWatch } from './control/shadow-watch.ts';
import { nextClose, usableHistory } from './control/usable-bars.ts';
import { asPlimsollError } from './errors.ts';
import { latestFeatures } from './features/live.ts';
import { MEMORY_BARS } from './features/spec.ts';
import { FilteredPredictor } from './forecast/classical.ts';
import { LOOKBACK_HOURS } from './forecast/lookback.ts';
import type { Predictor } from './forecast/predictor.ts';
import { predictorId } from './registry-view.ts';
import type { MarketHistory } from './risk/bars.ts';
import { uninterrupted } from './thread.ts';
import { HOUR_MILLISECONDS } from './units.ts';

/** What the thread of shadow scoring is given. It opens its own market data and models: nothing of a decision goes through it. */
export interface ShadowWorkerData {
  readonly dataDir: string;
  readonly shippedModels: string;
  /** What was stored of shadow scoring. */
  readonly entries: readonly WatchEntry[];
}

export interface ShadowRequest {
  readonly now: number;
}

/** `step` is null where there is no challenger, or no market. */
export type ShadowAnswer = { readonly step: ShadowStep | null } | { readonly error: string };

/** All that any predictor looks back on, and some days more. */
const LOADED_HOURS = LOOKBACK_HOURS + MEMORY_BARS;

const { dataDir, shippedModels, entries } = workerData as ShadowWorkerData;
const store = await BarStore.open(dataDir);
const registry = new ModelRegistry(shippedModels, dataDir);
const watch = new ShadowWatch(entries);
const classical = new FilteredPredictor();
let loaded: {
  readonly fingerprint: string;
  readonly until: number;
  readonly markets: readonly MarketHistory[];
};
const predictors = new Map<string, Predictor>();

let last: Promise<void> = Promise.resolve();
parentPort?.on('message', (request: ShadowRequest | null) => {
  last = last.then(async () => {
    if (request !== null) parentPort?.postMessage(await answer(request));
    else {
      store.close();
      parentPort?.close();
    }
  });
});

async function answer({ now }: ShadowRequest): Promise<ShadowAnswer> {
  try {
    return { step: await step(now) };
  } catch (thrown) {
    return { error: asPlimsollError(thrown).message };
  }
}

async function step(now: number): Promise<ShadowStep | null> {
  const version = await registry.versionOf('challenger');
  const markets = await marketsAt(now);
  if (version === null || markets.length === 0) return null;
  const championVersion = await registry.versionOf('champion');
  const champion = championVersion === null ? classical : await load(championVersion);
  let challenger: Predictor;
  try {
    challenger = await load(version);
  } catch (thrown) {
    const { name } = await registry.manifest(version);
    const id = predictorId({ name, version });
    return watch.failed(champion.id, id, now, 'failed', asPlimsollError(thrown).message);
  }
  forgetOthers(version, championVersion);
  const inputAt = (asOf: number) => {
    const features = latestFeatures(markets, asOf);
    return { asOf: features.asOf, markets, features: features.values, featuresReady: features.ready };
  };
  return watch.step({ now, markets, inputAt, champion, challenger });
}

async function marketsAt(now: number): Promise<readonly MarketHistory[]> {
  const fingerprint = await store.fingerprint();
  if (loaded !== undefined && loaded.fingerprint === fingerprint && now < loaded.until) return loaded.markets;
  const from = now - LOADED_HOURS * HOUR_MILLISECONDS;
  const stored = await uninterrupted(() => store.loadMarkets({ from }));
  const markets = stored
    .map((history) => usableHistory(history, now))
    .filter((history) => history.bars.length > 0);
  loaded = { fingerprint, until: nextClose(stored, now), markets };
  return markets;
}

async function load(version: string): Promise<Predictor> {
  const predictor = predictors.get(version) ?? (await registry.load(version));
  predictors.set(version, predictor);
  return predictor;
}

function forgetOthers(...versions: readonly (string | null)[]): void {
  for (const version of predictors.keys()) if (!versions.includes(version)) predictors.delete(version);
}
