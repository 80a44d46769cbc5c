import { describe, expect, test } from 'vitest';
import { automaticBlockLength, bootstrapInterval, type Interval } from '../numeric/block-bootstrap.ts';
import { asymmetricReturns } from '../park-miller.fixture.ts';
import { ageWeights, effectiveAgeCount, weightedRisk } from './age-weighted.ts';
import { cornishFisherRisk } from './cornish-fisher.ts';
import {
  type MethodAnswer,
  type MethodOutcome,
  type RiskOptions,
  type RiskQuestion,
  STANDARD_OPTIONS,
} from './estimates.ts';
import { extremeValueInterval, extremeValueRisk } from './extreme-value.ts';
import { lossScales } from './filters.ts';
import { lossesOfReturns } from './loss-sample.ts';
import { ageWeighted, cornishFisher, extremeValue, filtered, historical } from './sample-methods.ts';
import { historicalRisk } from './value-at-risk.ts';

const returns = asymmetricReturns();
const alone: RiskOptions = { ...STANDARD_OPTIONS, bootstrap: null };
const daily = lossesOfReturns(returns, 'long', 1, 'terminal');
/** Losses of which the exceedances cluster: their own blocks are longer than the horizon. */
const clustered = lossesOfReturns(returns.slice(0, 500), 'long', 2, 'terminal');
/** Losses that overlap over more than the exceedances ask for. */
const overlapping = lossesOfReturns(returns.slice(0, 1200), 'short', 40, 'terminal');

function answered(outcome: MethodOutcome): MethodAnswer {
  if (!outcome.available) throw new Error(outcome.reason);
  return outcome;
}

/** The interval as it is documented: of blocks as long as the exceedances ask for and never shorter than the horizon. */
function slowInterval(
  { sample, confidence, options }: RiskQuestion,
  losses: Float64Array,
  statistic: (resampled: Float64Array, places: Uint32Array) => number | null,
): Interval {
  const level = historicalRisk(losses, confidence).valueAtRisk;
  const exceeded = losses.map((loss) => Number(loss > level));
  const blockLength = Math.max(automaticBlockLength(exceeded), sample.horizon);
  const plan = { replications: 40, level: 0.8, seed: options.seed, blockLength };
  const interval = bootstrapInterval(losses.length, plan, (places) =>
    statistic(
      Float64Array.from(places, (place) => losses[place]),
      places,
    ),
  );
  if (interval === null) throw new Error('no interval');
  return interval;
}

describe('intervals are those of resampled blocks, written out', () => {
  const options: RiskOptions = { ...STANDARD_OPTIONS, seed: 3, bootstrap: { replications: 40, level: 0.8 } };

  test('of samples of which one asks for longer blocks than its horizon, and the other for shorter ones', () => {
    const asked = [clustered, overlapping].map(({ losses }) => {
      const level = historicalRisk(losses, 0.95).valueAtRisk;
      return automaticBlockLength(losses.map((loss) => Number(loss > level)));
    });
    expect(asked[0]).toBeGreaterThan(clustered.horizon);
    expect(asked[1]).toBeLessThan(overlapping.horizon);
  });

  test.each([
    ['clustered', clustered],
    ['overlapping', overlapping],
  ] as const)('of %s losses', (_, sample) => {
    const question = { sample, confidence: 0.95, options };
    const { losses } = sample;
    expect(answered(historical(question)).interval).toEqual(
      slowInterval(question, losses, (again) => historicalRisk(again, 0.95).valueAtRisk),
    );

    const weights = ageWeights(losses.length, options.ageDecay);
    expect(answered(ageWeighted(question)).interval).toEqual(
      slowInterval(question, losses, (again, places) => {
        const drawn = Float64Array.from(places, (place) => weights[place]);
        return weightedRisk(again, drawn, 0.95).valueAtRisk;
      }),
    );

    const scales = lossScales(sample, options);
    if (!scales.available) throw new Error(scales.reason);
    expect(answered(filtered(question)).interval).toEqual(
      slowInterval(
        question,
        scales.standardised,
        (again) => scales.today * historicalRisk(again, 0.95).valueAtRisk,
      ),
    );

    const { exceedances } = answered(extremeValue(question)).parameters;
    expect(answered(extremeValue(question)).interval).toEqual(
      slowInterval(question, losses, (again) => {
        const risk = extremeValueRisk(again, 0.95, Number(exceedances) / losses.length);
        return risk.available ? risk.valueAtRisk : null;
      }),
    );
  });

  test('of the expansion and of a filtered tail', () => {
    const question = { sample: daily, confidence: 0.99, options };
    expect(answered(cornishFisher(question)).interval).toEqual(
      slowInterval(question, daily.losses, (again) => {
        const risk = cornishFisherRisk(again, 0.99);
        return risk.available ? risk.valueAtRisk : null;
      }),
    );
    const conditional = { ...question, options: { ...options, isConditional: true } };
    const scales = lossScales(daily, options);
    if (!scales.available) throw new Error(scales.reason);
    const share = Number(answered(extremeValue(conditional)).parameters.exceedances) / 2000;
    expect(answered(extremeValue(conditional)).interval).toEqual(
      slowInterval(question, scales.standardised, (again) => {
        const risk = extremeValueRisk(again, 0.99, share);
        return risk.available ? scales.today * risk.valueAtRisk : null;
      }),
    );
  });

  test('need three horizons of losses, an order, and most resamples to have an answer', () => {
    const of = (count: number): MethodAnswer['interval'] => {
      const sample = lossesOfReturns(returns.slice(0, count + 9), 'long', 10, 'terminal');
      return answered(historical({ sample, confidence: 0.9, options })).interval;
    };
    expect(of(29)).toMatchObject({ available: false, reason: expect.stringContaining('three horizons') });
    expect(of(30)).toMatchObject({ available: true });
    expect(answered(historical({ sample: daily, confidence: 0.9, options: alone })).interval).toMatchObject({
      available: false,
      reason: expect.stringContaining('asked'),
    });
  });
});

