import type { Random } from '../../src/random.ts';
import { SECTORS } from './markets.ts';

/**
 * What all markets of the sample share in an hour: the regime, the volatility, the market and sector factors along
 * the hour, a common jump, and the time of day.
 *
 * Volatility is the product of a Markov regime (Hamilton 1989), two log-volatilities that revert at different speeds
 * and answer falls more than rises (the leverage effect; two-factor stochastic volatility, Chernov et al. 2003), a
 * Student-t scale, and a shape over the day. Common jumps excite further ones (Hawkes 1971).
 */
export const STEPS_PER_HOUR = 6;

export const REGIMES = ['calm', 'normal', 'stressed', 'recovery'] as const;
const STRESSED = 2;
const HOURS_PER_DAY = 24;

/** Chance per hour of going from row to column; what is missing to 1 stays. */
const TRANSITIONS: readonly (readonly number[])[] = [
  [0, 1 / (20 * HOURS_PER_DAY), 1 / (150 * HOURS_PER_DAY), 0],
  [1 / (14 * HOURS_PER_DAY), 0, 1 / (40 * HOURS_PER_DAY), 0],
  [0, 1 / (10 * HOURS_PER_DAY), 0, 1 / (2.5 * HOURS_PER_DAY)],
  [0, 1 / (5 * HOURS_PER_DAY), 1 / (30 * HOURS_PER_DAY), 0],
];
const REGIME_VOLATILITY = [0.68, 1, 1.7, 1.35];
/** Log return of the market factor per hour. */
const REGIME_DRIFT = [0.00007, 0.00003, -0.0004, 0.0004];
const JUMPS_PER_DAY = [0.008, 0.02, 0.3, 0.06];

/** Expected further jumps that a jump brings forth; below 1, else they would never end. */
const JUMP_EXCITATION = 0.35;
const JUMP_DECAY = halfLife(6);
const SHARE_OF_FALLS = 0.7;
const LARGEST_JUMP = 0.16;

const SLOW = { decay: halfLife(150), deviation: 0.3, leverage: -0.15 };
const FAST = { decay: halfLife(10), deviation: 0.28, leverage: -0.35 };
const AFTERSHOCK_DECAY = halfLife(10);
const MARKET_DEGREES_OF_FREEDOM = 7;

/** The market factor's hourly volatility in the normal regime; it only turns returns into shocks of unit size. */
const FACTOR_VOLATILITY = 0.005;

/**
 * Shape of the trading day by hour, UTC, and of the week from Sunday: the averages of range and of volume on
 * Binance's BTC perpetual in 2022 and 2023, smoothed.
 */
const RANGE_BY_HOUR = [
  1.06, 0.98, 0.88, 0.79, 0.74, 0.75, 0.79, 0.8, 0.84, 0.82, 0.82, 0.87, 1.07, 1.23, 1.36, 1.3, 1.22, 1.14,
  1.15, 1.13, 1.1, 1.07, 1.04, 0.97,
];
const VOLUME_BY_HOUR = [
  0.93, 0.84, 0.76, 0.67, 0.62, 0.64, 0.7, 0.76, 0.85, 0.83, 0.84, 0.9, 1.22, 1.51, 1.74, 1.66, 1.47, 1.27,
  1.21, 1.15, 1.02, 0.86, 0.82, 0.8,
];
const RANGE_BY_WEEKDAY = [0.77, 1.11, 1.1, 1.14, 1.1, 1.07, 0.72];
const VOLUME_BY_WEEKDAY = [0.65, 1.14, 1.14, 1.2, 1.14, 1.1, 0.6];

/** What the next hour needs to know of the past. Plain data, so that it can be kept and taken up again. */
export interface WeatherState {
  regime: number;
  slow: number;
  fast: number;
  /** Raises log-volatility after a common jump and decays. */
  aftershock: number;
  /** Extra chance of a common jump in the next hour. */
  jumpHeat: number;
  /** Last hour's market return in units of its volatility, at most 4 either way. */
  shock: number;
}

/** The weather of one hour. One object is reused for all hours. */
export interface Weather {
  /** Multiple of the normal volatility that all markets feel, without the tail scale and the shape of the day. */
  volatility: number;
  /** The same with the shape of the day. */
  volatilityNow: number;
  /** Multiple of the normal volume by hour and weekday. */
  volumeShape: number;
  /** Standard deviation of the market factor over the hour, given everything above and the tail scale. */
  factorScale: number;
  sectorScale: number;
  /** Increments by step of factors with unit loading and unit volatility in a normal hour. */
  readonly factor: Float64Array;
  /** By sector, then step. */
  readonly sectors: Float64Array;
  driftPerHour: number;
  /** Log size of a common jump for a jump beta of 1; 0 for none. */
  jump: number;
  jumpStep: number;
  regime: number;
}

export function initialWeatherState(): WeatherState {
  return { regime: 1, slow: 0, fast: 0, aftershock: 0, jumpHeat: 0, shock: 0 };
}

