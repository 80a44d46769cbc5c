import { CONFIDENCES, HORIZONS_HOURS, SIDES } from '../../src/forecast/predictor.ts';
import { quantile } from '../../src/risk/numeric/quantile.ts';
import { fitGeneralisedPareto } from '../../src/risk/tail/generalised-pareto.ts';
import { fitQuantileRegression } from '../../src/risk/tail/quantile-regression.ts';
import type { ForecastTable } from '../judge/tables.ts';
import { type FieldMarket, LEAST_BARS, type Stretch, trailingMeans } from './market.ts';
import { eachPath, LEAST_LOSS, write } from './paths.ts';
import type { Scales } from './scaled.ts';

/** Share of the scaled losses that the Pareto tail is fitted to. */
const TAIL_SHARE = 0.1;
/** Overlapping losses tell nearly the same; a fit takes every so many hours. */
const FIT_EVERY = 4;

/**
 * Extreme value theory on filtered losses (McNeil and Frey 2000): a generalised Pareto law over the 90 % quantile of the scaled excursions
 * of the year before the fold, times today's scale.
 */
export function forecastExtremes(
  market: FieldMarket,
  stretch: Stretch,
  scales: readonly Scales[],
  out: ForecastTable,
): void {
  eachPath((h, s) => {
    const { losses } = knownLosses(market, stretch, h, s, (i) => scales[h][i - stretch.from]);
    if (losses.length < LEAST_BARS / FIT_EVERY) return;
    const threshold = quantile(losses, 1 - TAIL_SHARE);
    const fit = fitGeneralisedPareto(
      losses.filter((loss) => loss > threshold).map((loss) => loss - threshold),
    );
    if (!fit.available || fit.shape >= 0.95) return;
    const multiples = CONFIDENCES.map((confidence) => {
      const ratio = (1 - confidence) / TAIL_SHARE;
      const growth =
        Math.abs(fit.shape) < 1e-9 ? -Math.log(ratio) : Math.expm1(-fit.shape * Math.log(ratio)) / fit.shape;
      const value = threshold + fit.scale * growth;
      return [value, (value + fit.scale - fit.shape * threshold) / (1 - fit.shape)] as const;
    });
    for (const [i, row] of stretch.rows.entries()) {
      const scale = scales[h][stretch.bar[i] - stretch.from];
      write(out, row, s, h, (c) => [multiples[c][0] * scale, multiples[c][1] * scale]);
    }
  });
}

/** Volatilities that the linear regression looks at, in hours. */
const LINE_WINDOWS = [4, 24, 168] as const;

/**
 * Linear quantile regression (Koenker and Bassett 1978) of the excursion on volatilities over several windows, on the market's known
 * past; ES is VaR times the mean of loss over VaR where VaR was exceeded, as the fit saw it.
 */
export function forecastLines(market: FieldMarket, stretch: Stretch, out: ForecastTable): void {
  const windows = LINE_WINDOWS.map((window) =>
    trailingMeans(market.variance, window).map((value) => Math.sqrt(value)),
  );
  eachPath((h, s) => {
    const { losses, at } = knownLosses(market, stretch, h, s, () => 1);
    if (losses.length < LEAST_BARS / FIT_EVERY) return;
    const columns = [
      new Float64Array(losses.length).fill(1),
      ...windows.map((own) => Float64Array.from(at, (i) => own[i])),
    ];
    let start: Float64Array | undefined;
    const lines = CONFIDENCES.map((confidence) => {
      const fit = fitQuantileRegression(columns, losses, confidence, undefined, start);
      if (fit === null) return null;
      start = fit.coefficients;
      let [sum, count] = [0, 0];
      for (let i = 0; i < losses.length; i++) {
        const value = lineAt(fit.coefficients, columns, i);
        if (!(losses[i] > value && value > LEAST_LOSS)) continue;
        sum += losses[i] / value;
        count++;
      }
      return { coefficients: fit.coefficients, ratio: count === 0 ? 1 : sum / count };
    });
    if (lines.includes(null)) return;
    for (const [i, row] of stretch.rows.entries()) {
      const today = [1, ...windows.map((own) => own[stretch.bar[i]])];
      write(out, row, s, h, (c) => {
        const { coefficients, ratio } = lines[c] ?? { coefficients: new Float64Array(4), ratio: 1 };
        const value = coefficients.reduce((sum, coefficient, k) => sum + coefficient * today[k], 0);
        return [value, value * ratio];
      });
    }
  });
}

function lineAt(coefficients: Float64Array, columns: readonly Float64Array[], i: number): number {
  let value = 0;
  for (let k = 0; k < coefficients.length; k++) value += coefficients[k] * columns[k][i];
  return value;
}

/** Losses over scale whose horizon had ended before the fold, every few hours of the year before it, and their bars. */
function knownLosses(
  { byHorizon }: FieldMarket,
  { from, fitEnd }: Stretch,
  horizon: number,
  side: number,
  scaleAt: (bar: number) => number,
): { readonly losses: Float64Array; readonly at: Int32Array } {
  const excursions = byHorizon[horizon];
  const raw = excursions[SIDES[side]];
  const at: number[] = [];
  for (let i = from; i + HORIZONS_HOURS[horizon] < fitEnd && i < excursions.length; i += FIT_EVERY)
    if (excursions.valid[i] === 1) at.push(i);
  return { losses: Float64Array.from(at, (i) => raw[i] / scaleAt(i)), at: Int32Array.from(at) };
}
