import { type BarSeries, emptyBars } from '../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';

/** Bars for tests of the bar store, and the series that they are written to. */
export const START = Date.UTC(2024, 0, 1);

/** Bars whose numbers name their place, so that a mixed-up column or row shows. */
export function barsOf(length: number, intervalMilliseconds = HOUR_MILLISECONDS, base = 100): BarSeries {
  const bars = emptyBars(length, intervalMilliseconds);
  for (let i = 0; i < length; i++) {
    bars.openTime[i] = START + i * intervalMilliseconds;
    bars.open[i] = base + i / 7;
    bars.high[i] = base + i / 7 + 3.3;
    bars.low[i] = base + i / 7 - 2.2;
    bars.close[i] = base + i / 7 + 1.1;
    bars.volume[i] = 1 / (i + 1);
    bars.quoteVolume[i] = 1e6 / (i + 3);
  }
  return bars;
}

export const BTC = {
  symbol: 'BTCUSDT',
  venue: 'binance',
  kind: 'perp',
  intervalMilliseconds: HOUR_MILLISECONDS,
  simulated: false,
};
