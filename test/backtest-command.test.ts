import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BarStore } from '../data/bar-store.ts';
import { RANDOM_MARKET_START, randomMarket } from './random-market.ts';
import { plimsoll } from './run-plimsoll.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-backtest-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOURS = 3200;
const FROM = new Date(RANDOM_MARKET_START + 2700 * 3_600_000).toISOString();
const SYMBOLS = ['TEST1USDT', 'TEST2USDT', 'TEST3USDT'];

beforeAll(async () => {
  const store = await BarStore.open(folder);
  for (const [i, symbol] of SYMBOLS.entries()) {
    const { bars } = randomMarket({ symbol, seed: i + 1, hours: HOURS });
    // So much is traded that positions of every size find somebody.
    const quoteVolume = bars.quoteVolume.map((volume) => 1000 * volume);
    const series = { symbol, venue: 'test', kind: 'perp', intervalMilliseconds: 3_600_000, simulated: true };
    await store.writeSeries(series, { ...bars, quoteVolume });
  }
  store.close();
});

const run = (verb: string, ...more: string[]) =>
  plimsoll([verb, '--data-dir', folder, '--from', FROM, '--no-model', '--decision-hours', '4', ...more]);

describe('plimsoll backtest', () => {
  test('measures the policy, the rules and the recorded tables of an exchange on one stage', async () => {
    const at = (hour: number): string => new Date(RANDOM_MARKET_START + hour * 3_600_000).toISOString();
    const table = (hour: number, symbol: string, leverage: number): string =>
      JSON.stringify({ asOf: at(hour), symbol, brackets: [[0, 1e9, leverage, 0.5 / leverage, 0]] });
    const tables = join(folder, 'tables.ndjson.gz');
    const lines = [
      ...SYMBOLS.slice(0, 2).map((symbol) => table(2600, symbol, 50)),
      table(2900, 'TEST1USDT', 20),
      table(2950, 'OTHERUSDT', 20),
    ];
    writeFileSync(tables, gzipSync(lines.join('\n')));
    const report = join(folder, 'backtest.html');
    const { code, stdout, stderr } = await run(
      'backtest',
      '--tables',
      tables,
      '--to',
      at(3190),
      '--json',
      '--output',
      report,
    );
    expect(stderr).toContain('the report is in');
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result.simulated).toBe(true);
    expect(result.markets).toEqual(SYMBOLS);
    expect(result.policy.hash).toMatch(/^[0-9a-f]{64}$/);
    for (const name of [
      'averageLeverage',
      'badDebtRatio',
      'liquidations',
      'exceedanceRate',
      'changesPerMonth',
      'largestDailyCut',
      'peakToTrough',
    ])
      expect(result.measures[name]).toBeGreaterThanOrEqual(0);
    const [fixed, volatility, exchange] = result.against;
    // Rules are at the leverage of the policy, so that only the rest differs.
    for (const rule of [fixed, volatility])
      expect(Math.abs(rule.measures.averageLeverage / result.measures.averageLeverage - 1)).toBeLessThan(
        0.05,
      );
    expect(fixed.measures.changesPerMonth).toBe(0);
    expect(exchange.markets).toBe(2);
    expect(exchange.cuts).toMatchObject([{ symbol: 'TEST1USDT', from: 50, to: 20 }]);
    expect(exchange.cutsAnticipatedRatio).toBe(1);
    // 50x, and 20x for half of the time in one of two markets.
    expect(exchange.measures.averageLeverage).toBeGreaterThan(40);
    expect(exchange.measures.averageLeverage).toBeLessThan(50);
    expect(exchange.own.marketHours).toBe(exchange.measures.marketHours);
    expect(exchange.atEqualBadDebt.measures.badDebtRatio / exchange.measures.badDebtRatio).toBeCloseTo(1, 0);
    const page = readFileSync(report, 'utf8');
    expect(page).toContain('SIMULATED markets');
    expect(page).toContain('TEST1USDT');
    expect(page).not.toMatch(/(src|href)="https?:/);
  });

  test('keeps its tape: the second run says the same and makes nothing anew', async () => {
    const first = await run('backtest', '--no-rules', '--json');
    const second = await run('backtest', '--no-rules', '--json');
    expect(second.stdout).toBe(first.stdout);
    expect(first.code).toBe(0);
    expect(second.stderr).not.toContain('classical …');
    expect(readdirSync(join(folder, 'backtest')).length).toBeGreaterThan(0);
  });

  test('shows what a change of the policy would have done', async () => {
    const careful = join(folder, 'careful.yaml');
    writeFileSync(careful, 'version: 1\nname: careful\nmarginMultiplier: 2\n');
    const { stdout, code } = await run('backtest', '--no-rules', '--against', careful, '--json');
    expect(code).toBe(0);
    const { measures, against } = JSON.parse(stdout);
    expect(against[0].policy.name).toBe('careful');
    expect(against[0].measures.averageLeverage).toBeLessThan(measures.averageLeverage);
    expect(against[0].measures.exceedanceRate).toBeLessThanOrEqual(measures.exceedanceRate);
  });

  test('walks each policy with the floor of its own anti-procyclical option, on the tape of all', async () => {
    const floored = (option: string, more = ''): string => {
      const file = join(folder, `${option}.yaml`);
      writeFileSync(
        file,
        `version: 1\nname: ${option}\nbounds:\n  antiProcyclical:\n    option: ${option}\n${more}`,
      );
      return file;
    };
    const [long, stressed] = [floored('longLookbackFloor', '    floorRatio: 4\n'), floored('stressedWeight')];
    await run('backtest', '--no-rules', '--json');
    const tapes = readdirSync(join(folder, 'backtest'));
    const both = await run('backtest', '--no-rules', '--policy', long, '--against', stressed, '--json');
    expect(both.code).toBe(0);
    expect(both.stderr).not.toContain('classical …');
    expect(both.stderr).toContain('floor …');
    expect(readdirSync(join(folder, 'backtest'))).toEqual(tapes);
    const alone = await run('backtest', '--no-rules', '--policy', stressed, '--json');
    expect(alone.stderr).not.toContain('floor …');
    const [{ against, measures }, other] = [both, alone].map(({ stdout }) => JSON.parse(stdout));
    expect(against[0].measures).toEqual(other.measures);
    expect(against[0].measures.averageLeverage).not.toBe(measures.averageLeverage);
  });

  test.each([
    ['a policy that contradicts itself', ['--against', 'bad.yaml'], 2, 'POLICY_INVALID'],
    ['tables that are not there', ['--tables', 'nowhere.ndjson'], 4, 'NOT_FOUND'],
    ['tables that are none', ['--tables', 'bad.yaml'], 5, 'DATA_INVALID'],
    ['a market that is not stored', ['--markets', 'NONEUSDT'], 5, 'DATA_INSUFFICIENT'],
    ['a span of nothing', ['--to', FROM], 5, 'INPUT_INVALID'],
  ])('refuses %s', async (_, more, exitCode, error) => {
    writeFileSync(join(folder, 'bad.yaml'), 'version: 1\nname: bad\nmarginMultiplier: -1\n');
    const args = more.map((arg) =>
      arg.endsWith('.yaml') || arg.endsWith('.ndjson') ? join(folder, arg) : arg,
    );
    const { code, stderr } = await run('backtest', ...args);
    expect(stderr).toContain(error);
    expect(code).toBe(exitCode);
  });
});

