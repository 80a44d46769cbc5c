import type { LimitBook } from '../limits/types.ts';

export const METHODS = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH']);
/** The client library names gauges like counters, and puts a type into a name; a checker of the format refuses both. */
export const MISNAMED_DEFAULTS = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_histogram',
  'nodejs_eventloop_utilization_summary',
];

/** Samples of the default metrics that have no value yet: absent rather than a NaN that spoils every sum over it. */
export const WITHOUT_VALUE = /^[^#\n].* nan\n/gim;

/** Where mark prices come from. */
export const PRICES = 'prices';
/** Where open interest and order books come from. */
export const ACTIVITY = 'market-activity';
export const SOURCES = ['sample', 'imported'] as const;

export function sourceLabel(book: LimitBook): (typeof SOURCES)[number] {
  return book.simulated ? 'sample' : 'imported';
}
