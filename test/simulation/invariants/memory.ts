import type { Announcement, Bracket, LimitBook, MarketLimit } from '../../../src/limits/types.ts';

/** A table that positions were told of, and when. */
export interface Told {
  /** Time of the first book that had it, epoch milliseconds. */
  readonly since: number;
  /** Whether there was an emergency then: its notice is shorter. */
  readonly isEmergency: boolean;
  readonly announcement: Announcement;
}

/** What an outsider remembers of a market's books. */
export interface MarketMemory {
  /** When the table of new orders changed last. */
  readonly changedAt: number;
  /** Of the last days, the oldest first. */
  readonly told: readonly Told[];
}

/** A notice is a day; a freeze can hold what is due for a week. */
const REMEMBERED_MILLISECONDS = 20 * 86_400_000;

/** What is known once a book was seen. */
export function remembered(
  memory: ReadonlyMap<string, MarketMemory>,
  before: LimitBook | null,
  book: LimitBook,
  isEmergency: boolean,
): ReadonlyMap<string, MarketMemory> {
  const old = new Map(before?.markets.map((market) => [market.symbol, market]));
  const next = new Map<string, MarketMemory>();
  for (const market of book.markets) {
    const known = memory.get(market.symbol) ?? { changedAt: book.decidedAt, told: [] };
    const was = old.get(market.symbol);
    const isSame = was !== undefined && areSameTables(was.brackets, market.brackets);
    next.set(market.symbol, {
      changedAt: isSame ? known.changedAt : book.decidedAt,
      told: withNew(known.told, market, { since: book.decidedAt, isEmergency }),
    });
  }
  return next;
}

function withNew(
  told: readonly Told[],
  { announced = [] }: MarketLimit,
  now: Pick<Told, 'since' | 'isEmergency'>,
): readonly Told[] {
  const isKnown = (one: Announcement): boolean =>
    told.some(
      ({ announcement }) =>
        announcement.effectiveAt === one.effectiveAt && areSameTables(announcement.brackets, one.brackets),
    );
  const fresh = announced.filter((one) => !isKnown(one));
  if (fresh.length === 0) return told;
  const kept = told.filter(({ since }) => now.since - since < REMEMBERED_MILLISECONDS);
  return [...kept, ...fresh.map((announcement) => ({ ...now, announcement }))];
}

export function areSameTables(a: readonly Bracket[], b: readonly Bracket[]): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Maintenance margin in millionths of the quote asset; above the last cap the last bracket counts on. */
export function marginOf(table: readonly Bracket[], notional: number): number {
  const bracket = table.find(({ notionalCap }) => notional <= notionalCap) ?? table[table.length - 1];
  return notional * bracket.maintenanceMarginRatePpm - bracket.maintenanceAmountMicros;
}

/** 0 where a position is refused. */
export function leverageOf(table: readonly Bracket[], notional: number): number {
  return table.find(({ notionalCap }) => notional <= notionalCap)?.maxLeverage ?? 0;
}

export function capsOf(...tables: readonly (readonly Bracket[])[]): readonly number[] {
  return [...new Set(tables.flatMap((table) => table.map(({ notionalCap }) => notionalCap)))];
}

/** Where leverage rises, a margin falls, or a larger position is taken. */
export function loosensAt(before: readonly Bracket[], after: readonly Bracket[]): number | null {
  const looser = capsOf(before, after).find((notional) => {
    const [was, is] = [leverageOf(before, notional), leverageOf(after, notional)];
    return is > was || (was > 0 && is > 0 && marginOf(after, notional) < marginOf(before, notional));
  });
  return looser ?? null;
}
