import { asPlimsollError } from '../src/errors.ts';
import type { Predictor } from '../src/forecast/predictor.ts';
import type { ModelRegistry } from './registry.ts';

/**
 * The champion as the decision cycle uses it: asked before each decision, loaded once for each version. Where there is
 * none, or it cannot be loaded whole, the classical predictors decide and the reason is told.
 */
export class Champion {
  readonly #registry: ModelRegistry;
  readonly #onDamaged: (message: string) => void;
  #loaded: { readonly version: string; readonly predictor: Predictor } | undefined;
  #lastFault = '';

  /** @param onDamaged is told once for each new fault, in words. */
  constructor(registry: ModelRegistry, onDamaged: (message: string) => void) {
    this.#registry = registry;
    this.#onDamaged = onDamaged;
  }

  async champion(): Promise<{ readonly predictor: Predictor | null; readonly reason: string }> {
    try {
      const version = await this.#registry.versionOf('champion');
      if (version === null) return { predictor: null, reason: 'no_champion' };
      if (this.#loaded?.version !== version) {
        this.#loaded = undefined;
        this.#loaded = { version, predictor: await this.#registry.load(version) };
      }
      this.#lastFault = '';
      return { predictor: this.#loaded.predictor, reason: '' };
    } catch (thrown) {
      const { message } = asPlimsollError(thrown);
      if (message !== this.#lastFault) this.#onDamaged(message);
      this.#lastFault = message;
      return { predictor: null, reason: 'model_damaged' };
    }
  }
}
