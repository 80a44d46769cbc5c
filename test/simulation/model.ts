import type { ChampionSource } from '../../src/control/decision-engine.ts';
import { FilteredPredictor } from '../../src/forecast/classical.ts';
import type { ForecastBatch, Predictor, PredictorInput } from '../../src/forecast/predictor.ts';
import { Random } from '../../src/random.ts';

/** What a model can do to the decisions that rest on it. */
export const MODEL_MOODS = [
  'well',
  'throws',
  'hangs',
  'notANumber',
  'infinite',
  'negative',
  'immense',
  'others',
  'short',
  'careless',
  'panics',
  'absent',
  'unreadable',
] as const;
export type ModelMood = (typeof MODEL_MOODS)[number];

/** Per hour: that it falls ill, and that an illness passes. */
const ILL_PROBABILITY = 1 / 120;
const WELL_PROBABILITY = 1 / 4;
const PROMOTION_PROBABILITY = 1 / 500;

/** In place of a trained model: the filtered forecast with noise of its own, and every way to fail. */
export class SimulatedChampion implements ChampionSource {
  readonly #random: Random;
  readonly #filtered = new FilteredPredictor();
  #mood: ModelMood = 'well';
  #version = 1;
  failures = 0;
  /** Called where an answer never comes: whoever runs the model has to give it up after its time limit. */
  onHang: () => void = () => {};

  constructor(seed: number) {
    this.#random = Random.stream(seed, 'model');
  }

  get mood(): ModelMood {
    return this.#mood;
  }

  /** Another hour. */
  live(): void {
    const random = this.#random;
    if (random.uniform() < PROMOTION_PROBABILITY) this.#version++;
    if (this.#mood !== 'well') {
      if (random.uniform() < WELL_PROBABILITY) this.#mood = 'well';
    } else if (random.uniform() < ILL_PROBABILITY) {
      this.#mood = MODEL_MOODS[1 + random.integer(MODEL_MOODS.length - 1)];
      this.failures++;
    }
  }

  async champion(): Promise<{ readonly predictor: Predictor | null; readonly reason: string }> {
    if (this.#mood === 'unreadable') throw new Error('the simulated registry cannot be read');
    if (this.#mood === 'absent') return { predictor: null, reason: 'no_champion' };
    const id = `shock-network@${this.#version}`;
    return { predictor: { id, predict: (input) => this.#predict(id, input) }, reason: '' };
  }

  async #predict(id: string, input: PredictorInput): Promise<ForecastBatch> {
    const mood = this.#mood;
    if (mood === 'throws') throw new Error('the simulated model fails');
    if (mood === 'hangs') {
      this.onHang();
      return new Promise(() => {});
    }
    const good = { ...(await this.#filtered.predict(input)), predictor: id };
    const noise = Math.exp(0.03 * this.#random.normal());
    if (mood === 'others') return { ...good, symbols: [...good.symbols].reverse() };
    if (mood === 'short') return times(good, noise, (values) => values.slice(0, -1));
    const factors: Partial<Record<ModelMood, number>> = {
      ...{ notANumber: Number.NaN, infinite: Number.POSITIVE_INFINITY, negative: -1, immense: 1e9 },
      ...{ careless: 0.02, panics: 30 },
    };
    return times(good, factors[mood] ?? noise, (values) => values);
  }
}

function times(
  batch: ForecastBatch,
  factor: number,
  change: (values: Float64Array) => Float64Array,
): ForecastBatch {
  return {
    ...batch,
    valueAtRisk: change(batch.valueAtRisk.map((value) => value * factor)),
    expectedShortfall: change(batch.expectedShortfall.map((value) => value * factor)),
  };
}
