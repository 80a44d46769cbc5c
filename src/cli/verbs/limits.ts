import { isoTime } from '../../clock.ts';
import { governanceOf } from '../../control/governance/change.ts';
import type { ServiceStore } from '../../control/ports.ts';
import { PlimsollError } from '../../errors.ts';
import { governanceShape } from '../../http/governance-shapes.ts';
import { bracketsShape, explainShape, historyShape, limitsShape } from '../../http/shapes.ts';
import { requireSizeForm, sizeFormShape } from '../../http/size-form.ts';
import { boundDistance } from '../../limits/bounds/distance.ts';
import { maintenanceMarginMicros } from '../../limits/brackets.ts';
import { type SizeForm, type SizeFormKind, sizeRatePpm } from '../../limits/size-form.ts';
import type { Bound, Bracket, LimitBook, MarketLimit } from '../../limits/types.ts';
import { MICROS, PPM } from '../../units.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';
import { withStateStore } from './state.ts';

interface AsOfOptions extends CommonOptions {
  readonly asOf?: number;
}

interface LimitsOptions extends AsOfOptions {
  readonly form?: SizeFormKind;
  readonly upTo?: number;
}

export async function showLimits(
  context: CliContext,
  symbol: string | undefined,
  { json, asOf, form, upTo, ...flags }: LimitsOptions,
): Promise<void> {
  if ((symbol === undefined && form !== undefined) || (form === undefined && upTo !== undefined))
    throw new PlimsollError('USAGE', 'a formula has a market and a form', {
      remedy: 'Name the market and --form.',
    });
  const book = await withStateStore(flags, (store) => readBook(store, asOf));
  const isExpired = asOf === undefined && context.clock.now() > book.validUntil;
  if (symbol !== undefined) {
    const market = marketOf(book, symbol);
    const fitted = form === undefined ? null : requireSizeForm(market.brackets, form, upTo);
    const shape = bracketsShape(book, market, market.brackets, isExpired);
    if (json === true) context.printJson(fitted === null ? shape : { ...shape, form: sizeFormShape(fitted) });
    else if (fitted !== null) printForm(context, book, market, fitted, isExpired);
    else printBrackets(context, book, market, isExpired);
  } else if (json === true) context.printJson(limitsShape(book, isExpired));
  else printBook(context, book, isExpired);
}

export async function explain(
  context: CliContext,
  symbol: string,
  { json, asOf, ...flags }: AsOfOptions,
): Promise<void> {
  const { book, governance } = await withStateStore(flags, async (store) => {
    const read = await readBook(store, asOf);
    const at = asOf ?? Math.max(context.clock.now(), read.decidedAt);
    const state = governanceOf(await store.governance.changesAt(at), at);
    return { book: read, governance: governanceShape(state, symbol, at) };
  });
  const market = marketOf(book, symbol);
  const isExpired = asOf === undefined && context.clock.now() > book.validUntil;
  if (json === true) {
    context.printJson(explainShape(book, market, isExpired, governance));
    return;
  }
  const { brackets } = market;
  context.print(head(book, isExpired));
  context.print(
    `${symbol} may carry ${brackets[0].maxLeverage}x: ${market.bindingBound} binds. ${market.reasons.join(', ')}`,
  );
  context.print('');
  context.print(
    table(
      ['bound', 'leverage', 'of binding', 'evidence'],
      market.bounds.map((bound) => boundRow(bound, market)),
    ),
  );
  context.print('');
  for (const line of governorLines(market)) context.print(line);
  for (const line of governanceLines(governance)) context.print(line);
  context.print(`forecasts by ${market.model} on data until ${isoTime(market.asOf)}`);
}

/** What the governor did, and what open positions are held to. */
function governorLines(market: MarketLimit): string[] {
  const { move, previousMaxLeverage, targetMaxLeverage, changedAt, looseningAllowedAt, ...record } =
    market.governor;
  const lines = [
    `governor: ${move}; before ${previousMaxLeverage ?? 'nothing'}, the bounds alone give ` +
      `${targetMaxLeverage}x; unchanged since ${isoTime(changedAt)}, may loosen from ${isoTime(looseningAllowedAt)}`,
  ];
  if (record.paced === true) lines.push('  it has tightened as far as one decision may; the next ones go on');
  if (record.emergency !== undefined) {
    const { declaredBy, reason } = record.emergency;
    lines.push(`  it went beyond that, or shortened a notice, in the emergency of ${declaredBy}: ${reason}`);
  }
  if (record.frozen !== undefined) {
    const { frozenBy, frozenAt, reason } = record.frozen;
    lines.push(`  nothing moved: frozen by ${frozenBy} since ${isoTime(frozenAt)}: ${reason}`);
  }
  return [...lines, ...maintenanceLines(market)];
}

