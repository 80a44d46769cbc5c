import type { Command } from '../../control/governance/rules.ts';
import { PlimsollError } from '../../errors.ts';
import { type CliContext, table } from '../command.ts';
import { type ActedAnswer, type ChangesAnswer, type KeyOptions, withGovernance } from './governance-desk.ts';

interface ReasonOptions extends KeyOptions {
  readonly reason: string;
}

interface UntilOptions extends ReasonOptions {
  readonly until?: number;
  readonly hours?: number;
}

export async function override(
  context: CliContext,
  symbol: string | undefined,
  leverage: number | undefined,
  options: UntilOptions & {
    readonly loosen?: boolean;
    readonly preview?: boolean;
    readonly withdraw?: string;
  },
): Promise<void> {
  const { reason, withdraw, loosen, preview } = options;
  if (withdraw !== undefined) {
    if (symbol !== undefined)
      throw new PlimsollError('USAGE', 'a market and --withdraw do not go together', {
        remedy: 'The id says which override: plimsoll override --withdraw override-3 --reason TEXT.',
      });
    await perform(context, options, { act: 'withdraw', id: withdraw, reason });
    return;
  }
  if (symbol === undefined || leverage === undefined)
    throw new PlimsollError('USAGE', 'an override needs a market and a leverage', {
      remedy: 'For example: plimsoll override BTCUSDT 10 --hours 12 --reason TEXT.',
    });
  const mayLoosen = loosen === true ? true : undefined;
  const command: Command = {
    ...{ act: 'override', symbol, maxLeverage: leverage, mayLoosen, reason },
    ...untilOf(options),
  };
  await perform(context, options, command, preview);
}

export async function approve(
  context: CliContext,
  id: string,
  options: ReasonOptions & { readonly reject?: boolean },
): Promise<void> {
  const { reason, reject } = options;
  await perform(context, options, { act: reject === true ? 'reject' : 'approve', id, reason });
}

export async function freeze(
  context: CliContext,
  symbol: string | undefined,
  options: UntilOptions,
): Promise<void> {
  const { reason } = options;
  await perform(context, options, { act: 'freeze', symbol: symbol ?? null, reason, ...untilOf(options) });
}

export async function thaw(
  context: CliContext,
  symbol: string | undefined,
  options: ReasonOptions,
): Promise<void> {
  await perform(context, options, { act: 'thaw', symbol: symbol ?? null, reason: options.reason });
}

export async function emergency(
  context: CliContext,
  options: UntilOptions & { readonly end?: boolean },
): Promise<void> {
  const { reason, end } = options;
  if (end === true) await perform(context, options, { act: 'endEmergency', reason });
  else await perform(context, options, { act: 'declareEmergency', reason, ...untilOf(options) });
}

export async function changes(
  context: CliContext,
  { limit = 20, ...options }: KeyOptions & { readonly limit?: number },
): Promise<void> {
  const answer = await withGovernance(context.clock, options, (reached) => reached.changes(limit));
  if (options.json === true) {
    context.printJson(answer);
    return;
  }
  const rows = answer.changes.map((change) => [
    change.id,
    change.status,
    change.symbol ?? 'all markets',
    change.maxLeverage === null ? '' : `${change.maxLeverage}x`,
    change.requestedBy,
    change.approvedBy ?? '',
    change.expiresAt,
    change.reason,
  ]);
  const header = ['change', 'status', 'market', 'leverage', 'by', 'approved by', 'until', 'reason'];
  context.print(table(header, rows));
  for (const { id, impact } of answer.pending) {
    context.print('');
    context.print(`${id} waits for an approval. ${IF_APPROVED}`);
    for (const line of impactLines(impact)) context.print(line);
  }
  for (const { symbol, effectiveAt, impact } of answer.announced) {
    context.print('');
    context.print(`Open positions in ${symbol} will be held to another table from ${effectiveAt}:`);
    for (const line of impactLines(impact)) context.print(line);
  }
}

const IF_APPROVED = 'If it were in force, the next decision would make of its market:';

async function perform(
  context: CliContext,
  options: KeyOptions,
  command: Command,
  preview = false,
): Promise<void> {
  const { answer, isRunning } = await withGovernance(context.clock, options, async (reached) => ({
    answer: await reached.act(command, preview),
    isRunning: reached.isRunning,
  }));
  if (options.json === true) {
    context.printJson(answer);
    return;
  }
  const { change, ended, needs, impact } = answer;
  context.print(`${preview ? 'Nothing was changed. It would be ' : ''}${sentence(change)}`);
  for (const one of ended) context.print(`It takes the place of ${one.id}: ${one.reason}`);
  if (needs !== null) context.print(needs);
  if (impact !== null) {
    context.print(IF_APPROVED);
    for (const line of impactLines(impact)) context.print(line);
  }
  if (!isRunning && !preview) context.note('No service runs: its next start obeys.');
}

function sentence({ id, status, symbol, maxLeverage, expiresAt }: ActedAnswer['change']): string {
  const what = maxLeverage === null ? '' : ` at ${maxLeverage}x`;
  const scope = id.startsWith('emergency') ? '' : ` of ${symbol ?? 'all markets'}`;
  const until = ['pending', 'inForce'].includes(status) ? `, until ${expiresAt}` : '';
  return `${id}${scope}${what}: ${WORDS[status] ?? status}${until}`;
}

const WORDS: Readonly<Record<string, string>> = { inForce: 'in force', pending: 'waiting for an approval' };

function impactLines(impact: ChangesAnswer['pending'][number]['impact']): string[] {
  if (impact === null) return [];
  const { market, accounts } = impact;
  if (!market.available) return [`  not known: ${market.why}`];
  const rows = market.ranges.map((range) => [
    range.notionalFloor,
    range.notionalCap,
    `${range.leverageBefore}x`,
    `${range.leverageAfter}x`,
    percent(range.maintenanceRatePpmBefore),
    percent(range.maintenanceRatePpmAfter),
  ]);
  const header = ['from', 'to', 'leverage', 'then', 'maintenance', 'then'];
  return [
    ...table(header, rows)
      .split('\n')
      .map((line) => `  ${line}`),
    accounts.available
      ? `  accounts: ${accounts.breaching} of ${accounts.accounts} breach, ${accounts.notionalToReduce} to reduce, ${accounts.liquidations} liquidated`
      : `  accounts: not known, ${accounts.why}`,
  ];
}

function percent(ppm: number | null): string {
  return ppm === null ? '–' : `${(ppm / 1e4).toFixed(2)}%`;
}

function untilOf({ until, hours }: UntilOptions): { expiresAt?: number; hours?: number } {
  return { ...(until === undefined ? {} : { expiresAt: until }), ...(hours === undefined ? {} : { hours }) };
}
