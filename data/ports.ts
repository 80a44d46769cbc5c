import type { MarketHistory } from '../src/risk/bars.ts';

/**
 * What the rest of the house asks of stored market data. The adapter is `data/bar-store.ts`; nothing but the
 * composition roots imports it.
 */
export interface SeriesSummary {
  /** `SYMBOL-venue-kind-interval`. */
  readonly id: string;
  readonly symbol: string;
  readonly venue: string;
  /** perp, perp-mark, perp-funding, perp-open-interest, spot, index, fx. */
  readonly kind: string;
  readonly intervalMilliseconds: number;
  readonly rows: number;
  /** Open time of the first and the last row, epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly simulated: boolean;
  readonly contentHash: string;
}

export type QualityGrade = 'accept' | 'degrade' | 'reject';

export interface QualityReport {
  readonly grade: QualityGrade;
  /** Codes such as GAPS, STALE, SPIKES, CROSSED_MARK, VOLUME_HOLES, with their counts over the judged window. */
  readonly findings: readonly QualityFinding[];
}

export interface QualityFinding {
  readonly code: 'GAPS' | 'STALE' | 'SPIKES' | 'CROSSED_MARK' | 'VOLUME_HOLES' | 'SHORT';
  readonly grade: QualityGrade;
  readonly count: number;
  readonly share: number;
  /** One sentence with the numbers in it. */
  readonly detail: string;
}

export interface LoadOptions {
  /** Only these markets; all that are stored otherwise. */
  readonly symbols?: readonly string[];
  /** Only bars with open time in [from, to), epoch milliseconds. */
  readonly from?: number;
  readonly to?: number;
  /** Of open interest only what was observed from then on; all of it otherwise. Whoever decides needs the newest alone. */
  readonly openInterestFrom?: number;
}

export interface MarketDataReader {
  catalogue(): Promise<readonly SeriesSummary[]>;
  /** One history per market: its hourly primary series with funding, open interest and marks. Sorted by symbol. */
  loadMarkets(options?: LoadOptions): Promise<readonly MarketHistory[]>;
  /** Changes exactly when what is stored changes. */
  fingerprint(): Promise<string>;
}

/** One column of a table that is handed out row by row. */
export interface TableColumn {
  readonly name: string;
  /** `time` is epoch milliseconds and becomes a timestamp in UTC. */
  readonly type: 'float64' | 'float32' | 'boolean' | 'integer' | 'text' | 'time';
  /** The value of a row; null where there is none. */
  readonly at: (row: number) => number | string | null;
}

/** Writes a table to a file, in the order of its rows. */
export type TableWriter = (
  file: string,
  rows: number,
  columns: readonly TableColumn[],
  /** Kept in the file beside the table. */
  metadata: Readonly<Record<string, string>>,
  /** Called with the rows written so far; what it throws ends the writing and leaves no file. */
  onRows: (rows: number) => void,
) => Promise<void>;
