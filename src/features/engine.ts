import { PlimsollError } from '../errors.ts';
import { HOUR_MILLISECONDS } from '../units.ts';
import { CrossSection } from './cross-section.ts';
import { MAXIMUM_MARKETS, MOVE_UNIT, onLattice } from './lattice.ts';
import { MarketMemory } from './market-memory.ts';
import { writeFeatureRow } from './row.ts';
import { FEATURE_COUNT, WARM_UP_BARS } from './spec.ts';

/** One hour of all markets, as structures of arrays by market. The caller owns it and may reuse it. */
export interface HourOfMarkets {
  /** 1 where the market has a bar; its other entries are ignored otherwise. */
  readonly present: Uint8Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  /** Quote asset; 0 where unknown. */
  readonly quoteVolume: Float64Array;
  /** 1 where a funding rate was settled after the bar's open and not after its close. */
  readonly fundingSettled: Uint8Array;
  readonly fundingRate: Float64Array;
}

export function emptyHour(markets: number): HourOfMarkets {
  return {
    present: new Uint8Array(markets),
    open: new Float64Array(markets),
    high: new Float64Array(markets),
    low: new Float64Array(markets),
    close: new Float64Array(markets),
    quoteVolume: new Float64Array(markets),
    fundingSettled: new Uint8Array(markets),
    fundingRate: new Float64Array(markets),
  };
}

/**
 * The only feature code: training replays history through it, the service feeds it the newest hour. Time goes
 * forward only, and a row uses nothing but hours that were stepped through, so it cannot see the future. The same
 * hours give the same bits, whether they were stepped through in one run or after a restart from the last
 * `LOAD_HOURS`; `lattice.ts` says how.
 */
export class FeatureEngine {
  readonly symbols: readonly string[];
  readonly #memories: readonly MarketMemory[];
  readonly #crossSection = new CrossSection();
  #openTime = Number.NaN;
  #refreshedAt = Number.NaN;

  /** @throws PlimsollError INPUT_INVALID for more than `MAXIMUM_MARKETS` markets. */
  constructor(symbols: readonly string[]) {
    if (symbols.length > MAXIMUM_MARKETS) {
      throw new PlimsollError(
        'INPUT_INVALID',
        `${symbols.length} markets; at most ${MAXIMUM_MARKETS} are summed exactly`,
        {
          remedy: 'Compute the features of fewer markets at once.',
        },
      );
    }
    this.symbols = symbols;
    this.#memories = symbols.map(() => new MarketMemory());
  }

  /**
   * Takes the next hour. Every hour must be stepped through, those in which no market has a bar too.
   *
   * @param openTime start of the hour, epoch milliseconds.
   * @throws PlimsollError INPUT_INVALID when it does not follow the hour before.
   */
  step(openTime: number, hour: HourOfMarkets): void {
    const isFirst = Number.isNaN(this.#openTime);
    if (openTime % HOUR_MILLISECONDS !== 0 || (!isFirst && openTime !== this.#openTime + HOUR_MILLISECONDS)) {
      throw new PlimsollError('INPUT_INVALID', `the hour ${openTime} does not follow ${this.#openTime}`, {
        remedy: 'Step through every full hour in order, also those without bars.',
      });
    }
    this.#openTime = openTime;
    let returnUnits = 0;
    let markets = 0;
    for (let m = 0; m < this.#memories.length; m++) {
      const memory = this.#memories[m];
      if (hour.present[m] === 1 && isUsable(hour, m)) {
        const volume = hour.quoteVolume[m];
        memory.advance(hour.open[m], hour.high[m], hour.low[m], hour.close[m], volume > 0 ? volume : 0);
        if (memory.age > 0) {
          returnUnits += onLattice(memory.lastReturn, MOVE_UNIT);
          markets++;
        }
      } else {
        memory.advanceMissing();
      }
      if (hour.fundingSettled[m] === 1 && Number.isFinite(hour.fundingRate[m])) {
        memory.settleFunding(hour.fundingRate[m]);
      }
    }
    this.#crossSection.advance(returnUnits, markets);
  }

  /** Whether the market has had at least `WARM_UP_BARS` hours without too long a gap. */
  isReady(market: number): boolean {
    return this.#memories[market].age >= WARM_UP_BARS;
  }

  /**
   * Writes the market's `FEATURE_COUNT` features as of the close of the last hour; zeros where it is not ready.
   *
   * @param out receives the row from `offset` on.
   */
  writeRow(market: number, out: Float64Array, offset: number): void {
    if (!this.isReady(market)) {
      out.fill(0, offset, offset + FEATURE_COUNT);
      return;
    }
    this.#refresh();
    const asOf = this.#openTime + HOUR_MILLISECONDS;
    writeFeatureRow(this.#memories[market], this.#crossSection, asOf, out, offset);
  }

  /** The cross-section is computed only for hours of which a row is asked. */
  #refresh(): void {
    if (this.#refreshedAt === this.#openTime) return;
    this.#refreshedAt = this.#openTime;
    for (const memory of this.#memories) if (memory.age >= WARM_UP_BARS) memory.refresh();
    this.#crossSection.refresh(this.#memories);
  }
}

/** Stored bars have been validated; what slips through counts as missing rather than spreading. */
function isUsable(hour: HourOfMarkets, m: number): boolean {
  const low = hour.low[m];
  const high = hour.high[m];
  const open = hour.open[m];
  const close = hour.close[m];
  return (
    low > 0 && high < Number.POSITIVE_INFINITY && low <= open && low <= close && high >= open && high >= close
  );
}
