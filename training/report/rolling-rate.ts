import { CONFIDENCES, HORIZONS_HOURS, SIDE_COUNT } from '../../src/forecast/predictor.ts';
import { DAY_MILLISECONDS } from '../../src/units.ts';
import type { ForecastTable, OutcomeTable } from '../judge/tables.ts';
import { chart, figure, plotRanges, polyline, segment } from './chart.ts';
import { excursionAt, LONGEST, leadingPlayers, type RunTables, valueAtRiskAt } from './run.ts';
import { linearScale, monthTicks, roundTicks } from './scale.ts';
import { level, significant } from './text.ts';

const WINDOW_DAYS = 30;
const MOST_POINTS = 180;
const WIDTH = 480;
const HEIGHT = 270;
/** Horizon and confidence of each panel. */
const SHOWN = [
  [1, 1],
  [LONGEST, 1],
  [1, 0],
  [LONGEST, 0],
] as const;

/** Share of rows, both sides and all markets, whose loss exceeded VaR in the 30 days up to each time. */
export function rollingRate(
  outcomes: OutcomeTable,
  table: ForecastTable,
  horizon: number,
  confidence: number,
): readonly (readonly [time: number, rate: number])[] {
  const { rows, asOf } = outcomes;
  if (rows === 0) return [];
  const first = Math.floor(asOf[0] / DAY_MILLISECONDS);
  const days = Math.floor(asOf[rows - 1] / DAY_MILLISECONDS) - first + 1;
  const counts = new Float64Array(days);
  const hits = new Float64Array(days);
  for (let row = 0; row < rows; row++) {
    const at = Math.floor(asOf[row] / DAY_MILLISECONDS) - first;
    for (let side = 0; side < SIDE_COUNT; side++) {
      const valueAtRisk = valueAtRiskAt(table, row, side, horizon, confidence);
      if (!Number.isFinite(valueAtRisk)) continue;
      counts[at]++;
      if (excursionAt(outcomes, row, side, horizon) > valueAtRisk) hits[at]++;
    }
  }
  const window = Math.min(WINDOW_DAYS, days);
  const points: [number, number][] = [];
  let [count, hit] = [0, 0];
  const step = Math.max(1, Math.ceil((days - window) / MOST_POINTS));
  for (let at = 0; at < days; at++) {
    count += counts[at] - (at >= window ? counts[at - window] : 0);
    hit += hits[at] - (at >= window ? hits[at - window] : 0);
    if (at >= window - 1 && (days - 1 - at) % step === 0)
      points.push([(first + at + 1) * DAY_MILLISECONDS, count === 0 ? Number.NaN : hit / count]);
  }
  return points;
}

export function rollingFigure(run: RunTables): string {
  const players = leadingPlayers(run);
  const panels = SHOWN.map(([h, c]) => ({
    heading: `${level(CONFIDENCES[c])}, ${HORIZONS_HOURS[h]} h`,
    svg: panel(run, h, c),
  }));
  return figure(
    `Share of losses beyond VaR in the last ${WINDOW_DAYS} days, both sides and all markets. Markets fall together, so that bursts are expected; a level that stays off its target is not.`,
    panels,
    players.map(({ className, words }) => [className, words]),
  );
}

function panel(run: RunTables, horizon: number, confidence: number): string {
  const lines = leadingPlayers(run).map((player) => ({
    player,
    points: rollingRate(run.outcomes, player.table, horizon, confidence),
  }));
  const times = lines.flatMap(({ points }) => points.map(([at]) => at));
  const rates = lines.flatMap(({ points }) => points.map(([, rate]) => rate)).filter(Number.isFinite);
  const target = 1 - CONFIDENCES[confidence];
  const ranges = plotRanges(WIDTH, HEIGHT);
  const span = [Math.min(...times), Math.max(...times)] as const;
  const x = linearScale(span, ranges.x);
  const y = linearScale([0, 1.05 * Math.max(2 * target, ...rates)], ranges.y);
  return chart(
    {
      id: `rolling-${horizon}-${confidence}`,
      title: `Rolling exceedance rate at ${level(CONFIDENCES[confidence])}, ${HORIZONS_HOURS[horizon]} h`,
      description: `Exceedance rate of the last ${WINDOW_DAYS} days over time; the dashed line is the target.`,
      width: WIDTH,
      height: HEIGHT,
      x: {
        scale: x,
        ticks: monthTicks(span, 6).map((at) => ({ at, label: new Date(at).toISOString().slice(0, 7) })),
        label: '',
      },
      y: {
        scale: y,
        ticks: roundTicks(y.domain, 4).map((at) => ({ at, label: `${significant(100 * at, 2)} %` })),
        label: 'exceeded',
      },
    },
    [
      segment('target', ranges.x[0], y(target), ranges.x[1], y(target)),
      ...lines.toReversed().map(({ player, points }) => polyline(player.className, points, x, y)),
    ],
  );
}
