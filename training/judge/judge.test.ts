import { describe, expect, test } from 'vitest';
import {
  CONFIDENCES,
  cellIndex,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
} from '../../src/forecast/predictor.ts';
import { dieboldMariano } from '../../src/risk/comparison/diebold-mariano.ts';
import { fz0, pinball } from '../../src/risk/comparison/scores.ts';
import { qlike } from '../../src/risk/comparison/volatility-scores.ts';
import { automaticLags } from '../../src/risk/numeric/long-run-variance.ts';
import { judge } from './judge.ts';
import { scaledTable, simulateTables } from './judged-tables.fixture.ts';
import { emptyForecastTable, type ForecastTable } from './tables.ts';

const MARKETS = 4;
const STEP_HOURS = 6;
const simulated = simulateTables(11, MARKETS, 600);
const { outcomes, right, volatility } = simulated;
const constant = scaledTable(simulated, 'constant', (row) => 0.0115 / volatility[row]);
const low = scaledTable(simulated, 'low', () => 0.7);
const wavering = scaledTable(simulated, 'wavering', (row) => 1 + 0.3 * Math.sin(row));
/** Has nothing to say of market 1 for its first hundred origins. */
const young = scaledTable(simulated, 'young', (row) =>
  row % MARKETS === 1 && row < 100 * MARKETS ? Number.NaN : 1.05,
);
const mute = emptyForecastTable('mute', outcomes.rows, { shockProbability: false, variance: false });
const tables = [right, constant, low, wavering, young, mute];
const judged = judge(outcomes, tables, 'right', STEP_HOURS);

const cell = { side: 'short', horizonHours: 8, confidence: 0.99 } as const;
const [S, H, C] = [1, HORIZONS_HOURS.indexOf(8), CONFIDENCES.indexOf(0.99)];

/** The rows that count, in order, and a table's scores on them: the definitions in a plain loop. */
function slowly(table: ForecastTable, market: number | null, keep: (row: number) => boolean = () => true) {
  const scores: { row: number; pinball: number; fz0: number; hit: number }[] = [];
  for (let row = 0; row < outcomes.rows; row++) {
    if (row % MARKETS === 1 && row < 100 * MARKETS) continue;
    if ((market !== null && outcomes.market[row] !== market) || !keep(row)) continue;
    const loss = outcomes.excursions[row * PATHS_PER_MARKET + S * HORIZON_COUNT + H];
    const at = cellIndex(row, S, H, C);
    const [v, e] = [table.valueAtRisk[at], table.expectedShortfall[at]];
    scores.push({ row, pinball: pinball(loss, v, 0.99), fz0: fz0(loss, v, e, 0.99), hit: loss > v ? 1 : 0 });
  }
  return scores;
}
const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
const isCell = (one: { side: string; horizonHours: number; confidence: number }): boolean =>
  one.side === cell.side && one.horizonHours === cell.horizonHours && one.confidence === cell.confidence;

describe('what is judged', () => {
  test('rows that all answered; who did not is named, and who hardly ever did is not judged', () => {
    expect(judged.forecasters).toEqual(['right', 'constant', 'low', 'wavering', 'young']);
    expect(judged.span).toMatchObject({
      origins: 600,
      rows: 2300,
      rowsLeftOut: 100,
      unanswered: { young: 100, mute: 2400 },
      markets: MARKETS,
      folds: 4,
      stepHours: STEP_HOURS,
      from: '2024-01-01T00:00:00.000Z',
    });
  });

  test('is data that JSON keeps, without a number that is none', () => {
    expect(JSON.parse(JSON.stringify(judged))).toEqual(judged);
  });

  test('a market that stands still, forecasts of no risk at all, and losses that were never seen give numbers, too', () => {
    const still = simulateTables(3, 3, 120);
    const perRow = PATHS_PER_MARKET;
    for (let row = 0; row < still.outcomes.rows; row++) {
      if (row % 3 !== 1) continue;
      still.outcomes.excursions.fill(0, row * perRow, (row + 1) * perRow);
      still.outcomes.realisedVariance.fill(0, row * HORIZON_COUNT, (row + 1) * HORIZON_COUNT);
    }
    still.outcomes.excursions[5] = 0.9;
    const none = scaledTable(still, 'no-risk', () => 0);
    const all = scaledTable(still, 'all-risk', () => 1e4);
    for (const candidate of ['right', 'no-risk', 'all-risk']) {
      const found = judge(still.outcomes, [still.right, none, all], candidate, STEP_HOURS);
      // Only a number that is none does not come back from JSON as itself.
      expect(JSON.parse(JSON.stringify(found))).toEqual(found);
    }
  });

  test('too few rows that all answered are refused', () => {
    expect(() => judge(simulateTables(1, 2, 40).outcomes, [], 'right', STEP_HOURS)).toThrow(
      expect.objectContaining({ code: 'DATA_INSUFFICIENT' }),
    );
  });
});

