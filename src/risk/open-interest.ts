import type { OpenInterestSeries } from './bars.ts';
import { entriesBy } from './bars.ts';

/** What was open in a market at a time. */
export interface ObservedOpenInterest {
  /** In units of the quote asset. */
  readonly quoteNotional: number;
  /** Epoch milliseconds. */
  readonly observedAt: number;
}

/** The newest observation at or before a time, epoch milliseconds; null where there is none. */
export function openInterestAt(series: OpenInterestSeries | null, at: number): ObservedOpenInterest | null {
  if (series === null) return null;
  const known = entriesBy(series, at);
  if (known === 0) return null;
  return { quoteNotional: series.quoteNotional[known - 1], observedAt: series.time[known - 1] };
}
