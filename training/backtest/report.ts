import { isoTime } from '../../src/clock.ts';
import { maxLeverageAt } from '../../src/limits/brackets.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { chart, figure, plotRanges, polyline } from '../report/chart.ts';
import { page, type Section } from '../report/page.ts';
import { linearScale, logScale, monthTicks } from '../report/scale.ts';
import { type Column, sortableTable } from '../report/table.ts';
import { escapeHtml, percent, significant, whole } from '../report/text.ts';
import type { AgainstRecorded, AgainstRule, Walked } from './backtest.ts';
import { MEASURED_NOTIONAL, type Measures } from './measures.ts';
import type { SchedulePath } from './schedule-path.ts';
import type { MarketTape, Tape } from './tape.ts';
import type { TraderRules } from './traders.ts';

/** What `plimsoll backtest` says, as JSON. */
export interface BacktestResult {
  readonly span: { readonly from: string; readonly until: string };
  readonly markets: readonly string[];
  readonly simulated: boolean;
  readonly policy: { readonly name: string; readonly hash: string };
  readonly traders: TraderRules;
  readonly decisionHours: number;
  readonly measures: Measures;
  readonly against: readonly (AgainstRule | AgainstRecorded | AgainstPolicy)[];
}

/** What a comparison with another policy says. */
export interface AgainstPolicy {
  readonly name: string;
  readonly policy: { readonly name: string; readonly hash: string };
  readonly measures: Measures;
}

/** The result of a backtest as one HTML page. */
export function backtestReport(
  tape: Tape,
  own: Walked,
  result: BacktestResult,
  other: Walked | null,
): string {
  const { span, markets, simulated, policy, traders } = result;
  const recorded = result.against.find((one): one is AgainstRecorded => 'own' in one);
  const sections: Section[] = [
    { id: 'measures', title: 'Measures', html: measuresTable(result) },
    { id: 'leverage', title: 'Leverage through time', html: leverageFigure(tape, own, other) },
    { id: 'markets', title: 'Markets', html: marketsTable(own) },
    ...(recorded === undefined ? [] : [{ id: 'cuts', title: 'Recorded cuts', html: cutsTable(recorded) }]),
    { id: 'rules', title: 'How it was measured', html: rulesList(traders, result) },
  ];
  const head =
    `<h1>Backtest of the policy ${escapeHtml(policy.name)}</h1>` +
    `<p>${markets.length} markets from ${span.from.slice(0, 10)} to ${span.until.slice(0, 10)}. Policy ${policy.hash.slice(0, 12)}.</p>` +
    (simulated ? '<p class="notice">SIMULATED markets: this says nothing about real ones.</p>' : '') +
    `<ul class="tiles">${tiles(result.measures)}</ul>`;
  return page('Backtest of a policy', head, sections, '<p>plimsoll backtest</p>', null);
}

function tiles(of: Measures): string {
  const tile = (value: string, words: string): string => `<li><b>${value}</b><span>${words}</span></li>`;
  return [
    tile(`${of.averageLeverage.toFixed(2)}x`, 'average leverage granted'),
    tile(percent(of.badDebtRatio, 3), 'bad debt per open notional and year'),
    tile(percent(of.exceedanceRate), 'of hours and sides beyond the initial margin'),
    tile(percent(of.largestRise1Day, 0), 'largest margin rise in a day, median market'),
  ].join('');
}

const COLUMNS: readonly Column[] = [
  { title: 'Table' },
  {
    title: 'Leverage',
    numeric: true,
    about: 'All sizes carry the same notional; refused positions count with 0.',
  },
  { title: 'Refused', numeric: true },
  {
    title: 'Bad debt a year',
    numeric: true,
    about: 'Loss beyond the traders’ margin per open notional and year.',
  },
  { title: 'Liquidations', numeric: true },
  {
    title: 'Exceeded',
    numeric: true,
    about: 'Hours and sides whose excursion is beyond the initial margin.',
  },
  { title: 'Changes a month', numeric: true },
  { title: 'Daily cut', numeric: true },
  { title: 'Rise 1 d', numeric: true },
  { title: '5 d', numeric: true },
  { title: '30 d', numeric: true },
  { title: 'Peak to trough', numeric: true },
];