export function emptyWeather(): Weather {
  return {
    volatility: 1,
    volatilityNow: 1,
    volumeShape: 1,
    factorScale: 1,
    sectorScale: 1,
    factor: new Float64Array(STEPS_PER_HOUR),
    sectors: new Float64Array(SECTORS.length * STEPS_PER_HOUR),
    driftPerHour: 0,
    jump: 0,
    jumpStep: 0,
    regime: 1,
  };
}

/** Moves `state` over the hour that opens at `openTime` (epoch milliseconds) and writes that hour's weather. */
export function advanceWeather(
  state: WeatherState,
  random: Random,
  openTime: number,
  weather: Weather,
): void {
  state.regime = nextRegime(state.regime, random.uniform());
  state.slow = nextLogVolatility(state.slow, SLOW, state.shock, random.normal());
  state.fast = nextLogVolatility(state.fast, FAST, state.shock, random.normal());
  const hour = Math.floor(openTime / 3_600_000);
  const hourOfDay = hour % HOURS_PER_DAY;
  // 1 January 1970 was a Thursday.
  const weekday = (Math.floor(hour / HOURS_PER_DAY) + 4) % 7;
  // The deviations are taken off so that the mean square of the multiplier stays 1 however much it moves.
  const level = state.slow + state.fast - SLOW.deviation * SLOW.deviation - FAST.deviation * FAST.deviation;

  weather.regime = state.regime;
  weather.volatility = REGIME_VOLATILITY[state.regime] * Math.exp(level + state.aftershock);
  weather.volatilityNow = weather.volatility * RANGE_BY_HOUR[hourOfDay] * RANGE_BY_WEEKDAY[weekday];
  weather.volumeShape = VOLUME_BY_HOUR[hourOfDay] * VOLUME_BY_WEEKDAY[weekday];
  weather.driftPerHour = REGIME_DRIFT[state.regime];
  weather.factorScale = weather.volatilityNow * tailScale(random, MARKET_DEGREES_OF_FREEDOM);
  weather.sectorScale = weather.volatilityNow * tailScale(random, MARKET_DEGREES_OF_FREEDOM);
  const perStep = 1 / Math.sqrt(STEPS_PER_HOUR);
  let factorReturn = 0;
  for (let step = 0; step < STEPS_PER_HOUR; step++) {
    weather.factor[step] = weather.factorScale * perStep * random.normal();
    factorReturn += weather.factor[step];
  }
  for (let i = 0; i < weather.sectors.length; i++) {
    weather.sectors[i] = weather.sectorScale * perStep * random.normal();
  }

  weather.jump = commonJump(state, random);
  weather.jumpStep = random.integer(STEPS_PER_HOUR);
  state.aftershock *= AFTERSHOCK_DECAY;
  state.jumpHeat *= JUMP_DECAY;
  if (weather.jump !== 0) {
    state.aftershock = Math.min(0.7, state.aftershock + 8 * Math.abs(weather.jump));
    state.jumpHeat += JUMP_EXCITATION * (1 - JUMP_DECAY);
    // A crash out of a calm sky is the start of stress.
    if (weather.jump < -0.06) state.regime = STRESSED;
  }
  const shock = (factorReturn + weather.jump / FACTOR_VOLATILITY) / weather.volatility;
  state.shock = Math.max(-4, Math.min(4, shock));
}

function nextRegime(regime: number, uniform: number): number {
  let passed = 0;
  for (let next = 0; next < REGIMES.length; next++) {
    passed += TRANSITIONS[regime][next];
    if (uniform < passed) return next;
  }
  return regime;
}

function commonJump(state: WeatherState, random: Random): number {
  const happens = random.uniform() < JUMPS_PER_DAY[state.regime] / HOURS_PER_DAY + state.jumpHeat;
  const falls = random.uniform() < SHARE_OF_FALLS;
  const size = random.exponential();
  if (!happens) return 0;
  return falls ? -Math.min(LARGEST_JUMP, 0.024 + 0.019 * size) : Math.min(LARGEST_JUMP, 0.014 + 0.01 * size);
}

export interface LogVolatility {
  /** What is left of a deviation after an hour. */
  readonly decay: number;
  /** Stationary standard deviation. */
  readonly deviation: number;
  /** Correlation with the last hour's return shock. */
  readonly leverage: number;
}

/** One step of a stationary first-order autoregression whose innovation is correlated with a return shock. */
export function nextLogVolatility(value: number, model: LogVolatility, shock: number, noise: number): number {
  const innovation = model.leverage * shock + Math.sqrt(1 - model.leverage * model.leverage) * noise;
  return model.decay * value + model.deviation * Math.sqrt(1 - model.decay * model.decay) * innovation;
}

/** A scale of mean square 1 that makes a normal draw Student-t distributed. */
export function tailScale(random: Random, degreesOfFreedom: number): number {
  const chiSquare = 2 * random.gamma(degreesOfFreedom / 2);
  return Math.sqrt((degreesOfFreedom - 2) / chiSquare);
}

/** The factor that halves a value in so many steps. */
export function halfLife(steps: number): number {
  return Math.exp(-Math.LN2 / steps);
}
