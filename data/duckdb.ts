import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/**
 * An embedded DuckDB without a database file: it reads and writes Parquet and holds only what is staged. Bounded in
 * memory and threads, so that an import beside a running service leaves it room.
 */
export function openDuckDb(temporaryDirectory: string): Promise<DuckDBInstance> {
  return DuckDBInstance.create(':memory:', {
    threads: '2',
    memory_limit: '1GB',
    temp_directory: temporaryDirectory,
    autoinstall_known_extensions: 'false',
  });
}

/** A string as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The single row of a query whose columns are numbers. */
export async function numbersOf(connection: DuckDBConnection, sql: string): Promise<number[]> {
  const reader = await connection.runAndReadAll(sql);
  return (reader.getRows()[0] ?? []).map(Number);
}
