import { dieboldMariano } from '../../src/risk/comparison/diebold-mariano.ts';
import { automaticLags } from '../../src/risk/numeric/long-run-variance.ts';
import type { BestOfCells, Cell, Duel } from './judgement.ts';
import { meanOf, type ScoreSeries } from './series.ts';

const SCORES = ['pinball', 'fz0'] as const;
type Score = (typeof SCORES)[number];
/** Size of each test. */
const SIGNIFICANCE = 0.05;

/** How the candidate stands on one market against one other forecaster. */
interface Bout {
  /** Of the candidate, and of the other. */
  readonly own: number;
  readonly other: number;
  readonly isBetter: boolean;
  readonly isWorse: boolean;
}

/** Of one side, horizon and confidence: by score, by market, the bout against the best other forecaster of that market. */
export interface CellBattle {
  readonly cell: Cell;
  readonly byScore: Readonly<Record<Score, readonly Bout[]>>;
}

/**
 * The candidate against each other forecaster in one cell, by Diebold and Mariano's two-sided test on each market and on the mean over
 * markets by time.
 *
 * @param series by forecaster, then by market. @param byTime by score, then by forecaster.
 * @param candidate index; −1 where it is none of them, and then there are no duels. @param steps origins that a horizon spans.
 */
export function duelsOfCell(
  cell: Cell,
  forecasters: readonly string[],
  candidate: number,
  series: readonly (readonly ScoreSeries[])[],
  byTime: Readonly<Record<Score, readonly Float64Array[]>>,
  steps: number,
): { readonly duels: readonly Duel[]; readonly battle: CellBattle | null } {
  const others = [...forecasters.keys()].filter((f) => f !== candidate);
  if (candidate < 0 || others.length === 0) return { duels: [], battle: null };
  const markets = [...series[candidate].keys()];
  const duels: Duel[] = [];
  const best: Record<Score, Bout[]> = { pinball: [], fz0: [] };
  for (const score of SCORES) {
    const bouts = others.map((other) =>
      markets.map((m) => boutOf(series[candidate][m][score], series[other][m][score], steps)),
    );
    for (const [i, other] of others.entries()) {
      const pooled = compared(byTime[score][candidate], byTime[score][other], steps);
      duels.push({
        ...cell,
        against: forecasters[other],
        score,
        markets: markets.length,
        gain: gainOf(bouts[i], score),
        shareLower: shareOf(bouts[i], ({ own, other: theirs }) => own < theirs),
        shareSignificantlyBetter: shareOf(bouts[i], ({ isBetter }) => isBetter),
        shareSignificantlyWorse: shareOf(bouts[i], ({ isWorse }) => isWorse),
        pooledPValueBetter: pooled.available ? pooled.pValueFirstBetter : null,
      });
    }
    for (const m of markets) {
      const own = bouts.map((byMarket) => byMarket[m]);
      best[score].push(own.reduce((lowest, bout) => (bout.other < lowest.other ? bout : lowest)));
    }
  }
  return { duels, battle: { cell, byScore: best } };
}

/** By horizon, confidence and score: how the candidate fares against the best of each cell, over markets and sides. */
export function bestOfCells(battles: readonly CellBattle[]): readonly BestOfCells[] {
  const groups = new Map<string, CellBattle[]>();
  for (const battle of battles) {
    const key = `${battle.cell.horizonHours}/${battle.cell.confidence}`;
    groups.set(key, [...(groups.get(key) ?? []), battle]);
  }
  return [...groups.values()].flatMap((group) =>
    SCORES.map((score) => {
      const bouts = group.flatMap(({ byScore }) => byScore[score]);
      const { horizonHours, confidence } = group[0].cell;
      return {
        horizonHours,
        confidence,
        score,
        cells: bouts.length,
        shareLower: shareOf(bouts, ({ own, other }) => own < other),
        shareSignificantlyBetter: shareOf(bouts, ({ isBetter }) => isBetter),
        shareSignificantlyWorse: shareOf(bouts, ({ isWorse }) => isWorse),
      };
    }),
  );
}

function boutOf(own: Float64Array, other: Float64Array, steps: number): Bout {
  const test = compared(own, other, steps);
  const isClear = test.available && test.pValue < SIGNIFICANCE;
  const difference = test.available ? test.meanDifference : 0;
  return {
    own: meanOf(own),
    other: meanOf(other),
    isBetter: isClear && difference < 0,
    isWorse: isClear && difference > 0,
  };
}

/** Differences of scores cluster with volatility, for longer than horizons overlap: lags by Newey and West's rule where that is more. */
function compared(own: Float64Array, other: Float64Array, steps: number) {
  const bartlettLags = Math.max(steps - 1, automaticLags(own.length));
  return dieboldMariano(own, other, { horizonSteps: steps, bartlettLags });
}

/** Each market counts the same. */
function gainOf(bouts: readonly Bout[], score: Score): number {
  const mean = (of: (bout: Bout) => number): number =>
    bouts.reduce((sum, bout) => sum + of(bout), 0) / bouts.length;
  const [own, other] = [mean((bout) => bout.own), mean((bout) => bout.other)];
  if (score === 'fz0') return other - own;
  return other > 0 ? 1 - own / other : 0;
}

function shareOf(bouts: readonly Bout[], holds: (bout: Bout) => boolean): number {
  return bouts.filter(holds).length / Math.max(bouts.length, 1);
}
