import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  SIDES,
} from '../../src/forecast/predictor.ts';
import { fz0 } from '../../src/risk/comparison/scores.ts';
import type { OutcomeTable } from '../judge/tables.ts';
import type { Player, RunTables } from './run.ts';
import { cellMeans, type Duels } from './scores.ts';
import { type Cell, type Column, sortableTable } from './table.ts';
import { level, percent } from './text.ts';

const WEEK_MILLISECONDS = 7 * 24 * 3_600_000;
const NORMAL_95 = 1.96;

/** Mean FZ0 of the candidate less that of another, with an interval clustered by week; below 0 the candidate is better. */
export interface JointDifference {
  readonly difference: number;
  readonly interval: readonly [number, number];
}

/** By cell of one market, on the rows that both forecast; null where there is none. */
export function jointDifferences(
  outcomes: OutcomeTable,
  candidate: Player,
  other: Player,
): readonly (JointDifference | null)[] {
  const weeks = new Map<number, { readonly counts: Float64Array; readonly sums: Float64Array }>();
  for (let row = 0; row < outcomes.rows; row++) {
    const week = Math.floor(outcomes.asOf[row] / WEEK_MILLISECONDS);
    let own = weeks.get(week);
    if (own === undefined) {
      own = { counts: new Float64Array(CELLS_PER_MARKET), sums: new Float64Array(CELLS_PER_MARKET) };
      weeks.set(week, own);
    }
    for (let cell = 0; cell < CELLS_PER_MARKET; cell++) {
      const at = row * CELLS_PER_MARKET + cell;
      const [a, b] = [candidate.table, other.table].map(({ valueAtRisk, expectedShortfall }) =>
        fz0(
          outcomes.excursions[Math.floor(at / CONFIDENCE_COUNT)],
          valueAtRisk[at],
          expectedShortfall[at],
          CONFIDENCES[cell % CONFIDENCE_COUNT],
        ),
      );
      if (!Number.isFinite(a - b)) continue;
      own.counts[cell]++;
      own.sums[cell] += a - b;
    }
  }
  return Array.from({ length: CELLS_PER_MARKET }, (_, cell) => {
    let [count, sum, squares] = [0, 0, 0];
    for (const week of weeks.values()) {
      count += week.counts[cell];
      sum += week.sums[cell];
    }
    if (count === 0) return null;
    const difference = sum / count;
    for (const week of weeks.values()) squares += (week.sums[cell] - difference * week.counts[cell]) ** 2;
    const error = (NORMAL_95 * Math.sqrt(squares)) / count;
    return { difference, interval: [difference - error, difference + error] };
  });
}

/** Candidate and champion cell by cell; empty where there is no champion. */
export function championTable({ outcomes, players }: RunTables, duels: Duels): string {
  const [candidate] = players;
  const champion = players.find(({ part }) => part === 'champion');
  if (champion === undefined) return '';
  const joint = jointDifferences(outcomes, candidate, champion);
  const [own, theirs] = [candidate, champion].map((player) => cellMeans(outcomes, player));
  const columns: Column[] = [
    { title: 'Cell' },
    {
      title: 'pinball ratio',
      numeric: true,
      about: 'Candidate over champion with its 95 % interval; below 1 is better',
    },
    {
      title: 'FZ0 difference',
      numeric: true,
      about: 'Candidate less champion with its 95 % interval; below 0 is better',
    },
    { title: 'candidate exceeded', numeric: true },
    { title: 'champion exceeded', numeric: true },
  ];
  const rows = SIDES.flatMap((side, s) =>
    HORIZONS_HOURS.flatMap((hours, h) =>
      CONFIDENCES.flatMap((confidence, c): (readonly Cell[])[] => {
        const cell = (s * HORIZON_COUNT + h) * CONFIDENCE_COUNT + c;
        const duel = duels.get(champion)?.[cell] ?? null;
        const difference = joint[cell];
        if (duel === null || difference === null) return [];
        return [
          [
            { text: `${side} ${hours} h ${level(confidence)}`, sort: cell },
            measured(duel.ratio, duel.interval, 1),
            measured(difference.difference, difference.interval, 0),
            rate(own[cell]?.exceedanceRate),
            rate(theirs[cell]?.exceedanceRate),
          ],
        ];
      }),
    ),
  );
  return sortableTable(`Against ${champion.words}, on the rows that both forecast`, columns, rows);
}

/** Green where the whole interval is on the better side of even, red where it is on the other. */
function measured(value: number, interval: readonly [number, number], even: number): Cell {
  const tone = interval[1] < even ? 'good' : interval[0] > even ? 'bad' : undefined;
  const [low, high] = interval.map((end) => end.toFixed(3));
  return { text: value.toFixed(3), detail: `${low} to ${high}`, sort: value, tone };
}

function rate(share: number | undefined): Cell {
  return share === undefined ? { text: '–' } : { text: percent(share, 3), sort: share };
}
