import type { Random } from '../../src/random.ts';
import type { SampleMarket } from './markets.ts';
import { halfLife, nextLogVolatility, STEPS_PER_HOUR, tailScale, type Weather } from './weather.ts';

/** What one market adds to the weather: its own regime, volatility, jumps and premium, and its price within the hour. */
export interface MarketState {
  /** Natural logarithm of the price that lasts. */
  logPrice: number;
  /** Overshoot of the last jumps on top of it; fades within hours. */
  dislocation: number;
  /** 1 while the market has a story of its own, else 0. */
  ownRegime: number;
  ownLogVolatility: number;
  volumeNoise: number;
  /** Last hour's own return in units of its volatility, at most 4 either way. */
  shock: number;
  /** Recent return in units of its volatility, slowly forgotten. */
  momentum: number;
  premiumNoise: number;
  premiumSum: number;
  premiumHours: number;
  /** Close of the last hour on the tick; the next open. */
  close: number;
}

/** One hour's bar. One object is reused for all hours. */
export interface HourBar {
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  quoteVolume: number;
}

const OWN_REGIME_VOLATILITY = [0.88, 1.6];
/** Chance per hour of leaving the quiet and the busy state. */
const OWN_REGIME_CHANGE = [1 / (16 * 24), 1 / (1.5 * 24)];
const BUSY_JUMP_FACTOR = 8;
const OWN_LOG_VOLATILITY = { decay: halfLife(40), deviation: 0.26, leverage: -0.1 };
const OWN_DEGREES_OF_FREEDOM = 6;
/** How much of the common volatility (in logarithms) the market's own moves feel. */
const COMMON_SHARE_OF_OWN_VOLATILITY = 0.7;
const LARGEST_OWN_JUMP = 0.15;
/** A jump overshoots by this share and comes back with this half-life: forced sales move the price too far. */
const OVERSHOOT = 0.45;
const OVERSHOOT_DECAY = halfLife(0.6 * STEPS_PER_HOUR);
/** Size of the moves that come back at once (orders that walk a thin book), in units of those that last. */
const BOOK_NOISE = 0.3;
/** Pulls the price back over years, so that a sample that runs for long does not vanish or explode. */
const REVERSION_PER_HOUR = Math.LN2 / (2 * 365 * 24);

const VOLUME_NOISE = { decay: halfLife(8), deviation: 0.3, leverage: 0 };
const MOMENTUM_DECAY = halfLife(48);
const PREMIUM_NOISE = { decay: halfLife(12), deviation: 0.0004, leverage: 0 };

export function initialMarketState(market: SampleMarket): MarketState {
  return {
    logPrice: Math.log(market.initialPrice),
    dislocation: 0,
    ownRegime: 0,
    ownLogVolatility: 0,
    volumeNoise: 0,
    shock: 0,
    momentum: 0,
    premiumNoise: 0,
    premiumSum: 0,
    premiumHours: 0,
    close: market.initialPrice,
  };
}

