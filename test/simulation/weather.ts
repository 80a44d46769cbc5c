import { Random } from '../../src/random.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';

/** One hour of a market as it really was. */
export interface TrueBar {
  /** Epoch milliseconds. */
  readonly openTime: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly quoteVolume: number;
}

const STEPS_PER_HOUR = 12;
const STEP_MILLISECONDS = HOUR_MILLISECONDS / STEPS_PER_HOUR;

/** Standard deviation of an hour's log return. */
const CALM_VOLATILITY = 0.005;
const STORM_VOLATILITY = 0.025;
/** Hours of a year in which something begins or strikes, per market where it is a market's own. */
const STORMS_A_YEAR = 14;
const CRASHES_A_YEAR = 3;
const JUMPS_A_YEAR = 20;
const HOURS_A_YEAR = 8760;
/** Share of the variance that all markets have in common. */
const COMMON_SHARE = 0.5;

/** What all markets share in an hour: how rough it is, where it pushes, and whether it breaks. */
class Weather {
  readonly #random: Random;
  #storm = 0;
  #drift = 0;

  constructor(seed: number) {
    this.#random = Random.stream(seed, 'weather');
  }

  next(): { readonly volatility: number; readonly push: readonly number[]; readonly crash: number } {
    const random = this.#random;
    if (this.#storm > 0) this.#storm--;
    else if (random.uniform() < STORMS_A_YEAR / HOURS_A_YEAR) this.#storm = 6 + random.integer(90);
    this.#drift = 0.97 * this.#drift + 0.08 * random.normal();
    const calm = this.#storm > 0 ? STORM_VOLATILITY : CALM_VOLATILITY;
    const push = Array.from({ length: STEPS_PER_HOUR }, () => random.normal());
    const crash = random.uniform() < CRASHES_A_YEAR / HOURS_A_YEAR ? -0.05 - 0.25 * random.uniform() : 0;
    return { volatility: calm * Math.exp(this.#drift), push, crash };
  }
}

/** Simulated markets as they really are, hour by hour; what anybody is told of them is another matter. */
export class TrueMarkets {
  readonly symbols: readonly string[];
  readonly #weather: Weather;
  readonly #paths: readonly TruePath[];

  constructor(seed: number, symbols: readonly string[], start: number) {
    this.symbols = symbols;
    this.#weather = new Weather(seed);
    this.#paths = symbols.map((symbol) => new TruePath(seed, symbol, start));
  }

  /** The next hour of all markets, in the order of the symbols. */
  nextHour(): readonly TrueBar[] {
    const { volatility, push, crash } = this.#weather.next();
    return this.#paths.map((path) => path.nextHour(volatility, push, crash));
  }

  /** The price of a market at a time within the newest hour. */
  priceAt(symbol: string, time: number): number {
    return this.#paths[this.symbols.indexOf(symbol)].priceAt(time);
  }
}

class TruePath {
  readonly #random: Random;
  readonly #level: number;
  readonly #volume: number;
  #openTime: number;
  #price: number;
  #steps: readonly number[] = [];

  constructor(seed: number, symbol: string, start: number) {
    this.#random = Random.stream(seed, `path of ${symbol}`);
    this.#openTime = start - HOUR_MILLISECONDS;
    this.#level = Math.log(10) * (this.#random.uniform() * 6 - 2);
    this.#price = Math.exp(this.#level);
    this.#volume = 10 ** (5.5 + 3 * this.#random.uniform());
  }

  nextHour(volatility: number, push: readonly number[], crash: number): TrueBar {
    const random = this.#random;
    this.#openTime += HOUR_MILLISECONDS;
    const open = this.#price;
    const jump = random.uniform() < JUMPS_A_YEAR / HOURS_A_YEAR ? 0.06 * random.studentT(4) : 0;
    const struckAt = random.integer(STEPS_PER_HOUR);
    const scale = volatility / Math.sqrt(STEPS_PER_HOUR);
    this.#steps = push.map((common, i) => {
      const own = Math.sqrt(COMMON_SHARE) * common + Math.sqrt(1 - COMMON_SHARE) * random.normal();
      // Back to its level over months: a year of crashes would leave nothing to quote.
      const home = 0.00005 * (this.#level - Math.log(this.#price));
      this.#price *= Math.exp(scale * own + home + (i === struckAt ? Math.max(-0.6, jump) + crash : 0));
      return this.#price;
    });
    const rough = volatility / CALM_VOLATILITY;
    return {
      openTime: this.#openTime,
      open,
      high: Math.max(open, ...this.#steps),
      low: Math.min(open, ...this.#steps),
      close: this.#price,
      quoteVolume: this.#volume * Math.sqrt(rough) * Math.exp(0.5 * random.normal()),
    };
  }

  priceAt(time: number): number {
    const step = Math.floor((time - this.#openTime) / STEP_MILLISECONDS);
    return this.#steps[Math.min(Math.max(step, 0), STEPS_PER_HOUR - 1)];
  }
}
