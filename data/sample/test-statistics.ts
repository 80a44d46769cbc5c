import type { BarSeries } from '../../src/risk/bars.ts';

/** The numbers by which a price history is told to be like a crypto market, for tests of the sample market. */
export interface HistoryStatistics {
  readonly hourlyVolatility: number;
  /** Fourth standardised moment of hourly log returns; 3 for a normal distribution. */
  readonly kurtosis: number;
  readonly autocorrelationOfReturns1: number;
  readonly autocorrelationOfAbsoluteReturns24: number;
  /** Correlation of a return with the mean absolute return of the next 24 hours: below 0 where falls raise volatility. */
  readonly leverageEffect: number;
  readonly worstHour: number;
  readonly bestHour: number;
  /** 99 % quantile, over entry hours, of the worst loss of a long and of a short position within 24 hours. */
  readonly longExcursion99: number;
  readonly shortExcursion99: number;
  /** Mean of ln(high / low) over mean of |ln(close / open)|: 2 for Brownian motion seen without gaps. */
  readonly rangeRatio: number;
  readonly medianQuoteVolume: number;
  /** Correlation of ln(volume) with ln(high / low). */
  readonly volumeRangeCorrelation: number;
}

export function historyStatistics(bars: BarSeries): HistoryStatistics {
  const returns = hourlyReturns(bars);
  const absolute = returns.map(Math.abs);
  const ranges = bars.high.map((high, i) => Math.log(high / bars.low[i]));
  const moves = bars.close.map((close, i) => Math.abs(Math.log(close / bars.open[i])));
  const traded = [...bars.quoteVolume.keys()].filter((i) => bars.quoteVolume[i] > 0 && ranges[i] > 0);
  const ahead = Float64Array.from({ length: returns.length - 25 }, (_, i) =>
    mean(absolute.subarray(i + 1, i + 25)),
  );
  return {
    hourlyVolatility: deviation(returns),
    kurtosis: kurtosis(returns),
    autocorrelationOfReturns1: lagged(returns, 1),
    autocorrelationOfAbsoluteReturns24: lagged(absolute, 24),
    leverageEffect: correlation(returns.subarray(0, ahead.length), ahead),
    worstHour: Math.expm1(returns.reduce((a, b) => Math.min(a, b))),
    bestHour: Math.expm1(returns.reduce((a, b) => Math.max(a, b))),
    longExcursion99: excursionQuantile(bars, 'long'),
    shortExcursion99: excursionQuantile(bars, 'short'),
    rangeRatio: mean(ranges) / mean(moves),
    medianQuoteVolume: quantile(bars.quoteVolume, 0.5),
    volumeRangeCorrelation: correlation(
      Float64Array.from(traded, (i) => Math.log(bars.quoteVolume[i])),
      Float64Array.from(traded, (i) => Math.log(ranges[i])),
    ),
  };
}

export function hourlyReturns(bars: BarSeries): Float64Array {
  return Float64Array.from({ length: bars.length - 1 }, (_, i) =>
    Math.log(bars.close[i + 1] / bars.close[i]),
  );
}

export function correlation(x: Float64Array, y: Float64Array): number {
  const [meanX, meanY] = [mean(x), mean(y)];
  let covariance = 0;
  for (let i = 0; i < x.length; i++) covariance += (x[i] - meanX) * (y[i] - meanY);
  return covariance / x.length / (deviation(x) * deviation(y));
}

export function quantile(values: Float64Array, probability: number): number {
  return values.slice().sort()[Math.floor(probability * (values.length - 1))];
}

function lagged(values: Float64Array, lag: number): number {
  return correlation(values.subarray(lag), values.subarray(0, values.length - lag));
}

function mean(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function deviation(values: Float64Array): number {
  const center = mean(values);
  return Math.sqrt(values.reduce((a, b) => a + (b - center) ** 2, 0) / values.length);
}

function kurtosis(values: Float64Array): number {
  const center = mean(values);
  const fourth = values.reduce((a, b) => a + (b - center) ** 4, 0) / values.length;
  return fourth / deviation(values) ** 4;
}

function excursionQuantile(bars: BarSeries, side: 'long' | 'short'): number {
  const excursions = new Float64Array(bars.length - 24);
  for (let entry = 0; entry < excursions.length; entry++) {
    let worst = 0;
    for (let hour = entry + 1; hour <= entry + 24; hour++) {
      const price = side === 'long' ? bars.low[hour] : bars.high[hour];
      const loss = side === 'long' ? 1 - price / bars.close[entry] : price / bars.close[entry] - 1;
      worst = Math.max(worst, loss);
    }
    excursions[entry] = worst;
  }
  return quantile(excursions, 0.99);
}
