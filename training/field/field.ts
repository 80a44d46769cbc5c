import type { MarketHistory } from '../../src/risk/bars.ts';
import { emptyForecastTable, type ForecastTable, type OutcomeTable } from '../judge/tables.ts';
import type { Fold } from '../walk-forward.ts';
import { forecastCaviar } from './caviar.ts';
import { putRows, rowsAsBytes } from './kept-rows.ts';
import { type FieldMarket, fieldMarket, type Stretch } from './market.ts';
import { forecastScaled } from './scaled.ts';
import { forecastExtremes, forecastLines } from './tails.ts';
import {
  addToHar,
  ewmaScales,
  garchScales,
  harRegressions,
  harRegressors,
  harScales,
  pooledHarScales,
  type ScaleMethod,
  unitScales,
} from './volatility.ts';

/** How far a forecast follows volatility where it follows in part: measured, see `DEFAULT_VOLATILITY_EXPONENT`. */
const PARTIAL = 0.85;
const RIDGE = 1e-4;

/** The classical forecasters, each on every market, side, horizon and confidence. */
export const FIELD_METHODS = [
  'historical',
  'ewma-filtered',
  'garch-filtered',
  'gjr-garch-filtered',
  'har-filtered',
  'har-partly-filtered',
  'pooled-har-filtered',
  'pooled-har-partly-filtered',
  'har-extreme-value',
  'quantile-regression',
  'caviar-symmetric',
  'caviar-asymmetric',
] as const;
export type FieldMethod = (typeof FIELD_METHODS)[number];

/** Good ones that take little time, those first that are hardest to beat, after historical simulation; what a training is judged against unless all are asked for. */
export const QUICK_METHODS: readonly FieldMethod[] = [
  'historical',
  'har-extreme-value',
  'pooled-har-filtered',
  'pooled-har-partly-filtered',
  'har-partly-filtered',
  'gjr-garch-filtered',
  'quantile-regression',
  'ewma-filtered',
];

/**
 * Forecasts of the classical field on the rows of an outcome table, refitted at the begin of each fold on what was known then; filters and
 * empirical quantiles go on between. Nothing looks at a bar after its origin.
 *
 * @param onProgress is told how many markets are done; it may throw to stop.
 * @param kept the answers of a market that were made elsewhere, by `ClassicalField.piece`; null where there are none.
 */
export async function classicalField(
  markets: readonly MarketHistory[],
  outcomes: OutcomeTable,
  folds: readonly Fold[],
  methods: readonly FieldMethod[],
  onProgress: (done: number, total: number) => void,
  kept: (symbol: string) => Uint8Array | null = () => null,
): Promise<readonly ForecastTable[]> {
  const field = new ClassicalField(markets, outcomes, folds, methods);
  for (const [index, { symbol }] of markets.entries()) {
    onProgress(index, markets.length);
    const before = kept(symbol);
    if (before === null || !field.take(index, before)) field.forecast(index);
    // Signals and messages get their turn here.
    await new Promise(setImmediate);
  }
  onProgress(markets.length, markets.length);
  return field.tables;
}

/** The field of some outcomes, market by market: in any order, and some of them on another machine. */
export class ClassicalField {
  /** By method; NaN where nothing was forecast yet. */
  readonly tables: readonly ForecastTable[];
  readonly #markets: readonly MarketHistory[];
  readonly #outcomes: OutcomeTable;
  readonly #folds: readonly Fold[];
  readonly #methods: readonly FieldMethod[];
  /** What methods that learn from all markets need of each: made with the first market that is forecast here. */
  #prepared: Prepared | null = null;

  constructor(
    markets: readonly MarketHistory[],
    outcomes: OutcomeTable,
    folds: readonly Fold[],
    methods: readonly FieldMethod[],
  ) {
    this.#markets = markets;
    this.#outcomes = outcomes;
    this.#folds = folds;
    this.#methods = methods;
    this.tables = methods.map((method) =>
      emptyForecastTable(method, outcomes.rows, {
        shockProbability: isScaled(method),
        variance: isScaled(method) && !method.includes('partly'),
      }),
    );
  }

