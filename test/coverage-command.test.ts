import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Random } from '../src/random.ts';
import { plimsoll } from './run-plimsoll.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-coverage-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const random = new Random(7);
const ROWS = 500;
const scale = Float64Array.from({ length: ROWS }, (_, t) => 0.01 * Math.exp(Math.sin(t / 40)));
const losses = scale.map((value) => value * random.studentT(5));

function forecasts(
  name: string,
  valueAtRisk: (t: number) => number,
  change: (t: number) => number = () => 0,
): string {
  const file = join(folder, name);
  const rows = Array.from(losses, (loss, t) => {
    const value = valueAtRisk(t);
    return `${1704067200000 + t * 3_600_000},${loss + change(t)},${value},${1.4 * value}`;
  });
  writeFileSync(file, `time,loss,var,es\n${rows.join('\n')}\n`);
  return file;
}

function probabilities(name: string, outcome: (t: number, p: number) => number): string {
  const file = join(folder, name);
  const rows = Array.from(scale, (value, t) => {
    const p = Math.min(20 * value, 0.9);
    return `${1704067200000 + t * 3_600_000},${p},${outcome(t, p)}`;
  });
  writeFileSync(file, `time,probability,outcome\n${rows.join('\n')}\n`);
  return file;
}

describe('forecasts beside those of others', () => {
  const conditional = forecasts('conditional.csv', (t) => 2.1 * scale[t]);
  const flat = forecasts('flat.csv', () => 0.035);
  const timid = forecasts('timid.csv', (t) => 9 * scale[t]);

  test('are compared by every score and test', async () => {
    const { code, stdout } = await plimsoll([
      'coverage',
      conditional,
      '--confidence',
      '0.975',
      '--json',
      '--against',
      flat,
      timid,
    ]);
    expect(code).toBe(0);
    const { n, comparison } = JSON.parse(stdout);
    expect(n).toBe(ROWS);
    expect(comparison.pairs.map(({ other }: { other: string }) => other)).toEqual([flat, timid]);
    const [, againstTimid] = comparison.pairs;
    expect(againstTimid.pinball.mean).toBeLessThan(againstTimid.pinball.meanOther);
    expect(againstTimid.fz0.dieboldMariano).toMatchObject({ available: true });
    expect(againstTimid.fz0.dieboldMariano.pValue).toBeLessThan(0.01);
    expect(comparison.confidenceSet.fz0.members).toContain(conditional);
    expect(comparison.confidenceSet.fz0.members).not.toContain(timid);
  });

  test('and the reader sees them in a table', async () => {
    const { stdout } = await plimsoll(['coverage', conditional, '--against', timid, '--horizon', '24']);
    expect(stdout).toContain('Diebold–Mariano');
    expect(stdout).toMatch(/timid\.csv +FZ0/);
    expect(stdout).toContain('not told from the best');
  });

  test('must be of the same losses', async () => {
    const other = forecasts(
      'other.csv',
      () => 0.03,
      (t) => (t === 11 ? 1 : 0),
    );
    const { code, stderr } = await plimsoll(['coverage', conditional, '--against', other]);
    expect(code).toBe(5);
    expect(stderr).toContain('row 12');
  });
});

describe('probabilities of an event', () => {
  test('are judged by their own scores', async () => {
    const file = probabilities('shock.csv', (_, p) => (random.uniform() < p ? 1 : 0));
    const { code, stdout } = await plimsoll(['coverage', file, '--json']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    const { reliability, resolution, uncertainty, withinBinVariance, withinBinCovariance } =
      report.decomposition;
    expect(report.brier).toBeCloseTo(
      reliability - resolution + uncertainty + withinBinVariance - withinBinCovariance,
      12,
    );
    expect(report.calibration.slope).toBeGreaterThan(0.5);
    expect(report.areaUnderRoc.value).toBeGreaterThan(0.5);
    expect(report.reliability.length).toBe(10);
    const text = (await plimsoll(['coverage', file])).stdout;
    for (const words of ['Brier skill', 'area under ROC', 'mean probability']) expect(text).toContain(words);
  });

  test.each([
    ['an outcome that is neither 1 nor 0', (): number => 2, [], 5, 'DATA_INVALID'],
    ['a comparison that there is none of', (): number => 1, ['--against', 'x.csv'], 2, 'USAGE'],
  ] as const)('%s is refused', async (_, outcome, flags, expected, errorCode) => {
    const { code, stderr } = await plimsoll(['coverage', probabilities('bad.csv', outcome), ...flags]);
    expect(code).toBe(expected);
    expect(stderr).toContain(errorCode);
  });

  test('that never came have scores, and reasons where there are none', async () => {
    const { code, stdout } = await plimsoll(['coverage', probabilities('never.csv', () => 0), '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      events: 0,
      averagePrecision: { available: false },
      areaUnderRoc: { available: false },
      calibration: { available: false },
    });
  });
});
