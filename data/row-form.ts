import { PlimsollError } from '../src/errors.ts';
import type { SeriesKind } from './series.ts';

/** A fault that a row can have by itself. */
export interface RowCheck {
  readonly reason:
    | 'PRICE_NOT_POSITIVE'
    | 'HIGH_BELOW_LOW'
    | 'OUTSIDE_RANGE'
    | 'NEGATIVE_VOLUME'
    | 'OPEN_INTEREST_NOT_POSITIVE';
  /** SQL over the value columns, true where a row has it. */
  readonly condition: string;
}

/**
 * What a row of a series is: its columns at rest and in uniform files, and what may not be in them. All that reads,
 * judges, stores and merges rows asks this; another kind of series is another entry of `ROW_FORMS`.
 */
export interface RowForm {
  readonly name: 'bars' | 'funding' | 'open interest';
  /** Completes "this file holds …". */
  readonly holds: string;
  /** The kinds of series that are made of such rows. */
  readonly kinds: readonly SeriesKind[];
  readonly time: string;
  /** Value columns in their order, the optional ones last. */
  readonly values: readonly string[];
  /** Those that may be left empty. */
  readonly optional: readonly string[];
  /** Rows stand for an interval: their times are multiples of it, and a row is known at its end. Others are of their time alone. */
  readonly isOnGrid: boolean;
  /** What the name of a series has for an interval where rows stand for none, milliseconds: how far they usually are apart. */
  readonly usualIntervalMilliseconds: number;
  /** In the order in which they are told. */
  readonly checks: readonly RowCheck[];
  /** Whether no check speaks against the values, NaN for absent ones. The same as `checks`, for rows that are not in a database. */
  readonly isSound: (values: Float64Array) => boolean;
}

const HOUR = 3_600_000;

export const BARS: RowForm = {
  name: 'bars',
  holds: 'bars',
  kinds: ['perp', 'perp-mark', 'spot', 'index', 'fx'],
  time: 'open_time',
  values: ['open', 'high', 'low', 'close', 'volume', 'quote_volume'],
  optional: ['volume', 'quote_volume'],
  isOnGrid: true,
  usualIntervalMilliseconds: HOUR,
  checks: [
    { reason: 'PRICE_NOT_POSITIVE', condition: 'least(open, high, low, close) <= 0' },
    { reason: 'HIGH_BELOW_LOW', condition: 'high < low' },
    { reason: 'OUTSIDE_RANGE', condition: 'greatest(open, close) > high OR least(open, close) < low' },
    { reason: 'NEGATIVE_VOLUME', condition: 'coalesce(volume, 0) < 0 OR coalesce(quote_volume, 0) < 0' },
  ],
  isSound: ([open, high, low, close, volume, quoteVolume]) =>
    low > 0 &&
    open >= low &&
    close >= low &&
    open <= high &&
    close <= high &&
    !(volume < 0) &&
    !(quoteVolume < 0),
};

export const FUNDING: RowForm = {
  name: 'funding',
  holds: 'funding rates',
  kinds: ['perp-funding'],
  time: 'funding_time',
  values: ['funding_rate'],
  optional: [],
  isOnGrid: false,
  usualIntervalMilliseconds: 8 * HOUR,
  checks: [],
  isSound: () => true,
};

export const OPEN_INTEREST: RowForm = {
  name: 'open interest',
  holds: 'open interest',
  kinds: ['perp-open-interest'],
  time: 'open_interest_time',
  values: ['quote_notional'],
  optional: [],
  isOnGrid: false,
  usualIntervalMilliseconds: HOUR / 12,
  checks: [{ reason: 'OPEN_INTEREST_NOT_POSITIVE', condition: 'quote_notional <= 0' }],
  isSound: ([quoteNotional]) => quoteNotional > 0,
};

export const ROW_FORMS: readonly RowForm[] = [BARS, FUNDING, OPEN_INTEREST];

/** The form of the rows of a kind of series. */
export function rowFormOf(kind: SeriesKind): RowForm {
  const form = ROW_FORMS.find(({ kinds }) => kinds.includes(kind));
  if (form === undefined) throw new PlimsollError('INTERNAL', `no rows are known of ${kind}`);
  return form;
}

/** The columns of a form that a file must have. */
export function requiredOf({ time, values, optional }: RowForm): readonly string[] {
  return [time, ...values.filter((name) => !optional.includes(name))];
}
