import { CONFIDENCES, HORIZONS_HOURS, SIDES } from '../../src/forecast/predictor.ts';
import { type CaviarSlope, fitCaviar } from '../../src/risk/tail/caviar.ts';
import type { ForecastTable } from '../judge/tables.ts';
import type { FieldMarket, Stretch } from './market.ts';
import { eachPath, write } from './paths.ts';

/** Losses of a fit, at most: the simplex goes through all of them hundreds of times. */
const MOST_LOSSES = 1000;

/**
 * CAViaR (Engle and Manganelli 2004) of excursions, one origin a horizon apart from the next so that none overlap: fitted on the chain that ends
 * before the fold, and each row is forecast by running the recursion over the chain that ends at it.
 */
export function forecastCaviar(
  market: FieldMarket,
  stretch: Stretch,
  slope: CaviarSlope,
  out: ForecastTable,
): void {
  const sums = cumulated(market.returns);
  eachPath((h, s) => {
    const hours = HORIZONS_HOURS[h];
    const excursions = market.byHorizon[h];
    const raw = excursions[SIDES[s]];
    const chain = chainBefore(stretch.fitEnd - 1, hours);
    const losses = Float64Array.from(chain.slice(0, -1), (i) => raw[i]);
    const returns = Float64Array.from(chain, (i) => sums[i + 1] - sums[Math.max(i + 1 - hours, 0)]);
    let start: Float64Array | undefined;
    const fits = CONFIDENCES.map((confidence) => {
      const fit = fitCaviar(losses, returns, confidence, slope, start);
      if (!fit.available) return null;
      start = fit.coefficients;
      // A recursion that answers falls alone may go below nothing after a rise it has not seen the like of.
      return { ...fit, least: fit.valueAtRisk.reduce((least, value) => Math.min(least, value)) };
    });
    if (fits.includes(null)) return;
    for (const [i, row] of stretch.rows.entries()) {
      const path = chainBefore(stretch.bar[i], hours, RECURSION);
      write(out, row, s, h, (c) => {
        const fit = fits[c];
        if (fit === null) return [0, 0];
        const value = Math.max(
          runThrough(fit.coefficients, fit.nextValueAtRisk, path, sums, hours),
          fit.least,
        );
        return [value, value * fit.shortfallRatio];
      });
    }
  });
}

/** Steps after which a recursion has forgotten where it began. */
const RECURSION = 150;

/** Bars a horizon apart, the oldest first, that end at a bar. */
function chainBefore(last: number, hours: number, most = MOST_LOSSES): Int32Array {
  const count = Math.min(Math.floor(last / hours), most);
  return Int32Array.from({ length: Math.max(count, 0) }, (_, i) => last - (count - 1 - i) * hours);
}

function runThrough(
  b: Float64Array,
  begin: number,
  chain: Int32Array,
  sums: Float64Array,
  hours: number,
): number {
  let value = begin;
  for (const i of chain) {
    const move = sums[i + 1] - sums[Math.max(i + 1 - hours, 0)];
    const answer =
      b.length === 3 ? b[2] * Math.abs(move) : b[2] * Math.max(move, 0) + b[3] * Math.max(-move, 0);
    value = b[0] + b[1] * value + answer;
  }
  return value;
}

/** Entry i + 1 is the sum of returns up to bar i. */
function cumulated(returns: Float64Array): Float64Array {
  const sums = new Float64Array(returns.length + 1);
  for (let i = 0; i < returns.length; i++) sums[i + 1] = sums[i] + returns[i];
  return sums;
}
