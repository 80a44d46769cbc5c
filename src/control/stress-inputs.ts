import { HORIZONS_HOURS, PATHS_PER_MARKET, pathIndex, SIDES } from '../forecast/predictor.ts';
import type { StressInput } from '../limits/market-input.ts';
import { type BarSeries, lineageOf } from '../risk/bars.ts';
import { type KnownWorst, stressExcursion, worstExcursions } from '../risk/portfolio/stress.ts';

/** What each market has to withstand under stress; remembers the worst of a series while it grows. */
export class StressInputs {
  readonly #marginCallHorizonHours: number;
  readonly #known = new WeakMap<object, KnownWorst>();

  constructor(marginCallHorizonHours: number) {
    this.#marginCallHorizonHours = marginCallHorizonHours;
  }

  of(bars: BarSeries): StressInput {
    const lineage = lineageOf(bars);
    const before = this.#known.get(lineage);
    const isLonger = before !== undefined && before.bars <= bars.length;
    const worst = worstExcursions(bars, HORIZONS_HOURS, isLonger ? before : null);
    this.#known.set(lineage, { bars: bars.length, worst });
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
