import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LeveragePoint } from '../src/accounts/system/leverage-sensitivity.ts';
import type { StressShape } from '../src/accounts/system/shapes.ts';
import { plimsoll, serve } from './run-plimsoll.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-system-'));
const dataDir = join(folder, 'var');
const accounts = join(folder, 'accounts.ndjson');
let symbols: string[];

/** A long of 1000 at about the mark of the market, which the stress names. */
function account(accountId: string, symbol: string, mark: number, equity: number) {
  const position = { symbol, side: 'long', quantity: (1000 / mark).toFixed(8), entryPrice: String(mark) };
  return { accountId, userId: 'u', marginMode: 'cross', equity: equity.toFixed(6), positions: [position] };
}

beforeAll(async () => {
  const running = await serve(dataDir);
  await running.inForce;
  await running.end('SIGTERM');
  const { stdout } = await plimsoll(['stress', 'rise-10', '--json', '--data-dir', dataDir]);
  const { scenarios } = JSON.parse(stdout) as { scenarios: StressShape[] };
  symbols = scenarios[0].markets.map(({ symbol }) => symbol);
  const [first, second] = scenarios[0].markets;
  const markOf = ({ mark, move }: typeof first): number => Number(mark) / (1 + move);
  const lines = [
    JSON.stringify(account('deep', first.symbol, markOf(first), 900)),
    JSON.stringify(account('shallow', first.symbol, markOf(first), 250)),
    JSON.stringify(account('other', second.symbol, markOf(second), 250)),
    'no json',
    JSON.stringify(account('unknown', 'NOPEUSDT', 1, 250)),
  ];
  writeFileSync(accounts, lines.join('\n'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) => plimsoll([...args, '--data-dir', dataDir]);

describe('plimsoll stress', () => {
  test('fells the accounts of a file that a fall takes below their margin; refused lines are told', async () => {
    const { code, stdout, stderr } = await run(
      ...['stress', 'fall-25', '--accounts', accounts, '--fund', '10', '--json'],
    );
    expect(code).toBe(0);
    const { scenarios, refused, accountsSimulated, insuranceFundAssumed } = JSON.parse(stdout);
    expect([accountsSimulated, insuranceFundAssumed]).toEqual([false, false]);
    expect(refused.map(({ line }: { line: number }) => line)).toEqual([4, 5]);
    expect(stderr).toContain('line 5 was refused: there is no market NOPEUSDT');
    expect(scenarios).toMatchObject([{ scenario: 'uniform -25 %', accounts: 3, accountsFallen: 2 }]);
  });

  test('shocks some markets alone, and says so in the table', async () => {
    const { stdout } = await run(
      ...['stress', 'fall-25', '--accounts', accounts, '--markets', symbols[0], '--fund', '0'],
    );
    expect(stdout).toContain('3 accounts (2 lines refused) in');
    expect(stdout).toContain('insurance fund 0\n');
    expect(stdout).toContain(`in ${symbols[0]} alone; by round:`);
    expect(stdout).toMatch(/uniform -25 % +\d+ +0 +1 /);
    expect((await run('stress', 'fall-25', '--markets', 'NOPEUSDT')).code).toBe(4);
  });

  test('without accounts it says that they are simulated, and tries a set of scenarios, stored days among them', async () => {
    const { stdout } = await run('stress', '--population', '500');
    expect(stdout).toContain('500 SIMULATED accounts, of nobody');
    expect(stdout).toContain('assumed: 1 % of the open notional');
    expect(stdout).toMatch(/^\d{4}-\d{2}-\d{2} /m);
    expect((await run('stress', '--population', '500')).stdout).toBe(stdout);
  });

  test.each([
    ['bogus', 2, 'is no scenario'],
    ['fall-100', 2, 'is no scenario'],
    ['1999-01-01', 5, 'no bars of 1999-01-01 are stored'],
  ])('the scenario %s ends with exit code %i and a remedy', async (name, expected, words) => {
    const { code, stderr } = await run('stress', name);
    expect(code).toBe(expected);
    expect(stderr).toContain(words);
  });

  test('a file without one good account is refused', async () => {
    const empty = join(folder, 'empty.ndjson');
    writeFileSync(empty, 'no json\n');
    expect((await run('stress', '--accounts', empty)).code).toBe(5);
  });
});

describe('plimsoll sensitivity', () => {
  test('gives a point for each leverage and scenario, and draws them without a network', async () => {
    const output = join(folder, 'sensitivity.html');
    const { code, stdout } = await run(
      ...['sensitivity', '--population', '500', '--leverages', '20,2', '--scenario', 'fall-10', 'fall-40'],
      ...['--output', output, '--json'],
    );
    expect(code).toBe(0);
    const { points, accountsSimulated } = JSON.parse(stdout) as {
      points: LeveragePoint[];
      accountsSimulated: boolean;
    };
    expect(accountsSimulated).toBe(true);
    expect(points.map(({ leverage, scenario }) => `${leverage} ${scenario}`)).toEqual([
      '2 uniform -10 %',
      '2 uniform -40 %',
      '20 uniform -10 %',
      '20 uniform -40 %',
    ]);
    expect(points[3].badDebt).toBeGreaterThan(points[1].badDebt);
    const page = readFileSync(output, 'utf8');
    expect(page).toContain('SIMULATED accounts');
    expect(page.match(/<svg/g)?.length).toBe(3);
    expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
    expect(page).not.toContain('NaN');
  });

  test('refuses leverages that are none', async () => {
    expect((await run('sensitivity', '--leverages', '0.5,x')).code).toBe(2);
  });
});
