import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BarStore } from '../../../data/bar-store.ts';
import { writeParquet } from '../../../data/parquet-table.ts';
import { buildDataset } from '../../../training/dataset.ts';
import { datasetColumns, datasetMetadata } from '../../../training/dataset-columns.ts';
import { DEFAULT_EVERY_HOURS } from '../../../training/job.ts';
import { isoTime, stopwatchSeconds } from '../../clock.ts';
import { loadConfig } from '../../config.ts';
import { PlimsollError } from '../../errors.ts';
import type { CliContext, CommonOptions } from '../command.ts';
import { jobBar } from '../job-bar.ts';
import { symbolsOf } from './train.ts';

interface DatasetOptions extends CommonOptions {
  readonly markets?: string;
  readonly to?: number;
  readonly everyHours?: number;
}

/** Seconds of two million rows; only the proportions matter. */
const USUAL_SECONDS = [
  ['load', 2],
  ['features', 40],
  ['write', 60],
] as const;

/** Writes the rows that `train` would train on, given the same selection, for people who work in another language. */
export async function dataset(
  context: CliContext,
  file: string,
  { json, markets, to, everyHours = DEFAULT_EVERY_HOURS, ...flags }: DatasetOptions,
): Promise<void> {
  const started = stopwatchSeconds();
  const store = await BarStore.open(loadConfig(flags).values.dataDir);
  const bar = jobBar(context, 'dataset', USUAL_SECONDS);
  try {
    const symbols = symbolsOf(markets);
    bar.update({ phase: 'load', share: 0, remark: '' });
    const histories = await store.loadMarkets(symbols === null ? {} : { symbols });
    const fingerprint = await store.fingerprint();
    bar.update({ phase: 'features', share: 0, remark: `${histories.length} markets` });
    const data = buildDataset(histories, everyHours, to ?? Number.MAX_SAFE_INTEGER);
    const { rows, asOf, market } = data.features;
    if (rows === 0) {
      throw new PlimsollError('DATA_INSUFFICIENT', 'there is no stored market with enough history', {
        remedy: 'Import history first: plimsoll import PATH.',
      });
    }
    const columns = datasetColumns(data);
    const path = resolve(file);
    await writeParquet(path, rows, columns, datasetMetadata(fingerprint, everyHours), (done) => {
      context.interrupted.throwIfAborted();
      bar.update({ phase: 'write', share: done / rows, remark: '', work: { done, unit: 'rows' } });
    });
    const facts = {
      file: path,
      rows,
      columns: columns.length,
      markets: new Set(market).size,
      from: isoTime(asOf[0]),
      to: isoTime(asOf[rows - 1]),
      fingerprint,
      bytes: (await stat(path)).size,
      seconds: stopwatchSeconds() - started,
    };
    bar.finish();
    if (json === true) context.printJson(facts);
    else
      context.print(
        `${path}: ${rows} rows of ${facts.markets} markets, ${facts.columns} columns, ${facts.from} to ${facts.to}, ` +
          `${(facts.bytes / 1e6).toFixed(1)} MB in ${facts.seconds.toFixed(1)} s`,
      );
  } finally {
    bar.finish();
    store.close();
  }
}
