import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteAccountStore } from '../data/sqlite-account-store.ts';
import { AccountBook, type AccountRecord } from '../src/accounts/book/account-book.ts';
import { IntList } from '../src/accounts/book/growing.ts';
import { MarketRows, type MarketTerms } from '../src/accounts/book/market-rows.ts';
import { schedule } from '../src/accounts/book/test-accounts.ts';
import { MarginKernel } from '../src/accounts/interventions/margin-kernel.ts';
import { thresholdsOf } from '../src/accounts/interventions/statuses.ts';
import { table } from '../src/cli/command.ts';
import { AccountDesk } from '../src/control/accounts/account-desk.ts';
import { DEFAULT_POLICY } from '../src/limits/policy.ts';
import { Random } from '../src/random.ts';
import { medianMilliseconds, megabytes, print } from './measure.ts';

/**
 * Simulated accounts of three positions each in 200 markets, a fifth of the positions in the largest ten: how long it takes to
 * look at the margins of all of them, and of those who hold one market; what they weigh, with the room that is left for more, in
 * a book that has grown from nothing; and how fast they come in.
 */
const SIZES = [10_000, 100_000, 1_000_000, 10_000_000];
const MARKETS = 200;
const POSITIONS = 3;
const ROUNDS = 5;
const POLICY = DEFAULT_POLICY.accounts;
const TABLE = schedule([50, 25, 20, 10, 5, 4, 3, 2, 1]);
const TERMS: readonly MarketTerms[] = Array.from({ length: MARKETS }, (_, m) => ({
  ...{ symbol: `M${m}USDT`, kind: 'linear', contractSize: 1, brackets: TABLE, maintenance: TABLE },
}));

function markets(): MarketRows {
  const rows = new MarketRows();
  rows.set(TERMS);
  for (let m = 0; m < MARKETS; m++) rows.mark[m] = 100 + m;
  return rows;
}

function record(row: number, random: Random): AccountRecord {
  const first = Math.floor(random.uniform() ** 2 * MARKETS);
  return {
    accountId: `user-${row}`,
    userId: `user-${row}`,
    isIsolated: false,
    collateral: 2000 + 8000 * random.uniform(),
    sequence: 1,
    positions: Array.from({ length: POSITIONS }, (_, i) => {
      const market = (first + 67 * i) % MARKETS;
      const notional = 20_000 * random.uniform() ** 3;
      const quantity = notional / (100 + market);
      return {
        market,
        quantity: random.uniform() < 0.55 ? quantity : -quantity,
        entryPrice: (100 + market) * (0.97 + 0.06 * random.uniform()),
        isolatedMargin: Number.NaN,
      };
    }),
  };
}

/** The same margins over objects, as one would write it without a thought of memory. */
class PlainAccount {
  readonly collateral: number;
  readonly positions: readonly {
    readonly market: (typeof TERMS)[number];
    readonly row: number;
    readonly quantity: number;
    readonly entryPrice: number;
  }[];
  status = 0;

  constructor({ collateral, positions }: AccountRecord) {
    this.collateral = collateral;
    this.positions = positions.map(({ market, quantity, entryPrice }) => ({
      ...{ market: TERMS[market], row: market, quantity, entryPrice },
    }));
  }
}

function plainLook(accounts: readonly PlainAccount[], marks: Float64Array): number {
  let below = 0;
  for (const { collateral, positions } of accounts) {
    let [equity, maintenance] = [collateral, 0];
    for (const { market, row, quantity, entryPrice } of positions) {
      const notional = Math.abs(quantity) * marks[row];
      equity += quantity * (marks[row] - entryPrice);
      const bracket =
        market.maintenance.find(({ notionalCap }) => notional <= notionalCap) ?? TABLE[TABLE.length - 1];
      maintenance += (notional * bracket.maintenanceMarginRatePpm - bracket.maintenanceAmountMicros) / 1e6;
    }
    if (maintenance >= POLICY.warningRatio * equity) below++;
  }
  return below;
}

/** Reads as many bytes as the kernel does, in order, and does nothing with them. */
function bandwidthMilliseconds(bytes: number): number {
  const values = new Float64Array(bytes / 8).fill(1);
  return medianMilliseconds(() => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i];
    return sum;
  }, ROUNDS);
}

/** What the kernel reads of an account and of a position. */
const BYTES = { account: 8 + 4 + 2 + 1, position: 2 + 8 + 8 + 8 };

