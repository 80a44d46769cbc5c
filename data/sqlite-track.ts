import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TrackPoint } from '../src/control/ports.ts';
import { trackPoint } from './state-rows.ts';

/** Books that are read at a time, of one market and of all; between two groups other work of the process gets its turn. */
const BOOKS_AT_ONCE = { ofOne: 500, ofAll: 8 } as const;

/**
 * The decisions of each market over time, in the state file: by version, so that a publication writes a few pages at the end.
 * By market it would write one page for each of them, thirty milliseconds where there are 500; a market's track is still read
 * with a look-up for each book.
 */
export class SqliteTrack {
  readonly #attempt: <T>(work: () => T) => T;
  readonly #insert: StatementSync;
  readonly #firstVersion: StatementSync;
  readonly #lastVersion: StatementSync;
  readonly #ofOne: StatementSync;
  readonly #ofAll: StatementSync;

  constructor(database: DatabaseSync, attempt: <T>(work: () => T) => T) {
    this.#attempt = attempt;
    this.#insert = database.prepare('INSERT INTO market_track VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#firstVersion = database.prepare('SELECT min(version) AS version FROM book WHERE effective_at >= ?');
    this.#lastVersion = database.prepare('SELECT max(version) AS version FROM market_track');
    this.#ofOne = database.prepare('SELECT * FROM market_track WHERE version = ? AND symbol = ?');
    this.#ofAll = database.prepare(
      'SELECT * FROM market_track WHERE version BETWEEN ? AND ? ORDER BY version, symbol',
    );
  }

  /** Needs the write lock. */
  insert(points: readonly TrackPoint[]): void {
    for (const point of points)
      this.#insert.run(
        point.version,
        point.symbol,
        point.asOf,
        point.close,
        point.maxLeverage,
        point.bindingBound,
        point.horizonHours,
        point.confidence,
        point.longValueAtRisk,
        point.shortValueAtRisk,
      );
  }

  /** See `StateStore`. */
  async between(symbol: string, from: number, to: number, limit: number): Promise<readonly TrackPoint[]> {
    const { first, last } = this.#versionsFrom(from);
    const points: TrackPoint[] = [];
    for (let end = last; end >= first && points.length < limit; end -= BOOKS_AT_ONCE.ofOne) {
      const start = Math.max(first, end - BOOKS_AT_ONCE.ofOne + 1);
      this.#attempt(() => {
        for (let version = end; version >= start && points.length < limit; version--) {
          const row = this.#ofOne.get(version, symbol);
          const isWanted = row !== undefined && (row.as_of as number) >= from && (row.as_of as number) <= to;
          if (isWanted) points.push(trackPoint(row));
        }
      });
      if (start > first) await nextTurn();
    }
    return points.reverse();
  }

  /** See `StateStore`. */
  async since(asOf: number): Promise<readonly TrackPoint[]> {
    const { first, last } = this.#versionsFrom(asOf);
    const points: TrackPoint[] = [];
    for (let start = first; start <= last; start += BOOKS_AT_ONCE.ofAll) {
      const end = Math.min(last, start + BOOKS_AT_ONCE.ofAll - 1);
      for (const row of this.#attempt(() => this.#ofAll.all(start, end)))
        if ((row.as_of as number) >= asOf) points.push(trackPoint(row));
      if (end < last) await nextTurn();
    }
    return points;
  }

  /** No other book used a bar that closed at or after `asOf`: none is decided, and none takes effect, before its bars close. */
  #versionsFrom(asOf: number): { readonly first: number; readonly last: number } {
    return this.#attempt(() => {
      const last = (this.#lastVersion.get()?.version as number | null) ?? 0;
      const first = (this.#firstVersion.get(asOf)?.version as number | null) ?? last + 1;
      return { first, last };
    });
  }
}
