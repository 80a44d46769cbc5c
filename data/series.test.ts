import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BARS, FUNDING, OPEN_INTEREST, type RowForm, rowFormOf } from './row-form.ts';
import {
  formatInterval,
  parseInterval,
  SERIES_KINDS,
  type SeriesKey,
  type SeriesOverrides,
  seriesId,
  seriesOfFile,
} from './series.ts';

const HOUR = 3_600_000;

describe('the name of a file says which series it belongs to', () => {
  test.each([
    ['BTCUSDT-binance-perp-1h.csv.gz', 'BTCUSDT-binance-perp-1h'],
    ['BTCUSDT-binance-perp-1h.csv', 'BTCUSDT-binance-perp-1h'],
    ['BTCUSDT-binance-perp-1h.parquet', 'BTCUSDT-binance-perp-1h'],
    ['BTCUSDT-binance-perp-1h.CSV.GZ', 'BTCUSDT-binance-perp-1h'],
    ['AVAXUSDT-binance-perp-1m-2024-02.csv.gz', 'AVAXUSDT-binance-perp-1m'],
    ['BTCUSDT-binance-perp-mark-1h.csv.gz', 'BTCUSDT-binance-perp-mark-1h'],
    ['ADAUSDT-kucoin-spot-1m.csv.gz', 'ADAUSDT-kucoin-spot-1m'],
    ['GBPUSD-fxcm-fx-1m.csv.gz', 'GBPUSD-fxcm-fx-1m'],
    ['1000PEPEUSDT-binance-perp-30m.csv', '1000PEPEUSDT-binance-perp-30m'],
    // Without a venue: indices, and the products of Binance's own dumps.
    ['SPX-index-1d.csv.gz', 'SPX-index-index-1d'],
    ['BTCUSDT-futures-um-1h-2024-10-28.csv', 'BTCUSDT-binance-perp-1h'],
    ['BTCUSDT-spot-1h-2024-10-28.csv', 'BTCUSDT-binance-spot-1h'],
    ['BTCUSDT-1h-2024-10.csv', 'BTCUSDT-binance-spot-1h'],
    // An interval has one spelling in the store.
    ['BTCUSDT-binance-perp-60m.csv', 'BTCUSDT-binance-perp-1h'],
    ['BTCUSDT-binance-perp-24h.csv', 'BTCUSDT-binance-perp-1d'],
  ])('%s', (name, id) => {
    expect(seriesId(seriesOfFile(name, {}, BARS))).toBe(id);
  });

  test.each([
    ['BTCUSDT-binance-perp-funding.csv.gz'],
    ['BTCUSDT-binance-funding.csv.gz'],
    ['BTCUSDT-binance-perp-funding-8h.csv.gz'],
    ['BTCUSDT-binance-perp-funding-2024-01.csv.gz'],
    ['BTCUSDT-binance-perp-1h.csv'],
  ])('%s when it holds funding rates', (name) => {
    const key = seriesOfFile(name, {}, FUNDING);
    expect(key).toEqual({
      symbol: 'BTCUSDT',
      venue: 'binance',
      kind: 'perp-funding',
      intervalMilliseconds: 8 * HOUR,
    });
    expect(seriesId(key)).toBe('BTCUSDT-binance-perp-funding');
  });
});

test.each([
  ['BTCUSDT-binance-perp-open-interest.csv.gz'],
  ['BTCUSDT-binance-open-interest.csv'],
  ['BTCUSDT-binance-perp-open-interest-5m-2024-01.csv.gz'],
  // As Binance names its dumps.
  ['BTCUSDT-metrics-2024-10-28.csv'],
  ['BTCUSDT-metrics-2024-10-28.zip'],
])('%s when it holds open interest', (name) => {
  const key = seriesOfFile(name, {}, OPEN_INTEREST);
  expect(key).toMatchObject({ symbol: 'BTCUSDT', venue: 'binance', kind: 'perp-open-interest' });
  expect(seriesId(key)).toBe('BTCUSDT-binance-perp-open-interest');
});

