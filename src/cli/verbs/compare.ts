import { BarStore } from '../../../data/bar-store.ts';
import type { ModelManifest } from '../../../models/manifest.ts';
import type { ModelRegistry } from '../../../models/registry.ts';
import { judge } from '../../../training/judge/judge.ts';
import type { Judgement } from '../../../training/judge/judgement.ts';
import { outcomeTable } from '../../../training/judge/outcomes.ts';
import type { ForecastTable } from '../../../training/judge/tables.ts';
import { averageOverMarkets } from '../../../training/scores.ts';
import { forecastDataset } from '../../../training/train.ts';
import { JUDGED_EVERY_HOURS, tableOf } from '../../../training/trial.ts';
import { unseenTime } from '../../../training/unseen.ts';
import { PlimsollError } from '../../errors.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';
import { basisOf, type Judged, judgedAtTraining, keyOf, lastLabelEnd } from './evaluate.ts';
import { openRegistry, versionNamed } from './models.ts';

/** The second version against the first in one cell; means over markets. */
interface ComparedCell {
  readonly side: 'long' | 'short';
  readonly horizonHours: number;
  readonly confidence: number;
  /** Pinball loss, share of the price. */
  readonly a: number;
  readonly b: number;
  readonly fz0: { readonly a: number; readonly b: number };
  /** By Diebold and Mariano's test of the pinball loss; null where both were judged at training, each by itself. */
  readonly duel: {
    /** One-sided, on the mean over markets: small where b is better; null where it cannot be computed. */
    readonly pValueBBetter: number | null;
    /** Shares of the markets where b is better and worse at 5 %. */
    readonly better: number;
    readonly worse: number;
  } | null;
}

interface Comparison extends Omit<Judged, 'version' | 'cells'> {
  readonly cells: readonly ComparedCell[];
}

/**
 * Two versions on one span that neither was trained on, by Diebold and Mariano's test; where there is none, the scores that both had
 * at training, if those were on one span. With the lineage and the gates of both.
 *
 * @throws PlimsollError DATA_INSUFFICIENT where the two cannot be held against each other on one span.
 */
export async function compare(
  context: CliContext,
  nameA: string,
  nameB: string,
  { json, ...flags }: CommonOptions,
): Promise<void> {
  const {
    registry,
    config: { dataDir },
  } = openRegistry(flags);
  const [a, b] = [await versionNamed(registry, nameA), await versionNamed(registry, nameB)];
  const comparison =
    (await compareUnseen(context, registry, dataDir, a, b)) ?? (await comparedAtTraining(registry, a, b));
  const manifests = [await registry.manifest(a), await registry.manifest(b)];
  const { basis, simulated, from, to, cells } = comparison;
  if (json === true) {
    const [originA, originB] = manifests.map(originOf);
    context.printJson({ a, b, basis, simulated, from, to, cells, origins: { a: originA, b: originB } });
    return;
  }
  context.print(`${basisOf(comparison)}; pinball loss in percent of price, mean over markets`);
  const header = [
    'side',
    'horizon',
    'confidence',
    a,
    b,
    'b over a',
    'FZ0 b - a',
    'p(b better)',
    'better',
    'worse',
  ];
  context.print(table(header, cells.map(textOf)));
  context.print('');
  for (const manifest of manifests) context.print(originWords(manifest));
}

function textOf({ side, horizonHours, confidence, a, b, fz0, duel }: ComparedCell): string[] {
  return [
    side,
    `${horizonHours} h`,
    `${100 * confidence}%`,
    (100 * a).toFixed(4),
    (100 * b).toFixed(4),
    `${(100 * (b / a - 1)).toFixed(2)}%`,
    (fz0.b - fz0.a).toFixed(4),
    duel?.pValueBBetter?.toFixed(3) ?? '',
    duel === null ? '' : `${(100 * duel.better).toFixed(0)}%`,
    duel === null ? '' : `${(100 * duel.worse).toFixed(0)}%`,
  ];
}

/** Where a version comes from and what the gates said of it. */
function originOf({ createdAt, data, lineage, gates }: ModelManifest) {
  return {
    createdAt,
    dataFrom: data.from,
    dataTo: data.to,
    dataFingerprint: data.hash ?? null,
    lineage: lineage ?? null,
    gates: gates ?? null,
  };
}

