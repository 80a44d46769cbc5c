import { chart, dot, figure, plotRanges, polyline } from '../../training/report/chart.ts';
import { page } from '../../training/report/page.ts';
import { linearScale, logScale, roundTicks, type Scale } from '../../training/report/scale.ts';
import { type Column, sortableTable } from '../../training/report/table.ts';
import { escapeHtml, percent, whole } from '../../training/report/text.ts';
import type { LeveragePoint } from '../accounts/system/leverage-sensitivity.ts';
import type { StressScenario } from '../accounts/system/stress-test.ts';

const WIDTH = 960;
const HEIGHT = 360;
/** As many lines as the style has colours. */
const MOST_LINES = 8;

/** Sensitivity to the leverage granted as one HTML page: what falls, what is owed, what is left of the fund. */
export function sensitivityPage(
  points: readonly LeveragePoint[],
  scenarios: readonly StressScenario[],
  remarks: readonly string[],
): string {
  const drawn = scenarios.slice(0, MOST_LINES);
  const plot = (id: string, title: string, of: (point: LeveragePoint) => number): string =>
    plotBy(id, title, points, drawn, of);
  const sections = [
    {
      id: 'bad-debt',
      title: 'Bad debt',
      html: plot('bad-debt-plot', 'Bad debt over open notional', ({ badDebtRatio }) => badDebtRatio),
    },
    {
      id: 'liquidations',
      title: 'Liquidations',
      html: plot('fallen-plot', 'Share of accounts that are liquidated', ({ fallenShare }) => fallenShare),
    },
    {
      id: 'fund',
      title: 'Insurance fund',
      html: plot('fund-plot', 'Share of the fund that is gone', ({ fundDepletion }) => fundDepletion),
    },
    { id: 'numbers', title: 'Numbers', html: numbersTable(points) },
    {
      id: 'scenarios',
      title: 'Scenarios',
      html: `<ul>${scenarios.map(({ id, description, basis }) => `<li><b>${escapeHtml(id)}</b>: ${escapeHtml(description)} (${basis})</li>`).join('')}</ul>`,
    },
  ];
  const simulated = remarks.some((remark) => remark.includes('SIMULATED'));
  const head =
    '<h1>Sensitivity to the leverage granted</h1>' +
    (simulated ? '<p class="notice">SIMULATED: see what is said below.</p>' : '') +
    remarks.map((remark) => `<p>${escapeHtml(remark)}.</p>`).join('');
  return page('Sensitivity to the leverage granted', head, sections, '<p>plimsoll sensitivity</p>', null);
}

function plotBy(
  id: string,
  title: string,
  points: readonly LeveragePoint[],
  scenarios: readonly StressScenario[],
  of: (point: LeveragePoint) => number,
): string {
  const leverages = points.map(({ leverage }) => leverage);
  const ranges = plotRanges(WIDTH, HEIGHT);
  const least = Math.min(...leverages);
  const most = Math.max(...leverages);
  const x = most > least ? logScale([least, most], ranges.x) : linearScale([least - 1, most + 1], ranges.x);
  const highest = Math.max(...points.map(of));
  const y = linearScale([0, highest > 0 ? 1.05 * highest : 1], ranges.y);
  const digits = highest < 0.001 ? 4 : highest < 0.1 ? 2 : 0;
  const lines = scenarios.flatMap(({ id: scenario }, i) => {
    const own = points.filter((point) => point.scenario === scenario);
    return drawLine(`s${i}`, own, of, x, y, scenario);
  });
  const svg = chart(
    {
      id,
      title,
      description: `${title} by the leverage that everybody has, a line a scenario.`,
      width: WIDTH,
      height: HEIGHT,
      x: {
        scale: x,
        ticks: [...new Set(leverages)].sort((a, b) => a - b).map((at) => ({ at, label: `${at}x` })),
        label: 'leverage granted',
      },
      y: {
        scale: y,
        ticks: roundTicks(y.domain, 6).map((at) => ({ at, label: percent(at, digits) })),
        label: '',
      },
    },
    lines,
  );
  return figure(
    `${title}, by the leverage that everybody has.`,
    [{ heading: '', svg }],
    scenarios.map(({ id: words }, i) => [`s${i}`, words]),
  );
}

function drawLine(
  className: string,
  points: readonly LeveragePoint[],
  of: (point: LeveragePoint) => number,
  x: Scale,
  y: Scale,
  scenario: string,
): string[] {
  const line = points.map((point) => [point.leverage, of(point)] as const);
  const words = (at: number, value: number): string => `${scenario} at ${at}x: ${percent(value, 3)}`;
  return [
    polyline(className, line, x, y),
    ...line.map(([at, value]) => dot(className, x(at), y(value), 3, words(at, value))),
  ];
}

const COLUMNS: readonly Column[] = [
  { title: 'Scenario' },
  { title: 'Leverage', numeric: true },
  { title: 'Fallen', numeric: true, about: 'Share of the accounts with positions.' },
  {
    title: 'By contagion',
    numeric: true,
    about: 'Accounts without a position in a market that was shocked.',
  },
  { title: 'Forced notional', numeric: true },
  { title: 'Bad debt', numeric: true },
  { title: 'Of notional', numeric: true },
  { title: 'Fund gone', numeric: true },
  { title: 'Deleveraged', numeric: true },
  { title: 'Uncovered', numeric: true },
];

function numbersTable(points: readonly LeveragePoint[]): string {
  return sortableTable(
    'Every scenario at every leverage',
    COLUMNS,
    points.map((point) => [
      { text: point.scenario },
      { text: `${point.leverage}x`, sort: point.leverage },
      { text: percent(point.fallenShare, 1), sort: point.fallenShare },
      { text: whole(point.accountsByContagion), sort: point.accountsByContagion },
      { text: whole(point.forcedNotional), sort: point.forcedNotional },
      { text: whole(point.badDebt), sort: point.badDebt },
      { text: percent(point.badDebtRatio, 3), sort: point.badDebtRatio },
      { text: percent(point.fundDepletion, 0), sort: point.fundDepletion },
      { text: whole(point.deleveragedNotional), sort: point.deleveragedNotional },
      { text: whole(point.uncovered), sort: point.uncovered },
    ]),
  );
}
