import type { ForecastComparison, ScoreComparison } from '../risk/comparison/forecast-comparison.ts';
import type { Measured } from '../risk/comparison/probabilities.ts';
import type { ProbabilityReport } from '../risk/comparison/probability-report.ts';
import type { CoverageReport } from '../risk/coverage/report.ts';
import type { TestOutcome } from '../risk/outcome.ts';
import { table } from './command.ts';

/** The reports of `plimsoll coverage` for readers. */
export function coverageText(report: CoverageReport): string {
  const { n, confidence, exceedances, exceedanceRate, acerbiSzekely } = report;
  const overlap =
    report.horizonSteps > 1
      ? `; tests that need independent losses look at ${report.independentRows} of them`
      : '';
  const head = `${exceedances} of ${n} losses exceeded VaR at ${percent(confidence)}: ${percent(exceedanceRate)}, expected ${percent(1 - confidence)}; traffic light ${report.trafficLight}${overlap}`;
  const rows: readonly (readonly [string, TestOutcome])[] = [
    ['Kupiec', { available: true, ...report.kupiec }],
    ['rate, allowing for dependence', report.dependentCoverage],
    ['Christoffersen, independence', report.christoffersenIndependence],
    ['conditional coverage', report.conditionalCoverage],
    ['duration between exceedances', report.discreteDuration],
    ['dynamic quantile', report.dynamicQuantile],
    ['Acerbi–Székely Z1', acerbiSzekely.z1],
    ['Acerbi–Székely Z2', acerbiSzekely.z2],
    ['McNeil–Frey', report.mcNeilFrey],
    ['ES regression, strict', report.shortfallRegression.strict],
    ['ES regression, intercept', report.shortfallRegression.intercept],
    ['Nolde–Ziegel', report.conditionalCalibration],
  ];
  const tests = table(
    ['test', 'statistic', 'p-value', ''],
    rows.map(([name, outcome]) =>
      outcome.available
        ? [name, outcome.statistic.toFixed(4), outcome.pValue.toFixed(4), '']
        : [name, '', '', outcome.reason],
    ),
  );
  return `${head}\n${tests}\nmean pinball loss ${digits(report.pinball)}, mean FZ0 ${digits(report.fz0)}`;
}

/** p-values are of the hypothesis that both are equally good. */
export function comparisonText({ pairs, confidenceSet }: ForecastComparison): string {
  const rows = pairs.flatMap(({ other, pinball, fz0, dominance }) => [
    [other, 'pinball', ...scores(pinball), DOMINANCE[dominance.valueAtRisk.verdict]],
    [other, 'FZ0', ...scores(fz0), DOMINANCE[dominance.expectedShortfall.verdict]],
  ]);
  const header = [
    'against',
    'score',
    'this',
    'other',
    'Diebold–Mariano',
    'Giacomini–White',
    'every consistent score',
  ];
  const sets = (['pinball', 'fz0'] as const).map((score) => {
    const set = confidenceSet[score];
    return `by ${score} not told from the best at 90 %: ${set.available ? set.members.join(', ') : set.reason}`;
  });
  return [table(header, rows), ...sets].join('\n');
}

const DOMINANCE = {
  first: 'this is better',
  second: 'the other is better',
  equal: 'equal',
  neither: 'depends',
} as const;

function scores({ mean, meanOther, dieboldMariano, giacominiWhite }: ScoreComparison): string[] {
  const pValue = (outcome: TestOutcome): string =>
    outcome.available ? outcome.pValue.toFixed(4) : outcome.reason;
  return [digits(mean), digits(meanOther), pValue(dieboldMariano), pValue(giacominiWhite)];
}

export function probabilityText(report: ProbabilityReport): string {
  const { n, events, baseRate, brier, decomposition, logLoss, calibration, reliability } = report;
  const lines = [
    `${events} events in ${n} forecasts: ${percent(baseRate)}`,
    table(
      ['score', 'value', ''],
      [
        ['Brier', digits(brier), ''],
        ['reliability', digits(decomposition.reliability), '0 is best'],
        ['resolution', digits(decomposition.resolution), 'more is better'],
        ['uncertainty', digits(decomposition.uncertainty), ''],
        ['Brier skill', ...measured(report.brierSkill, 'against the share up to then')],
        ['log loss', digits(logLoss.value), logLoss.clipped > 0 ? `${logLoss.clipped} clipped` : ''],
        ['calibration error', digits(report.calibrationError), ''],
        [
          'calibration slope',
          ...(calibration.available ? [digits(calibration.slope), '1 is best'] : ['', calibration.reason]),
        ],
        ['average precision', ...measured(report.averagePrecision, `${digits(baseRate)} by chance`)],
        ['area under ROC', ...measured(report.areaUnderRoc, '0.5 by chance')],
      ],
    ),
    table(
      ['forecasts', 'mean probability', 'came', 'low', 'high'],
      reliability.map(({ count, meanProbability, frequency, interval: [low, high] }) => [
        String(count),
        ...[meanProbability, frequency, low, high].map((value) => value.toFixed(4)),
      ]),
    ),
  ];
  return lines.join('\n');
}

function measured(outcome: Measured, remark: string): string[] {
  return outcome.available ? [digits(outcome.value), remark] : ['', outcome.reason];
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(4))} %`;
}

function digits(value: number): string {
  return value.toPrecision(6);
}
