import { PlimsollError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';
import { type BarSeries, emptyBars, type FundingSeries, type MarketHistory } from '../../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { advanceMarket, initialMarketState, type MarketState, settleFunding } from './market-path.ts';
import { FIRST_GENERATION_HOURS, SAMPLE_MARKETS } from './markets.ts';
import { advanceWeather, emptyWeather, initialWeatherState, type WeatherState } from './weather.ts';

/**
 * The simulated market of a first run. A path is decided by its seed and its anchor alone: every hour draws from a
 * random stream of its own, so that a history up to one hour and a longer one agree to the bit where both are, and a
 * simulation that was put down is taken up again from its small state.
 */
export const SAMPLE_VENUE = 'sample';
export const FUNDING_INTERVAL_HOURS = 8;

export interface SampleSpan {
  readonly seed: number;
  /** Open time of the first bar: a whole hour, epoch milliseconds UTC. */
  readonly anchor: number;
  /** Close time of the last bar: a whole hour, epoch milliseconds UTC. */
  readonly until: number;
}

/** The state after `hours` simulated hours. Plain data: it survives JSON to the bit. */
export interface SampleState {
  readonly hours: number;
  readonly weather: WeatherState;
  /** In the order of `SAMPLE_MARKETS`. */
  readonly markets: readonly MarketState[];
}

/** The anchor of a first generation that ends with the last closed hour before `now`. */
export function firstAnchor(now: number): number {
  return lastClosedHour(now) - FIRST_GENERATION_HOURS * HOUR_MILLISECONDS;
}

export function lastClosedHour(now: number): number {
  return Math.floor(now / HOUR_MILLISECONDS) * HOUR_MILLISECONDS;
}

export function initialSampleState(): SampleState {
  return { hours: 0, weather: initialWeatherState(), markets: SAMPLE_MARKETS.map(initialMarketState) };
}

/**
 * All hours from the anchor to `until`, of every market that was listed by then.
 *
 * @throws PlimsollError INPUT_INVALID when anchor or until is not a whole hour, or until lies before the anchor.
 */
export function generateSample(span: SampleSpan): MarketHistory[] {
  return continueSample(span, initialSampleState()).histories;
}

/** The hours after `state` up to `until`, and the state there. `state` itself is left as it is. */
export function continueSample(
  { seed, anchor, until }: SampleSpan,
  state: SampleState,
): { readonly state: SampleState; readonly histories: MarketHistory[] } {
  const totalHours = (until - anchor) / HOUR_MILLISECONDS;
  if (anchor % HOUR_MILLISECONDS !== 0 || !Number.isInteger(totalHours) || totalHours < state.hours) {
    throw new PlimsollError(
      'INPUT_INVALID',
      `the sample cannot run from ${anchor} to ${until}: both must be whole hours, in this order`,
    );
  }
  const weatherState = { ...state.weather };
  const marketStates = state.markets.map((market) => ({ ...market }));
  const outputs = SAMPLE_MARKETS.map(
    (market) => new Output(Math.max(0, totalHours - Math.max(state.hours, market.listedAtHour))),
  );
  const weather = emptyWeather();
  const bar = { open: 0, high: 0, low: 0, close: 0, volume: 0, quoteVolume: 0 };
  for (let hour = state.hours; hour < totalHours; hour++) {
    const openTime = anchor + hour * HOUR_MILLISECONDS;
    const closeTime = openTime + HOUR_MILLISECONDS;
    const fundingDue = closeTime % (FUNDING_INTERVAL_HOURS * HOUR_MILLISECONDS) === 0;
    const random = Random.stream(seed, `sample hour ${hour}`);
    advanceWeather(weatherState, random, openTime, weather);
    for (let i = 0; i < SAMPLE_MARKETS.length; i++) {
      const market = SAMPLE_MARKETS[i];
      if (hour < market.listedAtHour) continue;
      advanceMarket(market, marketStates[i], weather, random, bar);
      outputs[i].addBar(openTime, bar);
      if (fundingDue) outputs[i].addFunding(closeTime, settleFunding(market, marketStates[i]));
    }
  }
  const histories = SAMPLE_MARKETS.flatMap((market, i) =>
    outputs[i].isEmpty ? [] : [outputs[i].history(market.symbol)],
  );
  return { state: { hours: totalHours, weather: weatherState, markets: marketStates }, histories };
}

/** Collects one market's rows in arrays of the final size. */
class Output {
  readonly #bars: BarSeries;
  readonly #fundingTime: number[] = [];
  readonly #fundingRate: number[] = [];
  #length = 0;

  constructor(hours: number) {
    this.#bars = emptyBars(hours, HOUR_MILLISECONDS);
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  addBar(
    openTime: number,
    bar: { open: number; high: number; low: number; close: number; volume: number; quoteVolume: number },
  ): void {
    const i = this.#length++;
    this.#bars.openTime[i] = openTime;
    this.#bars.open[i] = bar.open;
    this.#bars.high[i] = bar.high;
    this.#bars.low[i] = bar.low;
    this.#bars.close[i] = bar.close;
    this.#bars.volume[i] = bar.volume;
    this.#bars.quoteVolume[i] = bar.quoteVolume;
  }

  addFunding(time: number, rate: number): void {
    this.#fundingTime.push(time);
    this.#fundingRate.push(rate);
  }

  history(symbol: string): MarketHistory {
    const funding: FundingSeries = {
      length: this.#fundingTime.length,
      time: Float64Array.from(this.#fundingTime),
      rate: Float64Array.from(this.#fundingRate),
    };
    return {
      symbol,
      source: `${symbol}-${SAMPLE_VENUE}-perp-1h`,
      simulated: true,
      bars: this.#bars,
      funding,
      openInterest: null,
      mark: null,
    };
  }
}
