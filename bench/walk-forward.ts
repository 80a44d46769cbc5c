import { table } from '../src/cli/command.ts';
import { stopwatchSeconds } from '../src/clock.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
  SIDES,
} from '../src/forecast/predictor.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { fz0, pinball } from '../src/risk/comparison/scores.ts';
import { adverseExcursions } from '../src/risk/tail/excursions.ts';
import { type RollingRisk, rollingHistoricalRisk } from '../src/risk/tail/rolling-risk.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../src/units.ts';
import { buildDataset } from '../training/dataset.ts';
import { DEFAULT_EVERY_HOURS } from '../training/job.ts';
import { DEFAULT_MODEL_OPTIONS } from '../training/train.ts';
import { expandingFolds, walkForward } from '../training/walk-forward.ts';
import { filledStore } from './history.ts';
import { megabytes, print } from './measure.ts';

/**
 * How good the shock model is, out of time: refits every 84 days on an expanding past, origins every 6 hours of one year, perpetual
 * markets that traded all of that year and most of the one before. Beside it historical simulation over 365 days at the same origins. Means over markets;
 * pinball in percent of the price, FZ0 of losses in percent.
 */
const FROM = Date.UTC(2024, 0, 1);
const UNTIL = Date.UTC(2025, 0, 1);
const REFIT_DAYS = 84;
const ORIGIN_HOURS = 6;
const TRAINING_HOURS = DEFAULT_EVERY_HOURS;
const LEAST_PAST_DAYS = 310;
const SHOWN = [0, 1] as const;
/** FZ0 of losses in percent is FZ0 of shares plus this. */
const PERCENT = Math.log(100);

interface Sums {
  pinball: number;
  fz0: number;
  exceedances: number;
  count: number;
}

const { store, remove } = await filledStore();
const markets = await store.loadMarkets();
const since = stopwatchSeconds();
const data = buildDataset(markets, [ORIGIN_HOURS, TRAINING_HOURS], Number.MAX_SAFE_INTEGER);
const { asOf, market, barIndex } = data.features;
const isEvery = (row: number, hours: number): boolean =>
  Math.round(asOf[row] / HOUR_MILLISECONDS) % hours === 0;
const forecast = await walkForward(data, {
  folds: expandingFolds(FROM, UNTIL, REFIT_DAYS),
  validationShare: 0.1,
  isTrained: (row) => isEvery(row, TRAINING_HOURS),
  isForecast: (row) => isEvery(row, ORIGIN_HOURS),
  model: {
    seeds: DEFAULT_MODEL_OPTIONS.seeds,
    fit: DEFAULT_MODEL_OPTIONS.fit,
    threads: 2,
    onProgress: () => {},
    interrupted: new AbortController().signal,
  },
  onFold: (fold) => print(`fit ${fold + 1} after ${(stopwatchSeconds() - since).toFixed(0)} s`),
});

const judged = new Set(markets.map((_, m) => m).filter((m) => spansBothYears(markets[m])));
const classical = new Map([...judged].map((m) => [m, historicalOf(markets[m])]));
const network = new Map<string, Sums>();
const historical = new Map<string, Sums>();
const shocks = SIDES.map(() => ({ score: 0, climate: 0, count: 0 }));
const qlike = HORIZONS_HOURS.map(() => ({ sum: 0, count: 0 }));
forecast.rows.forEach((row, i) => {
  const past = classical.get(market[row]);
  if (past === undefined || !isEvery(row, ORIGIN_HOURS)) return;
  for (let h = 0; h < HORIZON_COUNT; h++) {
    const ratio = data.realisedVariance[row * HORIZON_COUNT + h] / forecast.variance[i * HORIZON_COUNT + h];
    if (ratio === 0) continue;
    qlike[h].sum += ratio - Math.log(ratio) - 1;
    qlike[h].count++;
  }
  for (let path = 0; path < PATHS_PER_MARKET; path++) {
    const loss = data.excursions[row * PATHS_PER_MARKET + path];
    for (const c of SHOWN) {
      const cell = i * CELLS_PER_MARKET + path * CONFIDENCE_COUNT + c;
      const key = `${market[row]} ${path} ${c}`;
      add(network, key, loss, forecast.valueAtRisk[cell], forecast.expectedShortfall[cell], CONFIDENCES[c]);
      // The newest excursion that is known at an origin began a horizon ago.
      const known = barIndex[row] - HORIZONS_HOURS[path % HORIZON_COUNT];
      const { valueAtRisk, expectedShortfall } = past[path][c];
      add(historical, key, loss, valueAtRisk[known], expectedShortfall[known], CONFIDENCES[c]);
    }
    if (path % HORIZON_COUNT !== HORIZON_COUNT - 1) continue;
    const came = data.shocks[row * PATHS_PER_MARKET + path];
    const tally = shocks[Math.floor(path / HORIZON_COUNT)];
    tally.score += (forecast.shockProbability[i * PATHS_PER_MARKET + path] - came) ** 2;
    // A shock is beyond the 95 % quantile of the last year.
    tally.climate += (1 - CONFIDENCES[0] - came) ** 2;
    tally.count++;
  }
});

