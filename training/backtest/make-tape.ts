import { availableParallelism } from 'node:os';
import { PlimsollError } from '../../src/errors.ts';
import { dailyVolatilityOf, FEATURE_COUNT, featureIndex } from '../../src/features/spec.ts';
import { CELLS_PER_MARKET } from '../../src/forecast/predictor.ts';
import type { MarketHistory } from '../../src/risk/bars.ts';
import { sliceBars } from '../../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { buildDataset, type Dataset } from '../dataset.ts';
import { outcomeTable } from '../judge/outcomes.ts';
import { trackedForecasts } from '../judge/tracked.ts';
import type { PieceStore } from '../kept-fits.ts';
import { rowsBetween, VALIDATION_SHARE } from '../splits.ts';
import type { ModelOptions } from '../train.ts';
import { isEvery, tableOf } from '../trial.ts';
import { expandingFolds, type Fold, type OutOfFold, walkForward } from '../walk-forward.ts';
import { classicalTape } from './classical-tape.ts';
import type { CellTape, MarketTape, Tape } from './tape.ts';

export interface TapeOptions {
  /** Close of the first hour, and the last one, epoch milliseconds. */
  readonly from: number;
  readonly until: number;
  /** Days that a fit is used; null for no shock model at all: the classical bounds decide. */
  readonly refitDays: number | null;
  /** Hours between the origins that are trained on. */
  readonly everyHours: number;
  readonly model: Omit<ModelOptions, 'threads'>;
  readonly pieces: PieceStore | null;
  readonly onPhase: (
    phase: 'features' | 'fit' | 'classical' | 'floor',
    share: number,
    remark: string,
  ) => void;
}

export const WALKED_MODEL = 'shock-network@walk-forward';
/** As the decision cycle looks back for the volume that is counted on. */
export const VOLUME_LOOKBACK_HOURS = 720;

const INDEX_RETURN = featureIndex('indexScaledReturn24h');
const VOLATILITY = featureIndex('logRealisedVolatility720h');

/**
 * Lets every forecaster of the service speak at every hour of a span. The shock model is fitted anew every `refitDays` on what was known before,
 * and its levels are tracked as the service does it; nothing looks at a later bar. Floors are put beside it by `withFloors`.
 *
 * @throws PlimsollError DATA_INSUFFICIENT where no market has a bar in the span.
 */
export async function makeTape(markets: readonly MarketHistory[], options: TapeOptions): Promise<Tape> {
  const { from, until, onPhase } = options;
  const present = markets.filter(
    ({ bars }) => spanOf(bars.openTime, from, until)[1] > spanOf(bars.openTime, from, until)[0],
  );
  if (present.length === 0)
    throw new PlimsollError('DATA_INSUFFICIENT', 'no market has an hourly bar in the span of the backtest', {
      remedy: 'Choose another span, or import bars of it; `plimsoll data` lists what is stored.',
    });
  onPhase('features', 0, `${markets.length} markets`);
  const data = buildDataset(markets, 1, Number.MAX_SAFE_INTEGER);
  const walked = await walkModel(markets, data, options);
  const hours = Math.round((until - from) / HOUR_MILLISECONDS) + 1;
  const stressed = new Float64Array(hours);
  const judged = new Float64Array(hours);
  const tapes: MarketTape[] = [];
  for (const [m, history] of present.entries()) {
    onPhase('classical', m / present.length, history.symbol);
    const [first, end] = spanOf(history.bars.openTime, from, until);
    const classical = classicalTape(history, first, end);
    for (let bar = first; bar < end; bar++) {
      const at = Math.round((history.bars.openTime[bar] + HOUR_MILLISECONDS - from) / HOUR_MILLISECONDS);
      judged[at] += classical.stress[bar - first].judged;
      stressed[at] += classical.stress[bar - first].stressed;
    }
    const bars = sliceBars(history.bars, first, end);
    tapes.push({
      symbol: history.symbol,
      bars,
      listedAt: history.bars.openTime[0],
      earlierVolume: history.bars.quoteVolume.slice(Math.max(first - VOLUME_LOOKBACK_HOURS, 0), first),
      openInterest: history.openInterest,
      shockModelId: WALKED_MODEL,
      ...modelTape(markets.indexOf(history), data, walked, first, end),
      historical: classical.historical,
      filtered: classical.filtered,
      tail: classical.tail,
      floors: new Map(),
      worst: classical.worst,
    });
  }
  return {
    from,
    until,
    simulated: present.some(({ simulated }) => simulated),
    markets: tapes,
    judgedMarkets: judged,
    stressedShare: stressed.map((count, i) => count / Math.max(judged[i], 1)),
    commonShock: commonShocks(data, from, hours),
  };
}

