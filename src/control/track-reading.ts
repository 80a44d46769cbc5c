import { type BarSeries, barsClosedBy, type MarketHistory, sliceBars } from '../risk/bars.ts';
import { HOUR_MILLISECONDS } from '../units.ts';
import { type Excursion, realisedExcursion } from './realised-excursion.ts';

/** What is asked of whoever has the bars; plain data. */
export interface TrackRequest {
  readonly symbol: string;
  /** Bars that open from then on, and before `to`; epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  /** At most so many merged bars; 2 at least. */
  readonly points: number;
  /** Decisions to judge: when their newest bar closed, and over how long. Parallel. */
  readonly origins: Float64Array;
  readonly horizonsHours: Float64Array;
}

/** Bars of several hours each, oldest first; hours without a bar are left out of them. */
export interface MergedBars {
  readonly intervalMilliseconds: number;
  readonly openTime: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
}

export interface TrackReading {
  readonly bars: MergedBars;
  /** Worst loss of each side over the horizon of each origin; null where it is not over, or a bar of it is missing. */
  readonly realised: readonly (Excursion | null)[];
}

/** @returns null where no market has been read yet. */
export type ReadTrack = (request: TrackRequest) => Promise<TrackReading | null>;

/** Of a market that has no bars there is nothing to tell, but what was decided. */
export function readTrack(markets: readonly MarketHistory[], request: TrackRequest): TrackReading | null {
  if (markets.length === 0) return null;
  const bars = markets.find(({ symbol }) => symbol === request.symbol)?.bars;
  if (bars === undefined)
    return {
      bars: mergedBars(sliceBars(markets[0].bars, 0, 0), request),
      realised: Array.from(request.origins, () => null),
    };
  return {
    bars: mergedBars(bars, request),
    realised: Array.from(request.origins, (asOf, i) =>
      realisedExcursion(bars, asOf, request.horizonsHours[i]),
    ),
  };
}

/** Spans that people know; beyond them whole days. */
const SPANS_HOURS = [1, 2, 3, 4, 6, 8, 12];

/**
 * Hourly bars put together to at most `points` of equal spans, the shortest that are enough. Spans begin at multiples of themselves, so
 * that the same bars come out wherever the range begins; the first one is whole.
 */
export function mergedBars(
  hourly: BarSeries,
  { from, to, points }: Pick<TrackRequest, 'from' | 'to' | 'points'>,
): MergedBars {
  const end = firstOpenFrom(hourly, to);
  const wanted = firstOpenFrom(hourly, from);
  const span = spanFor(hourly, wanted, end, points);
  const start = wanted < end ? firstOpenFrom(hourly, spanStart(hourly.openTime[wanted], span)) : end;
  const merged = { openTime: [], open: [], high: [], low: [], close: [] } as Record<
    'openTime' | 'open' | 'high' | 'low' | 'close',
    number[]
  >;
  for (let i = start; i < end; i++) {
    const opened = spanStart(hourly.openTime[i], span);
    const last = merged.openTime.length - 1;
    if (last < 0 || merged.openTime[last] !== opened) {
      merged.openTime.push(opened);
      merged.open.push(hourly.open[i]);
      merged.high.push(hourly.high[i]);
      merged.low.push(hourly.low[i]);
      merged.close.push(hourly.close[i]);
      continue;
    }
    merged.high[last] = Math.max(merged.high[last], hourly.high[i]);
    merged.low[last] = Math.min(merged.low[last], hourly.low[i]);
    merged.close[last] = hourly.close[i];
  }
  const column = (values: readonly number[]): Float64Array => Float64Array.from(values);
  return {
    intervalMilliseconds: span,
    openTime: column(merged.openTime),
    open: column(merged.open),
    high: column(merged.high),
    low: column(merged.low),
    close: column(merged.close),
  };
}

/** Milliseconds. */
function spanFor({ openTime }: BarSeries, start: number, end: number, points: number): number {
  const isEnough = (hours: number): boolean => {
    const span = hours * HOUR_MILLISECONDS;
    return (
      start >= end || (spanStart(openTime[end - 1], span) - spanStart(openTime[start], span)) / span < points
    );
  };
  const known = SPANS_HOURS.find(isEnough);
  if (known !== undefined) return known * HOUR_MILLISECONDS;
  let hours = 24;
  while (!isEnough(hours)) hours += 24;
  return hours * HOUR_MILLISECONDS;
}

function spanStart(time: number, span: number): number {
  return Math.floor(time / span) * span;
}

/** Index of the first bar that opens at a time or later. */
function firstOpenFrom(bars: BarSeries, time: number): number {
  return barsClosedBy(bars, time - 1 + bars.intervalMilliseconds);
}
