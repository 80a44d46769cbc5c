import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CONFIDENCES } from '../../src/forecast/predictor.ts';
import { fz0, pinball } from '../../src/risk/comparison/scores.ts';
import { cellAt, simulatedRun } from '../../test/simulated-run.ts';
import { judge } from '../judge/judge.ts';
import { jointDifferences } from './champion.ts';
import { coverageOf } from './coverage.ts';
import { verdictOf } from './gates.ts';
import { impliedLeverage, leverageSummary } from './leverage.ts';
import { marketDuel } from './market-scores.ts';
import { type ReportInput, runReport } from './report.ts';
import { rollingRate } from './rolling-rate.ts';
import { playersOf, rowsByMarket } from './run.ts';
import { cellMeans, duelCells } from './scores.ts';
import { worstMisses } from './worst-misses.ts';

const { outcomes, forecasts } = simulatedRun({ markets: 6, origins: 300 });
const players = playersOf(forecasts, 'true-model', 'too-low');
const [truth, low] = forecasts;

const input: ReportInput = {
  version: '20240101-0badcafe',
  madeAt: '2026-01-01T00:00:00.000Z',
  simulated: true,
  verdict: { isGood: true, title: 'Promoted', sentence: 'All <gates> passed & held.' },
  gates: [
    { name: 'joint loss', passed: true, measured: '2.97', bound: '≤ 3.00', detail: 'FZ0 at 99 %' },
    { name: 'stress', passed: false, measured: '1.4 %', bound: '≤ 1.2 %', detail: 'SIM3USDT, long 24 h' },
  ],
  judgement: null,
  outcomes,
  forecasts,
  candidate: 'true-model',
  champion: 'too-low',
  importance: null,
  lineage: [['seed', '1']],
  command: 'plimsoll train --seeds 1',
};
const report = runReport(input);

describe('coverage in a report', () => {
  test('counts what a plain loop counts, and leaves out rows without a forecast', () => {
    const gappy = { ...truth, valueAtRisk: truth.valueAtRisk.slice() };
    for (let row = 0; row < 100; row++) gappy.valueAtRisk[cellAt(row, 1, 2, 0)] = Number.NaN;
    let [count, hits] = [0, 0];
    for (let row = 100; row < outcomes.rows; row++) {
      count++;
      if (outcomes.excursions[row * 8 + 6] > truth.valueAtRisk[cellAt(row, 1, 2, 0)]) hits++;
    }
    const cell = coverageOf(outcomes, gappy, 1, 2, 0);
    expect(cell).toMatchObject({ observations: count, exceedances: hits, rate: hits / count });
  });

  test('the interval holds the target for the true model in most cells, and for one 20 % too low in few', () => {
    const held = (table: typeof truth): number => {
      let cells = 0;
      for (let side = 0; side < 2; side++)
        for (let horizon = 0; horizon < 4; horizon++)
          for (const confidence of [0, 1]) {
            const { interval } = coverageOf(outcomes, table, side, horizon, confidence);
            const target = 1 - CONFIDENCES[confidence];
            if (interval[0] <= target && target <= interval[1]) cells++;
          }
      return cells;
    };
    expect(held(truth)).toBeGreaterThanOrEqual(13);
    expect(held(low)).toBeLessThanOrEqual(3);
  });

  test('a rolling rate over the whole span is the rate of all rows', () => {
    const short = simulatedRun({ markets: 4, origins: 30 });
    const points = rollingRate(short.outcomes, short.forecasts[1], 0, 0);
    expect(points).toHaveLength(1);
    const rates = [0, 1].map((side) => coverageOf(short.outcomes, short.forecasts[1], side, 0, 0).rate);
    expect(points[0][1]).toBeCloseTo((rates[0] + rates[1]) / 2, 12);
  });
});

