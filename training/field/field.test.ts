import { describe, expect, test } from 'vitest';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  cellIndex,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  SIDES,
} from '../../src/forecast/predictor.ts';
import { Random } from '../../src/random.ts';
import type { MarketHistory } from '../../src/risk/bars.ts';
import { quantile, tailMean } from '../../src/risk/numeric/quantile.ts';
import { adverseExcursions } from '../../src/risk/tail/excursions.ts';
import { DAY_MILLISECONDS } from '../../src/units.ts';
import { poisonFrom, randomMarket, selectBars } from '../../test/random-market.ts';
import { buildDataset } from '../dataset.ts';
import { outcomeTable } from '../judge/outcomes.ts';
import type { ForecastTable, OutcomeTable } from '../judge/tables.ts';
import { rowsBetween } from '../splits.ts';
import { expandingFolds, type Fold } from '../walk-forward.ts';
import { classicalField, FIELD_METHODS, type FieldMethod } from './field.ts';

const HOUR = 3_600_000;
const HOURS = 5200;
const DAYS = 40;

interface Judged {
  readonly markets: readonly MarketHistory[];
  readonly outcomes: OutcomeTable;
  readonly folds: readonly Fold[];
}

/** The last weeks of the histories, every 12 hours, with a refit in the middle. */
function judgedEnd(markets: readonly MarketHistory[]): Judged {
  const data = buildDataset(markets, 12, Number.MAX_SAFE_INTEGER);
  const end = data.features.asOf[data.features.rows - 1] + HOUR;
  const from = end - DAYS * DAY_MILLISECONDS;
  const folds = expandingFolds(from, end, DAYS / 2);
  return {
    markets,
    outcomes: outcomeTable(markets, data, rowsBetween(data.features.asOf, from, end), folds),
    folds,
  };
}

function fieldOf(
  { markets, outcomes, folds }: Judged,
  methods: readonly FieldMethod[],
): Promise<readonly ForecastTable[]> {
  return classicalField(markets, outcomes, folds, methods, () => {});
}

const sound = [1, 2].map((seed) => randomMarket({ seed, hours: HOURS }));

function expectOrder(
  { valueAtRisk, expectedShortfall, shockProbability, variance }: ForecastTable,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    for (const s of SIDES.keys()) {
      for (let h = 0; h < HORIZON_COUNT; h++) {
        for (let c = 0; c < CONFIDENCE_COUNT; c++) {
          const cell = cellIndex(row, s, h, c);
          if (Number.isNaN(valueAtRisk[cell])) {
            expect(expectedShortfall[cell]).toBeNaN();
            continue;
          }
          expect(valueAtRisk[cell]).toBeGreaterThan(0);
          expect(valueAtRisk[cell]).toBeLessThan(Number.MAX_VALUE);
          expect(expectedShortfall[cell]).toBeGreaterThanOrEqual(valueAtRisk[cell]);
          if (c > 0) expect(valueAtRisk[cell]).toBeGreaterThanOrEqual(valueAtRisk[cell - 1]);
          if (s === 0) expect(expectedShortfall[cell]).toBeLessThanOrEqual(1);
        }
      }
    }
  }
  for (const value of shockProbability ?? [])
    if (!Number.isNaN(value)) expect(value >= 0 && value <= 1).toBe(true);
  for (const value of variance ?? []) if (!Number.isNaN(value)) expect(value > 0 && value < 1e6).toBe(true);
}