describe('what is told beside VaR and ES', () => {
  test('of age weights: the decay and how many losses they are worth', () => {
    const { parameters } = answered(ageWeighted({ sample: daily, confidence: 0.99, options: alone }));
    expect(parameters).toEqual({ decay: 0.98, effectiveCount: effectiveAgeCount(2000, 0.98) });
    expect(answered(historical({ sample: daily, confidence: 0.99, options: alone })).parameters).toEqual({});
  });

  test('of filtered losses: the filter and its exponent, VaR and ES in the volatility of today', () => {
    const options = { ...alone, exponent: 0.5 };
    const risk = answered(filtered({ sample: daily, confidence: 0.99, options }));
    expect(risk.parameters).toEqual({ filter: 'ewma', decay: 0.94, exponent: 0.5 });
    // NumPy.
    expect(risk.valueAtRisk / 0.04039410454329673).toBeCloseTo(1, 10);
    expect(risk.expectedShortfall / 0.055400385335419355).toBeCloseTo(1, 10);
  });

  test('of a tail: its threshold, its parameters, their errors and the profile interval', () => {
    const question = { sample: daily, confidence: 0.99, options: alone };
    const risk = extremeValueRisk(daily.losses, 0.99, 0.1);
    if (!risk.available) throw new Error(risk.reason);
    const profile = extremeValueInterval(risk, 2000, 0.99);
    expect(answered(extremeValue(question)).parameters).toEqual({
      threshold: risk.threshold,
      exceedances: 200,
      shape: risk.tail.shape,
      scale: risk.tail.scale,
      shapeStandardError: risk.tail.standardErrors.shape,
      scaleStandardError: risk.tail.standardErrors.scale,
      profileLow: profile.low,
      profileHigh: profile.high,
    });
  });

  test('of a filtered tail: the same in units of volatility, VaR, ES and the profile in that of today', () => {
    const options = { ...alone, isConditional: true };
    const scales = lossScales(daily, options);
    if (!scales.available) throw new Error(scales.reason);
    const risk = extremeValueRisk(scales.standardised, 0.99, 0.1);
    if (!risk.available) throw new Error(risk.reason);
    const profile = extremeValueInterval(risk, 2000, 0.99);
    const answer = answered(extremeValue({ sample: daily, confidence: 0.99, options }));
    expect(answer.valueAtRisk).toBe(scales.today * risk.valueAtRisk);
    expect(answer.expectedShortfall).toBe(scales.today * risk.expectedShortfall);
    expect(answer.parameters).toMatchObject({
      filter: 'ewma',
      decay: 0.94,
      threshold: risk.threshold,
      profileLow: scales.today * profile.low,
      profileHigh: scales.today * profile.high,
    });
  });

  test('of the expansion: the moments that it is made of', () => {
    const risk = cornishFisherRisk(daily.losses, 0.99);
    if (!risk.available) throw new Error(risk.reason);
    const { mean, deviation, skewness, excessKurtosis } = risk;
    const answer = answered(cornishFisher({ sample: daily, confidence: 0.99, options: alone }));
    expect(answer.parameters).toEqual({ mean, deviation, skewness, excessKurtosis });
  });
});

test('where the volatility, the tail or the expansion has no answer, nor has the method', () => {
  const still = lossesOfReturns(new Float64Array(100), 'long', 1, 'terminal');
  const question = { sample: still, confidence: 0.99, options: alone };
  const reasoned = { available: false, reason: expect.any(String) };
  const ofVolatility = { available: false, reason: expect.stringContaining('volatility') };
  expect(filtered(question)).toMatchObject(ofVolatility);
  expect(extremeValue({ ...question, options: { ...alone, isConditional: true } })).toMatchObject(
    ofVolatility,
  );
  expect(extremeValue({ sample: daily, confidence: 0.8, options: alone })).toMatchObject(reasoned);
  const skewed = lossesOfReturns(returns, 'long', 8, 'excursion');
  expect(cornishFisher({ sample: skewed, confidence: 0.99, options: alone })).toMatchObject(reasoned);
});
