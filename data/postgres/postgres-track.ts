import type { TrackPoint } from '../../src/control/ports.ts';
import { trackPoint } from '../state-rows.ts';
import type { PostgresDatabase, Session } from './database.ts';

/** The decisions of each market over time. All points of a book go in one statement, as columns. */
export async function insertTrack(session: Session, points: readonly TrackPoint[]): Promise<void> {
  await session.rows(
    `INSERT INTO market_track
     SELECT * FROM unnest(
       $1::bigint[], $2::text[], $3::bigint[], $4::float8[], $5::float8[], $6::text[], $7::float8[], $8::float8[],
       $9::float8[], $10::float8[])`,
    [
      points.map(({ version }) => version),
      points.map(({ symbol }) => symbol),
      points.map(({ asOf }) => asOf),
      points.map(({ close }) => close),
      points.map(({ maxLeverage }) => maxLeverage),
      points.map(({ bindingBound }) => bindingBound),
      points.map(({ horizonHours }) => horizonHours),
      points.map(({ confidence }) => confidence),
      points.map(({ longValueAtRisk }) => longValueAtRisk),
      points.map(({ shortValueAtRisk }) => shortValueAtRisk),
    ],
  );
}

/** See `StateStore.track`. */
export async function trackBetween(
  database: PostgresDatabase,
  symbol: string,
  from: number,
  to: number,
  limit: number,
): Promise<readonly TrackPoint[]> {
  const rows = await database.rows(
    `SELECT * FROM market_track WHERE symbol = $1 AND as_of BETWEEN $2 AND $3 ORDER BY version DESC LIMIT $4`,
    [symbol, from, to, limit],
  );
  return rows.map(trackPoint).reverse();
}

/** See `StateStore.trackSince`. */
export async function trackSince(database: PostgresDatabase, asOf: number): Promise<readonly TrackPoint[]> {
  const rows = await database.rows(
    'SELECT * FROM market_track WHERE as_of >= $1 ORDER BY version, symbol COLLATE "C"',
    [asOf],
  );
  return rows.map(trackPoint);
}
