import { isoTime } from '../../clock.ts';
import { type CoverageReport, coverageReport } from '../../risk/coverage/report.ts';
import type { TestOutcome } from '../../risk/outcome.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';
import { readNumberTable } from '../number-table.ts';

/** Judges anyone's forecasts: `time,loss,var,es`, losses positive. */
export async function coverage(
  context: CliContext,
  path: string,
  { json, confidence }: CommonOptions & { readonly confidence: number },
): Promise<void> {
  const { time, columns } = await readNumberTable(path, ['loss', 'var', 'es']);
  const report = coverageReport({
    loss: columns.loss,
    valueAtRisk: columns.var,
    expectedShortfall: columns.es,
    confidence,
  });
  if (json === true) context.printJson(report);
  else {
    context.print(`${isoTime(time[0])} to ${isoTime(time[time.length - 1])}`);
    context.print(asText(report));
  }
}

function asText(report: CoverageReport): string {
  const { n, confidence, exceedances, exceedanceRate, acerbiSzekely } = report;
  const head = `${exceedances} of ${n} losses exceeded VaR at ${percent(confidence)}: ${percent(exceedanceRate)}, expected ${percent(1 - confidence)}; traffic light ${report.trafficLight}`;
  const rows: readonly (readonly [string, TestOutcome])[] = [
    ['Kupiec', { available: true, ...report.kupiec }],
    ['Christoffersen, independence', report.christoffersenIndependence],
    ['conditional coverage', report.conditionalCoverage],
    ['dynamic quantile', report.dynamicQuantile],
    ['Acerbi–Székely Z1', acerbiSzekely.z1],
    ['Acerbi–Székely Z2', acerbiSzekely.z2],
    ['McNeil–Frey', report.mcNeilFrey],
  ];
  const tests = table(
    ['test', 'statistic', 'p-value', ''],
    rows.map(([name, outcome]) =>
      outcome.available
        ? [name, outcome.statistic.toFixed(4), outcome.pValue.toFixed(4), '']
        : [name, '', '', outcome.reason],
    ),
  );
  return `${head}\n${tests}\nmean pinball loss ${report.pinball.toPrecision(6)}, mean FZ0 ${report.fz0.toPrecision(6)}`;
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(4))} %`;
}
