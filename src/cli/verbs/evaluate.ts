import { BarStore } from '../../../data/bar-store.ts';
import { MODEL_NAME, type ModelManifest } from '../../../models/manifest.ts';
import type { ModelRegistry } from '../../../models/registry.ts';
import { buildDataset } from '../../../training/dataset.ts';
import { averageOverMarkets, type CellScore, evaluateModel } from '../../../training/evaluate.ts';
import { blankExperiment } from '../../../training/experiments.ts';
import { DEFAULT_EVERY_HOURS } from '../../../training/job.ts';
import { openExperimentLog } from '../../../training/run.ts';
import { scoresForLog } from '../../../training/run-experiment.ts';
import { scoresFromCsv } from '../../../training/scores-csv.ts';
import { rowsBetween } from '../../../training/splits.ts';
import { isoTime, stopwatchSeconds } from '../../clock.ts';
import { PlimsollError } from '../../errors.ts';
import type { CliContext, CommonOptions } from '../command.ts';
import { scoresByMarket, scoresOverMarkets } from '../score-tables.ts';
import { openRegistry, versionNamed } from './models.ts';

/** Fewer rows than this after the training data are too few for scores that mean anything. */
export const LEAST_UNSEEN_ROWS = 500;

/** What scores rest on: weights that never saw the span, one way or the other. */
export interface Judged {
  readonly version: string;
  readonly basis: 'unseen data' | 'same recipe, fitted without the span';
  readonly from: string;
  readonly to: string;
  /** Judged on invented prices: says nothing about real markets. */
  readonly simulated: boolean;
  readonly cells: readonly CellScore[];
}

/**
 * Scores of a version that do not peek: its own weights on stored data newer than it was trained on; where there are
 * none, the scores that the same recipe had at training on a last fifth of time that it had not seen.
 */
export async function evaluate(
  context: CliContext,
  name: string,
  { json, ...flags }: CommonOptions,
): Promise<void> {
  const { registry, dataDir } = openRegistry(flags);
  const version = await versionNamed(registry, name);
  const started = stopwatchSeconds();
  const unseen = (await judgeUnseen(context, registry, dataDir, [version]))?.[0] ?? null;
  if (unseen !== null)
    await recordEvaluation(context, registry, dataDir, unseen, stopwatchSeconds() - started);
  const judged = unseen ?? (await judgedAtTraining(registry, version));
  if (json === true) {
    context.printJson(judged);
    return;
  }
  context.print(`${version}, ${basisOf(judged)}`);
  context.print(scoresByMarket(judged.cells));
  context.print('');
  context.print(scoresOverMarkets(judged.cells));
}

/** A span that a version had not seen is spent when it is looked at: the log says how often it was. */
async function recordEvaluation(
  { clock }: CliContext,
  registry: ModelRegistry,
  dataDir: string,
  { version, from, to, simulated, cells }: Judged,
  seconds: number,
): Promise<void> {
  const store = await BarStore.open(dataDir);
  const fingerprint = await store.fingerprint().finally(() => store.close());
  const { data } = await registry.manifest(version);
  const own = cells.filter(({ forecaster }) => forecaster === MODEL_NAME);
  await openExperimentLog(dataDir).append({
    ...blankExperiment('evaluate', MODEL_NAME, isoTime(clock.now())),
    version,
    data: {
      fingerprint,
      from,
      to,
      markets: new Set(own.map(({ symbol }) => symbol)).size,
      rows: own
        .filter((cell) => keyOf(cell) === keyOf(own[0]))
        .reduce((sum, { observations }) => sum + observations, 0),
      simulated,
    },
    folds: [{ fittedUntil: data.to, from, until: to }],
    ...scoresForLog(averageOverMarkets(cells)),
    result: 'judged',
    seconds,
  });
}

export function basisOf({ basis, from, to, simulated }: Omit<Judged, 'version' | 'cells'>): string {
  return `${basis}${simulated ? ' of SIMULATED markets' : ''}: ${from} to ${to}`;
}

/** Names a cell within a market. */
export function keyOf({
  side,
  horizonHours,
  confidence,
}: Pick<CellScore, 'side' | 'horizonHours' | 'confidence'>): string {
  return `${side}/${horizonHours}/${confidence}`;
}

/** All versions on one span that none of them was trained on, or null where the store has no such span. */
async function judgeUnseen(
  context: CliContext,
  registry: ModelRegistry,
  dataDir: string,
  versions: readonly string[],
): Promise<Judged[] | null> {
  const loaded = await Promise.all(versions.map((version) => registry.model(version)));
  const seenUntil = Math.max(...loaded.map(({ manifest }) => lastLabelEnd(manifest)));
  const store = await BarStore.open(dataDir);
  try {
    const newest = (await store.catalogue()).reduce((latest, { to }) => Math.max(latest, to), 0);
    if (newest <= seenUntil) return null;
    const markets = await store.loadMarkets();
    const data = buildDataset(markets, DEFAULT_EVERY_HOURS, Number.MAX_SAFE_INTEGER);
    const rows = rowsBetween(data.features.asOf, seenUntil, Number.MAX_SAFE_INTEGER);
    if (rows.length < LEAST_UNSEEN_ROWS) return null;
    const judged: Judged[] = [];
    for (const { manifest, model } of loaded) {
      const bar = context.progress(`evaluate ${manifest.version}`, 1);
      const evaluation = await evaluateModel(markets, data, rows, model, MODEL_NAME, (done, total) => {
        context.interrupted.throwIfAborted();
        bar.update(done / total);
      }).finally(() => bar.finish());
      judged.push({
        version: manifest.version,
        basis: 'unseen data',
        from: isoTime(evaluation.testFrom),
        to: isoTime(evaluation.testTo),
        simulated: markets.some(({ simulated }) => simulated),
        cells: evaluation.cells,
      });
    }
    return judged;
  } finally {
    store.close();
  }
}

/** The labels of the last training row reach a day beyond it. */
export function lastLabelEnd({ data }: ModelManifest): number {
  return Date.parse(data.to) + 24 * 3_600_000;
}

export async function judgedAtTraining(registry: ModelRegistry, version: string): Promise<Judged> {
  const { evaluation, data } = await registry.manifest(version);
  const scores = await registry.document(version, 'scores.csv');
  if (evaluation === null || scores === null) {
    throw new PlimsollError(
      'DATA_INSUFFICIENT',
      `${version} was not scored at training, and the store has no data newer than its own`,
      { remedy: 'Import newer history, or train without --no-evaluate.' },
    );
  }
  return {
    version,
    basis: 'same recipe, fitted without the span',
    from: evaluation.testFrom,
    to: evaluation.testTo,
    simulated: data.simulated,
    cells: scoresFromCsv(scores),
  };
}
