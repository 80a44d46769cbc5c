import { Random } from '../../random.ts';
import { quantile } from '../numeric/quantile.ts';
import { type TestOutcome, type TestResult, type Unavailable, unavailable } from '../outcome.ts';

/** Forecasts beside what happened, by time; losses, VaR and ES positive for losses. Arrays equally long. */
export interface JudgedForecasts {
  readonly loss: Float64Array;
  readonly valueAtRisk: Float64Array;
  readonly expectedShortfall: Float64Array;
  readonly confidence: number;
}

/** Samples behind a simulated p-value: its standard error is below 0.005 at a p-value of 5 %. */
export const SIMULATIONS = 2000;

/** A test whose p-value is simulated, with the value that right forecasts fall below once in twenty times. */
export type SimulatedOutcome =
  | ({ readonly available: true; readonly criticalValue: number } & TestResult)
  | Unavailable;

export interface AcerbiSzekely {
  readonly z1: SimulatedOutcome;
  readonly z2: SimulatedOutcome;
}

/**
 * The first and the second test of Acerbi and Székely (2014), with losses positive: Z₁ = 1 − Σ(loss · hit / ES) / Σ hit, Z₂ =
 * 1 − Σ(loss · hit / ES) / (n α). Both are 0 on average when the forecasts are right and negative when risk is understated.
 *
 * The p-value is the share of simulated samples that are as negative. VaR and ES alone do not say what lies beyond VaR: the
 * samples have hits with probability α, and beyond VaR an exponential excess with the mean ES − VaR.
 *
 * @param seed of the simulation. @param simulations 0 for none, and then no answer.
 */
export function acerbiSzekely(
  forecasts: JudgedForecasts,
  seed: number,
  simulations = SIMULATIONS,
): AcerbiSzekely {
  if (simulations === 0) {
    const reason = unavailable('no simulation was asked for, and it has no p-value without one');
    return { z1: reason, z2: reason };
  }
  const { loss, valueAtRisk, expectedShortfall, confidence } = forecasts;
  const n = loss.length;
  const alpha = 1 - confidence;
  let hits = 0;
  let sum = 0;
  for (let t = 0; t < n; t++) {
    if (!(expectedShortfall[t] > 0)) {
      const reason = unavailable('an ES is not above zero: losses cannot be measured by it');
      return { z1: reason, z2: reason };
    }
    if (loss[t] <= valueAtRisk[t]) continue;
    hits++;
    sum += loss[t] / expectedShortfall[t];
  }
  const samples = simulate(forecasts, simulations, Random.stream(seed, 'acerbi-szekely'));
  const z2 = 1 - sum / (n * alpha);
  const judged2 = outcomeOf(z2, samples.z2);
  if (hits === 0) return { z1: unavailable('no loss exceeded VaR'), z2: judged2 };
  if (samples.z1.length === 0)
    return { z1: unavailable('no simulated loss exceeded VaR: too few observations'), z2: judged2 };
  const z1 = 1 - sum / hits;
  return { z1: outcomeOf(z1, samples.z1), z2: judged2 };
}

function simulate(
  { valueAtRisk, expectedShortfall, confidence }: JudgedForecasts,
  simulations: number,
  random: Random,
): { z1: number[]; z2: number[] } {
  const n = valueAtRisk.length;
  const alpha = 1 - confidence;
  const z1: number[] = [];
  const z2: number[] = [];
  for (let s = 0; s < simulations; s++) {
    let hits = 0;
    let sum = 0;
    // From hit to hit by geometric gaps: at 99 % that is a hundredth of the draws.
    for (let t = gap(random, confidence); t < n; t += 1 + gap(random, confidence)) {
      const excess = (expectedShortfall[t] - valueAtRisk[t]) * random.exponential();
      hits++;
      sum += (valueAtRisk[t] + excess) / expectedShortfall[t];
    }
    z2.push(1 - sum / (n * alpha));
    if (hits > 0) z1.push(1 - sum / hits);
  }
  return { z1, z2 };
}

function gap(random: Random, confidence: number): number {
  return Math.floor(-random.exponential() / Math.log(confidence));
}

function outcomeOf(statistic: number, samples: readonly number[]): SimulatedOutcome {
  if (!Number.isFinite(statistic))
    return unavailable('there is no loss, or one too large to be measured by ES');
  return {
    available: true,
    statistic,
    pValue: shareUpTo(samples, statistic),
    criticalValue: quantile(Float64Array.from(samples), 0.05),
  };
}

/** With the sample itself among them, so that no p-value is 0 (Davison and Hinkley 1997, 4.2). */
function shareUpTo(samples: readonly number[], value: number): number {
  let count = 1;
  for (const sample of samples) if (sample <= value) count++;
  return count / (samples.length + 1);
}

/**
 * McNeil and Frey (2000): where VaR was exceeded, losses must equal ES on average. The statistic is Student's t of the
 * residuals (loss − ES) / ES; its one-sided p-value, that losses are not larger, comes from a bootstrap of the centred residuals
 * (Efron and Tibshirani 1993, 16.4).
 *
 * @param seed of the bootstrap.
 */
export function mcNeilFrey(
  { loss, valueAtRisk, expectedShortfall }: JudgedForecasts,
  seed: number,
  simulations = SIMULATIONS,
): TestOutcome {
  if (simulations === 0) return unavailable('no resampling was asked for, and it has no p-value without it');
  const residuals: number[] = [];
  for (let t = 0; t < loss.length; t++) {
    if (loss[t] <= valueAtRisk[t]) continue;
    if (!(expectedShortfall[t] > 0))
      return unavailable('an ES is not above zero: losses cannot be measured by it');
    residuals.push((loss[t] - expectedShortfall[t]) / expectedShortfall[t]);
  }
  if (residuals.length < LEAST_HITS)
    return unavailable(`${residuals.length} exceedances are too few; ${LEAST_HITS} are needed`);
  const observed = studentOf(residuals);
  if (observed === null) return unavailable('all losses beyond VaR stand in the same relation to ES');
  const mean = residuals.reduce((sum, value) => sum + value, 0) / residuals.length;
  const centred = residuals.map((value) => value - mean);
  const random = Random.stream(seed, 'mcneil-frey');
  let asLarge = 1;
  let drawn = 1;
  for (let s = 0; s < simulations; s++) {
    const t = studentOf(centred.map(() => centred[random.integer(centred.length)]));
    if (t === null) continue;
    drawn++;
    if (t >= observed) asLarge++;
  }
  return { available: true, statistic: observed, pValue: asLarge / drawn };
}

const LEAST_HITS = 5;

/** Null where the values do not differ. */
function studentOf(values: readonly number[]): number | null {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (n - 1));
  return deviation > Number.EPSILON * Math.max(1, Math.abs(mean)) ? mean / (deviation / Math.sqrt(n)) : null;
}