/** What open positions are held to, as far as it is not what new orders are held to, and what is announced. */
function maintenanceLines(market: MarketLimit): string[] {
  const lines: string[] = [];
  const topRate = ([top]: readonly Bracket[]): string => percent(top.maintenanceMarginRatePpm / 1e6);
  if (market.maintenance !== undefined) {
    lines.push(
      `open positions are held to ${topRate(market.maintenance)} of maintenance margin in their first bracket, ` +
        `new orders to ${topRate(market.brackets)}`,
    );
  }
  for (const { effectiveAt, announcedAt, brackets } of market.announced ?? []) {
    lines.push(`  from ${isoTime(effectiveAt)} to ${topRate(brackets)}, announced ${isoTime(announcedAt)}`);
  }
  return lines;
}

/** What people hold the market to. */
function governanceLines({ freeze, override, emergency }: ReturnType<typeof governanceShape>): string[] {
  const lines: string[] = [];
  const told = (what: string, { by, since, expiresAt, reason }: NonNullable<typeof emergency>): string =>
    `${what} by ${by} since ${since}, until ${expiresAt}: ${reason}`;
  if (freeze !== null)
    lines.push(
      told(`FROZEN${freeze.allMarkets ? ' with all markets' : ''}`, {
        ...freeze,
        expiresAt: freeze.expiresAt ?? 'it is thawed',
      }),
    );
  if (override !== null) {
    const approved = override.approvedBy === null ? '' : `, approved by ${override.approvedBy}`;
    lines.push(`${told(`OVERRIDE ${override.id} at ${override.maxLeverage}x`, override)}${approved}`);
  }
  if (emergency !== null) lines.push(told('EMERGENCY declared', emergency));
  return lines;
}

export async function history(
  context: CliContext,
  symbol: string,
  { json, asOf, limit = 100, ...flags }: AsOfOptions & { readonly limit?: number },
): Promise<void> {
  const entries = await withStateStore(flags, async (store) => {
    marketOf(await readBook(store, undefined), symbol);
    return store.history(symbol, limit, asOf);
  });
  if (json === true) {
    context.printJson(historyShape(symbol, entries));
    return;
  }
  const rows = entries.map((entry) => [
    String(entry.version),
    isoTime(entry.effectiveAt),
    `${entry.maxLeverage}x`,
    entry.move,
    entry.bindingBound,
    entry.reasons.join(', '),
  ]);
  context.print(table(['version', 'effective', 'leverage', 'move', 'binding bound', 'reasons'], rows));
}

async function readBook(store: ServiceStore, asOf: number | undefined): Promise<LimitBook> {
  const book = asOf === undefined ? await store.latestBook() : await store.bookAsOf(asOf);
  if (book !== null) return book;
  const when = asOf === undefined ? 'have been decided yet' : `were in force at ${isoTime(asOf)}`;
  throw new PlimsollError('NOTHING_PUBLISHED', `no limits ${when}`, {
    remedy: asOf === undefined ? 'Start the service: plimsoll serve.' : 'Ask for a later time.',
  });
}

function marketOf(book: LimitBook, symbol: string): MarketLimit {
  const market = book.markets.find((candidate) => candidate.symbol === symbol);
  if (market !== undefined) return market;
  throw new PlimsollError('MARKET_UNKNOWN', `there is no market ${symbol} in book ${book.version}`, {
    remedy: 'List the markets: plimsoll limits.',
  });
}

function head(book: LimitBook, isExpired: boolean): string {
  const states = [
    ...(book.simulated ? ['SIMULATED markets'] : []),
    ...(book.degraded ? [`degraded: ${book.reasons.join(', ')}`] : []),
    ...(isExpired ? ['EXPIRED: the service has not renewed them'] : []),
  ];
  const notes = states.length === 0 ? '' : `; ${states.join('; ')}`;
  return `version ${book.version}, decided ${isoTime(book.decidedAt)}, valid until ${isoTime(book.validUntil)}${notes}`;
}

