import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomMarket } from './random-market.ts';
import { plimsoll } from './run-plimsoll.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-compare-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const dataDir = join(folder, 'data');
const shipped = join(import.meta.dirname, '..', 'models');
const { champion } = JSON.parse(readFileSync(join(shipped, 'aliases.json'), 'utf8'));
const HIGH = '20260101-0000000c';

/** A copy of the champion whose forecasts of volatility are e^0.7 times as high, with a lineage and gates. */
beforeAll(async () => {
  const target = join(dataDir, 'models', 'versions', HIGH);
  cpSync(join(shipped, 'versions', champion), target, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(target, 'manifest.json'), 'utf8'));
  for (const coefficients of manifest.scaling.harCoefficients) coefficients[0] += 0.7;
  manifest.probe.valueAtRisk = manifest.probe.valueAtRisk.map((value: number) => value * Math.exp(0.7));
  Object.assign(manifest, {
    version: HIGH,
    lineage: {
      parent: champion,
      dataFingerprint: manifest.data.hash,
      programVersion: '9.9.9',
      command: 'plimsoll train --seeds 7',
    },
    gates: {
      policyVersion: '1-0000000f',
      champion,
      judgedAt: '2026-01-01T00:00:00.000Z',
      passed: false,
      results: [
        { gate: 'size', passed: true, measured: 1, bound: 2, words: '1 of 2 bytes' },
        { gate: 'latency', passed: false, measured: 9, bound: 5, words: '9 ms, at most 5' },
      ],
    },
  });
  writeFileSync(join(target, 'manifest.json'), JSON.stringify(manifest));
});

describe('two versions side by side', () => {
  test('without data newer than both, and without scores of one of them, there is no comparison', async () => {
    const bare = join(folder, 'bare');
    cpSync(join(dataDir, 'models'), join(bare, 'models'), { recursive: true });
    rmSync(join(bare, 'models', 'versions', HIGH, 'scores.csv'), { force: true });
    const { code, stderr } = await plimsoll(['compare', champion, HIGH, '--data-dir', bare]);
    expect(code).toBe(5);
    expect(stderr).toContain('has no data newer');
  });

  test('on data that neither has seen: scores, who is better by how many markets, where both come from', async () => {
    for (const seed of [1, 2, 3]) {
      const { symbol, bars } = randomMarket({ seed, hours: 270 * 24, start: Date.UTC(2026, 1, 1) });
      const file = join(folder, `${symbol}-test-perp-1h.csv`);
      const rows = Array.from({ length: bars.length }, (_, i) =>
        [
          bars.openTime[i],
          ...[bars.open, bars.high, bars.low, bars.close, bars.volume, bars.quoteVolume].map((own) => own[i]),
        ].join(','),
      );
      writeFileSync(file, `open_time,open,high,low,close,volume,quote_volume\n${rows.join('\n')}\n`);
      expect((await plimsoll(['import', file, '--data-dir', dataDir])).code).toBe(0);
    }
    const { code, stdout } = await plimsoll(['compare', champion, HIGH, '--data-dir', dataDir, '--json']);
    expect(code).toBe(0);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({
      a: champion,
      b: HIGH,
      basis: 'unseen data',
      simulated: false,
      origins: {
        a: { dataFingerprint: expect.any(String) },
        b: { lineage: { parent: champion, command: 'plimsoll train --seeds 7' }, gates: { passed: false } },
      },
    });
    expect(found.cells).toHaveLength(32);
    const sure = found.cells.filter((cell: { confidence: number }) => cell.confidence === 0.95);
    // Twice the volatility is worse by far, and the test knows it.
    for (const cell of sure) {
      expect(cell.b).toBeGreaterThan(1.2 * cell.a);
      expect(cell.duel.pValueBBetter).toBeGreaterThan(0.99);
      expect([cell.duel.better, cell.duel.worse]).toEqual([0, 1]);
    }
    const text = (await plimsoll(['compare', champion, HIGH, '--data-dir', dataDir])).stdout;
    expect(text).toContain('p(b better)');
    expect(text).toContain('1 of 2 gates passed (policy 1-0000000f)');
    expect(text).toContain('failed latency: 9 ms, at most 5');
    expect(text).toContain(`after ${champion}, by 9.9.9: plimsoll train --seeds 7`);
  });

  test('one version alone on the same data: beside the classical field, with gates, a page, and a row in the log', async () => {
    const page = join(folder, 'evaluated.html');
    const args = ['evaluate', HIGH, '--data-dir', dataDir, '--output', page];
    const { code, stdout } = await plimsoll([...args, '--json']);
    expect(code).toBe(0);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({ version: HIGH, basis: 'unseen data', simulated: false });
    expect(Date.parse(found.from)).toBeGreaterThanOrEqual(Date.UTC(2026, 1, 1));
    expect(found.judgement.forecasters).toEqual(
      expect.arrayContaining(['shock-network', 'historical', 'pooled-har-filtered']),
    );
    // It forecasts volatilities twice too high, and so hardly any loss is beyond its quantiles before the levels follow.
    const own = found.cells.filter((cell: { forecaster: string }) => cell.forecaster === 'shock-network');
    expect(own.every((cell: { exceedanceRate: number }) => cell.exceedanceRate < 0.05)).toBe(true);
    const gate = found.gates.find((one: { gate: string }) => one.gate === 'pinball-against-classical');
    expect(gate.passed).toBe(false);
    expect(readFileSync(page, 'utf8')).toContain(`plimsoll evaluate ${HIGH}`);
    const { stdout: rows } = await plimsoll(['experiments', '--data-dir', dataDir, '--json']);
    expect(rows).toContain(HIGH);
  });
});
