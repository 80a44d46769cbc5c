import { PlimsollError } from '../../src/errors.ts';
import type { FeatureTable } from '../../src/features/batch.ts';
import { FEATURE_COUNT } from '../../src/features/spec.ts';
import { forecastFault } from '../../src/forecast/forecast-check.ts';
import { CELLS_PER_MARKET, type ForecastBatch, type Predictor } from '../../src/forecast/predictor.ts';
import {
  barsClosedBy,
  entriesBy,
  type FundingSeries,
  type MarketHistory,
  type OpenInterestSeries,
  sliceBars,
} from '../../src/risk/bars.ts';
import type { VolatilityScorer } from './monotone.ts';
import { emptyForecastTable, type ForecastTable, type OutcomeTable } from './tables.ts';

/**
 * Answers of any predictor for the rows of an outcome table, origin by origin as the service would ask, so that a forecaster from
 * elsewhere is judged like everybody. It is handed views of the bars that had closed by the origin, so that it cannot look ahead.
 *
 * The port tells the probability of a shock above the predictor's own threshold, which is not the table's: the answer has none.
 *
 * @param features by row of the table, row-major, `FEATURE_COUNT` each; as `computeFeatures` wrote them.
 * @param onProgress is told the share of the rows that are done; it may throw to stop.
 * @throws PlimsollError INPUT_INVALID for an answer that is no forecast, with the origin and what is wrong with it.
 */
export async function forecastByPredictor(
  predictor: Predictor,
  markets: readonly MarketHistory[],
  outcomes: OutcomeTable,
  features: Float64Array,
  onProgress: (share: number) => void = () => {},
): Promise<ForecastTable> {
  const bySymbol = new Map(markets.map((market) => [market.symbol, market]));
  const histories = outcomes.symbols.map((symbol) => bySymbol.get(symbol));
  const table = emptyForecastTable(predictor.id, outcomes.rows, { shockProbability: false, variance: false });
  for (let from = 0; from < outcomes.rows; ) {
    const asOf = outcomes.asOf[from];
    let to = from + 1;
    while (to < outcomes.rows && outcomes.asOf[to] === asOf) to++;
    const own = Array.from(outcomes.market.subarray(from, to), (m) =>
      knownBy(histories[m], outcomes.symbols[m], asOf),
    );
    const batch = await answerOf(
      predictor,
      own,
      asOf,
      features.slice(from * FEATURE_COUNT, to * FEATURE_COUNT),
    );
    for (const [i, why] of batch.unavailable.entries()) {
      if (why !== '') continue;
      const cells = [i * CELLS_PER_MARKET, (i + 1) * CELLS_PER_MARKET] as const;
      table.valueAtRisk.set(batch.valueAtRisk.subarray(...cells), (from + i) * CELLS_PER_MARKET);
      table.expectedShortfall.set(batch.expectedShortfall.subarray(...cells), (from + i) * CELLS_PER_MARKET);
    }
    from = to;
    onProgress(from / outcomes.rows);
  }
  return table;
}

/**
 * A predictor's VaR for rows of a dataset whose features may be changed; the bars stay as they were. A market that it has no answer for
 * counts 1.
 *
 * @param rows of the dataset, ascending.
 */
export function scorerOfPredictor(
  predictor: Predictor,
  markets: readonly MarketHistory[],
  { asOf, market, symbols }: FeatureTable,
  rows: Uint32Array,
): VolatilityScorer {
  const bySymbol = new Map(markets.map((one) => [one.symbol, one]));
  const origins = Map.groupBy(rows.keys(), (i) => asOf[rows[i]]);
  const inputs = Array.from(origins, ([time, own]) => ({
    time,
    from: own[0],
    to: own[0] + own.length,
    markets: own.map((i) => {
      const symbol = symbols[market[rows[i]]];
      return knownBy(bySymbol.get(symbol), symbol, time);
    }),
  }));
  return async (features, count) => {
    const valueAtRisk = new Float64Array(count * CELLS_PER_MARKET);
    for (const { time, from, to, markets: own } of inputs) {
      const part = features.slice(from * FEATURE_COUNT, to * FEATURE_COUNT);
      const batch = await answerOf(predictor, own, time, part);
      valueAtRisk.set(batch.valueAtRisk, from * CELLS_PER_MARKET);
      for (const [i, why] of batch.unavailable.entries())
        if (why !== '') valueAtRisk.fill(1, (from + i) * CELLS_PER_MARKET, (from + i + 1) * CELLS_PER_MARKET);
    }
    return valueAtRisk;
  };
}

/** @throws PlimsollError INPUT_INVALID for an answer that is no forecast. */
async function answerOf(
  predictor: Predictor,
  markets: readonly MarketHistory[],
  asOf: number,
  features: Float64Array,
): Promise<ForecastBatch> {
  const featuresReady = new Uint8Array(markets.length).fill(1);
  const batch = await predictor.predict({ asOf, markets, features, featuresReady });
  const fault = forecastFault(batch, markets);
  if (fault === null) return batch;
  throw new PlimsollError('INPUT_INVALID', `${predictor.id} at ${asOf}: ${fault}`, {
    remedy: 'Give finite VaR and ES that rise with confidence, ES at or above VaR, for every market.',
    details: { predictor: predictor.id, asOf },
  });
}

/** A market as it was known at a time, as views on the same memory. */
function knownBy(history: MarketHistory | undefined, symbol: string, asOf: number): MarketHistory {
  if (history === undefined) {
    throw new PlimsollError('MARKET_UNKNOWN', `there are no bars of ${symbol}, which is to be forecast`, {
      remedy: 'Give the markets that the outcomes were taken from.',
    });
  }
  const { bars, funding, openInterest, mark } = history;
  return {
    ...history,
    bars: sliceBars(bars, 0, barsClosedBy(bars, asOf)),
    funding: funding === null ? null : fundingBy(funding, asOf),
    openInterest: openInterest === null ? null : openInterestBy(openInterest, asOf),
    mark: mark === null ? null : sliceBars(mark, 0, barsClosedBy(mark, asOf)),
  };
}

function fundingBy(funding: FundingSeries, asOf: number): FundingSeries {
  const length = entriesBy(funding, asOf);
  return { length, time: funding.time.subarray(0, length), rate: funding.rate.subarray(0, length) };
}

function openInterestBy(series: OpenInterestSeries, asOf: number): OpenInterestSeries {
  const length = entriesBy(series, asOf);
  return {
    length,
    time: series.time.subarray(0, length),
    quoteNotional: series.quoteNotional.subarray(0, length),
  };
}
