import { Random } from '../../random.ts';
import {
  automaticBlockLength,
  type BootstrapPlan,
  bootstrapInterval,
  type Interval,
} from '../numeric/block-bootstrap.ts';
import { type Unavailable, unavailable } from '../outcome.ts';
import { fitGarch } from '../volatility/garch/fit.ts';
import { garchVariance, shocksFrom, simulateGarch } from '../volatility/garch/forecast.ts';
import type { GarchModel, GarchParameters, GarchSpecification } from '../volatility/garch/model.ts';
import { type MethodOutcome, MOST_REFITS, type RiskOptions, type RiskQuestion } from './estimates.ts';
import { ewmaKnown, garchParameters } from './filters.ts';
import type { LossSample } from './loss-sample.ts';
import { normalRisk, reflectedNormalRisk, scaled, studentRisk } from './parametric.ts';
import { simulatedRisk } from './simulated.ts';
import type { TailRisk } from './value-at-risk.ts';

/** Methods that say how returns come about, and read VaR off that. */

/**
 * RiskMetrics (1996): normal returns with mean 0 and an exponentially weighted variance, √horizon for longer ones; an excursion by
 * reflection. The interval is that of the weighted mean of squares, by resampled blocks of standardised returns, as if
 * volatility had been the same for as long as the weights reach.
 */
export function ewma({ sample, confidence, options }: RiskQuestion): MethodOutcome {
  const { returns, horizon, target } = sample;
  const known = ewmaKnown(returns, options.decay);
  if (!known.available) return known;
  const { variance, parameters } = known;
  const volatility = Math.sqrt(variance[returns.length]);
  const unit = target === 'excursion' ? reflectedNormalRisk(confidence) : normalRisk(confidence);
  const risk = scaled(unit, volatility * Math.sqrt(horizon));
  const squares = returns.map((value, t) => value ** 2 / variance[t]);
  const decay = parameters.decay as number;
  const weighted = (at: (i: number) => number): number => {
    let sum = 0;
    let weight = 1;
    for (let i = squares.length - 1; i >= 0 && weight > 1e-12; i--) {
      sum += weight * at(i);
      weight *= decay;
    }
    return sum;
  };
  const mean = squares.reduce((sum, value) => sum + value, 0) / squares.length;
  const usual = weighted(() => mean);
  const interval = planned(sample, options, automaticBlockLength(squares), (places) => {
    const again = weighted((i) => squares[places[i]]);
    return risk.valueAtRisk * Math.sqrt(again / usual);
  });
  return { available: true, ...risk, parameters: { decay, nextVolatility: volatility }, interval };
}

/** Paths of a replication of the bootstrap, which only VaR is read off. */
const PATHS_PER_REPLICATION = 1000;

/**
 * A fitted GARCH or GJR model: the terminal loss of one step in closed form, everything else by simulated paths. The interval holds
 * the uncertainty of the parameters: histories are made anew from resampled residuals, the model is fitted to each, and each
 * fit answers for today's history (Pascual, Romo and Ruiz 2006; Christoffersen and Gonçalves 2005).
 */
export function garch({ sample, confidence, options }: RiskQuestion, model: GarchModel): MethodOutcome {
  const { returns } = sample;
  const { distribution, mean } = options;
  const fit = fitGarch(returns, { model, distribution, mean });
  if (!fit.available) return fit;
  const risk = modelRisk(sample, fit, confidence, options.simulations, options.seed);
  const residuals = returns.map((value, t) => (value - fit.parameters.mu) / Math.sqrt(fit.variance[t]));
  const remade = new Float64Array(returns.length);
  const interval = planned(sample, options, 1, (_, random) => {
    simulateGarch(model, fit.parameters, fit.variance[0], shocksFrom(residuals, random), remade);
    const again = fitGarch(remade, fit.specification, fit.parameters);
    if (!again.available) return null;
    const path = garchVariance(returns, fit.specification, again.parameters);
    const today = { ...again, nextVariance: path[returns.length] };
    return modelRisk(sample, today, confidence, PATHS_PER_REPLICATION, random.uint32()).valueAtRisk;
  });
  return { available: true, ...risk, parameters: garchParameters(fit), interval };
}

interface FittedModel {
  readonly specification: GarchSpecification;
  readonly parameters: GarchParameters;
  readonly nextVariance: number;
}

function modelRisk(
  sample: LossSample,
  fit: FittedModel,
  confidence: number,
  simulations: number,
  seed: number,
): TailRisk {
  const { horizon, target, side, seesWithinSteps } = sample;
  if (horizon > 1 || (target === 'excursion' && seesWithinSteps))
    return simulatedRisk(sample, fit, confidence, simulations, Random.stream(seed, 'garch-paths'));
  const { distribution } = fit.specification;
  const unit = distribution === 't' ? studentRisk(confidence, fit.parameters.nu) : normalRisk(confidence);
  const drift = side === 'long' ? -fit.parameters.mu : fit.parameters.mu;
  const risk = scaled(unit, Math.sqrt(fit.nextVariance), drift);
  if (target === 'terminal' || risk.valueAtRisk >= 0) return risk;
  // An excursion is never a gain; where VaR is none, ES is the mean of what is left of the tail.
  return simulatedRisk(sample, fit, confidence, simulations, Random.stream(seed, 'garch-paths'));
}

function planned(
  { returns, horizon }: LossSample,
  { bootstrap, seed }: RiskOptions,
  blockLength: number,
  statistic: (places: Uint32Array, random: Random) => number | null,
): Interval | Unavailable {
  if (bootstrap === null) return unavailable('no interval was asked for');
  const replications = Math.min(bootstrap.replications, MOST_REFITS);
  const plan: BootstrapPlan = { ...bootstrap, replications, seed, blockLength };
  if (returns.length < 3 * horizon) return unavailable('there are fewer than three horizons of returns');
  return bootstrapInterval(returns.length, plan, statistic) ?? unavailable('most resamples have no estimate');
}
