import type { ForecastAxes } from './curve.ts';
import type { DecisionContext } from './decide.ts';
import { NO_GOVERNANCE } from './governance.ts';
import type { MarketInput, SourceForecast } from './market-input.ts';
import { DEFAULT_POLICY, type Policy } from './policy.ts';

/** Inputs of decisions for tests: markets whose tails grow with the square root of time. */
export const AXES: ForecastAxes = { horizonsHours: [1, 4, 8, 24], confidences: [0.95, 0.99, 0.995, 0.999] };
export const SIDES = 2;
export const DECIDED_AT = Date.UTC(2024, 5, 1);
export const HOUR = 3_600_000;

/** The default one, but a closeout is covered at 99.5 %, and the shock model is believed as far as stress goes. */
export const EXAMPLE_POLICY: Policy = {
  ...DEFAULT_POLICY,
  maintenanceConfidence: 0.995,
  bounds: { ...DEFAULT_POLICY.bounds, modelMaximumRatio: 100 },
};

/** VaR over one hour at the confidences of `AXES`, as multiples of the one at 99.5 %. */
const QUANTILE_SHAPE = [0.45, 0.8, 1, 1.6];
/** ES as a multiple of the VaR of the same cell. */
const SHORTFALL_RATIO = 1.22;

/** @param hourlyTail VaR at 99.5 % over one hour. @param shortRatio how much lighter the short side is. */
export function forecast(predictor: string, hourlyTail: number, shortRatio = 0.9): SourceForecast {
  const { horizonsHours, confidences } = AXES;
  const valueAtRisk = new Float64Array(SIDES * horizonsHours.length * confidences.length);
  for (let i = 0; i < valueAtRisk.length; i++) {
    const hours = horizonsHours[Math.floor(i / confidences.length) % horizonsHours.length];
    const isLong = i < valueAtRisk.length / SIDES;
    const value =
      hourlyTail * QUANTILE_SHAPE[i % confidences.length] * Math.sqrt(hours) * (isLong ? 1 : shortRatio);
    valueAtRisk[i] = Math.min(value, isLong ? 1 : value);
  }
  const paths = SIDES * horizonsHours.length;
  return {
    predictor,
    unavailable: '',
    valueAtRisk,
    expectedShortfall: valueAtRisk.map((value) => value * SHORTFALL_RATIO),
    shockThreshold: new Float64Array(paths).fill(hourlyTail),
    shockProbability: new Float64Array(paths).fill(0.05),
  };
}

export function absent(predictor: string, reason: string): SourceForecast {
  return { ...forecast(predictor, 0), unavailable: reason };
}

/** A large market: 99.5 % VaR over 1 h 2.3 %, 99 % ES over 4 h 4.5 %, 500 million traded in a quiet hour. */
export function largeMarket(changes: Partial<MarketInput> = {}): MarketInput {
  return {
    symbol: 'BTCUSDT',
    simulated: false,
    asOf: DECIDED_AT - HOUR,
    quality: 'accept',
    qualityFindings: [],
    historyDays: 1500,
    stale: false,
    shockModel: forecast('shock-network@test', 0.023),
    historical: forecast('historical@1', 0.021),
    filtered: forecast('filtered@1', 0.02),
    tail: forecast('tail@1', 0.0195),
    antiProcyclical: absent('none', 'the policy has no floor'),
    stress: {
      excursion: Float64Array.of(0.267, 0.349, 0.391, 0.525, 0.35, 0.5, 0.7, 1),
      source: 'short-squeeze',
    },
    liquidity: { hourlyVolume: 500e6, dailyVolatility: 0.03 },
    openInterest: null,
    ...changes,
  };
}

export function context(changes: Partial<DecisionContext> = {}): DecisionContext {
  return {
    policy: EXAMPLE_POLICY,
    axes: AXES,
    decidedAt: DECIDED_AT,
    model: 'shock-network@test',
    inputsHash: '0'.repeat(64),
    governance: NO_GOVERNANCE,
    marketWide: { markets: 40, stressedShare: 0.02, commonShock: 0.5, source: 'test' },
    ...changes,
  };
}
