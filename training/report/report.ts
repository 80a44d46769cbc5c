import { CONFIDENCES, HORIZONS_HOURS, SIDES } from '../../src/forecast/predictor.ts';
import type { Judgement } from '../judge/judgement.ts';
import type { ForecastTable, OutcomeTable } from '../judge/tables.ts';
import { championTable } from './champion.ts';
import { coverageFigure, coverageOf } from './coverage.ts';
import { explorer } from './explorer.ts';
import { type GateLine, gatesSection, type Verdict } from './gates.ts';
import { type FeatureImportance, importanceFigure } from './importance.ts';
import { averagesTable, coverageTable, duelsTables, shockTable, spanWords, varianceTable } from './judged.ts';
import { leverageFigure, leverageTable } from './leverage.ts';
import { marketTable } from './market-scores.ts';
import { page, type Section } from './page.ts';
import { regimeTables } from './regimes.ts';
import { reliabilityFigure } from './reliability.ts';
import { rollingFigure } from './rolling-rate.ts';
import { type Player, playersOf, type RunTables } from './run.ts';
import { allDuels, type CellDuel, type Duels, duelFigure, scoreTable } from './scores.ts';
import { day, escapeHtml, percent, significant, whole } from './text.ts';
import { worstMissesTable } from './worst-misses.ts';

export interface ReportInput {
  readonly version: string;
  /** ISO 8601. */
  readonly madeAt: string;
  readonly simulated: boolean;
  readonly verdict: Verdict;
  readonly gates: readonly GateLine[];
  /** Null where only the tables are there; then what needs tests by market is left out. */
  readonly judgement: Judgement | null;
  readonly outcomes: OutcomeTable;
  readonly forecasts: readonly ForecastTable[];
  /** Name of the forecaster that is judged. */
  readonly candidate: string;
  /** Name of the champion's forecaster; null where there is none. */
  readonly champion: string | null;
  /** Null where it was not measured. */
  readonly importance: readonly FeatureImportance[] | null;
  /** What a reader needs to know where all this comes from. */
  readonly lineage: readonly (readonly [name: string, value: string])[];
  /** Makes the same run again. */
  readonly command: string;
}

/** The report of one run as one HTML page that needs nothing else: no network, no file beside it. */
export function runReport(input: ReportInput): string {
  const { judgement } = input;
  const players = playersOf(input.forecasts, input.candidate, input.champion);
  const run: RunTables = { outcomes: input.outcomes, players };
  const duels = allDuels(run);
  const champion = championTable(run, duels);
  const markets = explorer(run);
  const sections: Section[] = [
    ...(input.gates.length === 0 ? [] : [gatesSection(input.gates)]),
    {
      id: 'scores',
      title: 'Scores',
      html: `<p>${lossWords}${judgement === null ? '' : ` ${escapeHtml(spanWords(judgement))}`}</p>${duelFigure(run, duels)}${judgement === null ? scoreTable(run, duels) : averagesTable(judgement) + varianceTable(judgement)}`,
    },
    ...(judgement === null ? [] : [{ id: 'duels', title: 'Duels', html: duelsTables(judgement) }]),
    ...(champion === '' ? [] : [{ id: 'champion', title: 'Champion', html: champion }]),
    {
      id: 'coverage',
      title: 'Coverage',
      html: `<h3>Levels</h3>${coverageFigure(run)}<h3>Over time</h3>${rollingFigure(run)}${judgement === null ? '' : coverageTable(judgement)}`,
    },
    { id: 'markets', title: 'Markets', html: `${markets.html}${marketTable(run)}` },
    { id: 'misses', title: 'Worst misses', html: worstMissesTable(run) },
    {
      id: 'shocks',
      title: 'Shock probability',
      html: `${reliabilityFigure(run)}${judgement === null ? '' : shockTable(judgement)}`,
    },
    { id: 'regimes', title: 'Regimes', html: regimeTables(run) },
    { id: 'leverage', title: 'Leverage', html: `${leverageFigure(run)}${leverageTable(run)}` },
    ...(input.importance === null
      ? []
      : [{ id: 'features', title: 'Features', html: importanceFigure(input.importance) }]),
    { id: 'lineage', title: 'Data and lineage', html: lineageHtml(input) },
  ];
  const foot = `<p class="soft">Made ${escapeHtml(input.madeAt)} by Plimsoll. Times are UTC. Nothing in this page was fetched, and nothing is sent.</p>`;
  return page(`Shock model ${input.version}`, head(input, run, duels), sections, foot, markets.json);
}

const lossWords =
  'Pinball loss scores VaR alone, FZ0 scores VaR and ES together; both are lower for the better forecast, and nobody gains by forecasting other than they believe.';

function head({ version, verdict, simulated, outcomes }: ReportInput, run: RunTables, duels: Duels): string {
  const notice = simulated
    ? '<p class="notice" role="status"><strong>Simulated markets.</strong> These prices are invented; the scores say nothing about real ones.</p>'
    : '';
  const { rows, asOf, symbols } = outcomes;
  const tiles = [
    ...[...duels].slice(0, 2).flatMap(([other, cells]) => ratioTile(other, cells)),
    coverageTile(run),
    [
      whole(rows),
      `forecasts of ${symbols.length} markets, ${rows === 0 ? '' : `${day(asOf[0])} to ${day(asOf[rows - 1])}`}`,
    ],
  ];
  return `<h1>Shock model ${escapeHtml(version)}</h1>
<p class="soft">VaR and expected shortfall of the worst loss on the path, long and short, ${HORIZONS_HOURS.join(', ')} hours ahead, out of time.</p>
<div class="verdict ${verdict.isGood ? 'good' : 'bad'}" role="status"><span class="sign" aria-hidden="true">${verdict.isGood ? '✓' : '✕'}</span><div><strong>${escapeHtml(verdict.title)}</strong><p>${escapeHtml(verdict.sentence)}</p></div></div>
${notice}
<ul class="tiles">${tiles.map(([value, words]) => `<li><b>${escapeHtml(value)}</b><span>${escapeHtml(words)}</span></li>`).join('')}</ul>`;
}

function ratioTile(other: Player, cells: readonly (CellDuel | null)[]): readonly (readonly string[])[] {
  const ratios = cells.flatMap((duel) => (duel === null ? [] : [duel.ratio]));
  if (ratios.length === 0) return [];
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  const better = ratios.filter((ratio) => ratio < 1).length;
  const change = `${mean < 1 ? '−' : '+'}${significant(Math.abs(100 * (mean - 1)))} %`;
  return [[change, `pinball against ${other.words}; better in ${better} of ${ratios.length} cells`]];
}

/** All cells at 99 % together. */
function coverageTile({ outcomes, players }: RunTables): readonly string[] {
  const confidence = 1;
  let [count, hits] = [0, 0];
  for (let side = 0; side < SIDES.length; side++) {
    for (let horizon = 0; horizon < HORIZONS_HOURS.length; horizon++) {
      const cell = coverageOf(outcomes, players[0].table, side, horizon, confidence);
      count += cell.observations;
      hits += cell.exceedances;
    }
  }
  const target = percent(1 - CONFIDENCES[confidence], 0);
  return [percent(hits / count), `of losses exceeded VaR at 99 %; ${target} should`];
}

function lineageHtml({ lineage, command }: ReportInput): string {
  const facts = lineage.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<dl>${facts.join('')}</dl><p>The same data and this command give the same run:</p><pre><code>${escapeHtml(command)}</code></pre>`;
}