describe('scores', () => {
  test('of a market and a cell are the means of a plain loop', () => {
    for (const [table, market] of [
      [right, 1],
      [wavering, 3],
    ] as const) {
      const slow = slowly(table, market);
      const found = judged.cells.find(
        (one) => one.forecaster === table.forecaster && one.symbol === `M${market}USDT` && isCell(one),
      );
      expect(found).toMatchObject({
        observations: slow.length,
        exceedances: slow.reduce((sum, { hit }) => sum + hit, 0),
        pinball: expect.closeTo(mean(slow.map((one) => one.pinball)), 12),
        fz0: expect.closeTo(mean(slow.map((one) => one.fz0)), 10),
      });
    }
  });

  test('over markets count each market the same, though one has fewer rows', () => {
    const byMarket = [0, 1, 2, 3].map((market) => mean(slowly(constant, market).map((one) => one.pinball)));
    const found = judged.averages.find((one) => one.forecaster === 'constant' && isCell(one));
    expect(found?.pinball).toBeCloseTo(mean(byMarket), 12);
    expect(found?.pinball).not.toBeCloseTo(mean(slowly(constant, null).map((one) => one.pinball)), 12);
    expect(found?.observations).toBe(2300);
  });

  test('of stress and of a quarter are those of their rows', () => {
    for (const [regime, keep] of [
      ['stress', (row: number) => outcomes.volatilityFifth[row] === 4],
      ['middle', (row: number) => [1, 2, 3].includes(outcomes.volatilityFifth[row])],
      ['2024Q2', (row: number) => outcomes.asOf[row] >= Date.UTC(2024, 3, 1)],
    ] as const) {
      const slow = slowly(low, null, keep);
      const found = judged.regimes.find(
        (one) => one.forecaster === 'low' && one.regime === regime && isCell(one),
      );
      expect(found).toMatchObject({
        observations: slow.length,
        exceedanceRate: expect.closeTo(mean(slow.map(({ hit }) => hit)), 12),
        pinball: expect.closeTo(mean(slow.map((one) => one.pinball)), 12),
      });
    }
  });

  test('of probabilities and variances are those of their definitions', () => {
    const at = (row: number): number => row * PATHS_PER_MARKET + S * HORIZON_COUNT + H;
    const rows = slowly(right, null).map(({ row }) => row);
    const came = (row: number): number =>
      outcomes.excursions[at(row)] > outcomes.shockThreshold[at(row)] ? 1 : 0;
    const brier = mean(
      rows.map((row) => ((right.shockProbability?.[at(row)] ?? Number.NaN) - came(row)) ** 2),
    );
    const climate = mean(rows.map((row) => (0.05 - came(row)) ** 2));
    const found = judged.shocks.find((one) => one.side === 'short' && one.horizonHours === 8);
    expect(found).toMatchObject({
      forecaster: 'right',
      observations: 2300,
      brier: expect.closeTo(brier, 12),
      skill: expect.closeTo(1 - brier / climate, 12),
    });
    expect(found?.skill).toBeGreaterThan(0.02);
    const variance = mean(
      rows.map((row) =>
        qlike(
          outcomes.realisedVariance[row * HORIZON_COUNT + H],
          right.variance?.[row * HORIZON_COUNT + H] ?? 0,
        ),
      ),
    );
    expect(judged.variances.find((one) => one.horizonHours === 8)?.qlike).toBeCloseTo(variance, 12);
    expect(judged.shocks).toHaveLength(8);
    expect(judged.variances).toHaveLength(4);
  });
});

