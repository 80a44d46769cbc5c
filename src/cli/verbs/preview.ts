import type { z } from 'zod';
import { BarStore } from '../../../data/bar-store.ts';
import { marginGroups } from '../../accounts/margin-groups.ts';
import { isoTime } from '../../clock.ts';
import { loadConfig } from '../../config.ts';
import { type BookPreview, previewAnnounced, previewPolicy } from '../../control/governance/book-preview.ts';
import { PlimsollError } from '../../errors.ts';
import { accountSchema } from '../../http/account-schemas.ts';
import { accountImpactShape } from '../../http/governance-shapes.ts';
import { priceLineSchema } from '../../http/price-schemas.ts';
import type { MarginGroup } from '../../limits/impact.ts';
import { parseAttos } from '../../units.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';
import { jsonLinesOf } from '../json-lines.ts';
import { withStateStore } from './state.ts';
import { inputsOf, latestBook } from './stored-decision.ts';

interface PreviewOptions extends CommonOptions {
  readonly accounts: string;
  readonly prices?: string;
}

/** What announced tables, or the next decision under another policy, would do to accounts. Nothing is written. */
export async function preview(
  context: CliContext,
  { json, accounts: accountsFile, prices, policy: policyFile, ...flags }: PreviewOptions,
): Promise<void> {
  const policy = policyFile === undefined ? null : loadConfig({ ...flags, policy: policyFile }).values.policy;
  const { book, inputs } = await withStateStore(flags, async (store) => {
    const latest = await latestBook(store);
    return { book: latest, inputs: policy === null ? null : await inputsOf(store, latest) };
  });
  const marks = prices === undefined ? await newestCloses(flags) : await readMarks(prices);
  const { groups, accounts, refused } = await readAccounts(accountsFile, marks);
  for (const { line, why } of refused.slice(0, MOST_TOLD)) context.note(`line ${line} was refused: ${why}`);
  if (accounts === 0 && refused.length > 0)
    throw new PlimsollError('DATA_INVALID', `no line of ${accountsFile} is an account that can be judged`, {
      remedy: 'Give NDJSON with accountId, userId, marginMode, equity and positions, of markets with a mark.',
    });
  const announced = previewAnnounced(book, groups);
  const next =
    policy === null || inputs === null
      ? null
      : previewPolicy(book, inputs, policy, Math.max(context.clock.now(), book.decidedAt), groups);
  if (json === true) {
    context.printJson({
      version: book.version,
      accounts,
      refused,
      announced: announced.map(shapeOf),
      policy: next === null ? null : { name: policy?.name, ...shapeOf(next) },
    });
    return;
  }
  context.print(`${accounts} accounts against book ${book.version}; ${refused.length} lines were refused`);
  if (announced.length === 0) context.print('No table is announced.');
  else print(context, announced);
  if (next !== null) {
    context.print(`The next decision under the policy ${policy?.name}, made now:`);
    print(context, [next]);
  }
}

const MOST_TOLD = 20;

function shapeOf({ effectiveAt, symbols, accounts }: BookPreview) {
  return {
    effectiveAt: effectiveAt === null ? null : isoTime(effectiveAt),
    symbols,
    accounts: accountImpactShape(accounts),
  };
}

function print(context: CliContext, previews: readonly BookPreview[]): void {
  const rows = previews.map(({ effectiveAt, symbols, accounts }) => {
    const {
      accounts: judged,
      breaching,
      notionalToReduce,
      liquidations,
      liquidatedNotional,
    } = accountImpactShape(accounts);
    return [
      effectiveAt === null ? 'at once' : isoTime(effectiveAt),
      String(symbols.length),
      `${breaching} of ${judged}`,
      notionalToReduce,
      String(liquidations),
      liquidatedNotional,
    ];
  });
  const header = [
    'in force',
    'markets',
    'accounts in breach',
    'to reduce',
    'liquidations',
    'notional of these',
  ];
  context.print(table(header, rows));
  for (const { accountId, symbol, notionalToReduce, isLiquidated } of previews.flatMap(({ accounts }) =>
    accounts.hit.slice(0, MOST_TOLD),
  ))
    context.print(
      `  ${accountId} ${symbol}: ${isLiquidated ? 'liquidated' : `${notionalToReduce} to reduce`}`,
    );
}

async function newestCloses(flags: Omit<CommonOptions, 'json'>): Promise<ReadonlyMap<string, bigint>> {
  const store = await BarStore.open(loadConfig(flags).values.dataDir);
  try {
    const markets = await store.loadMarkets();
    return new Map(
      markets.map(({ symbol, bars }) => [symbol, parseAttos(bars.close[bars.length - 1].toFixed(12)) ?? 0n]),
    );
  } finally {
    store.close();
  }
}

async function readMarks(path: string): Promise<ReadonlyMap<string, bigint>> {
  const marks = new Map<string, bigint>();
  for await (const { line, value } of jsonLinesOf(path)) {
    const { data } = priceLineSchema.omit({ time: true }).safeParse(value);
    const price = data === undefined ? null : parseAttos(data.price);
    if (data === undefined || price === null || price === 0n)
      throw new PlimsollError('DATA_INVALID', `line ${line} of ${path} is no price`, {
        remedy: 'Give lines such as {"symbol":"BTCUSDT","price":"31967.27"}.',
      });
    marks.set(data.symbol, price);
  }
  return marks;
}

interface ReadAccounts {
  readonly groups: readonly MarginGroup[];
  readonly accounts: number;
  readonly refused: readonly { readonly line: number; readonly why: string }[];
}

async function readAccounts(path: string, marks: ReadonlyMap<string, bigint>): Promise<ReadAccounts> {
  const groups: MarginGroup[] = [];
  const refused: { line: number; why: string }[] = [];
  let accounts = 0;
  for await (const { line, value } of jsonLinesOf(path)) {
    const { data, error } = accountSchema.safeParse(value);
    const own = data === undefined ? null : marginGroups(data, marks);
    if (own === null) {
      refused.push({ line, why: error === undefined ? unmarked(data, marks) : faultOf(error) });
      continue;
    }
    accounts++;
    groups.push(...own);
  }
  return { groups, accounts, refused };
}

function unmarked(account: z.infer<typeof accountSchema>, marks: ReadonlyMap<string, bigint>): string {
  const missing = account.positions.find(({ symbol }) => !marks.has(symbol));
  return missing === undefined
    ? 'a position of an isolated account has no isolatedMargin'
    : `no mark is known for ${missing.symbol}`;
}

function faultOf({ issues: [first] }: z.ZodError): string {
  return `${first.path.join('.') || 'the line'}: ${first.message}`;
}
