import { HORIZONS_HOURS, pathIndex, SIDES } from '../../src/forecast/predictor.ts';
import { type ReliabilityBin, reliabilityCurve } from '../../src/risk/comparison/reliability.ts';
import { brier } from '../../src/risk/comparison/scores.ts';
import type { ForecastTable, OutcomeTable } from '../judge/tables.ts';
import { chart, dot, figure, plotRanges, polyline, segment } from './chart.ts';
import { LONGEST, leadingPlayers, type Player, type RunTables } from './run.ts';
import { linearScale, roundTicks } from './scale.ts';
import { percent, significant } from './text.ts';

const WIDTH = 480;
const HEIGHT = 320;
const SHOWN_HORIZONS = [1, LONGEST];

/** Probabilities of a path with what came, of the rows that have both; null where the forecaster gives none. */
export function probabilitiesOf(
  outcomes: OutcomeTable,
  table: ForecastTable,
  side: number,
  horizon: number,
): { readonly probabilities: Float64Array; readonly came: Uint8Array } | null {
  if (table.shockProbability === null) return null;
  const probabilities = new Float64Array(outcomes.rows);
  const came = new Uint8Array(outcomes.rows);
  let n = 0;
  for (let row = 0; row < outcomes.rows; row++) {
    const path = pathIndex(row, side, horizon);
    const probability = table.shockProbability[path];
    const threshold = outcomes.shockThreshold[path];
    if (!Number.isFinite(probability) || !Number.isFinite(threshold)) continue;
    probabilities[n] = probability;
    came[n++] = outcomes.excursions[path] > threshold ? 1 : 0;
  }
  return n === 0 ? null : { probabilities: probabilities.slice(0, n), came: came.slice(0, n) };
}

/** How often shocks came where each probability was forecast. */
export function reliabilityFigure(run: RunTables): string {
  const players = leadingPlayers(run);
  const panels = SHOWN_HORIZONS.flatMap((h) =>
    SIDES.flatMap((side, s) => {
      const svg = panel(run.outcomes, players, s, h);
      return svg === null ? [] : [{ heading: `${side}, ${HORIZONS_HOURS[h]} h`, svg }];
    }),
  );
  if (panels.length === 0) return '<p>No forecaster of this run gives a probability of a shock.</p>';
  return figure(
    'Probability of a shock as forecast (ten bins of equally many forecasts) and as it came. On the diagonal, a forecast of 10 % is right one time in ten. Whiskers of the candidate: Wilson 95 %, as if rows were independent, which they are not.',
    panels,
    players.map(({ className, words }) => [className, words]),
  );
}

function panel(
  outcomes: OutcomeTable,
  players: readonly Player[],
  side: number,
  horizon: number,
): string | null {
  const curves = players.flatMap((player) => {
    const pairs = probabilitiesOf(outcomes, player.table, side, horizon);
    if (pairs === null) return [];
    const score = brier(pairs.probabilities, pairs.came);
    return [{ player, score, bins: reliabilityCurve(pairs.probabilities, pairs.came) }];
  });
  if (curves.length === 0) return null;
  const most = Math.max(
    0.02,
    ...curves.flatMap(({ bins }) =>
      bins.flatMap((bin) => [bin.meanProbability, bin.frequency, bin.interval[1]]),
    ),
  );
  const ranges = plotRanges(WIDTH, HEIGHT);
  const domain = [0, 1.05 * most] as const;
  const x = linearScale(domain, ranges.x);
  const y = linearScale(domain, ranges.y);
  const ticks = roundTicks(domain, 5).map((at) => ({ at, label: `${significant(100 * at, 2)} %` }));
  const marks = curves.flatMap(({ player, bins }) => [
    polyline(
      player.className,
      bins.map((bin) => [bin.meanProbability, bin.frequency]),
      x,
      y,
    ),
    ...(player.part === 'candidate' ? bins.map((bin) => whisker(bin, player.className)) : []),
    ...bins.map((bin) =>
      dot(
        player.className,
        x(bin.meanProbability),
        y(bin.frequency),
        3.5,
        `${player.words}: forecast ${percent(bin.meanProbability)}, came ${percent(bin.frequency)} of ${bin.count}`,
      ),
    ),
  ]);
  function whisker(bin: ReliabilityBin, className: string): string {
    const [low, high] = bin.interval.map((end) => y(Math.min(end, domain[1])));
    return segment(`whisker ${className}`, x(bin.meanProbability), low, x(bin.meanProbability), high);
  }
  const scores = curves.map(({ player, score }) => `${player.words} ${significant(score, 4)}`).join(', ');
  return chart(
    {
      id: `reliability-${SIDES[side]}-${horizon}`,
      title: `Reliability of the shock probability, ${SIDES[side]} ${HORIZONS_HOURS[horizon]} h`,
      description: `Forecast probability against observed frequency. Brier score: ${scores}.`,
      width: WIDTH,
      height: HEIGHT,
      x: { scale: x, ticks, label: 'forecast' },
      y: { scale: y, ticks, label: 'came' },
    },
    [segment('target', x(0), y(0), x(domain[1]), y(domain[1])), ...marks],
  );
}