function measuresTable({ measures, against }: BacktestResult): string {
  const rows: { readonly name: string; readonly of: Measures }[] = [{ name: 'policy', of: measures }];
  for (const one of against) {
    rows.push({ name: one.name, of: one.measures });
    if (!('own' in one)) continue;
    rows.push({ name: 'policy on the same hours', of: one.own });
    if (one.atEqualLeverage !== null)
      rows.push({
        name: `policy at the same leverage, margins × ${significant(one.atEqualLeverage.marginMultiplier)}`,
        of: one.atEqualLeverage.measures,
      });
    if (one.atEqualBadDebt !== null)
      rows.push({
        name: `policy at the same bad debt, margins × ${significant(one.atEqualBadDebt.marginMultiplier)}`,
        of: one.atEqualBadDebt.measures,
      });
  }
  return sortableTable(
    'The same traders, prices and closeouts under each table',
    COLUMNS,
    rows.map(({ name, of }) => [
      { text: name },
      { text: `${of.averageLeverage.toFixed(2)}x`, sort: of.averageLeverage },
      { text: percent(of.refusedRatio, 1), sort: of.refusedRatio },
      { text: percent(of.badDebtRatio, 3), sort: of.badDebtRatio },
      { text: whole(of.liquidations), sort: of.liquidations },
      { text: percent(of.exceedanceRate), sort: of.exceedanceRate },
      { text: of.changesPerMonth.toFixed(1), sort: of.changesPerMonth },
      { text: percent(of.largestDailyCut, 0), sort: of.largestDailyCut },
      { text: percent(of.largestRise1Day, 0), sort: of.largestRise1Day },
      { text: percent(of.largestRise5Days, 0), sort: of.largestRise5Days },
      { text: percent(of.largestRise30Days, 0), sort: of.largestRise30Days },
      { text: of.peakToTrough.toFixed(2), sort: of.peakToTrough },
    ]),
  );
}

function marketsTable({ byMarket }: Walked): string {
  const rows = [...byMarket].map(([symbol, { dealings, moves, exceedances, judged }]) => {
    const leverage = dealings.leverage / Math.max(dealings.positions, 1);
    const badDebt = dealings.badDebt / Math.max(dealings.years, 1e-9);
    return [
      { text: symbol },
      { text: `${leverage.toFixed(2)}x`, sort: leverage },
      { text: percent(badDebt, 3), sort: badDebt },
      { text: whole(dealings.liquidations), sort: dealings.liquidations },
      { text: percent(exceedances / Math.max(judged, 1)), sort: exceedances / Math.max(judged, 1) },
      { text: percent(moves?.largestRise1Day ?? Number.NaN, 0), sort: moves?.largestRise1Day ?? 0 },
      { text: (moves?.peakToTrough ?? 1).toFixed(2), sort: moves?.peakToTrough ?? 1 },
    ];
  });
  const columns = [COLUMNS[0], COLUMNS[1], COLUMNS[3], COLUMNS[4], COLUMNS[5], COLUMNS[8], COLUMNS[11]];
  return sortableTable('By market', [{ title: 'Market' }, ...columns.slice(1)], rows);
}

function cutsTable({ cuts }: AgainstRecorded): string {
  if (cuts.length === 0) return '<p>No recorded table was cut to half or less on these markets.</p>';
  const columns: readonly Column[] = [
    { title: 'Market' },
    { title: 'Recorded' },
    { title: 'From', numeric: true },
    { title: 'To', numeric: true },
    { title: 'Policy an hour before', numeric: true },
    { title: 'Hours ahead', numeric: true },
  ];
  return sortableTable(
    'Cuts of the top leverage to half or less, and where the policy was before',
    columns,
    cuts.map((cut) => [
      { text: cut.symbol },
      { text: isoTime(cut.recordedAt).slice(0, 10) },
      { text: `${cut.from}x`, sort: cut.from },
      { text: `${cut.to}x`, sort: cut.to },
      { text: `${cut.policyLeverage}x`, sort: cut.policyLeverage, tone: cut.isAnticipated ? 'good' : 'bad' },
      { text: whole(cut.leadHours), sort: cut.leadHours },
    ]),
  );
}

