import type { ModelManifest, ModelScore } from '../models/manifest.ts';
import type { GateLine, Verdict } from './report/gates.ts';

const CONFIDENCES_SHOWN = [0.95, 0.99];

/** What the judgement of a run adds to a card. */
export interface JudgedCard {
  readonly verdict: Verdict;
  readonly gates: readonly GateLine[];
  /** Names of files in the version's folder and what they are. */
  readonly documents: readonly (readonly [file: string, words: string])[];
}

/**
 * The model card: what a risk officer reads before promoting. Made from the manifest, so that it cannot disagree.
 *
 * @param judged null where the version was not judged.
 */
export function modelCard(manifest: ModelManifest, judged: JudgedCard | null = null): string {
  const { data, training, split, evaluation } = manifest;
  const origin = data.simulated ? 'SIMULATED markets: not for use on real ones' : 'real market history';
  return `# ${manifest.name} ${manifest.version}

Quantiles and expected shortfall of the adverse excursion of a long and a short position over 1, 4, 8 and 24 hours, and
the probability of a shock, for any market with at least a week of hourly bars.

- **Data**: ${origin}; ${data.markets.length} markets, ${data.rows} rows every ${data.everyHours} hours, ${data.from} to ${data.to}.
- **Model**: pooled log-HAR-X for the scale, dense ${training.hidden.join('–')} network for the shape, ${training.members.length} members averaged (seeds ${training.members.map(({ seed }) => seed).join(', ')}; best epochs ${training.members.map(({ bestEpoch }) => bestEpoch).join(', ')}), backend ${training.backend}.
- **Fit**: trained until ${split.trainUntil}; early stopping and calibration on ${split.validationFrom} to ${split.validationUntil}.
- **Not for**: markets without a week of history; decisions outside the corridor of the classical bounds.
- **Markets**: ${data.markets.join(', ')}.

${judged === null ? '' : judgedSection(judged)}${evaluation === null ? 'This version was not evaluated out of time.' : evaluationSection(evaluation)}
`;
}

function judgedSection({ verdict, gates, documents }: JudgedCard): string {
  const rows = gates.map(
    ({ name, passed, measured, bound, detail }) =>
      `| ${[name, passed ? 'passed' : '**failed**', measured, bound, detail].map(tableText).join(' | ')} |`,
  );
  const links = documents.map(([file, words]) => `- [${file}](${file}): ${words}`);
  return `## Verdict

**${verdict.title}.** ${verdict.sentence}

| gate | result | measured | bound | behind it |
|---|---|---|---|---|
${rows.join('\n')}

${links.join('\n')}

`;
}

/** A bar would begin another column. */
function tableText(text: string): string {
  return text.replaceAll('|', '\\|');
}

function evaluationSection(evaluation: NonNullable<ModelManifest['evaluation']>): string {
  const { scores } = evaluation;
  const forecasters = [...new Set(scores.map(({ forecaster }) => forecaster))];
  const cells = CONFIDENCES_SHOWN.flatMap((confidence) =>
    [...new Set(scores.map(({ side }) => side))].flatMap((side) =>
      [...new Set(scores.map(({ horizonHours }) => horizonHours))].map((horizonHours) => ({
        side,
        horizonHours,
        confidence,
      })),
    ),
  );
  const rows = cells.map((cell) => {
    const columns = forecasters.map((forecaster) => scoreText(scores, forecaster, cell));
    return `| ${cell.side} ${cell.horizonHours} h, ${100 * cell.confidence} % | ${columns.join(' | ')} |`;
  });
  return `## Out of time

The same recipe, fitted on data until ${evaluation.fittedUntil} only, judged on ${evaluation.testFrom} to ${evaluation.testTo}; the
classical forecasters on the same origins. Pinball in percent of price, averaged over markets; exceedance rate in percent
in brackets. The shipped weights were then fitted on all data and have no test of their own.

| | ${forecasters.join(' | ')} |
|---|${forecasters.map(() => '---').join('|')}|
${rows.join('\n')}`;
}

function scoreText(
  scores: readonly ModelScore[],
  forecaster: string,
  cell: { readonly side: string; readonly horizonHours: number; readonly confidence: number },
): string {
  const score = scores.find(
    (one) =>
      one.forecaster === forecaster &&
      one.side === cell.side &&
      one.horizonHours === cell.horizonHours &&
      one.confidence === cell.confidence,
  );
  if (score === undefined) return '–';
  return `${(100 * score.pinball).toFixed(4)} (${(100 * score.exceedanceRate).toFixed(2)})`;
}
