import { Random } from '../../src/random.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { SimulatedSource } from './source.ts';
import { type TrueBar, TrueMarkets } from './weather.ts';

/** When the service starts for the first time. */
export const START = Date.UTC(2024, 0, 1);
/** What is known of the old markets by then: they are no young listings. */
const HISTORY_HOURS = 100 * 24;
const OLD = ['AAAUSDT', 'BBBUSDT', 'BTCUSDT', 'CCCUSDT', 'ETHUSDT', 'DDDUSDT'];
const NEW = 'NEWUSDT';
const LISTED_WITHIN_HOURS = 20 * 24;

/** The markets of a simulation, the clock on the wall, and what comes and goes in between. */
export class World {
  readonly symbols: readonly string[];
  readonly markets: TrueMarkets;
  readonly source: SimulatedSource;
  /** Epoch milliseconds: the time that it really is. */
  time = START;
  /** Hours after the start: a market comes, one goes, and that comes back. */
  readonly #listing: number;
  readonly #delisting: number;
  readonly #relisting: number;
  #open: ReadonlyMap<string, TrueBar> = new Map();
  #hours = 0;

  constructor(seed: number, days: number) {
    const random = Random.stream(seed, 'world');
    this.symbols = [...OLD, NEW].sort();
    const begin = START - HISTORY_HOURS * HOUR_MILLISECONDS;
    this.markets = new TrueMarkets(seed, this.symbols, begin);
    this.source = new SimulatedSource(seed, HISTORY_HOURS + days * 24 + 100);
    for (const symbol of OLD) this.source.list(symbol);
    for (let hour = 0; hour < HISTORY_HOURS; hour++)
      for (const [symbol, bar] of this.#nextHour()) if (symbol !== NEW) this.source.begin(symbol, bar);
    // Whatever the length: so the days before a failure come out the same when only they are played again.
    this.#listing = random.integer(LISTED_WITHIN_HOURS);
    this.#delisting = this.#listing + random.integer(LISTED_WITHIN_HOURS);
    this.#relisting = this.#delisting + 2 + random.integer(72);
    this.#open = this.#nextHour();
  }

  /** When the hour that runs is over. */
  get hourEnds(): number {
    return START + (this.#hours + 1) * HOUR_MILLISECONDS;
  }

  listed(): readonly string[] {
    return this.symbols.filter((symbol) => this.source.isListed(symbol));
  }

  /** The hour is over: its bars go to the source, and the next one begins. Returns the true bars. */
  closeHour(): ReadonlyMap<string, TrueBar> {
    const closed = this.#open;
    this.#hours++;
    if (this.#hours === this.#listing) this.source.list(NEW);
    if (this.#hours === this.#delisting) this.source.delist(OLD[1]);
    if (this.#hours === this.#relisting) this.source.list(OLD[1]);
    const isListed = ([symbol]: readonly [string, TrueBar]) => this.source.isListed(symbol);
    this.source.close(new Map([...closed].filter(isListed)), this.time);
    this.#open = this.#nextHour();
    return closed;
  }

  #nextHour(): ReadonlyMap<string, TrueBar> {
    const bars = this.markets.nextHour();
    return new Map(this.symbols.map((symbol, i) => [symbol, bars[i]]));
  }

  newestCloses(now: number): ReadonlyMap<string, number | null> {
    return new Map(this.symbols.map((symbol) => [symbol, this.source.newestCloseOf(symbol, now)]));
  }
}