describe('plimsoll calibrate', () => {
  test('writes a policy that holds the appetite, with its evidence, and draws the frontier', async () => {
    const [output, plot] = [join(folder, 'solved.yaml'), join(folder, 'frontier.html')];
    const solved = await run(
      'calibrate',
      '--liquidations',
      '0.03',
      '--output',
      output,
      '--plot',
      plot,
      '--json',
    );
    expect(solved.stderr).toContain('the policy is in');
    expect(solved.code).toBe(0);
    const { policy, measures, frontier, binding } = JSON.parse(solved.stdout);
    expect(binding).toBe('liquidationProbability');
    expect(measures.liquidations / measures.positions).toBeLessThanOrEqual(0.0305);
    const leverages = frontier.map(
      (point: { measures: { averageLeverage: number } }) => point.measures.averageLeverage,
    );
    expect(leverages).toEqual([...leverages].sort((a, b) => b - a));
    const text = readFileSync(output, 'utf8');
    expect(text).toContain('Solved by plimsoll calibrate on SIMULATED markets');
    expect(readFileSync(plot, 'utf8')).toContain('<svg');
    const again = await run('backtest', '--no-rules', '--policy', output, '--json');
    expect(JSON.parse(again.stdout).measures.averageLeverage).toBeCloseTo(measures.averageLeverage, 0);
    expect(policy.marginMultiplier).toBeGreaterThan(0);
  });

  test('says what it cannot reach, and needs an appetite', async () => {
    const unmet = await run('calibrate', '--bad-debt', '1');
    expect(unmet.stdout).toContain('Not met');
    expect(unmet.code).toBe(3);
    const none = await run('calibrate');
    expect(none.stderr).toContain('no appetite is stated');
    expect(none.code).toBe(5);
  });
});
