import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { asymmetricReturns } from '../src/risk/park-miller.fixture.ts';
import { RISK_METHODS } from '../src/risk/tail/method-names.ts';
import { plimsoll } from './run-plimsoll.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-risk-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = join(folder, 'returns.csv');
const write = (returns: Float64Array | number[], header = 'time,return'): void => {
  const rows = Array.from(returns, (value, hour) => `${1704067200000 + hour * 3_600_000},${value}`);
  writeFileSync(file, `${[header, ...rows].join('\n')}\n`);
};

describe('plimsoll risk', () => {
  test('gives VaR, ES and an interval with the shape of the contract', async () => {
    write(asymmetricReturns());
    const { code, stdout } = await plimsoll([
      'risk',
      file,
      '--method',
      'gjr-garch',
      '--confidence',
      '0.99',
      '--json',
    ]);
    expect(code).toBe(0);
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({
      method: 'gjr-garch',
      confidence: 0.99,
      n: 2000,
      valueAtRisk: expect.closeTo(0.038483, 5),
      expectedShortfall: expect.closeTo(0.05047, 5),
      parameters: { nu: expect.closeTo(5.3476, 3), logLikelihood: expect.closeTo(6549.75917, 4) },
    });
    expect(answer.interval.low).toBeLessThan(answer.valueAtRisk);
    expect(answer.interval.high).toBeGreaterThan(answer.valueAtRisk);
  });

  test('shows all methods beside each other, with the reason where one has no answer', async () => {
    write(asymmetricReturns().subarray(0, 400));
    const { code, stdout } = await plimsoll([
      'risk',
      file,
      '--method',
      'all',
      '--no-interval',
      '--horizon',
      '4',
      '--excursion',
    ]);
    expect(code).toBe(0);
    for (const method of RISK_METHODS) expect(stdout).toContain(method);
    expect(stdout).toContain('outside the domain');
    const json = JSON.parse(
      (await plimsoll(['risk', file, '--method', 'all', '--no-interval', '--json'])).stdout,
    );
    expect(json.map(({ method }: { method: string }) => method)).toEqual([...RISK_METHODS]);
  });

  test('says as text what was estimated and from how much', async () => {
    write(asymmetricReturns());
    const { stdout } = await plimsoll(['risk', file, '--method', 'evt', '--horizon', '8', '--side', 'short']);
    expect(stdout).toContain('evt at 99 % from 1993 losses, which overlap: as good as 249');
    expect(stdout).toMatch(/95 % interval 0\.\d+ to 0\.\d+/);
    expect(stdout).toMatch(/threshold +0\.\d+/);
  });

  test.each([
    [['--method', 'bogus'], 2, 'caviar'],
    [['--confidence', '99'], 2, 'between 0 and 1'],
    [['--side', 'both'], 2, 'long or short'],
    [['--tail', '0.9'], 5, 'share of the tail'],
  ])('refuses %j', async (flags, expected, words) => {
    write(asymmetricReturns());
    const { code, stderr } = await plimsoll(['risk', file, ...flags]);
    expect(code).toBe(expected);
    expect(stderr).toContain(words);
  });

  test.each([
    ['returns that never move', new Array(300).fill(0), 'ESTIMATE_UNAVAILABLE', 'alike'],
    ['too few', [0.01, -0.02], 'DATA_INSUFFICIENT', 'at least'],
    ['a number that is none', [0.01, Number.NaN, 0.02], 'DATA_INVALID', 'line 3'],
  ])('%s: coded, with exit code 5', async (_, returns, errorCode, words) => {
    write(returns);
    const { code, stderr } = await plimsoll(['risk', file]);
    expect(code).toBe(5);
    expect(stderr).toContain(errorCode);
    expect(stderr).toContain(words);
  });
});
