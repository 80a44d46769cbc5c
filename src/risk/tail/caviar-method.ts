import { automaticBlockLength, bootstrapInterval, type Interval } from '../numeric/block-bootstrap.ts';
import { type Unavailable, unavailable } from '../outcome.ts';
import { type CaviarFit, type CaviarSlope, fitCaviar } from './caviar.ts';
import { type MethodOutcome, MOST_REFITS, type RiskOptions, type RiskQuestion } from './estimates.ts';
import type { LossSample } from './loss-sample.ts';

export function caviar({ sample, confidence, options }: RiskQuestion, slope: CaviarSlope): MethodOutcome {
  const { losses, returns } = sample;
  // By origin: the return that ended there. None ended at the first.
  const known = Float64Array.from({ length: returns.length + 1 }, (_, i) => (i === 0 ? 0 : returns[i - 1]));
  const fit = fitCaviar(losses, known, confidence, slope);
  if (!fit.available) return fit;
  const interval = caviarInterval(sample, fit, known, confidence, options);
  const [b1, b2, b3, b4] = fit.coefficients;
  return {
    available: true,
    valueAtRisk: fit.nextValueAtRisk,
    expectedShortfall: fit.nextValueAtRisk * fit.shortfallRatio,
    parameters: {
      b1,
      b2,
      b3,
      ...(b4 === undefined ? {} : { b4 }),
      shortfallRatio: fit.shortfallRatio,
      pinball: fit.pinball,
    },
    interval,
  };
}

/**
 * Histories made anew, as for a fitted volatility: what followed each origin, in units of its VaR, is drawn in blocks (the step's return
 * and the horizon's loss together, in blocks of at least a horizon), VaR runs along, and each refit answers for today's history.
 */
function caviarInterval(
  { losses, returns, horizon }: LossSample,
  fit: CaviarFit,
  known: Float64Array,
  confidence: number,
  { bootstrap, seed }: RiskOptions,
): Interval | Unavailable {
  if (bootstrap === null) return unavailable('no interval was asked for');
  const n = losses.length;
  const unitLosses = losses.map((loss, i) => loss / fit.valueAtRisk[i]);
  const unitReturns = fit.valueAtRisk.map((value, i) => returns[i] / value);
  const remadeLosses = new Float64Array(n);
  const remadeReturns = new Float64Array(n + 1);
  const next = recursion(fit.coefficients);
  const plan = {
    ...bootstrap,
    replications: Math.min(bootstrap.replications, MOST_REFITS),
    seed,
    blockLength: Math.max(automaticBlockLength(unitLosses), horizon),
  };
  const interval = bootstrapInterval(n, plan, (places) => {
    let value = fit.valueAtRisk[0];
    for (let i = 0; i < n; i++) {
      if (i > 0) value = next(value, remadeReturns[i]);
      remadeLosses[i] = value * unitLosses[places[i]];
      remadeReturns[i + 1] = value * unitReturns[places[i]];
    }
    const again = fitCaviar(remadeLosses, remadeReturns, confidence, fit.slope, fit.coefficients);
    if (!again.available) return null;
    const answer = recursion(again.coefficients);
    let today = fit.valueAtRisk[0];
    for (let i = 1; i < known.length; i++) today = answer(today, known[i]);
    return today > 0 ? today : null;
  });
  return interval ?? unavailable('most resamples have no estimate');
}

/** VaR from the one before and the return since. */
function recursion([b1, b2, byRise, byFall = byRise]: Float64Array): (
  value: number,
  change: number,
) => number {
  return (value, change) => b1 + b2 * value + byRise * Math.max(change, 0) + byFall * Math.max(-change, 0);
}
