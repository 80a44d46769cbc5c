import { type BarSeries, emptyBars } from '../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';

/** Hourly bars from finer ones; an hour of which a bar is missing is left out, because its extremes are not known. */
export function resampleToHours(bars: BarSeries): BarSeries {
  const perHour = HOUR_MILLISECONDS / bars.intervalMilliseconds;
  const out = emptyBars(Math.floor(bars.length / perHour), HOUR_MILLISECONDS);
  let hours = 0;
  for (let i = 0; i + perHour <= bars.length; ) {
    const hour = bars.openTime[i];
    const last = i + perHour - 1;
    const isWhole =
      hour % HOUR_MILLISECONDS === 0 &&
      bars.openTime[last] - hour === HOUR_MILLISECONDS - bars.intervalMilliseconds;
    if (!isWhole) {
      i++;
      continue;
    }
    let high = bars.high[i];
    let low = bars.low[i];
    let volume = 0;
    let quoteVolume = 0;
    for (let j = i; j <= last; j++) {
      if (bars.high[j] > high) high = bars.high[j];
      if (bars.low[j] < low) low = bars.low[j];
      volume += bars.volume[j];
      quoteVolume += bars.quoteVolume[j];
    }
    out.openTime[hours] = hour;
    out.open[hours] = bars.open[i];
    out.high[hours] = high;
    out.low[hours] = low;
    out.close[hours] = bars.close[last];
    out.volume[hours] = volume;
    out.quoteVolume[hours] = quoteVolume;
    hours++;
    i = last + 1;
  }
  return firstBars(out, hours);
}

function firstBars(bars: BarSeries, length: number): BarSeries {
  return {
    intervalMilliseconds: bars.intervalMilliseconds,
    length,
    openTime: bars.openTime.slice(0, length),
    open: bars.open.slice(0, length),
    high: bars.high.slice(0, length),
    low: bars.low.slice(0, length),
    close: bars.close.slice(0, length),
    volume: bars.volume.slice(0, length),
    quoteVolume: bars.quoteVolume.slice(0, length),
  };
}
