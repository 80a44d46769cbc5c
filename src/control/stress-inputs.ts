import { HORIZONS_HOURS, PATHS_PER_MARKET, pathIndex, SIDES } from '../forecast/predictor.ts';
import type { StressInput } from '../limits/market-input.ts';
import { type BarSeries, lineageOf } from '../risk/bars.ts';
import {
  type KnownWorst,
  stressExcursion,
  type WorstExcursions,
  worstExcursions,
} from '../risk/portfolio/stress.ts';

/** What each market has to withstand under stress; remembers the worst of a series while it grows. */
export class StressInputs {
  readonly #marginCallHorizonHours: number;
  readonly #known = new WeakMap<object, KnownWorst & { readonly input: StressInput }>();

  constructor(marginCallHorizonHours: number) {
    this.#marginCallHorizonHours = marginCallHorizonHours;
  }

  of(bars: BarSeries): StressInput {
    const lineage = lineageOf(bars);
    const before = this.#known.get(lineage);
    const isLonger = before !== undefined && before.bars <= bars.length;
    const worst = worstExcursions(bars, HORIZONS_HOURS, isLonger ? before : null);
    // As a rule an hour is not the worst of all.
    const isSame =
      before !== undefined &&
      areSame(worst.long, before.worst.long) &&
      areSame(worst.short, before.worst.short);
    const input = isSame ? before.input : this.#inputOf(worst);
    this.#known.set(lineage, { bars: bars.length, worst, input });
    return input;
  }

  #inputOf(worst: WorstExcursions): StressInput {
    const excursion = new Float64Array(PATHS_PER_MARKET);
    let source = '';
    let worstAtCall = -1;
    for (const [s, side] of SIDES.entries()) {
      for (const [h, hours] of HORIZONS_HOURS.entries()) {
        const found = stressExcursion(worst, side, hours);
        excursion[pathIndex(0, s, h)] = found.excursion;
        if (hours === this.#marginCallHorizonHours && found.excursion > worstAtCall) {
          worstAtCall = found.excursion;
          source = found.source;
        }
      }
    }
    return { excursion, source };
  }
}

function areSame(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
