import { createHash } from 'node:crypto';
import type { MarketDataReader } from '../data/ports.ts';
import { PlimsollError } from '../src/errors.ts';
import type { BarSeries, MarketHistory } from '../src/risk/bars.ts';

/** Which data a run looks at: some markets up to a time. */
export interface WindowChoice {
  readonly symbols: readonly string[] | null;
  /** Epoch milliseconds; null for all that is stored. */
  readonly to: number | null;
}

/** The markets of a window: no bar that opened at its end or later, so that bars which come in meanwhile change nothing. */
export function loadWindow(
  reader: MarketDataReader,
  { symbols, to }: WindowChoice,
): Promise<readonly MarketHistory[]> {
  return reader.loadMarkets({
    ...(symbols === null ? {} : { symbols }),
    ...(to === null ? {} : { to }),
  });
}

/** SHA-256 over everything that is loaded of a window: two stores with the same hash train the same weights. */
export function windowHash(markets: readonly MarketHistory[]): string {
  const hash = createHash('sha256');
  const add = (values: Float64Array): void => {
    hash.update(`${values.length}\n`);
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  };
  const addBars = (bars: BarSeries | null): void => {
    hash.update(bars === null ? 'none\n' : `${bars.intervalMilliseconds}\n`);
    if (bars === null) return;
    const { openTime, open, high, low, close, volume, quoteVolume, length } = bars;
    for (const column of [openTime, open, high, low, close, volume, quoteVolume])
      add(column.subarray(0, length));
  };
  for (const { symbol, source, simulated, bars, funding, mark } of markets) {
    hash.update(`${JSON.stringify([symbol, source, simulated])}\n`);
    addBars(bars);
    addBars(mark);
    hash.update(funding === null ? 'none\n' : 'funding\n');
    if (funding === null) continue;
    add(funding.time.subarray(0, funding.length));
    add(funding.rate.subarray(0, funding.length));
  }
  return hash.digest('hex');
}

/** @throws PlimsollError DATA_DIFFERS where the markets are not those of a window. */
export function requireWindow(markets: readonly MarketHistory[], window: string): void {
  const own = windowHash(markets);
  if (own !== window) throw dataDiffer(own, window);
}

/** @param stored, @param planned hashes of windows. */
export function dataDiffer(stored: string, planned: string): PlimsollError {
  return new PlimsollError('DATA_DIFFERS', 'the stored bars are not those of this training', {
    remedy: 'Import the same history here as where the training was planned, or share the folder of bars.',
    details: { stored, planned },
  });
}