  /** Fills in the rows of a market. @param index its position among the markets. */
  forecast(index: number): void {
    this.#prepared ??= this.#prepare();
    const { field, pooled } = this.#prepared;
    const market = field[index];
    if (market === null) return;
    const forecast = forecasterOf(market, this.#outcomes, pooled);
    for (const stretch of market.stretches)
      for (const [i, method] of this.#methods.entries()) forecast(method, stretch, this.tables[i]);
  }

  /** The rows of a market as bytes. */
  piece(index: number): Buffer {
    return rowsAsBytes(this.tables, this.#rowsOf(index));
  }

  /** Fills in the rows of a market from what `piece` made. @returns whether it was of this field; nothing was filled in otherwise. */
  take(index: number, piece: Uint8Array): boolean {
    return putRows(this.tables, this.#rowsOf(index), piece);
  }

  #prepare(): Prepared {
    const field = this.#markets.map((history, index) =>
      fieldMarket(history, index, this.#outcomes, this.#folds),
    );
    const isPooled = this.#methods.some((method) => method.startsWith('pooled'));
    return { field, pooled: isPooled ? pooledCoefficients(field, this.#folds) : [] };
  }

  #rowsOf(index: number): Uint32Array {
    const { market, rows } = this.#outcomes;
    return Uint32Array.from({ length: rows }, (_, row) => row).filter((row) => market[row] === index);
  }
}

interface Prepared {
  readonly field: readonly (FieldMarket | null)[];
  /** By fold, as `pooledCoefficients` has them. */
  readonly pooled: readonly (readonly Float64Array[])[];
}

function isScaled(method: FieldMethod): boolean {
  return method === 'historical' || method.endsWith('filtered');
}

function forecasterOf(
  market: FieldMarket,
  outcomes: OutcomeTable,
  pooled: readonly (readonly Float64Array[])[],
): (method: FieldMethod, stretch: Stretch, out: ForecastTable) => void {
  const garch = { garch: garchScales('garch'), gjr: garchScales('gjr') };
  const pooledScales = pooledHarScales((stretch) => pooled[stretch.fold] ?? null);
  const scaled = (of: ScaleMethod, exponent: number, stretch: Stretch, out: ForecastTable): void => {
    const scales = of(market, stretch);
    if (scales !== null) forecastScaled(market, stretch, outcomes, scales, exponent, out);
  };
  return (method, stretch, out) => {
    switch (method) {
      case 'historical':
        return scaled(unitScales, 0, stretch, out);
      case 'ewma-filtered':
        return scaled(ewmaScales, 1, stretch, out);
      case 'garch-filtered':
        return scaled(garch.garch, 1, stretch, out);
      case 'gjr-garch-filtered':
        return scaled(garch.gjr, 1, stretch, out);
      case 'har-filtered':
        return scaled(harScales, 1, stretch, out);
      case 'har-partly-filtered':
        return scaled(harScales, PARTIAL, stretch, out);
      case 'pooled-har-filtered':
        return scaled(pooledScales, 1, stretch, out);
      case 'pooled-har-partly-filtered':
        return scaled(pooledScales, PARTIAL, stretch, out);
      case 'har-extreme-value': {
        const scales = harScales(market, stretch);
        if (scales !== null) forecastExtremes(market, stretch, scales, out);
        return;
      }
      case 'quantile-regression':
        return forecastLines(market, stretch, out);
      case 'caviar-symmetric':
        return forecastCaviar(market, stretch, 'symmetric', out);
      case 'caviar-asymmetric':
        return forecastCaviar(market, stretch, 'asymmetric', out);
    }
  };
}

/** By fold: coefficients of the log-HAR of all markets together, by horizon. */
function pooledCoefficients(
  field: readonly (FieldMarket | null)[],
  folds: readonly Fold[],
): readonly (readonly Float64Array[])[] {
  const squares = folds.map(harRegressions);
  for (const market of field) {
    if (market === null) continue;
    const regressors = harRegressors(market);
    for (const stretch of market.stretches) {
      addToHar(market, regressors, stretch.fitEnd, squares[stretch.fold]);
    }
  }
  return squares.map((byHorizon) => byHorizon.map((own) => own.solve(RIDGE)));
}
