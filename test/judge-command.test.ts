import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BarStore } from '../data/bar-store.ts';
import { randomMarket } from './random-market.ts';
import { plimsoll } from './run-plimsoll.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-judge-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  const store = await BarStore.open(folder);
  for (const seed of [1, 2, 3]) {
    const { symbol, bars } = randomMarket({ seed, hours: 6000 });
    const series = { symbol, venue: 'test', kind: 'perp', intervalMilliseconds: 3_600_000, simulated: true };
    await store.writeSeries(series, bars);
  }
  store.close();
});

/** As somebody from elsewhere writes it, in plain JavaScript: a share of the price that grows with the root of time. */
function moduleOf(name: string, unit: number, change = ''): string {
  const path = join(folder, name);
  writeFileSync(
    path,
    `export default {
      id: 'root-of-time@1',
      async predict({ asOf, markets }) {
        const [sides, horizons, levels] = [2, [1, 4, 8, 24], [2, 3, 3.5, 4.5]];
        const cells = markets.flatMap(() =>
          Array.from({ length: sides }, () => horizons.flatMap((h) => levels.map((k) => ${unit} * k * Math.sqrt(h)))).flat());
        const batch = {
          predictor: 'root-of-time@1', asOf,
          symbols: markets.map(({ symbol }) => symbol),
          unavailable: markets.map(() => ''),
          valueAtRisk: Float64Array.from(cells),
          expectedShortfall: Float64Array.from(cells, (v) => 1.3 * v),
          shockThreshold: new Float64Array(markets.length * 8),
          shockProbability: new Float64Array(markets.length * 8),
        };
        ${change}
        return batch;
      },
    };`,
  );
  return path;
}

const judged = (module: string, ...more: string[]) =>
  plimsoll(['judge', module, '--data-dir', folder, ...more]);

describe('plimsoll judge', () => {
  test('holds anybody’s predictor against the classical field, with gates, a report and the time that it may have seen left out', async () => {
    const report = join(folder, 'judged.html');
    const { code, stdout } = await judged(moduleOf('good.mjs', 0.01), '--json', '--output', report);
    expect(code).toBe(0);
    const { predictor, gates, judgement } = JSON.parse(stdout);
    expect(predictor).toBe('root-of-time@1');
    expect(judgement.forecasters).toContain('historical');
    expect(judgement.forecasters).toContain('root-of-time@1');
    expect(judgement.span.markets).toBe(3);
    // A VaR that minds nothing is no match for those that follow volatility.
    const gate = gates.find((one: { gate: string }) => one.gate === 'pinball-against-classical');
    expect(gate).toMatchObject({ passed: false, measured: expect.any(Number) });
    expect(readFileSync(report, 'utf8')).toContain('root-of-time@1');
    const middle = new Date((Date.parse(judgement.span.from) + Date.parse(judgement.span.until)) / 2);
    const later = await judged(
      join(folder, 'good.mjs'),
      '--json',
      '--seen-until',
      middle.toISOString().slice(0, 10),
    );
    expect(JSON.parse(later.stdout).judgement.span.origins).toBeLessThan(0.6 * judgement.span.origins);
  });

  test('refuses answers that are no forecasts, and modules that are no predictors, by name', async () => {
    const nan = await judged(moduleOf('nan.mjs', 0.01, 'batch.valueAtRisk[3] = NaN;'));
    expect(nan.code).toBe(5);
    expect(nan.stderr).toContain('root-of-time@1');
    const crossing = await judged(moduleOf('crossing.mjs', 0.01, 'batch.expectedShortfall[2] = 1e-9;'));
    expect(crossing.code).toBe(5);
    writeFileSync(join(folder, 'none.mjs'), 'export const answer = 42;');
    const none = await judged(join(folder, 'none.mjs'));
    expect(none.code).toBe(5);
    expect(none.stderr).toContain('exports no predictor');
    writeFileSync(join(folder, 'broken.mjs'), 'export default {');
    const broken = await judged(join(folder, 'broken.mjs'));
    expect(broken.code).toBe(5);
    expect(broken.stderr).toContain('cannot be loaded');
    expect((await judged(join(folder, 'missing.mjs'))).code).toBe(4);
  });
});
