import { CONFIDENCES, HORIZON_COUNT, HORIZONS_HOURS, SIDES } from '../../src/forecast/predictor.ts';
import type { ForecastTable, OutcomeTable } from '../judge/tables.ts';
import { chart, dot, figure, plotRanges, segment } from './chart.ts';
import { excursionAt, leadingPlayers, type RunTables, valueAtRiskAt } from './run.ts';
import { linearScale, logScale } from './scale.ts';
import { level, percent, significant } from './text.ts';

/** How often losses exceeded VaR in one cell of all markets together. */
export interface CellCoverage {
  readonly observations: number;
  readonly exceedances: number;
  readonly rate: number;
  /** 95 %, clustered: what happens within a week happens to all markets and horizons at once. */
  readonly interval: readonly [number, number];
}

const WEEK_MILLISECONDS = 7 * 24 * 3_600_000;
const NORMAL_95 = 1.96;

/**
 * Exceedance rate of a cell with an interval from the variance of weekly sums (Liang and Zeger 1986): the weeks, not the
 * rows, are what is nearly independent.
 */
export function coverageOf(
  outcomes: OutcomeTable,
  table: ForecastTable,
  side: number,
  horizon: number,
  confidence: number,
  isCounted: (row: number) => boolean = () => true,
): CellCoverage {
  const weeks = new Map<number, { count: number; hits: number }>();
  let observations = 0;
  let exceedances = 0;
  for (let row = 0; row < outcomes.rows; row++) {
    const valueAtRisk = valueAtRiskAt(table, row, side, horizon, confidence);
    if (!Number.isFinite(valueAtRisk) || !isCounted(row)) continue;
    const week = Math.floor(outcomes.asOf[row] / WEEK_MILLISECONDS);
    let sums = weeks.get(week);
    if (sums === undefined) {
      sums = { count: 0, hits: 0 };
      weeks.set(week, sums);
    }
    const isHit = excursionAt(outcomes, row, side, horizon) > valueAtRisk;
    sums.count++;
    observations++;
    if (isHit) {
      sums.hits++;
      exceedances++;
    }
  }
  const rate = observations === 0 ? Number.NaN : exceedances / observations;
  let squares = 0;
  for (const { count, hits } of weeks.values()) squares += (hits - rate * count) ** 2;
  const small = weeks.size > 1 ? weeks.size / (weeks.size - 1) : 1;
  const error = observations === 0 ? Number.NaN : Math.sqrt(small * squares) / observations;
  return {
    observations,
    exceedances,
    rate,
    interval: [Math.max(0, rate - NORMAL_95 * error), rate + NORMAL_95 * error],
  };
}

const WIDTH = 480;
const HEIGHT = 300;
/** Beyond four times too many or too few, how far does not matter. */
const RATIO_BOUNDS = [0.25, 4] as const;
const RATIO_TICKS = [0.25, 0.5, 1, 2, 4];

/** Exceedance rates over what they should be, by level, a panel for each side and horizon that is shown. */
export function coverageFigure(run: RunTables): string {
  const players = leadingPlayers(run);
  const panels = SIDES.flatMap((side, s) =>
    [1, HORIZON_COUNT - 1].map((h) => ({
      heading: `${side}, ${HORIZONS_HOURS[h]} h`,
      svg: panel(run, `coverage-${side}-${h}`, s, h),
    })),
  );
  return figure(
    'Exceedance rate over its target, all markets together: 1 is right, 2 is twice too many. Whiskers are 95 % intervals clustered by week; dots beyond the edge lie on it.',
    panels,
    players.map(({ className, words }) => [className, words]),
  );
}

function panel(run: RunTables, id: string, side: number, horizon: number): string {
  const ranges = plotRanges(WIDTH, HEIGHT);
  const x = linearScale([-0.5, CONFIDENCES.length - 0.5], ranges.x);
  const y = logScale(RATIO_BOUNDS, ranges.y);
  const players = leadingPlayers(run);
  const clip = (ratio: number): number => Math.min(Math.max(ratio, RATIO_BOUNDS[0]), RATIO_BOUNDS[1]);
  const marks = players.flatMap(({ table, className, words }, p) =>
    CONFIDENCES.flatMap((confidence, c) => {
      const { rate, interval, observations, exceedances } = coverageOf(run.outcomes, table, side, horizon, c);
      if (!Number.isFinite(rate)) return [];
      const target = 1 - confidence;
      const at = x(c + (p - (players.length - 1) / 2) * 0.2);
      const [low, high] = interval.map((end) => y(clip(end / target)));
      const tip = `${words}, ${level(confidence)}: ${exceedances} of ${observations}, ${percent(rate, 3)}`;
      return [
        segment(`whisker ${className}`, at, low, at, high),
        dot(className, at, y(clip(rate / target)), 4.5, tip),
      ];
    }),
  );
  const one = segment('target', ranges.x[0], y(1), ranges.x[1], y(1));
  return chart(
    {
      id,
      title: `Exceedance rate over target, ${SIDES[side]} ${HORIZONS_HOURS[horizon]} h`,
      description: 'For each confidence level, how many times as often as intended losses exceeded VaR.',
      width: WIDTH,
      height: HEIGHT,
      x: {
        scale: x,
        ticks: CONFIDENCES.map((confidence, c) => ({ at: c, label: level(confidence) })),
        label: 'confidence of VaR',
      },
      y: {
        scale: y,
        ticks: RATIO_TICKS.map((at) => ({ at, label: `${significant(at, 2)}×` })),
        label: 'observed / intended',
      },
    },
    [one, ...marks],
  );
}
