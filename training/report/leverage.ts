import { cellIndex, SIDE_COUNT } from '../../src/forecast/predictor.ts';
import { quantileInPlace } from '../../src/risk/numeric/quantile.ts';
import { DAY_MILLISECONDS } from '../../src/units.ts';
import type { ForecastTable, OutcomeTable } from '../judge/tables.ts';
import { chart, figure, plotRanges, polyline, ribbon } from './chart.ts';
import { LONGEST, leadingPlayers, type RunTables, rowsByMarket } from './run.ts';
import { linearScale, logScale, monthTicks } from './scale.ts';
import { type Cell, type Column, sortableTable } from './table.ts';
import { percent, significant } from './text.ts';

const CONFIDENCE = 1;
/** A leverage that nobody grants: a market that stood still has an ES near zero. */
const MOST_LEVERAGE = 125;
const MOST_POINTS = 160;
/** Short enough for a crash, long enough for a week's rhythm not to show. */
const LEAST_STRETCH = 3 * DAY_MILLISECONDS;

/**
 * The leverage at which the margin would cover the expected shortfall of the worse side over 24 hours at 99 %: 1 / ES. The
 * limits add closeout cost, corridor and governor; this is the forecast's own say. NaN where there is no forecast.
 */
export function impliedLeverage({ expectedShortfall }: ForecastTable, row: number): number {
  let worst = 0;
  for (let side = 0; side < SIDE_COUNT; side++) {
    const shortfall = expectedShortfall[cellIndex(row, side, LONGEST, CONFIDENCE)];
    if (!(shortfall > 0)) return Number.NaN;
    worst = Math.max(worst, shortfall);
  }
  return Math.min(1 / worst, MOST_LEVERAGE);
}

/** What a market's leverage would have been. */
export interface LeverageSummary {
  readonly lowerQuartile: number;
  readonly median: number;
  readonly upperQuartile: number;
  readonly lowest: number;
  /** Mean absolute relative change from day to day: what a trader has to put up with. */
  readonly dailyTurnover: number;
}

/** Null where the forecaster has no answer for the market. */
export function leverageSummary(
  outcomes: OutcomeTable,
  table: ForecastTable,
  rows: Uint32Array,
): LeverageSummary | null {
  const values = Float64Array.from(rows, (row) => impliedLeverage(table, row)).filter(Number.isFinite);
  if (values.length === 0) return null;
  let changes = 0;
  let sum = 0;
  let before = Number.NaN;
  let dayBefore = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    const day = Math.floor(outcomes.asOf[row] / DAY_MILLISECONDS);
    const leverage = impliedLeverage(table, row);
    if (day === dayBefore || !Number.isFinite(leverage)) continue;
    if (day === dayBefore + 1) {
      sum += Math.abs(Math.log(leverage / before));
      changes++;
    }
    before = leverage;
    dayBefore = day;
  }
  const quantile = (share: number): number => quantileInPlace(values.slice(), share);
  return {
    lowerQuartile: quantile(0.25),
    median: quantile(0.5),
    upperQuartile: quantile(0.75),
    lowest: Math.min(...values),
    dailyTurnover: changes === 0 ? Number.NaN : Math.expm1(sum / changes),
  };
}

/** Median and quartiles over markets through time. */
function overMarkets(
  outcomes: OutcomeTable,
  table: ForecastTable,
): readonly (readonly [time: number, lower: number, median: number, upper: number])[] {
  const { rows, asOf } = outcomes;
  const spacing = Math.max(LEAST_STRETCH, (asOf[rows - 1] - asOf[0]) / MOST_POINTS);
  const points: [number, number, number, number][] = [];
  let values: number[] = [];
  let from = asOf[0];
  // All forecasts of a stretch, not those of one hour in it: hours and weekdays differ.
  const close = (): void => {
    const own = Float64Array.from(values);
    const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantileInPlace(own.slice(), share));
    points.push([from + spacing / 2, low, middle, high]);
    values = [];
  };
  for (let row = 0; row < rows; row++) {
    if (asOf[row] >= from + spacing) {
      if (values.length > 0) close();
      from = asOf[row];
    }
    const leverage = impliedLeverage(table, row);
    if (Number.isFinite(leverage)) values.push(leverage);
  }
  if (values.length > 0) close();
  return points;
}

