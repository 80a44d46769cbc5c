import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BarStore } from '../../../data/bar-store.ts';
import { type Candle, exchangeCandles } from '../../../data/exchange-candles.ts';
import { importPaths } from '../../../data/import/import.ts';
import { parseInterval } from '../../../data/series.ts';
import { isoTime } from '../../clock.ts';
import { loadConfig } from '../../config.ts';
import { PlimsollError } from '../../errors.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';

interface FetchOptions extends CommonOptions {
  readonly exchange: string;
  readonly symbols: string;
  readonly since: number;
  readonly interval?: string;
  readonly url?: string;
}

interface Fetched {
  readonly symbol: string;
  /** Epoch milliseconds of the first and last bar that came; null where none is new. */
  readonly from: number | null;
  readonly to: number | null;
  readonly bars: number;
  readonly added: number;
  readonly refused: number;
}

/** Bars are stored after so many, so that an interruption loses little. */
const BARS_AT_ONCE = 20_000;

/** Bars of perpetual markets from an exchange's public API, from where the stored ones end. */
export async function fetchHistory(context: CliContext, options: FetchOptions): Promise<void> {
  const { dataDir: folder, config, json, exchange, symbols, since, interval = '1h', url } = options;
  const { dataDir } = loadConfig({ dataDir: folder, config }).values;
  const intervalMilliseconds = parseInterval(interval);
  if (intervalMilliseconds === null)
    throw new PlimsollError('USAGE', `${interval} is no interval`, { remedy: 'Give one such as 1h.' });
  const source = await exchangeCandles(exchange, url ?? null);
  const store = await BarStore.open(dataDir);
  const bar = context.progress('fetch', 1);
  const fetched: Fetched[] = [];
  try {
    const names = symbols.split(',').map((name) => name.trim());
    for (const [i, symbol] of names.entries()) {
      if (context.interrupted.aborted) break;
      bar.update(i / names.length, symbol);
      const stored = (await store.catalogue()).find(
        (series) =>
          series.symbol === symbol &&
          series.venue === exchange &&
          series.kind === 'perp' &&
          series.intervalMilliseconds === intervalMilliseconds,
      );
      let from = stored === undefined ? since : stored.to + intervalMilliseconds;
      const total = {
        symbol,
        from: null as number | null,
        to: null as number | null,
        bars: 0,
        added: 0,
        refused: 0,
      };
      for (;;) {
        const candles = await candlesFrom(
          context,
          (at) => source.candles(symbol, interval, at),
          from,
          intervalMilliseconds,
        );
        if (candles.length === 0) break;
        const report = await storeCandles(context, store, dataDir, { symbol, exchange, interval }, candles);
        total.from ??= candles[0].openTime;
        total.to = candles[candles.length - 1].openTime;
        total.bars += candles.length;
        total.added += report.added;
        total.refused += report.refusedRows;
        from = total.to + intervalMilliseconds;
        if (context.interrupted.aborted) break;
      }
      fetched.push(total);
    }
  } finally {
    bar.finish();
    store.close();
  }
  print(context, json === true, fetched);
}

/** Closed bars from a time on, request after request, until there are no more or enough to be stored. */
async function candlesFrom(
  context: CliContext,
  ask: (since: number) => Promise<readonly Candle[]>,
  since: number,
  intervalMilliseconds: number,
): Promise<readonly Candle[]> {
  const candles: Candle[] = [];
  let from = since;
  while (candles.length < BARS_AT_ONCE && !context.interrupted.aborted) {
    const closed = (await ask(from)).filter(
      ({ openTime }) => openTime >= from && openTime + intervalMilliseconds <= context.clock.now(),
    );
    if (closed.length === 0) break;
    candles.push(...closed);
    from = closed[closed.length - 1].openTime + intervalMilliseconds;
  }
  return candles;
}

/** The same way in as any file: every row is judged. */
async function storeCandles(
  context: CliContext,
  store: BarStore,
  dataDir: string,
  {
    symbol,
    exchange,
    interval,
  }: { readonly symbol: string; readonly exchange: string; readonly interval: string },
  candles: readonly Candle[],
) {
  const folder = join(dataDir, 'fetched');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${symbol}-${exchange}-perp-${interval}.csv`);
  const rows = candles.map(({ openTime, open, high, low, close, volume }) => {
    // ccxt tells no quote volume: the base volume at the middle of the bar is near enough for what liquidity is taken from it.
    const quoteVolume = volume * ((high + low) / 2);
    return [openTime, open, high, low, close, volume, quoteVolume].join(',');
  });
  writeFileSync(file, `open_time,open,high,low,close,volume,quote_volume\n${rows.join('\n')}\n`);
  try {
    const report = await importPaths(store, dataDir, [file], {
      overrides: { symbol, venue: exchange, kind: 'perp', interval },
      replace: false,
      clock: context.clock,
      interrupted: context.interrupted,
      onProgress: () => {},
    });
    const [error] = report.files.flatMap((one) => one.error ?? []);
    if (error !== undefined) throw new PlimsollError('DATA_INVALID', `${error.code}: ${error.message}`);
    return report;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(context: CliContext, isJson: boolean, fetched: readonly Fetched[]): void {
  const time = (at: number | null): string | null => (at === null ? null : isoTime(at));
  if (isJson) {
    context.printJson({
      fetched: fetched.map((one) => ({ ...one, from: time(one.from), to: time(one.to) })),
    });
    return;
  }
  const rows = fetched.map(({ symbol, from, to, bars, added, refused }) => [
    symbol,
    time(from)?.slice(0, 16) ?? '',
    time(to)?.slice(0, 16) ?? '',
    ...[bars, added, refused].map(String),
  ]);
  context.print(table(['market', 'from', 'to', 'bars', 'added', 'refused'], rows));
  if (context.interrupted.aborted)
    context.note('interrupted; what is stored is whole, and the next fetch goes on there');
}
