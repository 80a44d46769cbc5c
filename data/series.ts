import { PlimsollError } from '../src/errors.ts';
import { BARS, type RowForm, rowFormOf } from './row-form.ts';

/** What a stored series is: the name of its file says all of it. */
export interface SeriesKey {
  readonly symbol: string;
  readonly venue: string;
  readonly kind: SeriesKind;
  readonly intervalMilliseconds: number;
}

export const SERIES_KINDS = [
  'perp',
  'perp-mark',
  'perp-funding',
  'perp-open-interest',
  'spot',
  'index',
  'fx',
] as const;
export type SeriesKind = (typeof SERIES_KINDS)[number];

const UNIT_MILLISECONDS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `1m`, `15m`, `1h`, `1d` in milliseconds; null for anything else. */
export function parseInterval(text: string): number | null {
  const match = /^([1-9]\d{0,3})([mhd])$/.exec(text);
  return match === null ? null : Number(match[1]) * UNIT_MILLISECONDS[match[2]];
}

export function formatInterval(milliseconds: number): string {
  for (const unit of ['d', 'h', 'm']) {
    if (milliseconds % UNIT_MILLISECONDS[unit] === 0)
      return `${milliseconds / UNIT_MILLISECONDS[unit]}${unit}`;
  }
  return `${milliseconds}ms`;
}

/** `SYMBOL-venue-kind-interval`, for example `BTCUSDT-binance-perp-mark-1h`. */
export function seriesId(key: SeriesKey): string {
  const interval = rowFormOf(key.kind).isOnGrid ? `-${formatInterval(key.intervalMilliseconds)}` : '';
  return `${key.symbol}-${key.venue}-${key.kind}${interval}`;
}

export interface SeriesOverrides {
  readonly symbol?: string | undefined;
  readonly venue?: string | undefined;
  readonly kind?: string | undefined;
  readonly interval?: string | undefined;
}

interface NameParts {
  symbol?: string;
  venue?: string;
  kind?: string;
  interval?: string;
}

const SYMBOL = /^[A-Z0-9_]{2,30}$/;
const VENUE = /^[a-z0-9]{1,20}$/;

/**
 * The series that a file belongs to, from its name (`SYMBOL-venue-kind-interval[-YYYY-MM[-DD]]`, or the names of
 * Binance's own dumps) with flags before the name.
 *
 * @param form of its rows: a form of one kind says the kind.
 * @throws PlimsollError LAYOUT_UNKNOWN that says which part is missing and which flag gives it.
 */
export function seriesOfFile(fileName: string, overrides: SeriesOverrides, form: RowForm): SeriesKey {
  const named = partsOfName(fileName);
  const symbol = overrides.symbol ?? named.symbol ?? '';
  const venue = overrides.venue ?? named.venue ?? '';
  const kind = overrides.kind ?? (form.kinds.length === 1 ? form.kinds[0] : named.kind) ?? '';
  const interval = overrides.interval ?? named.interval ?? '';
  const missing: string[] = [];
  if (!SYMBOL.test(symbol)) missing.push('the market (--symbol BTCUSDT)');
  if (!VENUE.test(venue)) missing.push('the venue (--venue binance)');
  if (kindOf(kind) === null) missing.push(`the kind (--kind ${SERIES_KINDS.join('|')})`);
  const own = kindOf(kind) === null ? BARS : rowFormOf(kind as SeriesKind);
  const milliseconds = own.isOnGrid ? parseInterval(interval) : own.usualIntervalMilliseconds;
  if (milliseconds === null) missing.push('the interval (--interval 1h)');
  if (missing.length > 0 || milliseconds === null) {
    throw new PlimsollError('LAYOUT_UNKNOWN', `${fileName} does not say ${missing.join(', ')}`, {
      remedy: 'Name the file SYMBOL-venue-kind-interval.csv.gz, or give the missing parts by these flags.',
      details: { file: fileName },
    });
  }
  return { symbol, venue, kind: kind as SeriesKind, intervalMilliseconds: milliseconds };
}

function kindOf(text: string): SeriesKind | null {
  return SERIES_KINDS.find((kind) => kind === text) ?? null;
}

function partsOfName(fileName: string): NameParts {
  const stem = fileName.replace(/\.(csv|parquet|zip)(\.gz)?$/i, '').replace(/-\d{4}(-\d{2}){1,2}$/, '');
  const words = stem.split('-');
  const parts: NameParts = {};
  const first = words.shift();
  if (first !== undefined && SYMBOL.test(first)) parts.symbol = first;
  if (words.length > 0 && parseInterval(words[words.length - 1]) !== null)
    parts.interval = words.pop() as string;
  const rest = words.join('-').replace(/(?<!perp-)\b(funding|open-interest)$/, 'perp-$1');
  // Binance's public dumps name the product instead of a venue.
  if (rest === 'futures-um' || rest === '')
    return { ...parts, venue: 'binance', kind: rest === '' ? 'spot' : 'perp' };
  if (rest === 'metrics') return { ...parts, venue: 'binance', kind: 'perp-open-interest' };
  if (rest === 'spot') return { ...parts, venue: 'binance', kind: 'spot' };
  if (rest === 'index') return { ...parts, venue: 'index', kind: 'index' };
  if (kindOf(rest) !== null) return { ...parts, kind: rest };
  const dash = rest.indexOf('-');
  if (dash < 0) return { ...parts, venue: rest };
  return { ...parts, venue: rest.slice(0, dash), kind: rest.slice(dash + 1) };
}
