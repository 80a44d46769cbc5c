import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  pathIndex,
  SIDES,
} from '../../src/forecast/predictor.ts';
import { fz0, pinball } from '../../src/risk/comparison/scores.ts';
import type { OutcomeTable } from '../judge/tables.ts';
import { chart, dot, figure, plotRanges, segment } from './chart.ts';
import type { Player, RunTables } from './run.ts';
import { linearScale, roundTicks } from './scale.ts';
import { type Cell, type Column, sortableTable } from './table.ts';
import { level, percent, significant, whole } from './text.ts';

/** The candidate beside one other forecaster in one cell, on the rows that both forecast. */
export interface CellDuel {
  readonly observations: number;
  readonly own: CellMeans;
  readonly other: CellMeans;
  /** Own pinball over the other's; below 1 the candidate is better. */
  readonly ratio: number;
  /** 95 %, clustered by week, by the delta method. */
  readonly interval: readonly [number, number];
}

interface CellMeans {
  readonly pinball: number;
  readonly fz0: number;
  readonly exceedanceRate: number;
}

const WEEK_MILLISECONDS = 7 * 24 * 3_600_000;
const NORMAL_95 = 1.96;

/** All cells of the candidate against another, by cell of one market. */
export function duelCells(
  outcomes: OutcomeTable,
  candidate: Player,
  other: Player,
): readonly (CellDuel | null)[] {
  return Array.from({ length: CELLS_PER_MARKET }, (_, cell) => duelCell(outcomes, candidate, other, cell));
}

function duelCell(outcomes: OutcomeTable, candidate: Player, other: Player, cell: number): CellDuel | null {
  const confidence = CONFIDENCES[cell % CONFIDENCE_COUNT];
  const path = Math.floor(cell / CONFIDENCE_COUNT);
  const weeks = new Map<number, { own: number; other: number }>();
  const sums = [candidate, other].map(() => ({ pinball: 0, fz0: 0, hits: 0 }));
  let n = 0;
  for (let row = 0; row < outcomes.rows; row++) {
    const at = row * CELLS_PER_MARKET + cell;
    const [a, b] = [candidate.table.valueAtRisk[at], other.table.valueAtRisk[at]];
    if (!Number.isFinite(a) || !Number.isFinite(b)) continue;
    n++;
    const loss = outcomes.excursions[pathIndex(row, 0, 0) + path];
    const pinballs = [a, b].map((value) => pinball(loss, value, confidence));
    for (const [i, { table }] of [candidate, other].entries()) {
      sums[i].pinball += pinballs[i];
      sums[i].fz0 += fz0(loss, table.valueAtRisk[at], table.expectedShortfall[at], confidence);
      if (loss > table.valueAtRisk[at]) sums[i].hits++;
    }
    const week = Math.floor(outcomes.asOf[row] / WEEK_MILLISECONDS);
    const sum = weeks.get(week);
    if (sum === undefined) weeks.set(week, { own: pinballs[0], other: pinballs[1] });
    else {
      sum.own += pinballs[0];
      sum.other += pinballs[1];
    }
  }
  if (n === 0 || sums[1].pinball === 0) return null;
  const ratio = sums[0].pinball / sums[1].pinball;
  let squares = 0;
  for (const sum of weeks.values()) squares += (sum.own - ratio * sum.other) ** 2;
  const error = Math.sqrt(squares) / sums[1].pinball;
  const [own, theirs] = sums.map((sum) => ({
    pinball: sum.pinball / n,
    fz0: sum.fz0 / n,
    exceedanceRate: sum.hits / n,
  }));
  return {
    observations: n,
    own,
    other: theirs,
    ratio,
    interval: [Math.max(0, ratio - NORMAL_95 * error), ratio + NORMAL_95 * error],
  };
}

/** Duels of the candidate with every other forecaster: one pass over the rows for each, kept for table and drawing. */
export function allDuels({
  outcomes,
  players,
}: RunTables): ReadonlyMap<Player, readonly (CellDuel | null)[]> {
  const [candidate, ...others] = players;
  return new Map(others.map((other) => [other, duelCells(outcomes, candidate, other)]));
}

const WIDTH = 480;
const ROW_HEIGHT = 20;
const LABEL_ROOM = 106;
/** Farther is not told apart. */
const RATIO_BOUNDS = [0.3, 1.4] as const;

/** Every cell of the candidate against its foremost rivals, with intervals. */
export function duelFigure(run: RunTables, duels: ReadonlyMap<Player, readonly (CellDuel | null)[]>): string {
  const rivals = run.players.slice(1, 3);
  const panels = SIDES.map((side, s) => ({ heading: side, svg: duelPanel(duels, rivals, side, s) }));
  return figure(
    'Pinball loss of the candidate over that of another forecaster: left of 1 the candidate is better. Whiskers are 95 % intervals clustered by week, over all markets.',
    panels,
    rivals.map(({ className, words }) => [className, `against ${words}`]),
  );
}

