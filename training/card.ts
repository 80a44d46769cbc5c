import type { ModelManifest, ModelScore, NetworkManifest, OnnxManifest } from '../models/manifest.ts';
import type { GateLine, Verdict } from './report/gates.ts';

const CONFIDENCES_SHOWN = [0.95, 0.99];

/** What lies beside the card in the folder of a judged version. */
export const DOCUMENTS_BESIDE = [
  ['report.html', 'the whole judgement, to be opened in a browser'],
  ['judgement.json', 'the same as data'],
  ['scores.csv', 'scores by market'],
] as const;

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
export function modelCard(manifest: NetworkManifest, judged: JudgedCard | null = null): string {
  const { data, training, split, evaluation } = manifest;
  return `${headOf(manifest)}

- **Data**: ${originOf(manifest)}; ${data.markets.length} markets, ${data.rows} rows every ${data.everyHours} hours, ${data.from} to ${data.to}.
- **Model**: pooled log-HAR-X for the scale, dense ${training.hidden.join('–')} network for the shape, ${training.members.length} members averaged (seeds ${training.members.map(({ seed }) => seed).join(', ')}; best epochs ${training.members.map(({ bestEpoch }) => bestEpoch).join(', ')}), backend ${training.backend}.
- **Fit**: trained until ${split.trainUntil}; early stopping and calibration on ${split.validationFrom} to ${split.validationUntil}.
${NOT_FOR}
- **Markets**: ${data.markets.join(', ')}.

${judged === null ? '' : judgedSection(judged)}${evaluation === null ? 'This version was not evaluated out of time.' : evaluationSection(evaluation, SAME_RECIPE)}
`;
}

/** The card of a model that was made elsewhere: what its author says of it, and what was found here. */
export function onnxCard(manifest: OnnxManifest, judged: JudgedCard): string {
  const { title, data, lineage, evaluation } = manifest;
  return `${headOf(manifest)}

- **Model**: ${title}; made elsewhere, an ONNX file. What it was made from is what its author says.
- **Data**: ${originOf(manifest)}; ${data.markets.length} markets, ${data.from} to ${data.to}.
- **Made by**: \`${lineage?.command ?? ''}\`
${NOT_FOR}
- **Markets**: ${data.markets.join(', ')}.

${judgedSection(judged)}${evaluation === null ? '' : evaluationSection(evaluation, ITSELF)}
`;
}

function headOf({ name, version }: ModelManifest): string {
  return `# ${name} ${version}

Quantiles and expected shortfall of the adverse excursion of a long and a short position over 1, 4, 8 and 24 hours, and
the probability of a shock, for any market with at least a week of hourly bars.`;
}

function originOf({ data }: ModelManifest): string {
  return data.simulated ? 'SIMULATED markets: not for use on real ones' : 'real market history';
}

const NOT_FOR =
  '- **Not for**: markets without a week of history; decisions outside the corridor of the classical bounds.';

/** What was judged, before and after the table of scores. */
const SAME_RECIPE = [
  'The same recipe, fitted on data until',
  ' The shipped weights were then fitted on all data and have no test of their own.',
] as const;
const ITSELF = ['The version itself, made from data until', ''] as const;

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

function evaluationSection(
  evaluation: NonNullable<ModelManifest['evaluation']>,
  [before, after]: readonly [string, string],
): string {
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

${before} ${evaluation.fittedUntil} only, judged on ${evaluation.testFrom} to ${evaluation.testTo}; the
classical forecasters on the same origins. Pinball in percent of price, averaged over markets; exceedance rate in percent
in brackets.${after}

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
