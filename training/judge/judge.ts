import { isoTime } from '../../src/clock.ts';
import { PlimsollError } from '../../src/errors.ts';
import { CONFIDENCES, HORIZONS_HOURS, SIDES } from '../../src/forecast/predictor.ts';
import { modelConfidenceSet } from '../../src/risk/comparison/model-confidence-set.ts';
import { independentShare } from '../../src/risk/coverage/overlap.ts';
import { longRunVariance } from '../../src/risk/numeric/long-run-variance.ts';
import { cellCoverage } from './coverage.ts';
import { coverageSummaries } from './coverage-summary.ts';
import { bestOfCells, type CellBattle, duelsOfCell } from './duels.ts';
import type {
  AverageScore,
  BestOfCells,
  Cell,
  CellJudgement,
  ConfidenceSet,
  Duel,
  Judgement,
  RegimeScore,
} from './judgement.ts';
import { shockScores, varianceScores } from './probabilities.ts';
import { RegimeTally } from './regimes.ts';
import {
  type CellPosition,
  judgedRows,
  meanByTime,
  meanOf,
  type ScoreSeries,
  scoreSeries,
  stepsOf,
} from './series.ts';
import type { ForecastTable, OutcomeTable } from './tables.ts';

/** Confidence of the model confidence set. */
const SET_CONFIDENCE = 0.9;
/** A market with fewer judged origins says nothing by itself. */
const LEAST_ROWS = 50;

/**
 * Judges forecasts of the same rows: scores by cell with their coverage, means with errors, regimes, duels of the candidate, model
 * confidence sets. Only rows that every forecaster answered count; one that answered less than half of them is not judged.
 *
 * @param candidate name of the forecaster that duels with all others. @param stepHours from one origin to the next.
 * @throws PlimsollError DATA_INSUFFICIENT where no market has 50 rows that all answered.
 */
export function judge(
  outcomes: OutcomeTable,
  tables: readonly ForecastTable[],
  candidate: string,
  stepHours: number,
): Judgement {
  const { byMarket, leftOut, forecasts, unanswered } = judgedRows(outcomes, tables);
  const markets = [...byMarket.keys()].filter((market) => byMarket[market].length >= LEAST_ROWS);
  if (markets.length === 0) {
    throw new PlimsollError('DATA_INSUFFICIENT', 'no market has enough rows that all forecasters answered', {
      remedy: 'Judge a longer time, or leave out forecasters that need more history.',
    });
  }
  const judgement = new Work(outcomes, forecasts, candidate, stepHours, markets, byMarket);
  const rows = markets.flatMap((market) => [...byMarket[market]]).sort((a, b) => a - b);
  const times = new Set(rows.map((row) => outcomes.asOf[row]));
  return {
    candidate,
    forecasters: forecasts.map(({ forecaster }) => forecaster),
    span: {
      from: isoTime(outcomes.asOf[rows[0]]),
      until: isoTime(outcomes.asOf[rows[rows.length - 1]]),
      origins: times.size,
      rows: rows.length,
      rowsLeftOut: leftOut,
      unanswered,
      markets: markets.length,
      folds: new Set(rows.map((row) => outcomes.fold[row])).size,
      stepHours,
    },
    ...judgement.done(),
    shocks: shockScores(outcomes, forecasts, Uint32Array.from(rows)),
    variances: varianceScores(outcomes, forecasts, Uint32Array.from(rows)),
  };
}

type Cells = Pick<
  Judgement,
  'cells' | 'averages' | 'regimes' | 'duels' | 'bestOfCells' | 'confidenceSets' | 'coverage'
>;

/** Goes through the grid of cells once; what several parts need of a cell is made once and let go. */
class Work {
  readonly #outcomes: OutcomeTable;
  readonly #forecasts: readonly ForecastTable[];
  readonly #candidate: number;
  readonly #stepHours: number;
  readonly #markets: readonly number[];
  readonly #rows: readonly Uint32Array[];
  readonly #cells: CellJudgement[] = [];
  readonly #averages: AverageScore[] = [];
  readonly #regimes: RegimeScore[] = [];
  readonly #duels: Duel[] = [];
  readonly #battles: CellBattle[] = [];
  readonly #sets: ConfidenceSet[] = [];

  constructor(
    outcomes: OutcomeTable,
    forecasts: readonly ForecastTable[],
    candidate: string,
    stepHours: number,
    markets: readonly number[],
    rows: readonly Uint32Array[],
  ) {
    this.#outcomes = outcomes;
    this.#forecasts = forecasts;
    this.#candidate = forecasts.findIndex(({ forecaster }) => forecaster === candidate);
    this.#stepHours = stepHours;
    this.#markets = markets;
    this.#rows = rows;
  }

