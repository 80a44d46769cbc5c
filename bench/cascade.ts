import type { AccountColumns } from '../src/accounts/book/columns.ts';
import { plainCascade } from '../src/accounts/system/cascade.fixture.ts';
import { type CascadeRules, cascade } from '../src/accounts/system/cascade.ts';
import type { CascadeResult } from '../src/accounts/system/cascade-result.ts';
import { marketColumnsOf } from '../src/accounts/system/columns-of.ts';
import { crowding } from '../src/accounts/system/crowding.ts';
import { buildGroupIndex, type GroupIndex } from '../src/accounts/system/group-index.ts';
import { leverageIndex } from '../src/accounts/system/leverage-index.ts';
import { liquidationMap } from '../src/accounts/system/liquidation-map.ts';
import type { ImpactColumns } from '../src/accounts/system/price-impact.ts';
import { BRACKETS, plainBookOf, RULES } from '../src/accounts/system/random-book.fixture.ts';
import { DEFAULT_POPULATION, simulateAccounts } from '../src/accounts/system/simulated-accounts.ts';
import { table } from '../src/cli/command.ts';
import { median, megabytes, print } from './measure.ts';

/**
 * The market as one system over simulated accounts of three positions in 200 markets, a third isolated: one market in ten
 * falls by 5 %, and the volume is such that it goes on for 20 rounds. `npm run bench -- cascade LARGEST` for other sizes.
 */
const MARKETS = 200;
const POSITIONS = 3;
const [, , , largest = '1000000'] = process.argv;
const SIZES = [100, 10, 3, 1].map((part) => Math.round(Number(largest) / part));
/** Beyond this many accounts the objects of the baseline do not fit beside everything else. */
const MOST_OBJECTS = 150_000;
/** Without a fund it puts everybody who has won in order, market by market. */
const MOST_OBJECTS_IN_ORDER = 20_000;

const markets = marketColumnsOf(
  Array.from({ length: MARKETS }, (_, m) => ({
    mark: 1 + m,
    kind: 'linear' as const,
    contractSize: 1,
    maintenance: BRACKETS,
  })),
);
const weights = Float64Array.from({ length: MARKETS }, (_, m) => 1 / (m + 1));
const levels = Float64Array.from({ length: 40 }, (_, i) => (i < 20 ? -0.5 + 0.025 * i : 0.025 * (i - 19)));
const moves = Float64Array.from({ length: MARKETS }, (_, m) => (m % 10 === 0 ? -0.05 : 0));

/** Of this process, collection of garbage included: other work on the machine does not count. */
function processorMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function milliseconds<T>(work: () => T, rounds: number): { readonly result: T; readonly time: number } {
  let result = work();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const since = processorMilliseconds();
    result = work();
    times.push(processorMilliseconds() - since);
  }
  return { result, time: median(times) };
}

/** Loops over objects, which have to come to the same. */
function plainMilliseconds(
  accounts: AccountColumns,
  index: GroupIndex,
  impact: ImpactColumns,
  rules: CascadeRules,
  { groupsFallen, deleveragedNotional }: CascadeResult,
  fund: number,
): number {
  const objects = plainBookOf({ accounts, markets, impact }, index);
  const since = processorMilliseconds();
  const slow = plainCascade(objects, moves, impact, rules, fund);
  const time = processorMilliseconds() - since;
  const isSame =
    slow.fallenByRound.flat().length === groupsFallen &&
    Math.abs(slow.deleveragedNotional - deleveragedNotional) <= 1e-6 * deleveragedNotional;
  if (!isSame) throw new Error('the loops over objects came to something else');
  return time;
}

const rows: string[][] = [];
for (const accounts of SIZES) {
  const book = simulateAccounts(markets, weights, { ...DEFAULT_POPULATION, accounts, positions: POSITIONS });
  const impact = {
    hourlyVolume: weights.map((weight) => accounts * weight * 13),
    dailyVolatility: new Float64Array(MARKETS).fill(0.05),
    depthNotional: new Float64Array(MARKETS).fill(Number.NaN),
    depthBandRate: new Float64Array(MARKETS),
  };
  const rules = { ...RULES, maximumRounds: 20 };
  const shock = { moves, impact, rules, insuranceFund: 1e12 };
  const memoryBefore = process.memoryUsage().arrayBuffers;
  const index = milliseconds(() => buildGroupIndex(book, markets), 3);
  const own = milliseconds(() => cascade(book, markets, shock, index.result), 5);
  const poor = milliseconds(() => cascade(book, markets, { ...shock, insuranceFund: 0 }, index.result), 5);
  const map = milliseconds(() => liquidationMap(book, markets, levels, 1, index.result), 3);
  const lever = milliseconds(() => leverageIndex(book, markets, index.result), 3);
  const crowd = milliseconds(() => crowding(book, markets, impact, 1e6), 3);
  const memory = process.memoryUsage().arrayBuffers - memoryBefore;
  let plain: number | null = null;
  let plainPoor: number | null = null;
  if (accounts <= MOST_OBJECTS) {
    plain = plainMilliseconds(book, index.result, impact, rules, own.result, 1e12);
    if (accounts <= MOST_OBJECTS_IN_ORDER)
      plainPoor = plainMilliseconds(book, index.result, impact, rules, poor.result, 0);
  }
  const { rounds, accountsFallen, groupsFallen, badDebt, soldNotional, deleveragedNotional } = own.result;
  const perAccount = (time: number): string => ((1e6 * time) / accounts).toFixed(0);
  const over = (slow: number | null, time: number): string => (slow === null ? '' : (slow / time).toFixed(1));
  const line = (work: string, time: number, ratio = ''): void => {
    rows.push([String(accounts), work, time.toFixed(0), perAccount(time), ratio]);
  };
  line('index of groups and markets', index.time);
  line(`cascade, ${rounds.length} rounds`, own.time, over(plain, own.time));
  line(`the same without a fund, ${poor.result.rounds.length} rounds`, poor.time, over(plainPoor, poor.time));
  line(`liquidation map, ${levels.length} levels`, map.time);
  line('leverage index', lever.time);
  line('crowding', crowd.time);
  if (plain !== null) line('cascade by loops over objects', plain);
  if (plainPoor !== null) line('the same without a fund', plainPoor);
  print(
    `${accounts} accounts: ${accountsFallen} fell (${groupsFallen} groups), ${soldNotional.toExponential(2)} sold, bad debt ${badDebt.toExponential(2)}, ` +
      `deleveraged with a fund ${deleveragedNotional.toFixed(0)}, without ${poor.result.deleveragedNotional.toExponential(2)}; ` +
      `columns and index ${megabytes(memory)} beyond the book, memory ${megabytes(process.memoryUsage().rss)}`,
  );
}
print(table(['accounts', 'work', 'cpu ms', 'ns an account', 'objects over it'], rows));