function rulesList(traders: TraderRules, { decisionHours }: BacktestResult): string {
  const lines = [
    `A decision every ${decisionHours} h, with the governor on, on forecasts that knew nothing of later bars.`,
    `Traders come every ${traders.entryEveryHours} hours on average, a long and a short of ${traders.notionals.map(whole).join(', ')} quote units each, take all the leverage they get and stay ${traders.meanHoldingHours} hours on average.`,
    `${percent(traders.answerRatio, 0)} of them answer margin calls, ${traders.maximumAnswers} times at most.`,
    'In each bar the worst price comes first. A liquidated position is sold at the mean of its trigger and the worst price of the bar, later parts at the mean of close and worst price, less spread, fee and impact.',
    'What is lost beyond the margin is bad debt.',
  ];
  return `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`;
}

const WIDTH = 960;
const HEIGHT = 340;
const DAY_HOURS = 24;

function leverageFigure(tape: Tape, own: Walked, other: Walked | null): string {
  const lines = [
    { className: 's0', words: 'policy', points: medianLeverage(tape, own.paths) },
    ...(other === null
      ? []
      : [{ className: 's1', words: 'the other policy', points: medianLeverage(tape, other.paths) }]),
  ];
  const all = lines.flatMap(({ points }) => points.map(([, value]) => value));
  if (all.length === 0) return '<p>No market had a table.</p>';
  const ranges = plotRanges(WIDTH, HEIGHT);
  const x = linearScale([tape.from, tape.until], ranges.x);
  const y = logScale([0.9 * Math.min(...all), 1.1 * Math.max(...all)], ranges.y);
  const ticks = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 125].filter(
    (at) => at >= y.domain[0] && at <= y.domain[1],
  );
  const svg = chart(
    {
      id: 'leverage-through-time',
      title: 'Leverage granted through time',
      description: 'Median over markets of the leverage granted to a position of ten thousand.',
      width: WIDTH,
      height: HEIGHT,
      x: {
        scale: x,
        ticks: monthTicks([tape.from, tape.until], 10).map((at) => ({ at, label: isoTime(at).slice(0, 7) })),
        label: '',
      },
      y: { scale: y, ticks: ticks.map((at) => ({ at, label: `${at}x` })), label: 'leverage' },
    },
    lines.toReversed().map(({ className, points }) => polyline(className, points, x, y)),
  );
  return figure(
    `Leverage granted to a position of ${whole(MEASURED_NOTIONAL)} quote units: median over markets, once a day.`,
    [{ heading: '', svg }],
    lines.map(({ className, words }) => [className, words]),
  );
}

/** By day: the middle market. */
function medianLeverage(tape: Tape, paths: ReadonlyMap<string, SchedulePath>): (readonly [number, number])[] {
  const byTime = new Map<number, number[]>();
  for (const market of tape.markets) {
    const path = paths.get(market.symbol);
    if (path !== undefined) addDaily(byTime, market, path);
  }
  return [...byTime]
    .sort(([a], [b]) => a - b)
    .map(([at, values]) => [at, values.sort((a, b) => a - b)[values.length >>> 1]] as const);
}

function addDaily(byTime: Map<number, number[]>, { bars }: MarketTape, path: SchedulePath): void {
  for (let hour = 0; hour < bars.length; hour++) {
    const at = bars.openTime[hour] + HOUR_MILLISECONDS;
    if ((at / HOUR_MILLISECONDS) % DAY_HOURS !== 0 || path.opening[hour] < 0) continue;
    const values = byTime.get(at) ?? [];
    values.push(Math.max(maxLeverageAt(path.schedules[path.opening[hour]], MEASURED_NOTIONAL), 1));
    byTime.set(at, values);
  }
}