function printBook(context: CliContext, book: LimitBook, isExpired: boolean): void {
  context.print(head(book, isExpired));
  const rows = book.markets.map(({ symbol, brackets, bindingBound, shockProbability, quality, governor }) => [
    symbol,
    `${brackets[0].maxLeverage}x`,
    bindingBound,
    governor.move,
    percent(shockProbability.long),
    percent(shockProbability.short),
    brackets[brackets.length - 1].notionalCap.toLocaleString('en-US'),
    quality,
  ]);
  const header = [
    'market',
    'leverage',
    'binding bound',
    'move',
    'shock long',
    'short',
    'largest position',
    'data',
  ];
  context.print(table(header, rows));
}

function printBrackets(context: CliContext, book: LimitBook, market: MarketLimit, isExpired: boolean): void {
  context.print(head(book, isExpired));
  const shape = bracketsShape(book, market, market.brackets, isExpired);
  context.print(bracketTable(shape.brackets));
  if (market.maintenance !== undefined) {
    context.print('');
    context.print('Open positions are held to the maintenance margins of this table:');
    context.print(bracketTable(shape.maintenance));
  }
  for (const { effectiveAt, announcedAt, brackets } of shape.announced) {
    context.print('');
    context.print(`From ${effectiveAt} on to those of this one, announced ${announcedAt}:`);
    context.print(bracketTable(brackets));
  }
}

function bracketTable(brackets: ReturnType<typeof bracketsShape>['brackets']): string {
  const rows = brackets.map((bracket) => [
    String(bracket.bracket),
    bracket.notionalFloor,
    bracket.notionalCap,
    `${bracket.maxLeverage}x`,
    percent(bracket.initialMarginRatePpm / 1e6),
    percent(bracket.maintenanceMarginRatePpm / 1e6),
    bracket.maintenanceAmount,
  ]);
  const header = ['bracket', 'from', 'to', 'leverage', 'initial', 'maintenance', 'maintenance amount'];
  return table(header, rows);
}

/** The formula, and beside the brackets what it asks for at the end of each. */
function printForm(
  context: CliContext,
  book: LimitBook,
  { brackets }: MarketLimit,
  form: SizeForm,
  isExpired: boolean,
): void {
  const { kind, formula, largestNotional, initial, maintenance } = sizeFormShape(form);
  context.print(head(book, isExpired));
  context.print(`${formula}, up to ${largestNotional}`);
  context.print(`initial margin: base ${initial.baseRatePpm} ppm, factor ${initial.factor}`);
  context.print(`maintenance margin: base ${maintenance.baseRatePpm} ppm, factor ${maintenance.factor}`);
  context.print('');
  const within = brackets.filter(({ notionalFloor }) => notionalFloor < form.largestNotional);
  const rows = within.map((bracket) => {
    const notional = Math.min(bracket.notionalCap, form.largestNotional);
    return [
      String(notional),
      percent(bracket.initialMarginRatePpm / PPM),
      percent(sizeRatePpm(kind, form.initial, notional) / PPM),
      percent(maintenanceMarginMicros(bracket, notional) / MICROS / notional),
      percent(sizeRatePpm(kind, form.maintenance, notional) / PPM),
    ];
  });
  context.print(table(['notional', 'initial', 'by formula', 'maintenance', 'by formula'], rows));
}

/** Evidence that follows from the policy or repeats the leverage: in the JSON, but not worth a column. */
const SAME_FOR_ALL = new Set([
  'closeoutHorizonHours',
  'initialConfidence',
  'initialMarginRate',
  'ladderLeverage',
  'maintenanceConfidence',
  'maintenanceMarginRate',
  'marginCallHorizonHours',
  'referenceNotional',
]);

function boundRow(bound: Bound, market: MarketLimit): string[] {
  const { name, available, maxLeverage, unavailableReason, evidence } = bound;
  const { ratioToBinding } = boundDistance(bound, market);
  const facts = Object.entries(evidence)
    .filter(([key, value]) => value !== '' && !SAME_FOR_ALL.has(key))
    .map(([key, value]) => `${key} ${shown(value)}`);
  return [
    name,
    maxLeverage === null ? '–' : `${shown(maxLeverage)}x`,
    ratioToBinding === null ? '–' : ratioToBinding.toFixed(2),
    available ? facts.join(', ') : `not available: ${unavailableReason}`,
  ];
}

function shown(value: string | number | boolean | null): string {
  if (typeof value !== 'number') return String(value);
  return String(Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4)));
}

function percent(share: number | null): string {
  if (share === null) return '–';
  return `${(100 * share).toFixed(2)}%`;
}
