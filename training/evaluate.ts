import { FilteredPredictor, HistoricalPredictor } from '../src/forecast/classical.ts';
import {
  CONFIDENCE_COUNT,
  CONFIDENCES,
  cellIndex,
  type ForecastBatch,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
  SIDES,
} from '../src/forecast/predictor.ts';
import type { ShockModel } from '../src/forecast/shock-model.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { fz0, pinball } from '../src/risk/comparison/scores.ts';
import type { Dataset } from './dataset.ts';
import { forecastDataset } from './train.ts';

/** Scores of one forecaster in one cell. */
export interface CellScore {
  readonly forecaster: string;
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly horizonHours: number;
  readonly confidence: number;
  readonly observations: number;
  readonly pinball: number;
  readonly fz0: number;
  readonly exceedanceRate: number;
}

export interface Evaluation {
  readonly testFrom: number;
  readonly testTo: number;
  readonly origins: number;
  readonly cells: readonly CellScore[];
}

/**
 * Hours from one test origin to the next, 4 short of a day: on the usual grid of 4 hours every hour of the grid comes
 * up equally often. On another grid the next row is taken.
 */
const ORIGIN_DISTANCE_HOURS = 20;

/**
 * Scores the model and the classical predictors on the same origins of a later span, by market, side, horizon and
 * confidence. The classical ones are asked at each origin with what was known then, as the service asks them.
 *
 * @param rows rows of the dataset that may serve as origins, none of which the model was fitted on.
 */
export async function evaluateModel(
  markets: readonly MarketHistory[],
  data: Dataset,
  rows: Uint32Array,
  model: ShockModel,
  name: string,
  onProgress: (done: number, total: number) => void,
): Promise<Evaluation> {
  const origins = thinOut(data, rows);
  const chosen = Uint32Array.from(origins.flatMap(({ rows: own }) => own));
  const network = await forecastDataset(data, chosen, model);
  const classical = [new HistoricalPredictor(), new FilteredPredictor()];
  const tally = new Tally(data.features.symbols);
  let position = 0;
  for (const [done, origin] of origins.entries()) {
    onProgress(done, origins.length);
    const present = origin.rows.map((row) => markets[data.features.market[row]]);
    const batches: ForecastBatch[] = [];
    for (const predictor of classical) {
      batches.push(
        await predictor.predict({
          asOf: origin.asOf,
          markets: present,
          features: NO_FEATURES,
          featuresReady: NO_FLAGS,
        }),
      );
    }
    for (const [i, row] of origin.rows.entries()) {
      // Only origins that all of them forecast: scores on different origins cannot be compared.
      if (batches.every((batch) => batch.unavailable[i] === '')) {
        tally.add(name, data, row, network, position);
        for (const batch of batches) tally.add(batch.predictor, data, row, batch, i);
      }
      position++;
    }
    // The classical predictors never wait; signals and messages get their turn here.
    await new Promise(setImmediate);
  }
  const times = [...rows].map((row) => data.features.asOf[row]);
  return {
    testFrom: times[0] ?? 0,
    testTo: times.at(-1) ?? 0,
    origins: origins.length,
    cells: tally.scores(),
  };
}

const NO_FEATURES = new Float64Array(0);
const NO_FLAGS = new Uint8Array(0);

interface Origin {
  readonly asOf: number;
  readonly rows: readonly number[];
}

function thinOut(data: Dataset, rows: Uint32Array): Origin[] {
  const origins: { asOf: number; rows: number[] }[] = [];
  let next = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    const asOf = data.features.asOf[row];
    const last = origins.at(-1);
    if (last !== undefined && asOf === last.asOf) last.rows.push(row);
    else if (asOf >= next) {
      origins.push({ asOf, rows: [row] });
      next = asOf + ORIGIN_DISTANCE_HOURS * 3_600_000;
    }
  }
  return origins;
}

interface Sums {
  n: number;
  pinball: number;
  fz0: number;
  exceedances: number;
}

class Tally {
  readonly #symbols: readonly string[];
  readonly #sums = new Map<string, Sums>();

  constructor(symbols: readonly string[]) {
    this.#symbols = symbols;
  }

  add(
    forecaster: string,
    data: Dataset,
    row: number,
    forecast: { readonly valueAtRisk: Float64Array; readonly expectedShortfall: Float64Array },
    at: number,
  ): void {
    for (let s = 0; s < SIDES.length; s++) {
      for (let h = 0; h < HORIZON_COUNT; h++) {
        const loss = data.excursions[row * PATHS_PER_MARKET + s * HORIZON_COUNT + h];
        for (let c = 0; c < CONFIDENCE_COUNT; c++) {
          const cell = cellIndex(at, s, h, c);
          const sums = this.#cell(`${forecaster}/${data.features.market[row]}/${s}/${h}/${c}`);
          sums.n++;
          sums.pinball += pinball(loss, forecast.valueAtRisk[cell], CONFIDENCES[c]);
          sums.fz0 += fz0(loss, forecast.valueAtRisk[cell], forecast.expectedShortfall[cell], CONFIDENCES[c]);
          if (loss > forecast.valueAtRisk[cell]) sums.exceedances++;
        }
      }
    }
  }

  scores(): CellScore[] {
    return [...this.#sums].map(([key, sums]) => {
      const [forecaster, market, s, h, c] = key.split('/');
      return {
        forecaster,
        symbol: this.#symbols[Number(market)],
        side: SIDES[Number(s)],
        horizonHours: HORIZONS_HOURS[Number(h)],
        confidence: CONFIDENCES[Number(c)],
        observations: sums.n,
        pinball: sums.pinball / sums.n,
        fz0: sums.fz0 / sums.n,
        exceedanceRate: sums.exceedances / sums.n,
      };
    });
  }

  #cell(key: string): Sums {
    let sums = this.#sums.get(key);
    if (sums === undefined) {
      sums = { n: 0, pinball: 0, fz0: 0, exceedances: 0 };
      this.#sums.set(key, sums);
    }
    return sums;
  }
}

/** Means over markets, each market counting the same, by forecaster, side, horizon and confidence. */
export function averageOverMarkets(cells: readonly CellScore[]): Omit<CellScore, 'symbol'>[] {
  const groups = new Map<string, CellScore[]>();
  for (const cell of cells) {
    const key = `${cell.forecaster}/${cell.side}/${cell.horizonHours}/${cell.confidence}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()].map((group) => {
    const mean = (of: (cell: CellScore) => number): number =>
      group.reduce((sum, cell) => sum + of(cell), 0) / group.length;
    const { forecaster, side, horizonHours, confidence } = group[0];
    return {
      forecaster,
      side,
      horizonHours,
      confidence,
      observations: group.reduce((sum, cell) => sum + cell.observations, 0),
      pinball: mean((cell) => cell.pinball),
      fz0: mean((cell) => cell.fz0),
      exceedanceRate: mean((cell) => cell.exceedanceRate),
    };
  });
}
