import type { MarketHistory } from '../src/risk/bars.ts';
import type { Dataset } from './dataset.ts';
import { ClassicalField, QUICK_METHODS } from './field/field.ts';
import { FINAL, finalRows, trainingSet } from './job-rows.ts';
import { outcomeTable } from './judge/outcomes.ts';
import { fitBytes, fitName } from './kept-fits.ts';
import { VALIDATION_SHARE } from './splits.ts';
import { DEFAULT_MODEL_OPTIONS, fitMember } from './train.ts';
import { fieldName, isEvery, JUDGED_EVERY_HOURS, trialFolds } from './trial.ts';
import { type Fold, foldName, forecastRows, rowsBefore } from './walk-forward.ts';
import type { WindowChoice } from './window.ts';

/** What a run makes of its window, as far as the bits of its pieces depend on it. */
export interface Recipe extends WindowChoice {
  readonly seeds: readonly number[];
  readonly everyHours: number;
  readonly maximumEpochs: number;
}

/**
 * The parts of a training run that know nothing of each other, so that several machines make them side by side: the fit of each
 * fold and seed, that of each seed on all of time, and the classical field market by market. A run that finds all of them
 * finished (`runTrainingJob` with `pieces`) ends with the bits of one that made them itself.
 */
export class PieceMaker {
  /** Largest first, so that none of them is alone at the end. */
  readonly names: readonly string[];
  readonly #makers = new Map<string, (interrupted: AbortSignal) => Promise<Uint8Array>>();
  readonly #recipe: Recipe;
  readonly #data: Dataset;
  readonly #folds: readonly Fold[];
  #field: ClassicalField | null = null;

  /** @throws PlimsollError DATA_INSUFFICIENT where there is nothing to train on. */
  constructor(markets: readonly MarketHistory[], recipe: Recipe) {
    this.#recipe = recipe;
    this.#data = trainingSet(markets, recipe);
    this.#folds = trialFolds(this.#data);
    const { seeds, everyHours } = recipe;
    const { asOf } = this.#data.features;
    const isTrained = (row: number): boolean => isEvery(this.#data, row, everyHours);
    for (const seed of seeds)
      this.#makers.set(fitName(FINAL, seed), (interrupted) => {
        const { train, validation } = finalRows(this.#data, everyHours);
        return this.#fit(train, validation, seed, interrupted);
      });
    // A later fold has more past to learn from.
    for (const [index, fold] of [...this.#folds.entries()].reverse()) {
      if (this.#judged([fold]).length === 0) continue;
      for (const seed of seeds)
        this.#makers.set(fitName(foldName(index), seed), (interrupted) => {
          const { train, validation } = rowsBefore(asOf, fold, VALIDATION_SHARE, isTrained);
          return this.#fit(train, validation, seed, interrupted);
        });
    }
    for (const [index, { symbol }] of markets.entries())
      this.#makers.set(fieldName(symbol), async () => {
        this.#field ??= this.#fieldOf(markets);
        this.#field.forecast(index);
        return this.#field.piece(index);
      });
    this.names = [...this.#makers.keys()];
  }

  /** @returns null for a name that is none of `names`. @throws what a fit throws; the reason of `interrupted` when it is aborted. */
  async make(name: string, interrupted: AbortSignal): Promise<Uint8Array | null> {
    return (await this.#makers.get(name)?.(interrupted)) ?? null;
  }

  async #fit(
    train: Uint32Array,
    validation: Uint32Array,
    seed: number,
    interrupted: AbortSignal,
  ): Promise<Uint8Array> {
    const fit = { ...DEFAULT_MODEL_OPTIONS.fit, maximumEpochs: this.#recipe.maximumEpochs };
    const options = { fit, interrupted, onProgress: () => {} };
    return fitBytes(await fitMember(this.#data, train, validation, seed, options));
  }

  #judged(folds: readonly Fold[]): Uint32Array {
    return forecastRows(this.#data.features.asOf, folds, (row) =>
      isEvery(this.#data, row, JUDGED_EVERY_HOURS),
    );
  }

  #fieldOf(markets: readonly MarketHistory[]): ClassicalField {
    const outcomes = outcomeTable(markets, this.#data, this.#judged(this.#folds), this.#folds);
    return new ClassicalField(markets, outcomes, this.#folds, QUICK_METHODS);
  }
}