describe('scores in a report', () => {
  const duels = duelCells(outcomes, players[0], players[1]);

  test('are means of the losses of a plain loop', () => {
    const cell = 2 * 4 + 1;
    const sums = [0, 0, 0];
    for (let row = 0; row < outcomes.rows; row++) {
      const at = cellAt(row, 0, 2, 1);
      const loss = outcomes.excursions[row * 8 + 2];
      sums[0] += pinball(loss, truth.valueAtRisk[at], 0.99);
      sums[1] += fz0(loss, truth.valueAtRisk[at], truth.expectedShortfall[at], 0.99);
      sums[2] += pinball(loss, low.valueAtRisk[at], 0.99);
    }
    const duel = duels[cell];
    const own = cellMeans(outcomes, players[0])[cell];
    expect(own?.observations).toBe(outcomes.rows);
    expect(own?.pinball).toBeCloseTo(sums[0] / outcomes.rows, 12);
    expect(own?.fz0).toBeCloseTo(sums[1] / outcomes.rows, 12);
    expect(duel?.ratio).toBeCloseTo(sums[0] / sums[2], 12);
    expect(duel?.interval[0]).toBeLessThan(duel?.ratio ?? 0);
  });

  test('the true model beats one that is 20 % too low, over all markets and in each', () => {
    const ratios = duels.map((duel) => duel?.ratio ?? Number.NaN);
    expect(ratios.filter((ratio) => ratio < 1).length).toBeGreaterThanOrEqual(28);
    const won = rowsByMarket(outcomes).filter(
      (rows) => (marketDuel(outcomes, players[0], players[1], rows)?.ratio ?? 1) < 1,
    );
    expect(won.length).toBeGreaterThanOrEqual(4);
  });

  test('of one market are the geometric mean over its cells, by a plain loop', () => {
    const rows = rowsByMarket(outcomes)[2];
    expect(rows).toHaveLength(300);
    let [logs, better] = [0, 0];
    for (let cell = 0; cell < 32; cell++) {
      const [own, other] = [truth, low].map((table) => {
        let sum = 0;
        for (const row of rows)
          sum += pinball(
            outcomes.excursions[row * 8 + Math.floor(cell / 4)],
            table.valueAtRisk[row * 32 + cell],
            CONFIDENCES[cell % 4],
          );
        return sum;
      });
      logs += Math.log(own / other);
      if (own < other) better++;
    }
    const duel = marketDuel(outcomes, players[0], players[1], rows);
    expect(duel).toMatchObject({ better, cells: 32 });
    expect(duel?.ratio).toBeCloseTo(Math.exp(logs / 32), 12);
  });

  test('a forecaster against itself is exactly 1', () => {
    expect(duelCells(outcomes, players[0], players[0]).every((duel) => duel?.ratio === 1)).toBe(true);
  });
});

describe('candidate and champion', () => {
  const joint = jointDifferences(outcomes, players[0], players[1]);

  test('differ in FZ0 by the mean of the differences of a plain loop', () => {
    let sum = 0;
    for (let row = 0; row < outcomes.rows; row++) {
      const at = cellAt(row, 1, 0, 0);
      const loss = outcomes.excursions[row * 8 + 4];
      sum += fz0(loss, truth.valueAtRisk[at], truth.expectedShortfall[at], 0.95);
      sum -= fz0(loss, low.valueAtRisk[at], low.expectedShortfall[at], 0.95);
    }
    expect(joint[16]?.difference).toBeCloseTo(sum / outcomes.rows, 12);
  });

  test('the true model has the lower joint score in nearly every cell', () => {
    const better = joint.filter((cell) => (cell?.difference ?? 1) < 0);
    expect(better.length).toBeGreaterThanOrEqual(28);
  });
});

describe('worst misses', () => {
  test('are the largest multiples, one a market, side and day, worst first', () => {
    const misses = worstMisses(outcomes, low, 20);
    expect(misses).toHaveLength(20);
    for (const [i, miss] of misses.entries()) {
      expect(miss.multiple).toBeCloseTo(miss.loss / miss.valueAtRisk, 12);
      expect(miss.loss).toBeGreaterThan(miss.valueAtRisk);
      if (i > 0) expect(miss.multiple).toBeLessThanOrEqual(misses[i - 1].multiple);
    }
    const events = misses.map(({ row, side }) => `${outcomes.market[row]}/${side}/${outcomes.asOf[row]}`);
    expect(new Set(events).size).toBe(20);
    let largest = 0;
    for (let row = 0; row < outcomes.rows; row++)
      for (let path = 0; path < 8; path++)
        largest = Math.max(
          largest,
          outcomes.excursions[row * 8 + path] / low.valueAtRisk[(row * 8 + path) * 4 + 1],
        );
    expect(misses[0].multiple).toBeCloseTo(largest, 12);
  });
});