  done(): Cells {
    for (const side of SIDES.keys()) {
      for (const horizon of HORIZONS_HOURS.keys()) {
        for (const confidence of CONFIDENCES.keys()) this.#cell({ side, horizon, confidence });
      }
    }
    const best: readonly BestOfCells[] = bestOfCells(this.#battles);
    return {
      cells: this.#cells,
      averages: this.#averages,
      regimes: this.#regimes,
      duels: this.#duels,
      bestOfCells: best,
      confidenceSets: this.#sets,
      coverage: coverageSummaries(this.#cells, this.#regimes),
    };
  }

  #cell(position: CellPosition): void {
    const cell = cellOf(position);
    const steps = stepsOf(cell.horizonHours, this.#stepHours);
    const byForecaster = this.#forecasts.map((table) =>
      this.#markets.map((market) => scoreSeries(this.#outcomes, table, this.#rows[market], position)),
    );
    const pinballByTime: Float64Array[] = [];
    const fz0ByTime: Float64Array[] = [];
    for (const [f, series] of byForecaster.entries()) {
      const { forecaster } = this.#forecasts[f];
      const own = this.#judgeMarkets(forecaster, cell, series, steps);
      this.#cells.push(...own);
      this.#regimes.push(...this.#judgeRegimes(forecaster, cell, series));
      const byTime = this.#byTime(series, 'pinball');
      pinballByTime.push(byTime);
      fz0ByTime.push(this.#byTime(series, 'fz0'));
      this.#averages.push(averageOf(forecaster, cell, own, byTime, steps));
    }
    const { battle, duels } = duelsOfCell(
      cell,
      this.#forecasts.map(({ forecaster }) => forecaster),
      this.#candidate,
      byForecaster,
      { pinball: pinballByTime, fz0: fz0ByTime },
      steps,
    );
    this.#duels.push(...duels);
    if (battle !== null) this.#battles.push(battle);
    for (const [score, losses] of [['pinball', pinballByTime] as const, ['fz0', fz0ByTime] as const])
      this.#sets.push({ ...cell, score, members: this.#setOf(losses, steps) });
  }

  #judgeMarkets(
    forecaster: string,
    cell: Cell,
    series: readonly ScoreSeries[],
    steps: number,
  ): readonly CellJudgement[] {
    const share = independentShare(
      series.map(({ hits }) => hits),
      steps,
    );
    return series.map((own, i) => ({
      ...cell,
      forecaster,
      symbol: this.#outcomes.symbols[this.#markets[i]],
      observations: own.hits.length,
      pinball: meanOf(own.pinball),
      fz0: meanOf(own.fz0),
      ...cellCoverage(own, cell.confidence, steps, share),
    }));
  }

  #judgeRegimes(forecaster: string, cell: Cell, series: readonly ScoreSeries[]): readonly RegimeScore[] {
    const tally = new RegimeTally();
    for (const [i, own] of series.entries()) tally.add(this.#outcomes, this.#rows[this.#markets[i]], own);
    return tally.scores().map((score) => ({ ...cell, forecaster, ...score }));
  }

  #byTime(series: readonly ScoreSeries[], score: 'pinball' | 'fz0'): Float64Array {
    return meanByTime(
      this.#outcomes.asOf,
      series.map((own, i) => ({ rows: this.#rows[this.#markets[i]], values: own[score] })),
    );
  }

  #setOf(losses: readonly Float64Array[], steps: number): readonly string[] {
    const blockLength = Math.max(2 * steps, Math.ceil(Math.cbrt(losses[0].length)));
    const set = modelConfidenceSet(losses, { confidence: SET_CONFIDENCE, blockLength, replications: 500 });
    const members = set.available ? set.members : [...losses.keys()];
    return members.map((f) => this.#forecasts[f].forecaster);
  }
}

function averageOf(
  forecaster: string,
  cell: Cell,
  markets: readonly CellJudgement[],
  pinballByTime: Float64Array,
  steps: number,
): AverageScore {
  const mean = (of: (market: CellJudgement) => number): number =>
    markets.reduce((sum, market) => sum + of(market), 0) / markets.length;
  // A day of origins is as much as volatility clusters within what the horizon's overlap does not cover.
  const lags = Math.min(2 * steps, pinballByTime.length - 1);
  const longRun = Math.max(longRunVariance(pinballByTime, lags), 0);
  return {
    ...cell,
    forecaster,
    markets: markets.length,
    observations: markets.reduce((sum, { observations }) => sum + observations, 0),
    pinball: mean(({ pinball }) => pinball),
    pinballStandardError: Math.sqrt(longRun / pinballByTime.length),
    fz0: mean(({ fz0 }) => fz0),
    exceedanceRate: mean(({ exceedanceRate }) => exceedanceRate),
  };
}

function cellOf({ side, horizon, confidence }: CellPosition): Cell {
  return {
    side: SIDES[side],
    horizonHours: HORIZONS_HOURS[horizon],
    confidence: CONFIDENCES[confidence],
  };
}