const rows: string[][] = [];
for (let h = 0; h < HORIZON_COUNT; h++) {
  for (const [s, side] of SIDES.entries()) {
    for (const c of SHOWN) {
      const of = (sums: Map<string, Sums>): string[] => shown(sums, s * HORIZON_COUNT + h, c);
      const name = [`${HORIZONS_HOURS[h]} h`, side, `${100 * CONFIDENCES[c]} %`];
      rows.push([...name, ...of(network), ...of(historical)]);
    }
  }
}
const scores = ['pinball', 'FZ0', 'exceeded'];
print(
  table(['horizon', 'side', 'confidence', ...scores, ...scores.map((score) => `${score} historical`)], rows),
);
for (const [s, side] of SIDES.entries())
  print(`24 h ${side}: Brier skill of the shock ${(1 - shocks[s].score / shocks[s].climate).toFixed(4)}`);
for (const [h, { sum, count }] of qlike.entries())
  print(`${HORIZONS_HOURS[h]} h: QLIKE ${(sum / count).toFixed(4)}`);
print(`${judged.size} markets, memory ${megabytes(process.memoryUsage.rss())}`);
remove();

function spansBothYears({ source, bars }: MarketHistory): boolean {
  if (!source.includes('-perp-')) return false;
  const first = bars.openTime[0];
  const last = bars.openTime[bars.length - 1];
  return first <= FROM - LEAST_PAST_DAYS * DAY_MILLISECONDS && last >= UNTIL - DAY_MILLISECONDS;
}

/** By path and confidence. */
function historicalOf({ bars }: MarketHistory): RollingRisk[][] {
  return Array.from({ length: PATHS_PER_MARKET }, (_, path) => {
    const hours = HORIZONS_HOURS[path % HORIZON_COUNT];
    const losses = adverseExcursions(bars, hours)[SIDES[Math.floor(path / HORIZON_COUNT)]];
    const window = Math.min(365 * 24 - hours, losses.length);
    return SHOWN.map((c) => rollingHistoricalRisk(losses, window, CONFIDENCES[c]));
  });
}

function add(
  sums: Map<string, Sums>,
  key: string,
  loss: number,
  valueAtRisk: number,
  expectedShortfall: number,
  confidence: number,
): void {
  // 0 where the market is too young for a window; such an origin is nobody's.
  if (valueAtRisk === 0) return;
  const own = sums.get(key) ?? { pinball: 0, fz0: 0, exceedances: 0, count: 0 };
  own.pinball += pinball(loss, valueAtRisk, confidence);
  own.fz0 += fz0(loss, valueAtRisk, expectedShortfall, confidence);
  own.exceedances += loss > valueAtRisk ? 1 : 0;
  own.count++;
  sums.set(key, own);
}

function shown(sums: Map<string, Sums>, path: number, c: number): string[] {
  const cells = [...judged].flatMap((m) => sums.get(`${m} ${path} ${c}`) ?? []);
  const mean = (of: (own: Sums) => number): number =>
    cells.reduce((sum, own) => sum + of(own) / own.count, 0) / cells.length;
  return [
    (100 * mean((own) => own.pinball)).toFixed(4),
    (mean((own) => own.fz0) + PERCENT).toFixed(3),
    `${(100 * mean((own) => own.exceedances)).toFixed(2)}%`,
  ];
}