/** Moves `state` over one hour under `weather` and writes that hour's bar. */
export function advanceMarket(
  market: SampleMarket,
  state: MarketState,
  weather: Weather,
  random: Random,
  bar: HourBar,
): void {
  if (random.uniform() < OWN_REGIME_CHANGE[state.ownRegime]) state.ownRegime = 1 - state.ownRegime;
  state.ownLogVolatility = nextLogVolatility(
    state.ownLogVolatility,
    OWN_LOG_VOLATILITY,
    state.shock,
    random.normal(),
  );
  const ownVolatility =
    OWN_REGIME_VOLATILITY[state.ownRegime] *
    Math.exp(state.ownLogVolatility - OWN_LOG_VOLATILITY.deviation * OWN_LOG_VOLATILITY.deviation);
  const commonPart = Math.exp(COMMON_SHARE_OF_OWN_VOLATILITY * Math.log(weather.volatility));
  const shapeOfDay = weather.volatilityNow / weather.volatility;
  const ownScale = ownVolatility * commonPart * shapeOfDay * tailScale(random, OWN_DEGREES_OF_FREEDOM);

  // Loadings of unit-variance factors: their squares add up to the market's variance in a normal hour.
  const loadingMarket = market.volatility * Math.sqrt(market.marketShare);
  const loadingSector = market.volatility * Math.sqrt(market.sectorShare);
  const loadingOwn = market.volatility * Math.sqrt(1 - market.marketShare - market.sectorShare);
  const perStep = 1 / Math.sqrt(STEPS_PER_HOUR);
  const stepVariance =
    (square(loadingMarket * weather.factorScale) +
      square(loadingSector * weather.sectorScale) +
      square(loadingOwn * ownScale)) /
    STEPS_PER_HOUR;
  const pathVariance = stepVariance * (1 + BOOK_NOISE * BOOK_NOISE);
  const noiseScale = BOOK_NOISE * Math.sqrt(stepVariance);
  const drift =
    (market.jumpBeta * weather.driftPerHour -
      REVERSION_PER_HOUR * (state.logPrice - Math.log(market.initialPrice))) /
    STEPS_PER_HOUR;

  const ownJump = drawOwnJump(market, state, random);
  const ownJumpStep = random.integer(STEPS_PER_HOUR);
  const commonJump = weather.jump * market.jumpBeta * (0.8 + 0.4 * random.uniform());

  const start = state.logPrice + state.dislocation;
  const sectorRow = market.sector * STEPS_PER_HOUR;
  let highest = start;
  let lowest = start;
  for (let step = 0; step < STEPS_PER_HOUR; step++) {
    const from = state.logPrice + state.dislocation;
    state.logPrice +=
      drift +
      loadingMarket * weather.factor[step] +
      loadingSector * weather.sectors[sectorRow + step] +
      loadingOwn * ownScale * perStep * random.normal();
    state.dislocation = OVERSHOOT_DECAY * state.dislocation + noiseScale * random.normal();
    const to = state.logPrice + state.dislocation;
    highest = Math.max(highest, bridgeExtreme(from, to, pathVariance, random.uniform(), 1));
    lowest = Math.min(lowest, bridgeExtreme(from, to, pathVariance, random.uniform(), -1));
    const jump = (step === ownJumpStep ? ownJump : 0) + (step === weather.jumpStep ? commonJump : 0);
    if (jump !== 0) {
      state.logPrice += jump;
      state.dislocation += OVERSHOOT * jump;
      highest = Math.max(highest, state.logPrice + state.dislocation);
      lowest = Math.min(lowest, state.logPrice + state.dislocation);
    }
  }
  const end = state.logPrice + state.dislocation;
  const hourReturn = end - start;
  const usual = market.volatility * Math.max(0.2, weather.volatility);
  state.shock = Math.max(-4, Math.min(4, hourReturn / usual));
  state.momentum = MOMENTUM_DECAY * state.momentum + (1 - MOMENTUM_DECAY) * (hourReturn / market.volatility);
  if (ownJump !== 0) state.ownLogVolatility = Math.min(0.9, state.ownLogVolatility + 0.4);

  writePrices(market, state, lowest, highest, end, bar);
  const surprise = (highest - lowest) / (1.2 * market.volatility * weather.volatilityNow * ownVolatility);
  writeVolume(market, state, weather, ownVolatility * weather.volatility, surprise, random, bar);
  addPremium(state, random);
}

/**
 * A draw of the highest (direction 1) or lowest (−1) point of a Brownian path between two known ends, so that highs
 * and lows are those of the whole path and not of the few points that were simulated. (Law of the maximum of a
 * Brownian bridge: P(max > m) = exp(−2 (m − a)(m − b) / variance).)
 */