const rows: string[][] = [];
for (const size of SIZES) {
  const book = new AccountBook(markets());
  const random = new Random(1);
  for (let row = 0; row < size; row++) book.put(record(row, random));
  const weight = book.bytes / size;
  const kernel = new MarginKernel(book, thresholdsOf(POLICY));
  const changed = new IntList(1024);
  const all = medianMilliseconds(() => {
    changed.length = 0;
    kernel.scan(0, size, changed);
  }, ROUNDS);
  const told = changed.length;
  const holders = book.holdersOf(3).length;
  const one = medianMilliseconds(() => {
    changed.length = 0;
    kernel.scanHolders(3, changed);
  }, ROUNDS);
  const bandwidth = bandwidthMilliseconds(size * (BYTES.account + POSITIONS * BYTES.position));
  let plain = Number.NaN;
  if (size <= 1_000_000) {
    const again = new Random(1);
    const accounts = Array.from({ length: size }, (_, row) => new PlainAccount(record(row, again)));
    const marks = book.markets.mark;
    plain = medianMilliseconds(() => plainLook(accounts, marks), ROUNDS);
    if (plainLook(accounts, marks) !== told) throw new Error('the two do not agree');
  }
  rows.push([
    String(size),
    all.toFixed(1),
    ((all * 1e6) / size / POSITIONS).toFixed(1),
    Number.isNaN(plain) ? '' : (plain / all).toFixed(1),
    (all / bandwidth).toFixed(1),
    String(holders),
    one.toFixed(2),
    weight.toFixed(0),
  ]);
}
print('margins of all accounts; a loop over objects and a bare read of the same bytes as ratios');
print(
  table(
    [
      'accounts',
      'all ms',
      'ns a position',
      'objects ×',
      'bare read ×',
      'holders',
      'one market ms',
      'bytes an account',
    ],
    rows,
  ),
);
await ingest(500_000);
print(`memory ${megabytes(process.memoryUsage.rss())}`);

/** Lines as they come in over HTTP, in batches, each made durable before the next. */
async function ingest(lines: number): Promise<void> {
  const random = new Random(2);
  const perBatch = 10_000;
  const batches = Array.from({ length: lines / perBatch }, (_, batch) =>
    Array.from({ length: perBatch }, (_, i) => lineOf(record(batch * perBatch + i, random))).join('\n'),
  );
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-accounts-'));
  const store = SqliteAccountStore.open(folder);
  const desk = AccountDesk.recover({ store, policy: POLICY, plannerOf: () => () => [] });
  desk.setTerms(TERMS, 1, 0);
  await desk.commit();
  const bytes = batches.reduce((sum, text) => sum + text.length, 0);
  const started = performance.now();
  const cpu = process.cpuUsage();
  for (const text of batches) {
    if (desk.takeLines(text, 1).accepted !== perBatch) throw new Error('a line was refused');
    await desk.commit();
  }
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const parsed = performance.now();
  for (const text of batches) for (const line of text.split('\n')) JSON.parse(line);
  const parseSeconds = (performance.now() - parsed) / 1000;
  print(
    `${lines} lines of ${POSITIONS} positions (${megabytes(bytes)}) taken and made durable in ${seconds.toFixed(2)} s: ${Math.round(lines / seconds)} a second; ` +
      `${((user + system) / 1e6).toFixed(2)} s of processor time; JSON.parse of the same alone ${parseSeconds.toFixed(2)} s`,
  );
  const since = performance.now();
  await desk.snapshotNow();
  const snapshotSeconds = (performance.now() - since) / 1000;
  const begun = performance.now();
  AccountDesk.recover({ store, policy: POLICY, plannerOf: () => () => [] });
  print(
    `snapshot of ${lines} accounts ${snapshotSeconds.toFixed(2)} s, recovery from it ${((performance.now() - begun) / 1000).toFixed(2)} s`,
  );
  store.close();
  rmSync(folder, { recursive: true });
}

function lineOf({ accountId, userId, collateral, positions }: AccountRecord): string {
  return JSON.stringify({
    ...{ accountId, userId, marginMode: 'cross', equity: collateral.toFixed(6), sequence: 1 },
    positions: positions.map(({ market, quantity, entryPrice }) => ({
      symbol: TERMS[market].symbol,
      side: quantity > 0 ? 'long' : 'short',
      quantity: Math.abs(quantity).toFixed(8),
      entryPrice: entryPrice.toFixed(4),
    })),
  });
}
