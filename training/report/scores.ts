import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  SIDES,
} from '../../src/forecast/predictor.ts';
import { fz0, pinball } from '../../src/risk/comparison/scores.ts';
import type { OutcomeTable } from '../judge/tables.ts';
import { chart, dot, figure, plotRanges, segment } from './chart.ts';
import type { Player, RunTables } from './run.ts';
import { linearScale, roundTicks } from './scale.ts';
import { type Cell, type Column, sortableTable } from './table.ts';
import { level, percent, significant, whole } from './text.ts';

/** The candidate's own scores in one cell of all markets together. */
export interface CellMeans {
  readonly observations: number;
  readonly pinball: number;
  readonly fz0: number;
  readonly exceedanceRate: number;
}

/** The candidate beside another forecaster in one cell, on the rows that both forecast. */
export interface CellDuel {
  /** Own pinball over the other's; below 1 the candidate is better. */
  readonly ratio: number;
  /** 95 %, clustered by week, by the delta method. */
  readonly interval: readonly [number, number];
}

export type Duels = ReadonlyMap<Player, readonly (CellDuel | null)[]>;

const WEEK_MILLISECONDS = 7 * 24 * 3_600_000;
const NORMAL_95 = 1.96;
/** FZ0 of losses in percent is that of shares and this: it has the logarithm of ES in it. */
const PERCENT_SHIFT = Math.log(100);

/** By cell of one market; null where there is no forecast. */
export function cellMeans(outcomes: OutcomeTable, { table }: Player): readonly (CellMeans | null)[] {
  const counts = new Float64Array(CELLS_PER_MARKET);
  const pinballs = new Float64Array(CELLS_PER_MARKET);
  const joint = new Float64Array(CELLS_PER_MARKET);
  const hits = new Float64Array(CELLS_PER_MARKET);
  const { valueAtRisk, expectedShortfall } = table;
  for (let row = 0; row < outcomes.rows; row++) {
    for (let cell = 0; cell < CELLS_PER_MARKET; cell++) {
      const at = row * CELLS_PER_MARKET + cell;
      if (!Number.isFinite(valueAtRisk[at])) continue;
      const confidence = CONFIDENCES[cell % CONFIDENCE_COUNT];
      const loss = outcomes.excursions[Math.floor(at / CONFIDENCE_COUNT)];
      counts[cell]++;
      pinballs[cell] += pinball(loss, valueAtRisk[at], confidence);
      joint[cell] += fz0(loss, valueAtRisk[at], expectedShortfall[at], confidence);
      if (loss > valueAtRisk[at]) hits[cell]++;
    }
  }
  return Array.from(counts, (count, cell) =>
    count === 0
      ? null
      : {
          observations: count,
          pinball: pinballs[cell] / count,
          fz0: joint[cell] / count,
          exceedanceRate: hits[cell] / count,
        },
  );
}

/** All cells of the candidate against another, by cell of one market; null where they have no row in common. */
export function duelCells(
  outcomes: OutcomeTable,
  candidate: Player,
  other: Player,
): readonly (CellDuel | null)[] {
  const { rows, asOf } = outcomes;
  const firstWeek = rows === 0 ? 0 : Math.floor(asOf[0] / WEEK_MILLISECONDS);
  const weeks = rows === 0 ? 0 : Math.floor(asOf[rows - 1] / WEEK_MILLISECONDS) - firstWeek + 1;
  const own = new Float64Array(weeks * CELLS_PER_MARKET);
  const theirs = new Float64Array(weeks * CELLS_PER_MARKET);
  const [a, b] = [candidate.table.valueAtRisk, other.table.valueAtRisk];
  for (let row = 0; row < rows; row++) {
    const week = Math.floor(asOf[row] / WEEK_MILLISECONDS) - firstWeek;
    for (let cell = 0; cell < CELLS_PER_MARKET; cell++) {
      const at = row * CELLS_PER_MARKET + cell;
      if (!Number.isFinite(a[at]) || !Number.isFinite(b[at])) continue;
      const confidence = CONFIDENCES[cell % CONFIDENCE_COUNT];
      const loss = outcomes.excursions[Math.floor(at / CONFIDENCE_COUNT)];
      own[week * CELLS_PER_MARKET + cell] += pinball(loss, a[at], confidence);
      theirs[week * CELLS_PER_MARKET + cell] += pinball(loss, b[at], confidence);
    }
  }
  return Array.from({ length: CELLS_PER_MARKET }, (_, cell) => {
    let [ownSum, otherSum, squares] = [0, 0, 0];
    for (let at = cell; at < own.length; at += CELLS_PER_MARKET) {
      ownSum += own[at];
      otherSum += theirs[at];
    }
    if (otherSum === 0) return null;
    const ratio = ownSum / otherSum;
    for (let at = cell; at < own.length; at += CELLS_PER_MARKET)
      squares += (own[at] - ratio * theirs[at]) ** 2;
    const error = (NORMAL_95 * Math.sqrt(squares)) / otherSum;
    return { ratio, interval: [Math.max(0, ratio - error), ratio + error] };
  });
}

/** Duels of the candidate with every other forecaster. */
export function allDuels({ outcomes, players }: RunTables): Duels {
  const [candidate, ...others] = players;
  return new Map(others.map((other) => [other, duelCells(outcomes, candidate, other)]));
}

const WIDTH = 480;
const ROW_HEIGHT = 20;
const LABEL_ROOM = 106;
/** Farther is not told apart. */
const RATIO_BOUNDS = [0.3, 1.4] as const;

/** Every cell of the candidate against its foremost rivals, with intervals. */
export function duelFigure(run: RunTables, duels: Duels): string {
  const rivals = run.players.slice(1, 3);
  const panels = SIDES.map((side, s) => ({ heading: side, svg: duelPanel(duels, rivals, side, s) }));
  return figure(
    'Pinball loss of the candidate over that of another forecaster: left of 1 the candidate is better. Every row that both forecast counts the same; whiskers are 95 % intervals clustered by week.',
    panels,
    rivals.map(({ className, words }) => [className, `against ${words}`]),
  );
}

function duelPanel(duels: Duels, rivals: readonly Player[], side: string, s: number): string {
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
export function scoreTable(run: RunTables, duels: Duels): string {
  const [candidate, ...others] = run.players;
  const means = cellMeans(run.outcomes, candidate);
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
      about: 'Joint score of VaR and ES of losses in percent (Patton, Ziegel and Chen 2019); lower is better',
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
        const own = means[cell];
        if (own === null) return [];
        const against = others.map((other) => duels.get(other)?.[cell] ?? null);
        const name = `${side} ${hours} h ${level(confidence)}`;
        return [[{ text: name, sort: cell }, ...ownCells(own), ...against.map(ratioCell)]];
      }),
    ),
  );
  return sortableTable('Scores by side, horizon and confidence, all markets together', columns, rows);
}

function ownCells({ observations, ...own }: CellMeans): readonly Cell[] {
  return [
    { text: whole(observations), sort: observations },
    { text: significant(100 * own.pinball, 4), sort: own.pinball },
    { text: (own.fz0 + PERCENT_SHIFT).toFixed(3), sort: own.fz0 },
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