function bridgeExtreme(
  from: number,
  to: number,
  variance: number,
  uniform: number,
  direction: number,
): number {
  const spread = to - from;
  // 1 − uniform is never 0, so that the logarithm is finite.
  const reach = Math.sqrt(spread * spread - 2 * variance * Math.log(1 - uniform));
  return 0.5 * (from + to + direction * reach);
}

function drawOwnJump(market: SampleMarket, state: MarketState, random: Random): number {
  const perHour = market.ownJumpsPerYear / (365 * 24);
  const happens = random.uniform() < perHour * (state.ownRegime === 1 ? BUSY_JUMP_FACTOR : 1);
  const size = market.volatility * (3 + 1.7 * random.exponential());
  const rises = random.uniform() < 0.45;
  if (!happens) return 0;
  return (rises ? 1 : -1) * Math.min(LARGEST_OWN_JUMP, size);
}

/** Puts the hour on the market's tick: the open is the last close, and high and low enclose open and close. */
function writePrices(
  market: SampleMarket,
  state: MarketState,
  lowest: number,
  highest: number,
  end: number,
  bar: HourBar,
): void {
  const { priceDecimals } = market;
  bar.open = state.close;
  bar.close = onTick(Math.exp(end), priceDecimals);
  bar.high = Math.max(bar.open, bar.close, onTick(Math.exp(highest), priceDecimals));
  bar.low = Math.min(bar.open, bar.close, onTick(Math.exp(lowest), priceDecimals));
  state.close = bar.close;
}

/** Volume follows the expected volatility, the hour and weekday, and how far the hour went beyond what was expected. */
function writeVolume(
  market: SampleMarket,
  state: MarketState,
  weather: Weather,
  expectedVolatility: number,
  surprise: number,
  random: Random,
  bar: HourBar,
): void {
  state.volumeNoise = nextLogVolatility(state.volumeNoise, VOLUME_NOISE, 0, random.normal());
  const logVolume =
    Math.log(market.hourlyQuoteVolume * weather.volumeShape) +
    0.9 * Math.log(expectedVolatility) +
    0.8 * Math.log(Math.max(0.1, surprise)) +
    state.volumeNoise +
    0.15 * random.normal();
  const typicalPrice = (bar.high + bar.low + bar.close) / 3;
  const least = 1 / 10 ** market.quantityDecimals;
  bar.volume = Math.max(least, roundTo(Math.exp(logVolume) / typicalPrice, market.quantityDecimals));
  bar.quoteVolume = roundTo(bar.volume * typicalPrice, 2);
}

/** The premium over the index: follows momentum, falls under the index while forced sales weigh on the price. */
function addPremium(state: MarketState, random: Random): void {
  state.premiumNoise = nextLogVolatility(state.premiumNoise, PREMIUM_NOISE, 0, random.normal());
  const followed = Math.max(-0.003, Math.min(0.003, 0.006 * state.momentum));
  state.premiumSum += 0.0001 + followed + state.premiumNoise + 0.2 * state.dislocation;
  state.premiumHours += 1;
}

/**
 * Settles the funding of the hours since the last settlement: the mean premium, pulled towards the interest rate
 * of one basis point by at most five, within the cap (the formula of Binance's USD-M perpetuals).
 */
export function settleFunding(market: SampleMarket, state: MarketState): number {
  const premium = state.premiumHours === 0 ? 0 : state.premiumSum / state.premiumHours;
  state.premiumSum = 0;
  state.premiumHours = 0;
  const pull = Math.max(-0.0005, Math.min(0.0005, 0.0001 - premium));
  return roundTo(Math.max(-market.fundingCap, Math.min(market.fundingCap, premium + pull)), 8);
}

function onTick(price: number, decimals: number): number {
  const tick = 1 / 10 ** decimals;
  return Math.max(tick, roundTo(price, decimals));
}

function roundTo(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  // Adding zero turns −0, which equals 0 but does not have its bytes, into 0.
  return Math.round(value * scale) / scale + 0;
}

function square(value: number): number {
  return value * value;
}