function duelPanel(
  duels: ReadonlyMap<Player, readonly (CellDuel | null)[]>,
  rivals: readonly Player[],
  side: string,
  s: number,
): string {
  const cells = HORIZONS_HOURS.flatMap((hours, h) =>
    CONFIDENCES.map((confidence, c) => ({
      cell: (s * HORIZON_COUNT + h) * CONFIDENCE_COUNT + c,
      label: `${hours} h ${level(confidence)}`,
    })),
  );
  const height = cells.length * ROW_HEIGHT + 66;
  const ranges = plotRanges(WIDTH, height, LABEL_ROOM);
  const all = rivals.flatMap((rival) => (duels.get(rival) ?? []).flatMap((duel) => duel?.interval ?? []));
  const low = Math.max(RATIO_BOUNDS[0], Math.min(0.95, ...all));
  const high = Math.min(RATIO_BOUNDS[1], Math.max(1.05, ...all));
  const x = linearScale([low, high], ranges.x);
  const y = linearScale([-0.5, cells.length - 0.5], [ranges.y[1], ranges.y[0]]);
  const clip = (ratio: number): number => Math.min(Math.max(ratio, low), high);
  const marks = rivals.flatMap((rival, r) =>
    cells.flatMap(({ cell, label }, i) => {
      const duel = duels.get(rival)?.[cell] ?? null;
      if (duel === null) return [];
      const at = y(i + (r - (rivals.length - 1) / 2) * 0.42);
      const [from, to] = duel.interval.map((end) => x(clip(end)));
      const tip = `${side} ${label} against ${rival.words}: ${significant(duel.ratio)} (${duel.interval.map((end) => significant(end)).join(' to ')})`;
      return [
        segment(`whisker ${rival.className}`, from, at, to, at),
        dot(rival.className, x(clip(duel.ratio)), at, 3.4, tip),
      ];
    }),
  );
  const ticks = roundTicks([low, high], 5).map((at) => ({ at, label: significant(at, 2) }));
  const lines = ticks.map(({ at }) => segment('grid', x(at), ranges.y[0], x(at), ranges.y[1]));
  return chart(
    {
      id: `duels-${side}`,
      title: `Pinball loss relative to others, ${side}`,
      description: 'Ratio of pinball losses by horizon and confidence; below 1 the candidate is better.',
      width: WIDTH,
      height,
      left: LABEL_ROOM,
      x: { scale: x, ticks, label: 'candidate / other' },
      y: { scale: y, ticks: cells.map(({ label }, i) => ({ at: i, label })), label: '' },
    },
    [...lines, segment('target', x(1), ranges.y[0], x(1), ranges.y[1]), ...marks],
  );
}

/** One row a cell: the candidate's scores, then every other forecaster's with the ratio and its interval. */
export function scoreTable(run: RunTables, duels: ReadonlyMap<Player, readonly (CellDuel | null)[]>): string {
  const [candidate, ...others] = run.players;
  const columns: Column[] = [
    { title: 'Cell' },
    { title: 'forecasts', numeric: true },
    {
      title: 'pinball',
      numeric: true,
      about: `Mean pinball loss of ${candidate.words}, percent of the price`,
    },
    {
      title: 'FZ0',
      numeric: true,
      about: 'Joint score of VaR and ES (Patton, Ziegel and Chen 2019); lower is better',
    },
    { title: 'exceeded', numeric: true },
    ...others.map(({ brief, words }) => ({
      title: `/ ${brief}`,
      numeric: true,
      about: `Pinball of the candidate over that of ${words}, with its 95 % interval clustered by week; below 1 the candidate is better`,
    })),
  ];
  const rows = SIDES.flatMap((side, s) =>
    HORIZONS_HOURS.flatMap((hours, h) =>
      CONFIDENCES.flatMap((confidence, c): (readonly Cell[])[] => {
        const cell = (s * HORIZON_COUNT + h) * CONFIDENCE_COUNT + c;
        const own = others.map((other) => duels.get(other)?.[cell] ?? null);
        const first = own.find((duel) => duel !== null);
        if (first === undefined) return [];
        const name = `${side} ${hours} h ${level(confidence)}`;
        return [[{ text: name, sort: cell }, ...ownCells(first), ...own.map(ratioCell)]];
      }),
    ),
  );
  return sortableTable('Scores by side, horizon and confidence, all markets together', columns, rows);
}

function ownCells({ observations, own }: CellDuel): readonly Cell[] {
  return [
    { text: whole(observations), sort: observations },
    { text: significant(100 * own.pinball, 4), sort: own.pinball },
    { text: own.fz0.toFixed(3), sort: own.fz0 },
    { text: percent(own.exceedanceRate, 3), sort: own.exceedanceRate },
  ];
}

function ratioCell(duel: CellDuel | null): Cell {
  if (duel === null) return { text: '–' };
  const { ratio, interval } = duel;
  const tone = interval[1] < 1 ? 'good' : interval[0] > 1 ? 'bad' : undefined;
  const [low, high] = interval.map((end) => end.toFixed(2));
  return { text: ratio.toFixed(3), detail: `${low}–${high}`, sort: ratio, tone };
}
