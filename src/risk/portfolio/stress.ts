import type { BarSeries } from '../bars.ts';
import { adverseExcursions, excursionsOf } from '../tail/excursions.ts';

/** Horizons for which the scenarios give excursions. */
export const STRESS_HORIZONS_HOURS = [1, 4, 8, 24] as const;

/** One bad day, as the adverse excursions that a typical market suffered in it. */
export interface StressScenario {
  readonly id: string;
  readonly description: string;
  /**
   * measured: medians over the perpetual markets then listed on Binance, from hourly bars. reported: from published
   * accounts. hypothetical: made up, for what has not happened to a typical market yet.
   */
  readonly basis: 'measured' | 'reported' | 'hypothetical';
  /** Shares of the entry price, by `STRESS_HORIZONS_HOURS`. */
  readonly long: readonly [number, number, number, number];
  readonly short: readonly [number, number, number, number];
}

/** What a market is measured against beside its own past, since a young market has no past worth the name. */
export const STRESS_SCENARIOS: readonly StressScenario[] = [
  {
    id: '2020-03-12',
    description: 'Pandemic crash and the rebound of the next hours',
    basis: 'measured',
    long: [0.267, 0.349, 0.391, 0.525],
    short: [0.287, 0.361, 0.403, 0.47],
  },
  {
    id: '2021-05-19',
    description: 'Deleveraging of all markets within two hours',
    basis: 'measured',
    long: [0.405, 0.529, 0.531, 0.585],
    short: [0.161, 0.364, 0.371, 0.423],
  },
  {
    id: '2022-11-08',
    description: 'Failure of FTX',
    basis: 'measured',
    long: [0.131, 0.218, 0.218, 0.253],
    short: [0.053, 0.092, 0.131, 0.22],
  },
  {
    id: '2024-08-05',
    description: 'Unwinding of the yen carry trade',
    basis: 'measured',
    long: [0.12, 0.157, 0.204, 0.211],
    short: [0.074, 0.147, 0.147, 0.189],
  },
  {
    id: '2025-10-10',
    description:
      'Markets beside the largest fell 27 % to 62 % on mark price within minutes; the middle of that range',
    basis: 'reported',
    long: [0.445, 0.445, 0.445, 0.445],
    short: [0, 0, 0, 0],
  },
  {
    id: 'short-squeeze',
    description: 'A market doubles within a day, as single ones did in February and May 2021',
    basis: 'hypothetical',
    long: [0, 0, 0, 0],
    short: [0.35, 0.5, 0.7, 1],
  },
];

export interface WorstExcursions {
  /** By the horizons asked for; 0 where the history is shorter than the horizon. */
  readonly long: Float64Array;
  readonly short: Float64Array;
}

/** The worst excursions in the first bars of a history. */
export interface KnownWorst {
  readonly bars: number;
  readonly worst: WorstExcursions;
}

/**
 * The worst adverse excursions in the whole of a history.
 *
 * @param known what was found, for the same horizons, when the history was shorter; only what came since is looked at.
 */
export function worstExcursions(
  bars: BarSeries,
  horizonsBars: readonly number[],
  known: KnownWorst | null = null,
): WorstExcursions {
  if (known === null) return worstOfAll(bars, horizonsBars);
  const long = known.worst.long.slice();
  const short = known.worst.short.slice();
  const pair = new Float64Array(2);
  for (let h = 0; h < horizonsBars.length; h++) {
    const end = bars.length - horizonsBars[h];
    for (let i = Math.max(known.bars - horizonsBars[h], 0); i < end; i++) {
      if (!excursionsOf(bars, i, horizonsBars[h], pair)) continue;
      long[h] = Math.max(long[h], pair[0]);
      short[h] = Math.max(short[h], pair[1]);
    }
  }
  return { long, short };
}

/** A long history all at once takes the same time for any horizon. */
function worstOfAll(bars: BarSeries, horizonsBars: readonly number[]): WorstExcursions {
  const excursions = horizonsBars.map((horizonBars) => adverseExcursions(bars, horizonBars));
  return {
    long: Float64Array.from(excursions, ({ long }) => largestOf(long)),
    short: Float64Array.from(excursions, ({ short }) => largestOf(short)),
  };
}

function largestOf(excursions: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < excursions.length; i++) largest = Math.max(largest, excursions[i]);
  return largest;
}

export interface StressExcursion {
  /** Share of the entry price. */
  readonly excursion: number;
  /** `own-history`, or the id of the scenario that is worse. */
  readonly source: string;
}

/**
 * The adverse excursion to withstand under stress: the worst of the market's own past and of the scenarios. A margin
 * that absorbs it is enough on the worst day known, so leverage need not be pushed below what it allows.
 *
 * @param ownWorst the market's own, by `STRESS_HORIZONS_HOURS` (from `worstExcursions` on hourly bars).
 * @param horizonHours above 0; taken up to the next horizon of the scenarios, and down to the longest one.
 */
export function stressExcursion(
  ownWorst: WorstExcursions,
  side: 'long' | 'short',
  horizonHours: number,
): StressExcursion {
  const atLeast = STRESS_HORIZONS_HOURS.findIndex((hours) => hours >= horizonHours);
  const h = atLeast < 0 ? STRESS_HORIZONS_HOURS.length - 1 : atLeast;
  let worst: StressExcursion = { excursion: ownWorst[side][h], source: 'own-history' };
  for (const scenario of STRESS_SCENARIOS) {
    if (scenario[side][h] > worst.excursion) worst = { excursion: scenario[side][h], source: scenario.id };
  }
  return worst;
}