describe('duels', () => {
  test('count the markets where the candidate scores lower, and those where a test says so', () => {
    const duel = judged.duels.find((one) => one.against === 'wavering' && one.score === 'fz0' && isCell(one));
    let [lower, better, worse] = [0, 0, 0];
    for (let market = 0; market < MARKETS; market++) {
      const [own, other] = [right, wavering].map((table) =>
        Float64Array.from(slowly(table, market), (one) => one.fz0),
      );
      const bartlettLags = Math.max(1, automaticLags(own.length));
      const test = dieboldMariano(own, other, { horizonSteps: 2, bartlettLags });
      if (!test.available) throw new Error(test.reason);
      if (test.meanDifference < 0) lower++;
      if (test.pValue < 0.05 && test.meanDifference < 0) better++;
      if (test.pValue < 0.05 && test.meanDifference > 0) worse++;
    }
    expect(duel).toMatchObject({
      markets: MARKETS,
      shareLower: lower / MARKETS,
      shareSignificantlyBetter: better / MARKETS,
      shareSignificantlyWorse: worse / MARKETS,
    });
  });

  test('right forecasts beat those that know the mean volatility only in every market, and significantly in most', () => {
    const against = judged.duels.filter(
      (one) => one.against === 'constant' && one.score === 'pinball' && one.confidence === 0.95,
    );
    expect(against).toHaveLength(8);
    for (const one of against) {
      expect([one.shareLower, one.shareSignificantlyWorse]).toEqual([1, 0]);
      expect(one.gain).toBeGreaterThan(0.05);
    }
    expect(mean(against.map((one) => one.shareSignificantlyBetter))).toBeGreaterThan(0.7);
  });

  test('against the best of each cell are against the lowest of the others, market by market', () => {
    const best = judged.bestOfCells.find(
      (one) => one.horizonHours === 8 && one.confidence === 0.99 && one.score === 'pinball',
    );
    const cells = judged.cells.filter((one) => one.horizonHours === 8 && one.confidence === 0.99);
    let [count, lower] = [0, 0];
    for (const own of cells.filter(({ forecaster }) => forecaster === 'right')) {
      const others = cells.filter(
        (one) => one.forecaster !== 'right' && one.symbol === own.symbol && one.side === own.side,
      );
      count++;
      if (own.pinball < Math.min(...others.map((one) => one.pinball))) lower++;
    }
    expect(best).toMatchObject({ cells: count, shareLower: lower / count });
  });

  test('the confidence set has the right forecasts in it and not those of the mean volatility', () => {
    const sets = judged.confidenceSets.filter(
      ({ confidence, score }) => confidence === 0.95 && score === 'pinball',
    );
    expect(sets).toHaveLength(8);
    for (const { members } of sets) {
      expect(members).toContain('right');
      expect(members).not.toContain('constant');
    }
  });
});

describe('coverage', () => {
  test('of right forecasts holds in about as many cells as chance leaves, of understated ones in few', () => {
    const of = (forecaster: string) =>
      judged.coverage.find((one) => one.forecaster === forecaster && one.confidence === 0.95);
    expect(of('right')).toMatchObject({ cells: 32, exceedanceRate: expect.closeTo(0.05, 2) });
    for (const share of [
      'shareInsideBinomial',
      'shareKupiecHeld',
      'shareConditionalHeld',
      'shareZ2Held',
    ] as const) {
      expect(of('right')?.[share]).toBeGreaterThan(0.8);
      expect(of('low')?.[share]).toBeLessThan(0.2);
    }
    expect(of('low')?.exceedanceRateInStress).toBeGreaterThan(0.1);
  });

  test('the effective observations are about one a horizon where horizons overlap, the same share in every market', () => {
    const own = judged.cells.filter(
      (one) =>
        one.forecaster === 'right' &&
        one.horizonHours === 24 &&
        one.confidence === 0.95 &&
        one.side === 'long',
    );
    const shares = own.map((one) => one.effectiveObservations / one.observations);
    for (const share of shares) expect(share).toBeCloseTo(shares[0], 12);
    expect(shares[0]).toBeGreaterThan(0.22);
    expect(shares[0]).toBeLessThan(0.35);
  });
});