async function walkModel(
  markets: readonly MarketHistory[],
  data: Dataset,
  { from, until, refitDays, everyHours, model, pieces, onPhase }: TapeOptions,
): Promise<OutOfFold | null> {
  if (refitDays === null) return null;
  const folds = expandingFolds(from, until + 1, refitDays).filter((fold) => canFit(data, fold, everyHours));
  if (folds.length === 0) return null;
  const walked = await walkForward(data, {
    folds,
    validationShare: VALIDATION_SHARE,
    isTrained: (row) => isEvery(data, row, everyHours),
    isForecast: () => true,
    model: { ...model, threads: availableParallelism() },
    pieces,
    onFold: (fold) => onPhase('fit', (fold + 1) / folds.length, `fit ${fold + 1} of ${folds.length}`),
  });
  const outcomes = outcomeTable(markets, data, walked.rows, folds);
  return { ...walked, ...trackedForecasts(outcomes, tableOf(WALKED_MODEL, walked)) } as OutOfFold;
}

/** Of fewer rows before a fold nothing is fitted: the classical bounds decide there, as they would have in the service. */
const LEAST_ROWS = 5000;

function canFit(data: Dataset, { trainUntil }: Fold, everyHours: number): boolean {
  const known = rowsBetween(data.features.asOf, Number.NEGATIVE_INFINITY, trainUntil);
  return known.filter((row) => isEvery(data, row, everyHours)).length >= LEAST_ROWS;
}

/** First bar of the span and the one after its last. */
function spanOf(openTime: Float64Array, from: number, until: number): readonly [number, number] {
  let first = 0;
  while (first < openTime.length && openTime[first] + HOUR_MILLISECONDS < from) first++;
  let end = first;
  while (end < openTime.length && openTime[end] + HOUR_MILLISECONDS <= until) end++;
  return [first, end];
}

function modelTape(
  market: number,
  { features }: Dataset,
  walked: OutOfFold | null,
  first: number,
  end: number,
): Pick<MarketTape, 'shockModel' | 'dailyVolatility'> {
  const shockModel: CellTape = {
    valueAtRisk: new Float32Array((end - first) * CELLS_PER_MARKET).fill(Number.NaN),
    expectedShortfall: new Float32Array((end - first) * CELLS_PER_MARKET).fill(Number.NaN),
  };
  const dailyVolatility = new Float32Array(end - first).fill(Number.NaN);
  for (let row = 0; row < features.rows; row++) {
    const hour = features.barIndex[row] - first;
    if (features.market[row] !== market || hour < 0 || hour >= end - first) continue;
    dailyVolatility[hour] = dailyVolatilityOf(features.values[row * FEATURE_COUNT + VOLATILITY]);
  }
  if (walked === null) return { shockModel, dailyVolatility };
  for (const [i, row] of walked.rows.entries()) {
    const hour = features.barIndex[row] - first;
    if (features.market[row] !== market || hour < 0 || hour >= end - first) continue;
    const cells = [i * CELLS_PER_MARKET, (i + 1) * CELLS_PER_MARKET] as const;
    shockModel.valueAtRisk.set(walked.valueAtRisk.subarray(...cells), hour * CELLS_PER_MARKET);
    shockModel.expectedShortfall.set(walked.expectedShortfall.subarray(...cells), hour * CELLS_PER_MARKET);
  }
  return { shockModel, dailyVolatility };
}

function commonShocks({ features }: Dataset, from: number, hours: number): Float64Array {
  const shocks = new Float64Array(hours).fill(Number.NaN);
  for (let row = 0; row < features.rows; row++) {
    const at = Math.round((features.asOf[row] - from) / HOUR_MILLISECONDS);
    if (at >= 0 && at < hours) shocks[at] = features.values[row * FEATURE_COUNT + INDEX_RETURN];
  }
  return shocks;
}
