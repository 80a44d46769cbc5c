import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { plimsoll, serve } from './run-plimsoll.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-preview-'));
const dataDir = join(folder, 'var');
/** Of the market with the highest leverage. */
let symbol: string;
let leverage: number;

beforeAll(async () => {
  const running = await serve(dataDir);
  await running.inForce;
  await running.end('SIGTERM');
  const { stdout } = await plimsoll(['limits', '--json', '--data-dir', dataDir]);
  const { markets } = JSON.parse(stdout) as { markets: { symbol: string; maxLeverage: number }[] };
  const highest = Math.max(...markets.map(({ maxLeverage }) => maxLeverage));
  ({ symbol, maxLeverage: leverage } = markets.find(({ maxLeverage }) => maxLeverage === highest) ?? {
    symbol: '',
    maxLeverage: 0,
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, lines: readonly unknown[]): string {
  const path = join(folder, name);
  writeFileSync(
    path,
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  );
  return path;
}

/** An account with one long position of 600 at a mark of 1, and so much behind it. */
function account(accountId: string, equity: string, changes: object = {}) {
  const position = { symbol, side: 'long', quantity: '600', entryPrice: '1' };
  return { accountId, userId: 'u', marginMode: 'cross', equity, positions: [position], ...changes };
}

function policy(name: string, settings: object): string {
  return file(name, [{ version: 1, name: 'tried', ...settings }]);
}

/** A whole leverage, whatever the simulated markets allow today. */
function halfOf(most: number): number {
  return Math.max(Math.floor(most / 2), 1);
}

const run = (...args: string[]) => plimsoll(['preview', '--data-dir', dataDir, ...args]);

describe('plimsoll preview', () => {
  let marks: string;
  let accounts: string;
  beforeAll(() => {
    marks = file('marks.ndjson', [{ symbol, price: '1' }]);
    // As much as the top leverage asks for, and a little more than half of it does: rates are rounded up.
    const least = (600 / leverage).toFixed(6);
    const ofHalf = (601 / halfOf(leverage)).toFixed(6);
    accounts = file('accounts.ndjson', [
      account('at-the-cap', least),
      account('half-of-it', ofHalf),
      'no json',
      account('unmarked', '1', {
        positions: [{ symbol: 'NOPEUSDT', side: 'net', quantity: '1', entryPrice: '1' }],
      }),
      account('absurd', 'NaN'),
    ]);
  });

  test('says whom another policy would have breach, and what would have to go; the present one nobody', async () => {
    const cap = halfOf(leverage);
    const tighter = policy('tighter.json', {
      ...{ maximumLeverage: cap, youngListingMaximumLeverage: 1, degradedMaximumLeverage: 1, classes: [] },
    });
    const { code, stdout, stderr } = await run(
      '--accounts',
      accounts,
      '--prices',
      marks,
      '--policy',
      tighter,
      '--json',
    );
    expect(code).toBe(0);
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({
      accounts: 2,
      announced: [],
      policy: { name: 'tried', effectiveAt: null },
    });
    expect(answer.refused.map(({ line }: { line: number }) => line)).toEqual([3, 4, 5]);
    expect(stderr).toContain('no mark is known for NOPEUSDT');
    const { accounts: hit, symbols } = answer.policy;
    expect(symbols).toContain(symbol);
    expect(hit).toMatchObject({ accounts: 2, breaching: 1, liquidations: 0, unusable: 0 });
    expect(hit.hit).toEqual([
      { accountId: 'at-the-cap', symbol, notionalToReduce: hit.notionalToReduce, isLiquidated: false },
    ]);
    expect(Number(hit.notionalToReduce)).toBeGreaterThan(0);

    const same = await run(
      '--accounts',
      accounts,
      '--prices',
      marks,
      '--policy',
      policy('same.json', {}),
      '--json',
    );
    expect(JSON.parse(same.stdout).policy.accounts).toMatchObject({
      breaching: 0,
      notionalToReduce: '0',
      hit: [],
    });
  });

  test('speaks to people, and takes the newest closes for marks', async () => {
    const { code, stdout } = await run('--accounts', accounts);
    expect(code).toBe(0);
    expect(stdout).toContain('No table is announced.');
    expect(stdout).toContain('2 accounts against book');
  });

  test('refuses a file that it cannot read, one without accounts, a policy with faults', async () => {
    expect((await run('--accounts', join(folder, 'nothing.ndjson'))).code).toBe(5);
    expect((await run('--accounts', file('empty.ndjson', ['{}']))).code).toBe(5);
    const wrong = policy('wrong.json', { maximumLeverage: 'much' });
    expect((await run('--accounts', accounts, '--policy', wrong)).code).toBe(2);
    expect((await run()).code).toBe(2);
  });
});
