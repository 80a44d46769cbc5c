import { PlimsollError } from '../../errors.ts';
import type { Unavailable } from '../../risk/outcome.ts';
import type { RiskOptions } from '../../risk/tail/estimates.ts';
import { lossesOfReturns, type Side } from '../../risk/tail/loss-sample.ts';
import { RISK_METHODS, type RiskMethod } from '../../risk/tail/method-names.ts';
import { estimateRisk, type RiskEstimate } from '../../risk/tail/methods.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';
import { readNumberTable } from '../number-table.ts';

interface RiskFlags extends CommonOptions {
  readonly method: RiskMethod | 'all';
  readonly confidence: number;
  readonly side: Side;
  readonly horizon: number;
  readonly excursion?: boolean;
  readonly decay: RiskOptions['decay'];
  readonly ageDecay: number;
  readonly distribution: RiskOptions['distribution'];
  readonly zeroMean?: boolean;
  readonly filter: RiskOptions['filter'];
  readonly conditional?: boolean;
  readonly tail: RiskOptions['tailShare'];
  readonly seed: number;
  readonly replications: number;
  readonly interval: boolean;
}

const INTERVAL_LEVEL = 0.95;

/** VaR and ES of anyone's return series: `time,return`, a gain positive. */
export async function risk(context: CliContext, path: string, flags: RiskFlags): Promise<void> {
  const { columns } = await readNumberTable(path, ['return']);
  const { side, horizon, confidence } = flags;
  const sample = lossesOfReturns(
    columns.return,
    side,
    horizon,
    flags.excursion === true ? 'excursion' : 'terminal',
  );
  const methods = flags.method === 'all' ? RISK_METHODS : [flags.method];
  const progress = context.progress('methods', methods.length);
  const estimates = methods.map((method, i) => {
    const estimate = attempted(
      () => estimateRisk(method, sample, confidence, optionsOf(flags)),
      methods.length > 1,
    );
    progress.update(i + 1, method);
    return { method, estimate };
  });
  progress.finish();
  if (flags.method === 'all') {
    if (flags.json === true)
      context.printJson(estimates.map(({ method, estimate }) => ({ method, ...shape(estimate) })));
    else context.print(asTable(estimates));
    return;
  }
  const [{ method, estimate }] = estimates;
  if (!estimate.available)
    throw new PlimsollError('ESTIMATE_UNAVAILABLE', `${method}: ${estimate.reason}`, {
      remedy: 'Try another method; --method all shows which of them have an answer.',
    });
  if (flags.json === true) context.printJson(shape(estimate));
  else context.print(asText(estimate));
}

/** Among all methods, one that needs more data than there are is only missing. */
function attempted(
  estimate: () => RiskEstimate | Unavailable,
  isOneOfMany: boolean,
): RiskEstimate | Unavailable {
  try {
    return estimate();
  } catch (thrown) {
    if (isOneOfMany && thrown instanceof PlimsollError && thrown.code === 'DATA_INSUFFICIENT')
      return { available: false, reason: thrown.message };
    throw thrown;
  }
}

function optionsOf(flags: RiskFlags): Partial<RiskOptions> {
  return {
    decay: flags.decay,
    ageDecay: flags.ageDecay,
    distribution: flags.distribution,
    mean: flags.zeroMean === true ? 'zero' : 'constant',
    filter: flags.filter,
    isConditional: flags.conditional === true,
    tailShare: flags.tail,
    seed: flags.seed,
    bootstrap: flags.interval ? { replications: flags.replications, level: INTERVAL_LEVEL } : null,
  };
}

/** An estimate as JSON has it: what is not available says why, in its own place. */
function shape(estimate: RiskEstimate | Unavailable): object {
  if (!estimate.available) return estimate;
  const { available, interval, ...rest } = estimate;
  if (!interval.available) return { ...rest, interval };
  const { low, high, level, replications } = interval;
  return { ...rest, interval: { low, high, level, replications } };
}

function asText(estimate: RiskEstimate): string {
  const { method, confidence, n, effectiveCount, valueAtRisk, expectedShortfall, interval, parameters } =
    estimate;
  const overlap = effectiveCount < n ? `, which overlap: as good as ${Math.floor(effectiveCount)}` : '';
  const between = interval.available
    ? `, ${100 * interval.level} % interval ${digits(interval.low)} to ${digits(interval.high)}`
    : `; ${interval.reason}`;
  const lines = [
    `${method} at ${Number((100 * confidence).toPrecision(6))} % from ${n} losses${overlap}`,
    `VaR ${digits(valueAtRisk)}${between}`,
    `ES  ${digits(expectedShortfall)}`,
  ];
  const rows = Object.entries(parameters).map(([name, value]) => [
    name,
    typeof value === 'number' ? digits(value) : value,
  ]);
  if (rows.length > 0) lines.push(table(['parameter', 'value'], rows));
  return lines.join('\n');
}

function asTable(
  estimates: readonly { readonly method: RiskMethod; readonly estimate: RiskEstimate | Unavailable }[],
): string {
  return table(
    ['method', 'VaR', 'ES', 'low', 'high', ''],
    estimates.map(({ method, estimate }) => {
      if (!estimate.available) return [method, '', '', '', '', estimate.reason];
      const { valueAtRisk, expectedShortfall, interval } = estimate;
      const ends = interval.available
        ? [digits(interval.low), digits(interval.high), '']
        : ['', '', interval.reason];
      return [method, digits(valueAtRisk), digits(expectedShortfall), ...ends];
    }),
  );
}

function digits(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(6);
}
