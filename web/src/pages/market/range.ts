import { timeText } from '../../format.ts';

/** The span that the charts show: the last days, or from one time to another. */
export interface Range {
  readonly days: number | null;
  readonly from: number | null;
  readonly to: number | null;
}

export const RANGES = [
  ['1', 'Day'],
  ['7', 'Week'],
  ['30', 'Month'],
  ['90', 'Quarter'],
  ['365', 'Year'],
] as const;
export type RangeDays = (typeof RANGES)[number][0];
const DEFAULT_DAYS = 7;
const HOUR_MILLISECONDS = 3_600_000;

/** An address may hold anything: what makes no span is the usual one. */
export function rangeOf(query: URLSearchParams): Range {
  const from = Date.parse(query.get('from') ?? '');
  const to = Date.parse(query.get('to') ?? '');
  if (from < to) return { days: null, from, to };
  const days = Number(query.get('days'));
  return { days: days >= 1 && days <= 400 ? days : DEFAULT_DAYS, from: null, to: null };
}

/** What the service is asked for. Whole hours, so that reading again within one asks for the same. */
export function trackPath(symbol: string, { days, from, to }: Range, now: number): string {
  const end = to ?? Math.ceil(now / HOUR_MILLISECONDS) * HOUR_MILLISECONDS;
  const begin = from ?? end - (days ?? DEFAULT_DAYS) * 24 * HOUR_MILLISECONDS;
  const query = new URLSearchParams({ from: new Date(begin).toISOString(), to: new Date(end).toISOString() });
  return `/v1/markets/${encodeURIComponent(symbol)}/track?${query}`;
}

export function rangeText({ from, to }: Range): string {
  return from === null ? '' : `${timeText(from)} – ${timeText(to)} UTC`;
}
