import type { MarkPrice } from '../../src/control/guard/prices.ts';
import { Random } from '../../src/random.ts';
import type { TrueMarkets } from './weather.ts';

export const MARK_LIES = [
  'unreadable',
  'notANumber',
  'spike',
  'immense',
  'repeated',
  'old',
  'future',
  'unknown',
  'scaled',
] as const;
export type MarkLie = (typeof MARK_LIES)[number];

const LIE_PROBABILITY = 0.03;
/** That a market quotes at a look at all. */
const QUOTED_PROBABILITY = 0.6;

/** Mark prices between bars: the true ones, and among them what a broken sender makes of them. */
export class SimulatedMarks {
  readonly #random: Random;
  readonly #markets: TrueMarkets;
  readonly lies = new Map<string, number>();
  #last: MarkPrice | null = null;

  constructor(seed: number, markets: TrueMarkets) {
    this.#random = Random.stream(seed, 'marks');
    this.#markets = markets;
  }

  /** What comes in at one moment. */
  batch(symbols: readonly string[], now: number): readonly (MarkPrice | null)[] {
    const random = this.#random;
    return symbols.flatMap((symbol) => {
      if (random.uniform() >= QUOTED_PROBABILITY) return [];
      const noise = 1 + 0.0002 * random.normal();
      const mark = {
        symbol,
        price: this.#markets.priceAt(symbol, now) * noise,
        at: now - random.integer(2000),
      };
      if (random.uniform() >= LIE_PROBABILITY) {
        this.#last = mark;
        return [mark];
      }
      const kind = MARK_LIES[random.integer(MARK_LIES.length)];
      this.lies.set(`mark: ${kind}`, (this.lies.get(`mark: ${kind}`) ?? 0) + 1);
      return this.#lieOf(kind, mark);
    });
  }

  #lieOf(kind: MarkLie, mark: MarkPrice): readonly (MarkPrice | null)[] {
    const { price, at } = mark;
    switch (kind) {
      case 'unreadable':
        return [null];
      case 'notANumber':
        return [
          { ...mark, price: Number.NaN },
          { ...mark, price: -price },
          { ...mark, price: 0 },
        ];
      case 'spike':
        return [{ ...mark, price: price * 1.5 }];
      case 'immense':
        return [
          { ...mark, price: price * 1e6 },
          { ...mark, price: Number.POSITIVE_INFINITY },
        ];
      case 'repeated':
        return this.#last === null ? [] : [this.#last, this.#last];
      case 'old':
        return [{ ...mark, at: at - 3_600_000 }];
      case 'future':
        return [{ ...mark, at: at + 3_600_000 }];
      case 'unknown':
        return [{ ...mark, symbol: 'NOPEUSDT' }];
      case 'scaled':
        // Twice, so that the second one confirms the first.
        return [
          { ...mark, price: price * 0.5, at: at - 10_000 },
          { ...mark, price: price * 0.5, at: at - 1000 },
        ];
    }
  }
}
