import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  type AgainstRecorded,
  type AgainstRule,
  againstRecorded,
  againstRule,
  everyHour,
  policyNamed,
  type Walked,
  walkPolicy,
} from '../../../training/backtest/backtest.ts';
import type { Measures } from '../../../training/backtest/measures.ts';
import {
  type AgainstPolicy,
  type BacktestResult,
  backtestReport,
} from '../../../training/backtest/report.ts';
import { isoTime } from '../../clock.ts';
import { type CliContext, table } from '../command.ts';
import {
  policyFile,
  recordedSpan,
  recordedTablesOf,
  type StageOptions,
  withStage,
} from './backtest-stage.ts';

export interface BacktestOptions extends StageOptions {
  readonly against?: string;
  readonly tables?: string;
  readonly output?: string;
  /** False by `--no-rules`: without the static table and the volatility rule. */
  readonly rules: boolean;
}

/** Walks the whole policy over stored history, beside other tables, and measures all of them alike. */
export async function backtest(context: CliContext, options: BacktestOptions): Promise<void> {
  const tables = options.tables === undefined ? null : await recordedTablesOf(options.tables);
  const other = options.against === undefined ? null : policyFile(options.against);
  const span = tables === null ? null : recordedSpan(tables);
  const wishes = { span, others: other === null ? [] : [other] };
  const found = await withStage(context, 'backtest', options, wishes, (stage, tell) => {
    const own = walkPolicy(stage, stage.policy, everyHour, (done, total) =>
      tell('the policy', (0.4 * done) / total),
    );
    const against: (AgainstPolicy | AgainstRule | AgainstRecorded)[] = [];
    let otherWalk: Walked | null = null;
    if (other !== null) {
      otherWalk = walkPolicy(stage, other, everyHour, (done, total) =>
        tell('the other policy', 0.4 + (0.2 * done) / total),
      );
      against.push({ name: 'policy', policy: policyNamed(other), measures: otherWalk.measures });
    }
    for (const name of options.rules ? (['static', 'volatility'] as const) : []) {
      tell(`the ${name} table at the same leverage`, 0.6);
      const rule = againstRule(stage, name, own.measures);
      if (rule !== null) against.push(rule);
    }
    if (tables !== null && options.tables !== undefined) {
      const name = basename(options.tables);
      against.push(againstRecorded(stage, name, tables, (remark) => tell(remark, 0.8)));
    }
    const { from, until, simulated, markets } = stage.tape;
    return {
      tape: stage.tape,
      own,
      otherWalk,
      result: {
        span: { from: isoTime(from), until: isoTime(until) },
        markets: markets.map(({ symbol }) => symbol),
        simulated,
        policy: policyNamed(stage.policy),
        traders: stage.rules,
        decisionHours: stage.decisionHours,
        measures: own.measures,
        against,
      },
    };
  });
  const { result } = found;
  if (options.output !== undefined) {
    await writeFile(options.output, backtestReport(found.tape, found.own, result, found.otherWalk));
    context.note(`the report is in ${options.output}`);
  }
  if (options.json === true) context.printJson(result);
  else print(context, result);
}

function print(context: CliContext, result: BacktestResult): void {
  const { span, markets, simulated, policy, measures, against } = result;
  context.print(
    `${markets.length} ${simulated ? 'SIMULATED ' : ''}markets from ${span.from} to ${span.until}, policy ${policy.name} ${policy.hash.slice(0, 12)}`,
  );
  const rows = [row('policy', measures)];
  for (const one of against) {
    rows.push(row(one.name, one.measures));
    if (!('own' in one)) continue;
    rows.push(row('… the policy on the same hours', one.own));
    if (one.atEqualLeverage !== null)
      rows.push(
        row(
          `… at the same leverage, margins × ${one.atEqualLeverage.marginMultiplier.toFixed(3)}`,
          one.atEqualLeverage.measures,
        ),
      );
    if (one.atEqualBadDebt !== null)
      rows.push(
        row(
          `… at the same bad debt, margins × ${one.atEqualBadDebt.marginMultiplier.toFixed(3)}`,
          one.atEqualBadDebt.measures,
        ),
      );
  }
  context.print(table(HEADER, rows));
  for (const one of against) if ('own' in one) context.print(words(one));
}

const HEADER = [
  'table',
  'leverage',
  'refused',
  'bad debt a year',
  'liquidations',
  'exceeded',
  'changes a month',
  'daily cut',
  'rise 1 d',
  '5 d',
  '30 d',
  'peak to trough',
];

function row(name: string, of: Measures): string[] {
  const percent = (value: number, digits = 1): string => `${(100 * value).toFixed(digits)}%`;
  return [
    name,
    `${of.averageLeverage.toFixed(2)}x`,
    percent(of.refusedRatio),
    percent(of.badDebtRatio, 3),
    String(of.liquidations),
    percent(of.exceedanceRate, 2),
    of.changesPerMonth.toFixed(1),
    percent(of.largestDailyCut, 0),
    percent(of.largestRise1Day, 0),
    percent(of.largestRise5Days, 0),
    percent(of.largestRise30Days, 0),
    of.peakToTrough.toFixed(2),
  ];
}

function words({
  name,
  markets,
  cuts,
  cutsAnticipatedRatio,
  atEqualLeverage,
  atEqualBadDebt,
}: AgainstRecorded): string {
  const share = (ratio: number | null): string =>
    ratio === null ? 'none to count' : `${(100 * ratio).toFixed(0)} %`;
  const anticipated = cuts.filter(({ isAnticipated }) => isAnticipated).length;
  return [
    `against ${name}, ${markets} markets:`,
    `cuts of half or more that were anticipated: ${anticipated} of ${cuts.length}, ${share(cutsAnticipatedRatio)}`,
    atEqualLeverage === null
      ? 'its leverage is out of reach'
      : `at the same leverage: ${atEqualLeverage.ratio.toFixed(2)} of its bad debt, ${share(atEqualLeverage.cutsAnticipatedRatio)} of the cuts`,
    atEqualBadDebt === null
      ? 'its bad debt is out of reach'
      : `at the same bad debt: ${atEqualBadDebt.ratio.toFixed(2)} times its leverage, ${share(atEqualBadDebt.cutsAnticipatedRatio)} of the cuts`,
  ].join('\n  ');
}
