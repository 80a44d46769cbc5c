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
import { type CliContext, type CommonOptions, table } from '../command.ts';
import { scoresByMarket, scoresOverMarkets } from '../score-tables.ts';
import { openRegistry, versionNamed } from './models.ts';

/** Fewer rows than this after the training data are too few for scores that mean anything. */
const LEAST_UNSEEN_ROWS = 500;

/** What scores rest on: weights that never saw the span, one way or the other. */
interface Judged {
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

/** @throws PlimsollError DATA_INSUFFICIENT where the two cannot be held against each other on one span. */
export async function compare(
  context: CliContext,
  nameA: string,
  nameB: string,
  { json, ...flags }: CommonOptions,
): Promise<void> {
  const { registry, dataDir } = openRegistry(flags);
  const versions = [await versionNamed(registry, nameA), await versionNamed(registry, nameB)];
  const fresh = await judgeUnseen(context, registry, dataDir, versions);
  const [a, b] = fresh ?? (await Promise.all(versions.map((version) => judgedAtTraining(registry, version))));
  if (a.from !== b.from || a.to !== b.to) {
    throw new PlimsollError(
      'DATA_INSUFFICIENT',
      `the two were judged on different spans (${a.from} to ${a.to}; ${b.from} to ${b.to}), and there are no data newer than both`,
      { remedy: 'Import newer history, or train both on the same data.' },
    );
  }
  const rows = comparisonRows(a, b);
  if (json === true) {
    context.printJson({
      a: a.version,
      b: b.version,
      basis: a.basis,
      simulated: a.simulated,
      from: a.from,
      to: a.to,
      cells: rows,
    });
    return;
  }
  context.print(`${basisOf(a)}; pinball loss in percent of price, mean over markets`);
  const cells = rows.map((row) => [
    row.side,
    `${row.horizonHours} h`,
    `${100 * row.confidence}%`,
    (100 * row.a).toFixed(4),
    (100 * row.b).toFixed(4),
    `${(100 * (row.b / row.a - 1)).toFixed(2)}%`,
  ]);
  context.print(table(['side', 'horizon', 'confidence', a.version, b.version, 'b over a'], cells));
}

function basisOf({ basis, from, to, simulated }: Judged): string {
  return `${basis}${simulated ? ' of SIMULATED markets' : ''}: ${from} to ${to}`;
}

/** Names a cell within a market. */
function keyOf({ side, horizonHours, confidence }: CellScore): string {
  return `${side}/${horizonHours}/${confidence}`;
}

function comparisonRows(a: Judged, b: Judged) {
  const own = (judged: Judged) => judged.cells.filter(({ forecaster }) => forecaster === MODEL_NAME);
  const mean = (cells: readonly CellScore[]): number =>
    cells.reduce((sum, { pinball }) => sum + pinball, 0) / Math.max(1, cells.length);
  const keys = [...new Set(own(a).map(keyOf))];
  return keys.map((one) => {
    const [inA, inB] = [a, b].map((judged) => own(judged).filter((cell) => keyOf(cell) === one));
    const { side, horizonHours, confidence } = inA[0];
    return { side, horizonHours, confidence, a: mean(inA), b: mean(inB) };
  });
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
function lastLabelEnd({ data }: ModelManifest): number {
  return Date.parse(data.to) + 24 * 3_600_000;
}

async function judgedAtTraining(registry: ModelRegistry, version: string): Promise<Judged> {
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
