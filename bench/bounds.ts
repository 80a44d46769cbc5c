import { table } from '../src/cli/command.ts';
import { LongLookbackPredictor, StressedWeightPredictor } from '../src/forecast/anti-procyclical.ts';
import { FilteredPredictor, HistoricalPredictor, TailPredictor } from '../src/forecast/classical.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCES,
  type ForecastBatch,
  HORIZONS_HOURS,
  type Predictor,
} from '../src/forecast/predictor.ts';
import { DEFAULT_BOUND_POLICY } from '../src/limits/bound-policy.ts';
import { nextBuffer } from '../src/limits/bounds/anti-procyclical.ts';
import { tailProfile } from '../src/limits/curve.ts';
import { DEFAULT_POLICY } from '../src/limits/policy.ts';
import type { BufferState } from '../src/limits/types.ts';
import { filledStore } from './history.ts';
import { median, print } from './measure.ts';

/**
 * What the classical bounds and the anti-procyclical measures cost in leverage: margins of every market at the smallest
 * notional, every day of 2024 at midnight, under the default policy, each bound alone and together. The rises are the
 * largest of the year, peak to trough is the highest margin of the year over the lowest, both of the median market.
 */
const FROM = Date.UTC(2024, 0, 1);
const DAYS = 366;
const DAY = 86_400_000;
/** With less history than this before the year a market is left out. */
const LEAST_HISTORY_DAYS = 365;

const { store, remove } = await filledStore();
const stored = (await store.loadMarkets()).filter(
  ({ bars }) =>
    bars.openTime[0] <= FROM - LEAST_HISTORY_DAYS * DAY &&
    bars.openTime[bars.length - 1] >= FROM + (DAYS - 1) * DAY,
);
const { antiProcyclical } = DEFAULT_BOUND_POLICY;
const predictors: readonly (readonly [string, Predictor])[] = [
  ['historical', new HistoricalPredictor()],
  ['filtered', new FilteredPredictor()],
  ['tail', new TailPredictor()],
  ['longLookback', new LongLookbackPredictor(antiProcyclical.lookbackYears)],
  [
    'stressedWeight',
    new StressedWeightPredictor(antiProcyclical.stressedWeight, antiProcyclical.stressedDays),
  ],
];
const axes = { horizonsHours: HORIZONS_HOURS, confidences: CONFIDENCES };
const COST = DEFAULT_POLICY.halfSpreadRate + DEFAULT_POLICY.takerFeeRate;

interface Margin {
  readonly shortfall: number;
  readonly maintenance: number;
}

function marginOf(batch: ForecastBatch, m: number): Margin | null {
  if (batch.unavailable[m] !== '') return null;
  const cells = [m * CELLS_PER_MARKET, (m + 1) * CELLS_PER_MARKET] as const;
  const profile = tailProfile(
    batch.valueAtRisk.subarray(...cells),
    batch.expectedShortfall.subarray(...cells),
    axes,
    DEFAULT_POLICY,
  );
  return { shortfall: profile.marginCallShortfall, maintenance: profile.valueAtRiskByHorizon[0] };
}

const highest = (margins: readonly Margin[]): Margin => ({
  shortfall: Math.max(...margins.map(({ shortfall }) => shortfall)),
  maintenance: Math.max(...margins.map(({ maintenance }) => maintenance)),
});
const initialOf = ({ shortfall, maintenance }: Margin): number =>
  Math.max(shortfall + COST, (maintenance + COST) / 0.75);

/** Initial margins by rule, market and day. */
const margins = new Map<string, number[][]>();
const put = (rule: string, m: number, initial: number): void => {
  const byMarket = margins.get(rule) ?? stored.map(() => []);
  byMarket[m].push(initial);
  margins.set(rule, byMarket);
};
const buffers = new Map<number, (BufferState | null)[]>(
  [0.1, 0.15, 0.25].map((ratio) => [ratio, stored.map(() => null)]),
);

for (let day = 0; day < DAYS; day++) {
  const asOf = FROM + day * DAY;
  const input = { asOf, markets: stored, features: new Float64Array(0), featuresReady: new Uint8Array(0) };
  const batches = new Map<string, ForecastBatch>();
  for (const [name, predictor] of predictors) batches.set(name, await predictor.predict(input));
  for (const m of stored.keys()) judge(m, asOf, (name) => marginOf(batches.get(name) as ForecastBatch, m));
}

function judge(m: number, asOf: number, of: (name: string) => Margin | null): void {
  const all = predictors.map(([name]) => of(name));
  if (all.some((margin) => margin === null)) return;
  const [historical, filtered, tail, long, stressed] = all as Margin[];
  for (const [i, [name]] of predictors.entries()) put(name, m, initialOf((all as Margin[])[i]));
  const without = highest([historical, filtered]);
  put('historical + filtered', m, initialOf(without));
  put('… + tail in maintenance', m, initialOf(highest([without, { ...tail, shortfall: 0 }])));
  const classical = highest([without, tail]);
  const initial = initialOf(classical);
  put('… + tail in both', m, initial);
  for (const [ratio, states] of buffers) {
    const state = nextBuffer(states[m], initial, asOf, { ...antiProcyclical, bufferRatio: ratio });
    states[m] = state;
    put(`classical with a buffer of ${ratio}`, m, initial * (1 + state.ratio));
  }
  put('classical over the stressed weight', m, initialOf(highest([classical, stressed])));
  for (const ratio of [1, 0.8, 0.6]) {
    const floor = { shortfall: long.shortfall * ratio, maintenance: long.maintenance * ratio };
    put(`classical over ${ratio} of the long lookback`, m, initialOf(highest([classical, floor])));
  }
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const rows = [...margins].map(([rule, byMarket]) => {
  const known = byMarket.filter((days) => days.length > 0);
  const leverage = mean(known.map((days) => mean(days.map((initial) => 1 / initial))));
  const rises = known.map((days) => Math.max(...days.slice(1).map((initial, i) => initial / days[i] - 1)));
  const peakToTrough = median(known.map((days) => Math.max(...days) / Math.min(...days)));
  return [rule, leverage.toFixed(2), `${(100 * median(rises)).toFixed(0)} %`, peakToTrough.toFixed(2)];
});
print(`${stored.length} markets, ${DAYS} days of 2024`);
print(table(['margins of', 'mean leverage', 'largest rise in a day', 'peak to trough'], rows));
remove();
