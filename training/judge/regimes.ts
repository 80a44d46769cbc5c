import { isoTime } from '../../src/clock.ts';
import { DAY_MILLISECONDS } from '../../src/units.ts';
import type { RegimeScore } from './judgement.ts';
import type { ScoreSeries } from './series.ts';
import type { OutcomeTable } from './tables.ts';

/** By fifth of volatility. */
const REGIME_OF_FIFTH = ['calm', 'middle', 'middle', 'middle', 'stress'] as const;

interface Sums {
  observations: number;
  pinball: number;
  fz0: number;
  hits: number;
}

/** Scores of one forecaster in one cell by regime of volatility and by quarter, over markets. */
export class RegimeTally {
  readonly #sums = new Map<string, Sums>();

  /** @param rows of one market. @param series its scores, in the same order. */
  add({ asOf, volatilityFifth }: OutcomeTable, rows: Uint32Array, series: ScoreSeries): void {
    for (let i = 0; i < rows.length; i++) {
      this.#addTo(this.#of(REGIME_OF_FIFTH[volatilityFifth[rows[i]]]), series, i);
      this.#addTo(this.#of(quarterOf(asOf[rows[i]])), series, i);
    }
  }

  scores(): readonly Pick<RegimeScore, 'regime' | 'observations' | 'pinball' | 'fz0' | 'exceedanceRate'>[] {
    return [...this.#sums].map(([regime, { observations, pinball, fz0, hits }]) => ({
      regime,
      observations,
      pinball: pinball / observations,
      fz0: fz0 / observations,
      exceedanceRate: hits / observations,
    }));
  }

  #addTo(sums: Sums, { pinball, fz0, hits }: ScoreSeries, i: number): void {
    sums.observations++;
    sums.pinball += pinball[i];
    sums.fz0 += fz0[i];
    sums.hits += hits[i];
  }

  #of(regime: string): Sums {
    let sums = this.#sums.get(regime);
    if (sums === undefined) {
      sums = { observations: 0, pinball: 0, fz0: 0, hits: 0 };
      this.#sums.set(regime, sums);
    }
    return sums;
  }
}

const quarters = new Map<number, string>();

/** `2024Q1`. By day, since making a date of each row took most of the time. */
function quarterOf(time: number): string {
  const day = Math.floor(time / DAY_MILLISECONDS);
  let quarter = quarters.get(day);
  if (quarter === undefined) {
    const [year, month] = isoTime(time).split('-');
    quarter = `${year}Q${Math.ceil(Number(month) / 3)}`;
    quarters.set(day, quarter);
  }
  return quarter;
}