describe('implied leverage', () => {
  test('is one over the larger expected shortfall of the two sides', () => {
    const [long, short] = [0, 1].map((side) => truth.expectedShortfall[cellAt(7, side, 3, 1)]);
    expect(impliedLeverage(truth, 7)).toBe(1 / Math.max(long, short));
  });

  test('lower forecasts of loss would have granted a quarter more, with the same daily change', () => {
    const rows = rowsByMarket(outcomes)[0];
    const [own, other] = [truth, low].map((table) => leverageSummary(outcomes, table, rows));
    expect((other?.median ?? 0) / (own?.median ?? 1)).toBeCloseTo(1.25, 9);
    expect(other?.dailyTurnover).toBeCloseTo(own?.dailyTurnover ?? Number.NaN, 9);
    expect(own?.lowerQuartile).toBeLessThan(own?.upperQuartile ?? 0);
  });
});

describe('the page', () => {
  test('needs nothing from elsewhere: every address in it is within it', () => {
    const addresses = [...report.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, address]) => address);
    expect(addresses.filter((address) => !address.startsWith('#') && address !== 'data:,')).toEqual([]);
    for (const match of report.matchAll(/href="#([^"]+)"/g))
      expect(report.includes(`id="${match[1]}"`)).toBe(true);
    expect(/@import|url\(/.test(report)).toBe(false);
  });

  test('its policy names the style and the script that it has', () => {
    for (const tag of ['style', 'script']) {
      const text = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(report)?.[1] ?? '';
      const hash = createHash('sha256').update(text).digest('base64');
      expect(report.includes(`${tag}-src 'sha256-${hash}'`)).toBe(true);
    }
    expect(report.includes("default-src 'none'")).toBe(true);
  });

  test('has the gates first, those that failed before those that held', () => {
    const first = report.slice(report.indexOf('<main>'), report.indexOf('id="scores"'));
    expect(first.includes('1 of 2 gates passed')).toBe(true);
    expect(first.indexOf('stress')).toBeLessThan(first.indexOf('joint loss'));
  });

  test('a verdict names every gate that failed with what it measured, and none where all held', () => {
    const failed = verdictOf(input.gates);
    expect(failed).toMatchObject({ isGood: false, title: 'One gate failed' });
    expect(failed.sentence).toContain('stress (1.4 %, bound ≤ 1.2 %)');
    expect(failed.sentence).not.toContain('joint loss');
    expect(verdictOf(input.gates.filter(({ passed }) => passed)).isGood).toBe(true);
  });

  test('escapes what it is told, says that markets are simulated, and repeats to the byte', () => {
    expect(report.includes('All &lt;gates&gt; passed &amp; held.')).toBe(true);
    expect(report.includes('These prices are invented')).toBe(true);
    expect(runReport({ ...input, ...simulatedRun({ markets: 6, origins: 300 }) }) === report).toBe(true);
    const shown = report.slice(report.indexOf('<body>'), report.lastIndexOf('<script>'));
    expect(shown.match(/.{0,60}(NaN|Infinity|undefined).{0,20}/g)).toBeNull();
  });

  test('has the tables of a judgement where there is one, and no number that is none', () => {
    const judgement = judge(outcomes, forecasts, 'true-model', 24);
    const judged = runReport({ ...input, judgement });
    for (const words of ['Scores by cell', 'hardest opponent', 'Coverage tests', 'Scores of the shock'])
      expect([words, judged.includes(words), report.includes(words)]).toEqual([words, true, false]);
    const shown = judged.slice(judged.indexOf('<body>'), judged.lastIndexOf('<script>'));
    expect(shown.match(/.{0,60}(NaN|Infinity|undefined|null).{0,20}/g)).toBeNull();
  });

  test('keeps every exceedance in its data', () => {
    const json = /id="explorer-data">([\s\S]*?)<\/script>/.exec(report)?.[1] ?? '{}';
    const { markets } = JSON.parse(json);
    expect(markets).toHaveLength(6);
    for (const market of markets) {
      const own = outcomes.symbols.indexOf(market.n);
      let hits = 0;
      for (const row of rowsByMarket(outcomes)[own])
        for (const side of [0, 1])
          if (outcomes.excursions[row * 8 + side * 4 + 3] > truth.valueAtRisk[cellAt(row, side, 3, 1)])
            hits++;
      expect(market.e[3].length / 5).toBe(hits);
      expect(market.t.length).toBeLessThanOrEqual(301);
    }
  });
});
