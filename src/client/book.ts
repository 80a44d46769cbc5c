import type { BookHead, Change, ClientMarket } from './wire.ts';

/** What a connection must end for: the server's book cannot follow on the one that is here. */
export class BookRefused extends Error {
  /** A whole book would help. */
  readonly needsSnapshot: boolean;

  constructor(message: string, needsSnapshot: boolean) {
    super(message);
    this.name = 'BookRefused';
    this.needsSnapshot = needsSnapshot;
  }
}

/** The limit book in memory. Immutable: a change makes the next one, whole, or none. */
export class ClientBook {
  readonly head: BookHead;
  readonly markets: ReadonlyMap<string, ClientMarket>;

  private constructor(head: BookHead, markets: ReadonlyMap<string, ClientMarket>) {
    // A partial book must not look like a whole one.
    if (markets.size !== head.total)
      throw new BookRefused(`version ${head.version} has ${markets.size} of ${head.total} markets`, true);
    this.head = head;
    this.markets = markets;
  }

  /**
   * @returns the book in force here afterwards: the one before where the snapshot is the same one.
   * @throws BookRefused for an older version, as a lagging replica has it, and for another one of the same number.
   */
  static fromSnapshot(
    before: ClientBook | null,
    head: BookHead,
    markets: readonly ClientMarket[],
  ): ClientBook {
    if (before !== null) refuseOlder(before.head, head);
    return new ClientBook(head, new Map(markets.map((market) => [market.symbol, market])));
  }

  /** @throws BookRefused where it does not follow on this one; the book itself stays as it is. */
  after({ head, changed, activity, removed }: Change): ClientBook {
    if (head.version < this.head.version || head.hash === this.head.hash) return this;
    refuseOlder(this.head, head);
    if (head.previousHash !== this.head.hash)
      throw new BookRefused(`version ${head.version} does not follow on ${this.head.version}`, true);
    const markets = new Map(this.markets);
    for (const symbol of removed) markets.delete(symbol);
    for (const { symbol, openInterest, dailyVolume } of activity) {
      const market = markets.get(symbol);
      if (market === undefined) throw new BookRefused(`${symbol} is not known`, true);
      markets.set(symbol, { ...market, openInterest, dailyVolume });
    }
    for (const market of changed) markets.set(market.symbol, market);
    return new ClientBook(head, markets);
  }
}

function refuseOlder(mine: BookHead, theirs: BookHead): void {
  if (theirs.version < mine.version)
    throw new BookRefused(`version ${theirs.version} is older than ${mine.version}`, false);
  if (theirs.version === mine.version && theirs.hash !== mine.hash)
    throw new BookRefused(`there are two books of version ${mine.version}`, false);
}