const WIDTH = 960;
const HEIGHT = 340;

export function leverageFigure(run: RunTables): string {
  const { outcomes } = run;
  const lines = leadingPlayers(run).map((player) => ({
    player,
    points: overMarkets(outcomes, player.table),
  }));
  const all = lines.flatMap(({ points }) => points);
  if (all.length === 0) return '<p>No forecaster has an answer.</p>';
  const ranges = plotRanges(WIDTH, HEIGHT);
  const span = [Math.min(...all.map(([at]) => at)), Math.max(...all.map(([at]) => at))] as const;
  const lowest = Math.min(...all.map(([, low]) => low));
  const highest = Math.max(...all.map(([, , , high]) => high));
  const x = linearScale(span, ranges.x);
  const y = logScale([0.9 * lowest, 1.1 * highest], ranges.y);
  const ticks = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 125].filter(
    (at) => at >= y.domain[0] && at <= y.domain[1],
  );
  const svg = chart(
    {
      id: 'leverage',
      title: 'Leverage that the forecasts would have allowed',
      description:
        'Median over markets of 1 / ES (24 h, 99 %, worse side) through time, with the quartiles of the candidate.',
      width: WIDTH,
      height: HEIGHT,
      x: {
        scale: x,
        ticks: monthTicks(span, 10).map((at) => ({ at, label: new Date(at).toISOString().slice(0, 7) })),
        label: '',
      },
      y: { scale: y, ticks: ticks.map((at) => ({ at, label: `${at}x` })), label: 'leverage' },
    },
    [
      ribbon(
        lines[0].player.className,
        lines[0].points.map(([at, low, , high]) => [at, low, high]),
        x,
        y,
      ),
      ...lines.toReversed().map(({ player, points }) =>
        polyline(
          player.className,
          points.map(([at, , median]) => [at, median]),
          x,
          y,
        ),
      ),
    ],
  );
  return figure(
    '1 / ES over 24 hours at 99 % of the worse side: median over markets, with the quartiles of the candidate. Closeout cost, corridor and governor come on top in the service.',
    [{ heading: '', svg }],
    lines.map(({ player }) => [player.className, player.words]),
  );
}

export function leverageTable(run: RunTables): string {
  const { outcomes } = run;
  const players = leadingPlayers(run);
  const byMarket = rowsByMarket(outcomes);
  const columns: Column[] = [
    { title: 'Market' },
    ...players.flatMap(({ words, brief }) => [
      { title: brief, numeric: true, about: `Median of ${words}, quartiles beside it` },
      { title: 'lowest', numeric: true },
      { title: 'daily change', numeric: true, about: 'Mean relative change from day to day' },
    ]),
  ];
  const rows = outcomes.symbols.flatMap((symbol, m): (readonly Cell[])[] => {
    const summaries = players.map(({ table }) => leverageSummary(outcomes, table, byMarket[m]));
    if (summaries[0] === null) return [];
    return [[{ text: symbol }, ...summaries.flatMap(leverageCells)]];
  });
  return sortableTable('Leverage by market: 1 / ES, 24 h, 99 %, worse side', columns, rows);
}

function leverageCells(summary: LeverageSummary | null): readonly Cell[] {
  if (summary === null) return [{ text: '–' }, { text: '–' }, { text: '–' }];
  const { median, lowerQuartile, upperQuartile, lowest, dailyTurnover } = summary;
  return [
    {
      text: `${significant(median)}x`,
      detail: `${significant(lowerQuartile)}–${significant(upperQuartile)}`,
      sort: median,
    },
    { text: `${significant(lowest)}x`, sort: lowest },
    { text: percent(dailyTurnover, 1), sort: dailyTurnover },
  ];
}