describe('a name that lacks something is refused with the flag that gives it', () => {
  test.each<[string, RowForm, RegExp, readonly RegExp[]]>([
    ['data.csv', BARS, /the market .*the interval/, [/the kind/]],
    ['btcusdt-binance-perp-1h.csv', BARS, /the market \(--symbol BTCUSDT\)$/, [/venue|kind|interval/]],
    ['BTCUSDT-binance-1h.csv', BARS, /the kind \(--kind perp\|/, [/venue|interval/]],
    ['BTCUSDT-binance-swap-1h.csv', BARS, /the kind/, [/venue|interval/]],
    ['BTCUSDT-binance-perp.csv', BARS, /the interval \(--interval 1h\)$/, [/venue|kind/]],
    ['BTCUSDT-binance-perp-1w.csv', BARS, /the interval/, [/venue/]],
    // A kind is no venue, so that a flag for the one does not make the other up.
    ['BTCUSDT-perp-1h.csv', BARS, /the venue \(--venue binance\)$/, [/kind|interval/]],
    ['BTCUSDT-open-interest.csv', OPEN_INTEREST, /the venue/, [/kind|interval/]],
    ['BTCUSDT-funding.csv', FUNDING, /the venue/, [/kind|interval/]],
    ['BTC-USDT-1h.csv', BARS, /the venue.*the kind/, [/market|interval/]],
  ])('%s', (name, form, said, unsaid) => {
    let thrown: unknown;
    try {
      seriesOfFile(name, {}, form);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      code: 'LAYOUT_UNKNOWN',
      message: expect.stringMatching(said),
      remedy: expect.stringContaining('SYMBOL-venue-kind-interval'),
      details: { file: name },
    });
    const saidMissing = (thrown as Error).message.slice(name.length);
    for (const word of unsaid) expect(saidMissing.split('--kind')[0]).not.toMatch(word);
  });
});

test.each<[SeriesOverrides, string]>([
  [{}, 'BTCUSDT-binance-perp-1h'],
  [{ symbol: 'ETHUSDT' }, 'ETHUSDT-binance-perp-1h'],
  [{ venue: 'okx' }, 'BTCUSDT-okx-perp-1h'],
  [{ kind: 'perp-mark' }, 'BTCUSDT-binance-perp-mark-1h'],
  [{ interval: '15m' }, 'BTCUSDT-binance-perp-15m'],
  [{ symbol: 'SOLUSDT', venue: 'ftx', kind: 'spot', interval: '1d' }, 'SOLUSDT-ftx-spot-1d'],
])('a flag goes before the name: %j', (overrides, id) => {
  expect(seriesId(seriesOfFile('BTCUSDT-binance-perp-1h.csv', overrides, BARS))).toBe(id);
});

test.each<[SeriesOverrides]>([
  [{ symbol: '../../etc/passwd' }],
  [{ symbol: '' }],
  [{ venue: 'a/b' }],
  [{ venue: '..' }],
  [{ kind: 'toString' }],
  [{ interval: '0h' }],
  [{ interval: '-1h' }],
  [{ interval: '1.5h' }],
  [{ interval: 'constructor' }],
])('a flag that no file of the store could be named after is refused: %j', (overrides) => {
  expect(() => seriesOfFile('BTCUSDT-binance-perp-1h.csv', overrides, BARS)).toThrow(
    expect.objectContaining({ code: 'LAYOUT_UNKNOWN' }),
  );
});

test('the name of a stored series leads back to the series', () => {
  const key: fc.Arbitrary<SeriesKey> = fc.record({
    symbol: fc.stringMatching(/^[A-Z0-9]{2,30}$/),
    venue: fc.stringMatching(/^[a-z][a-z0-9]{0,19}$/).filter((venue) => parseInterval(venue) === null),
    kind: fc.constantFrom(...SERIES_KINDS),
    intervalMilliseconds: fc
      .tuple(fc.integer({ min: 1, max: 9999 }), fc.constantFrom(60_000, HOUR, 24 * HOUR))
      .map(([count, unit]) => count * unit)
      .filter((milliseconds) => parseInterval(formatInterval(milliseconds)) === milliseconds),
  });
  fc.assert(
    fc.property(key, fc.constantFrom('', '-2024-01', '-2024-01-31'), (series, month) => {
      const form = rowFormOf(series.kind);
      const { isOnGrid, usualIntervalMilliseconds } = form;
      const expected = isOnGrid ? series : { ...series, intervalMilliseconds: usualIntervalMilliseconds };
      expect(seriesOfFile(`${seriesId(series)}${month}.csv.gz`, {}, form)).toEqual(expected);
    }),
    { numRuns: 500, seed: 17 },
  );
});

test.each([
  ['1m', 60_000],
  ['15m', 900_000],
  ['1h', HOUR],
  ['8h', 8 * HOUR],
  ['1d', 24 * HOUR],
])('%s is %d ms, both ways', (text, milliseconds) => {
  expect(parseInterval(text)).toBe(milliseconds);
  expect(formatInterval(milliseconds)).toBe(text);
});

test.each(['', '1', 'h', '01h', '0m', '1H', '1h ', '10000d', '1s', '1w'])('%j is no interval', (text) => {
  expect(parseInterval(text)).toBeNull();
});
