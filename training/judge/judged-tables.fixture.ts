import {
  CONFIDENCES,
  cellIndex,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
  SIDES,
} from '../../src/forecast/predictor.ts';
import { Random } from '../../src/random.ts';
import { normalCumulative } from '../../src/risk/numeric/normal.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { emptyForecastTable, type ForecastTable, type OutcomeTable } from './tables.ts';

export interface SimulatedTables {
  readonly outcomes: OutcomeTable;
  /** VaR, ES, probability and variance by the law that the losses were drawn from. */
  readonly right: ForecastTable;
  /** By row: the volatility that was known at the origin. */
  readonly volatility: Float64Array;
}

/**
 * Losses of markets that depend on each other, by a law that is known: over s steps of `stepHours` the excursion is σ_t max(x_t, …,
 * x_{t+s−1}), x exponential with a common part in all markets and σ known at the origin; P(max ≤ q) = (1 − e^−q)^s.
 *
 * @param dependence of markets, 0 to 1.
 */
export function simulateTables(
  seed: number,
  markets: number,
  origins: number,
  { stepHours = 6, dependence = 0.5 } = {},
): SimulatedTables {
  const random = new Random(seed);
  const rows = markets * origins;
  const longest = stepsOf(HORIZONS_HOURS[HORIZON_COUNT - 1], stepHours);
  const outcomes = {
    rows,
    symbols: Array.from({ length: markets }, (_, m) => `M${m}USDT`),
    market: new Uint16Array(rows),
    asOf: new Float64Array(rows),
    fold: new Uint8Array(rows),
    price: new Float64Array(rows).fill(100),
    excursions: new Float64Array(rows * PATHS_PER_MARKET),
    shockThreshold: new Float64Array(rows * PATHS_PER_MARKET),
    realisedVariance: new Float64Array(rows * HORIZON_COUNT),
    volatilityFifth: new Uint8Array(rows),
  };
  const volatility = new Float64Array(rows);
  const right = emptyForecastTable('right', rows, { shockProbability: true, variance: true });
  const draws = SIDES.map(() => drawsOf(random, markets, origins + longest, dependence));
  for (let t = 0; t < origins; t++) {
    for (let m = 0; m < markets; m++) {
      const row = t * markets + m;
      const phase = Math.sin(t / 90 + m);
      volatility[row] = 0.01 * Math.exp(0.6 * phase);
      outcomes.market[row] = m;
      outcomes.asOf[row] = START + t * stepHours * HOUR_MILLISECONDS;
      outcomes.fold[row] = Math.floor((4 * t) / origins);
      // Fifths of the arcsine law of the phase.
      const share = 0.5 + Math.asin(phase) / Math.PI;
      outcomes.volatilityFifth[row] = Math.min(Math.floor(5 * share), 4);
      for (const s of SIDES.keys()) {
        for (const [h, hours] of HORIZONS_HOURS.entries()) {
          const steps = stepsOf(hours, stepHours);
          const path = row * PATHS_PER_MARKET + s * HORIZON_COUNT + h;
          let largest = 0;
          for (let k = 0; k < steps; k++) largest = Math.max(largest, draws[s][m][t + k]);
          outcomes.excursions[path] = volatility[row] * largest;
          const threshold = 0.01 * quantileOf(0.95, steps);
          outcomes.shockThreshold[path] = threshold;
          if (right.shockProbability !== null)
            right.shockProbability[path] = 1 - (1 - Math.exp(-threshold / volatility[row])) ** steps;
          for (const [c, confidence] of CONFIDENCES.entries()) {
            const cell = cellIndex(row, s, h, c);
            right.valueAtRisk[cell] = volatility[row] * quantileOf(confidence, steps);
            right.expectedShortfall[cell] = volatility[row] * shortfallOf(confidence, steps);
          }
          if (s > 0 || right.variance === null) continue;
          right.variance[row * HORIZON_COUNT + h] = steps * volatility[row] ** 2;
          outcomes.realisedVariance[row * HORIZON_COUNT + h] =
            steps * volatility[row] ** 2 * Math.exp(0.5 * random.normal() - 0.125);
        }
      }
    }
  }
  return { outcomes, right, volatility };
}

const START = Date.UTC(2024, 0, 1);

/** Another forecaster: VaR and ES of every cell times a factor of its row. */
export function scaledTable(
  { outcomes, right }: SimulatedTables,
  forecaster: string,
  factor: (row: number) => number,
): ForecastTable {
  const table = emptyForecastTable(forecaster, outcomes.rows, { shockProbability: false, variance: false });
  const perRow = cellIndex(1, 0, 0, 0);
  for (let i = 0; i < table.valueAtRisk.length; i++) {
    const own = factor(Math.floor(i / perRow));
    table.valueAtRisk[i] = own * right.valueAtRisk[i];
    table.expectedShortfall[i] = own * right.expectedShortfall[i];
  }
  return table;
}

function drawsOf(random: Random, markets: number, times: number, dependence: number): Float64Array[] {
  const draws = Array.from({ length: markets }, () => new Float64Array(times));
  for (let t = 0; t < times; t++) {
    const common = random.normal();
    for (const own of draws) {
      const z = Math.sqrt(dependence) * common + Math.sqrt(1 - dependence) * random.normal();
      own[t] = -Math.log(normalCumulative(-z));
    }
  }
  return draws;
}

function stepsOf(hours: number, stepHours: number): number {
  return Math.max(Math.ceil(hours / stepHours), 1);
}

function quantileOf(confidence: number, steps: number): number {
  return quantileBeyond(1 - confidence, steps);
}

/** Where a share of the losses lies beyond, exact also for the smallest share. */
function quantileBeyond(share: number, steps: number): number {
  return -Math.log(-Math.expm1(Math.log1p(-share) / steps));
}

const shortfalls = new Map<string, number>();

/** Mean of the quantiles beyond, at the middles of equal shares in the logarithm of what is left. */
function shortfallOf(confidence: number, steps: number): number {
  const key = `${confidence}/${steps}`;
  let mean = shortfalls.get(key);
  if (mean === undefined) {
    const [parts, range] = [4000, 30];
    mean = 0;
    for (let i = 0; i < parts; i++) {
      const left = Math.exp((-range * i) / parts);
      const next = Math.exp((-range * (i + 1)) / parts);
      mean += (left - next) * quantileBeyond(((1 - confidence) * (left + next)) / 2, steps);
    }
    shortfalls.set(key, mean);
  }
  return mean;
}
