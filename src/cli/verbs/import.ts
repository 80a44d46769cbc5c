import { BarStore } from '../../../data/bar-store.ts';
import { type FileReport, type ImportReport, importPaths } from '../../../data/import/import.ts';
import { ROW_REASONS, type RowReason } from '../../../data/import/stage.ts';
import { stopwatchSeconds } from '../../clock.ts';
import { loadConfig } from '../../config.ts';
import { ERROR_CATALOGUE } from '../../errors.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';

interface ImportOptions extends CommonOptions {
  readonly symbol?: string;
  readonly venue?: string;
  readonly kind?: string;
  readonly interval?: string;
  readonly replace?: boolean;
}

/** Refused rows named one by one for each file; the others are counted by reason. */
const LINES_SHOWN = 5;

export async function importHistory(
  context: CliContext,
  paths: readonly string[],
  { json, replace, dataDir: folder, config, ...overrides }: ImportOptions,
): Promise<void> {
  const { dataDir } = loadConfig({ dataDir: folder, config }).values;
  const started = stopwatchSeconds();
  const store = await BarStore.open(dataDir);
  const bar = context.progress('import', 1);
  let report: ImportReport;
  try {
    report = await importPaths(store, dataDir, paths, {
      overrides,
      replace: replace === true,
      clock: context.clock,
      interrupted: context.interrupted,
      onProgress: (done, total, file) => bar.update(total === 0 ? 1 : done / total, file),
    });
  } finally {
    bar.finish();
    store.close();
  }
  const seconds = stopwatchSeconds() - started;
  const rowsPerSecond = Math.round(report.rows / seconds);
  if (json === true) context.printJson({ ...report, seconds, rowsPerSecond });
  else printReport(context, report, seconds, rowsPerSecond);
  if (context.interrupted.aborted)
    context.note('interrupted; the files above are whole, the others were not touched');
  if (report.refusedRows + report.refusedFiles > 0)
    context.setExitCode(ERROR_CATALOGUE.DATA_INVALID.exitCode);
}

function printReport(
  context: CliContext,
  report: ImportReport,
  seconds: number,
  rowsPerSecond: number,
): void {
  const taken = report.files.filter(({ error }) => error === null);
  if (taken.length > 0) {
    const rows = taken.map(({ file, series, rows, added, unchanged, replaced, refused }) =>
      [file, series ?? '', rows, added, unchanged, replaced, refused].map(String),
    );
    context.print(table(['file', 'series', 'rows', 'added', 'unchanged', 'replaced', 'refused'], rows));
  }
  for (const file of report.files) for (const line of refusals(file)) context.print(line);
  for (const path of report.skipped) context.print(`skipped ${path}: not a data file`);
  context.print(
    `${report.rows} rows of ${taken.length} files in ${seconds.toFixed(1)} s (${rowsPerSecond} rows/s): ` +
      `${report.added} added, ${report.unchanged} unchanged, ${report.replaced} replaced, ` +
      `${report.refusedRows} refused; ${report.refusedFiles} files refused`,
  );
}

function refusals({ file, error, refused, refusedRows, refusedByReason }: FileReport): string[] {
  if (error !== null)
    return [`refused ${file}: ${error.code}: ${error.message}. ${error.remedy ?? ''}`.trimEnd()];
  if (refused === 0) return [];
  const lines = refusedRows
    .slice(0, LINES_SHOWN)
    .map(({ line, reason }) => `refused ${file} line ${line}: ${reason}`);
  const counts = Object.entries(refusedByReason).map(
    ([reason, count]) => `refused ${file}: ${count} × ${reason}. ${ROW_REASONS[reason as RowReason]}`,
  );
  return [...lines, ...counts];
}