describe('the classical field', () => {
  test('answers every row of markets with enough history, in order, by every method', async () => {
    const judged = judgedEnd(sound);
    const tables = await fieldOf(judged, FIELD_METHODS);
    expect(tables.map(({ forecaster }) => forecaster)).toEqual([...FIELD_METHODS]);
    for (const table of tables) {
      // CAViaR wants 200 losses a horizon apart, which these histories have not over 24 hours.
      const isLong = table.forecaster.startsWith('caviar');
      expect(table.valueAtRisk.some(Number.isNaN), table.forecaster).toBe(isLong);
      expectOrder(table, judged.outcomes.rows);
      if (table.variance !== null) expect(table.variance.some(Number.isNaN), table.forecaster).toBe(false);
    }
  });

  test('historical simulation is the quantile and the tail mean of what was known, computed anew at each origin', async () => {
    const judged = judgedEnd(sound);
    const [table] = await fieldOf(judged, ['historical']);
    const { outcomes } = judged;
    for (let row = 0; row < outcomes.rows; row += 7) {
      const { bars } = sound[outcomes.market[row]];
      const bar = bars.openTime.indexOf(outcomes.asOf[row] - HOUR);
      for (const [h, hours] of HORIZONS_HOURS.entries()) {
        for (const [s, side] of SIDES.entries()) {
          // The table's window begins a year before the fold and has as many losses as were known at its first row.
          const first = outcomes.asOf.findIndex(
            (_, i) => outcomes.market[i] === outcomes.market[row] && outcomes.fold[i] === outcomes.fold[row],
          );
          const window = bars.openTime.indexOf(outcomes.asOf[first] - HOUR) - hours + 1;
          const known = adverseExcursions(bars, hours)
            [side].slice(0, bar - hours + 1)
            .slice(-window);
          for (const [c, confidence] of CONFIDENCES.entries()) {
            const cell = cellIndex(row, s, h, c);
            expect(table.valueAtRisk[cell] / quantile(known, confidence)).toBeCloseTo(1, 9);
            if (confidence < 0.995)
              expect(table.expectedShortfall[cell] / tailMean(known, confidence)).toBeCloseTo(1, 9);
          }
        }
      }
    }
  });

  test('knows nothing of bars after an origin', async () => {
    const judged = judgedEnd(sound);
    const { outcomes } = judged;
    const middle = outcomes.asOf[Math.floor(0.7 * outcomes.rows)];
    const poisoned = { ...judged, markets: sound.map((market) => poisonedAfter(market, middle)) };
    const [whole, blind] = [await fieldOf(judged, FIELD_METHODS), await fieldOf(poisoned, FIELD_METHODS)];
    const until = cellIndex(outcomes.asOf.lastIndexOf(middle) + 1, 0, 0, 0);
    for (const [i, table] of whole.entries()) {
      const message = table.forecaster;
      expect(blind[i].valueAtRisk.subarray(0, until), message).toEqual(table.valueAtRisk.subarray(0, until));
      expect(blind[i].expectedShortfall.subarray(0, until), message).toEqual(
        table.expectedShortfall.subarray(0, until),
      );
      expect(blind[i].valueAtRisk, message).not.toEqual(table.valueAtRisk);
    }
  });

  test('goes around what cannot be forecast: too short, still, with a long gap, delisted, with one absurd print', async () => {
    const [a] = sound;
    const last = a.bars.openTime[HOURS - 1];
    const still = {
      ...a,
      symbol: 'STILLUSDT',
      bars: {
        ...a.bars,
        ...Object.fromEntries(
          ['open', 'high', 'low', 'close'].map((name) => [name, new Float64Array(HOURS).fill(5)]),
        ),
      },
    };
    const wick = { ...a, symbol: 'WICKUSDT', bars: { ...a.bars, low: a.bars.low.slice() } };
    wick.bars.low[HOURS - 900] *= 1e-6;
    const tiny = scaled(a, 'TINYUSDT', 1e-8);
    const bad: MarketHistory[] = [
      { ...a, symbol: 'SHORTUSDT', bars: selectBars(a.bars, (i) => i >= HOURS - 50) },
      still,
      { ...a, symbol: 'GAPUSDT', bars: selectBars(a.bars, (i) => i < 800 || i >= 3500) },
      {
        ...a,
        symbol: 'GONEUSDT',
        bars: selectBars(a.bars, (i) => a.bars.openTime[i] < last - 20 * DAY_MILLISECONDS),
      },
      wick,
      tiny,
      ...sound,
    ].sort((x, y) => (x.symbol < y.symbol ? -1 : 1));
    const judged = judgedEnd(bad);
    for (const table of await fieldOf(judged, FIELD_METHODS)) {
      expectOrder(table, judged.outcomes.rows);
      // The sound ones are answered all the same, and prices have no unit.
      const [own, small] = [a.symbol, 'TINYUSDT'].map((symbol) => {
        const rows = [...judged.outcomes.market.keys()].filter(
          (row) => judged.outcomes.symbols[judged.outcomes.market[row]] === symbol,
        );
        return rows.map((row) => table.valueAtRisk[row * CELLS_PER_MARKET + 5]);
      });
      expect(own.some(Number.isNaN), table.forecaster).toBe(false);
      for (const [i, value] of small.entries()) expect(value / own[i]).toBeCloseTo(1, 5);
    }
  });
});

/** The same until a time, and something absurd after it. */
function poisonedAfter(market: MarketHistory, time: number): MarketHistory {
  const from = market.bars.openTime.findIndex((open) => open >= time);
  return { ...market, bars: poisonFrom(market.bars, from, new Random(9)) };
}

function scaled(market: MarketHistory, symbol: string, factor: number): MarketHistory {
  const by = (values: Float64Array): Float64Array => values.map((value) => value * factor);
  const { open, high, low, close } = market.bars;
  return {
    ...market,
    symbol,
    bars: { ...market.bars, open: by(open), high: by(high), low: by(low), close: by(close) },
  };
}
