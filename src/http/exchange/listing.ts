import type { ContractTerms } from '../../limits/account-policy.ts';
import type { LimitBook, MarketLimit } from '../../limits/types.ts';
import { type Instrument, instrumentOf } from './instrument.ts';

/** A market under the name that one exchange has for it. */
export interface Listed {
  readonly name: string;
  readonly market: MarketLimit;
  readonly instrument: Instrument;
}

/** The markets of a book that an exchange could have, by its names, in the order of those. */
export interface Listing {
  readonly listed: readonly Listed[];
  readonly byName: ReadonlyMap<string, Listed>;
  /** How many markets of the book are not among them: the exchange has no name for such a market, or counts it otherwise. */
  readonly leftOut: number;
}

/** @returns null for a market that the exchange could not have. */
export type Naming = (symbol: string, instrument: Instrument) => string | null;

/** How one exchange lists books. The listing of a book is made once. */
export class Listings {
  readonly #naming: Naming;
  readonly #byBook = new WeakMap<LimitBook, Listing>();

  constructor(naming: Naming) {
    this.#naming = naming;
  }

  of(book: LimitBook, contracts: readonly ContractTerms[]): Listing {
    let listing = this.#byBook.get(book);
    if (listing === undefined) {
      listing = listingOf(book, contracts, this.#naming);
      this.#byBook.set(book, listing);
    }
    return listing;
  }
}

function listingOf(book: LimitBook, contracts: readonly ContractTerms[], naming: Naming): Listing {
  const byName = new Map<string, Listed>();
  for (const market of book.markets) {
    const instrument = instrumentOf(market.symbol, contracts);
    const name = instrument === null ? null : naming(market.symbol, instrument);
    // Of two markets with one name the first has it: one name must not lead to two tables.
    if (instrument !== null && name !== null && !byName.has(name))
      byName.set(name, { name, market, instrument });
  }
  const listed = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { listed, byName, leftOut: book.markets.length - listed.length };
}
