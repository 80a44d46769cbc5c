import type { MarketDataReader } from '../../data/ports.ts';
import { judgeQuality } from '../../data/quality.ts';
import { RANDOM_MARKET_START, randomMarket } from '../../test/random-market.ts';
import { FilteredPredictor, HistoricalPredictor, TailPredictor } from '../forecast/classical.ts';
import {
  CELLS_PER_MARKET,
  type ForecastBatch,
  type Predictor,
  type PredictorInput,
} from '../forecast/predictor.ts';
import { DEFAULT_POLICY } from '../limits/policy.ts';
import type { MarketHistory } from '../risk/bars.ts';
import { DecisionEngine, type DecisionEngineOptions } from './decision-engine.ts';

export const HOUR = 3_600_000;
export const HOURS = 1200;
/** When the first decision of a test is made: the last 100 hours of the markets are not known yet. */
export const NOW = RANDOM_MARKET_START + (HOURS - 100) * HOUR;

/** Stored market data for tests, in memory. */
export class MemoryMarkets implements MarketDataReader {
  markets: readonly MarketHistory[];
  loads = 0;
  #edition = 1;

  constructor(markets: readonly MarketHistory[] = threeMarkets()) {
    this.markets = markets;
  }

  /** Replaces what is stored. */
  store(markets: readonly MarketHistory[]): void {
    this.markets = markets;
    this.#edition++;
  }

  async catalogue(): Promise<[]> {
    return [];
  }

  async loadMarkets(): Promise<readonly MarketHistory[]> {
    this.loads++;
    return this.markets;
  }

  async fingerprint(): Promise<string> {
    return String(this.#edition);
  }
}

export function threeMarkets(): MarketHistory[] {
  return ['AUSDT', 'BUSDT', 'CUSDT'].map((symbol, m) =>
    randomMarket({ symbol, seed: 11 + m, hours: HOURS, withFunding: m === 0 }),
  );
}

/** In place of a trained model: the filtered forecast under another name, changed by the test. */
export class TestModel implements Predictor {
  readonly id: string;
  readonly #change: (batch: ForecastBatch) => ForecastBatch;
  readonly #filtered = new FilteredPredictor();

  constructor(id = 'shock-network@1', change: (batch: ForecastBatch) => ForecastBatch = (batch) => batch) {
    this.id = id;
    this.#change = change;
  }

  async predict(input: PredictorInput): Promise<ForecastBatch> {
    return this.#change({ ...(await this.#filtered.predict(input)), predictor: this.id });
  }
}

/** Replaces every VaR of one market. */
export function withValueAtRisk(batch: ForecastBatch, market: number, value: number): ForecastBatch {
  const valueAtRisk = batch.valueAtRisk.slice();
  valueAtRisk.fill(value, market * CELLS_PER_MARKET, (market + 1) * CELLS_PER_MARKET);
  return { ...batch, valueAtRisk };
}

export interface TestChampion {
  predictor: Predictor | null;
  reason: string;
}

export function engineOn(
  reader: MarketDataReader,
  champion: TestChampion,
  changes: Partial<DecisionEngineOptions> = {},
): DecisionEngine {
  return new DecisionEngine({
    reader,
    judgeQuality,
    champion: { champion: async () => ({ ...champion }) },
    historical: new HistoricalPredictor(),
    filtered: new FilteredPredictor(),
    tail: new TailPredictor(),
    policy: DEFAULT_POLICY,
    levels: { load: async () => null, save: async () => {} },
    stopwatch: () => 0,
    ...changes,
  });
}