function originWords({ version, createdAt, data, lineage, gates }: ModelManifest): string {
  const failed = gates?.results.filter(({ passed }) => !passed) ?? [];
  const verdict =
    gates === undefined
      ? 'never held against gates'
      : `${gates.results.length - failed.length} of ${gates.results.length} gates passed (policy ${gates.policyVersion})`;
  const lines = [
    `${version}: made ${createdAt.slice(0, 16)}, ${data.markets.length} markets, ${data.from.slice(0, 10)} to ${data.to.slice(0, 10)}, data ${data.hash?.slice(0, 8) ?? 'of its own'}; ${verdict}`,
    ...failed.map(({ gate, words }) => `  failed ${gate}: ${words}`),
    lineage === undefined
      ? '  no lineage was kept'
      : `  after ${lineage.parent ?? 'no champion'}, by ${lineage.programVersion}: ${lineage.command}`,
  ];
  return lines.join('\n');
}

/** Null where the store has no span that neither has seen. */
async function compareUnseen(
  context: CliContext,
  registry: ModelRegistry,
  dataDir: string,
  a: string,
  b: string,
): Promise<Comparison | null> {
  const loaded = [await registry.forecaster(a), await registry.forecaster(b)];
  const seenUntil = Math.max(...loaded.map(({ manifest }) => lastLabelEnd(manifest)));
  const store = await BarStore.open(dataDir);
  const markets = await store.loadMarkets().finally(() => store.close());
  const unseen = unseenTime(markets, seenUntil);
  if (unseen === null) return null;
  const { data, rows } = unseen;
  const tables: ForecastTable[] = [];
  const bar = context.progress(`compare ${a} and ${b}`, loaded.length);
  try {
    for (const [i, { forecaster }] of loaded.entries()) {
      context.interrupted.throwIfAborted();
      tables.push(tableOf('ab'[i], await forecastDataset(data, rows, forecaster)));
      bar.update(i + 1);
    }
  } finally {
    for (const { forecaster } of loaded) forecaster.dispose();
    bar.finish();
  }
  const outcomes = outcomeTable(markets, data, rows, []);
  const judgement = judgedOrNull(() => judge(outcomes, tables, 'b', JUDGED_EVERY_HOURS));
  if (judgement === null) return null;
  return {
    basis: 'unseen data',
    from: judgement.span.from,
    to: judgement.span.until,
    simulated: markets.some(({ simulated }) => simulated),
    cells: cellsOf(judgement),
  };
}

/** Null where a span is too short to be judged. */
function judgedOrNull(work: () => Judgement): Judgement | null {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof PlimsollError && thrown.code === 'DATA_INSUFFICIENT') return null;
    throw thrown;
  }
}

function cellsOf({ averages, duels }: Judgement): readonly ComparedCell[] {
  const own = averages.filter(({ forecaster }) => forecaster === 'b');
  return own.flatMap((b) => {
    const a = averages.find((one) => one.forecaster === 'a' && keyOf(one) === keyOf(b));
    const duel = duels.find((one) => one.score === 'pinball' && keyOf(one) === keyOf(b));
    if (a === undefined) return [];
    const { side, horizonHours, confidence } = b;
    return {
      ...{ side, horizonHours, confidence, a: a.pinball, b: b.pinball },
      fz0: { a: a.fz0, b: b.fz0 },
      duel:
        duel === undefined
          ? null
          : {
              pValueBBetter: duel.pooledPValueBetter,
              better: duel.shareSignificantlyBetter,
              worse: duel.shareSignificantlyWorse,
            },
    };
  });
}

async function comparedAtTraining(
  registry: ModelRegistry,
  nameA: string,
  nameB: string,
): Promise<Comparison> {
  const [a, b] = [await judgedAtTraining(registry, nameA), await judgedAtTraining(registry, nameB)];
  if (a.from !== b.from || a.to !== b.to) {
    throw new PlimsollError(
      'DATA_INSUFFICIENT',
      `the two were judged on different spans (${a.from} to ${a.to}; ${b.from} to ${b.to}), and there are no data newer than both`,
      { remedy: 'Import newer history, or train both on the same data.' },
    );
  }
  const names = [(await registry.manifest(nameA)).name, (await registry.manifest(nameB)).name];
  const [inA, inB] = [a, b].map(({ cells }, i) =>
    averageOverMarkets(cells.filter(({ forecaster }) => forecaster === names[i])),
  );
  const { basis, simulated, from, to } = a;
  const cells = inA.flatMap((one): readonly ComparedCell[] => {
    const other = inB.find((cell) => keyOf(cell) === keyOf(one));
    if (other === undefined) return [];
    const { side, horizonHours, confidence } = one;
    return [
      {
        ...{ side, horizonHours, confidence, a: one.pinball, b: other.pinball },
        fz0: { a: one.fz0, b: other.fz0 },
        duel: null,
      },
    ];
  });
  return { basis, simulated, from, to, cells };
}
