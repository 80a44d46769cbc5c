import { describe, expect, test } from 'vitest';
import { RANDOM_MARKET_START, randomMarket } from '../../test/random-market.ts';
import type { MarketHistory } from '../risk/bars.ts';
import { computeFeatures } from './batch.ts';
import {
  baseVolatilityIndex,
  dailyVolatilityOf,
  FEATURE_COUNT,
  FEATURE_NAMES,
  type FeatureName,
  featureSpecHash,
  HAR_FEATURES,
} from './spec.ts';

const HOUR = 3_600_000;
const FLOOR = 1e-10;

interface Hour {
  readonly present: boolean;
  readonly r: number;
  readonly bar: { open: number; high: number; low: number; close: number; volume: number };
}

/** Hour by hour from the market's second bar on, the plain way. Markets here have gaps below 48 hours only. */
function hoursOf(market: MarketHistory, until: number): Hour[] {
  const { bars } = market;
  const hours: Hour[] = [];
  let close = bars.close[0];
  for (let openTime = bars.openTime[0] + HOUR; openTime + HOUR <= until; openTime += HOUR) {
    const i = bars.openTime.indexOf(openTime);
    const present = i >= 0;
    const bar = present
      ? {
          open: bars.open[i],
          high: bars.high[i],
          low: bars.low[i],
          close: bars.close[i],
          volume: bars.quoteVolume[i],
        }
      : { open: close, high: close, low: close, close, volume: 0 };
    hours.push({ present, r: Math.log(bar.close / close), bar });
    close = bar.close;
  }
  return hours;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const logVolatility = (variancePerHour: number): number =>
  0.5 * Math.log(24 * (variancePerHour + FLOOR)) - Math.log(0.03);
const variance = (hours: readonly Hour[], n: number): number => mean(hours.slice(-n).map(({ r }) => r * r));
const clip = (value: number, bound: number): number => Math.max(-bound, Math.min(bound, value));
const parkinson = ({ bar }: Hour): number => Math.log(bar.high / bar.low) ** 2 / (4 * Math.LN2);
const rogersSatchell = ({ bar }: Hour): number =>
  Math.log(bar.high / bar.close) * Math.log(bar.high / bar.open) +
  Math.log(bar.low / bar.close) * Math.log(bar.low / bar.open);

function lastShock(hours: readonly Hour[]): number {
  for (let i = hours.length - 1; i >= 24; i--) {
    const before = mean(hours.slice(Math.max(i - 168, 0), i).map(({ r }) => r * r));
    if (hours[i].r ** 2 > 16 * (before + FLOOR)) return hours.length - 1 - i;
  }
  return 1992;
}

/** Every feature of one market by its name, straight from its definition. */
function slowFeatures(
  markets: readonly MarketHistory[],
  m: number,
  asOf: number,
): Record<FeatureName, number> {
  const all = markets.map((market) => hoursOf(market, asOf));
  const warm = all.filter((hours) => hours.length >= 168);
  const own = all[m];
  const start = Math.min(...markets.map(({ bars }) => bars.openTime[0]));
  const index = Array.from({ length: (asOf - start) / HOUR }, (_, h) => {
    const returns = all.flatMap((hours) => {
      const hour = hours[hours.length - (asOf - start) / HOUR + h];
      return hour?.present ? [hour.r] : [];
    });
    return returns.length === 0 ? 0 : mean(returns);
  });
  const indexVariance = (n: number): number => mean(index.slice(-n).map((r) => r * r));
  const scaledIndex = (n: number): number =>
    sum(index.slice(-n)) / Math.sqrt(n * (indexVariance(168) + FLOOR));
  const range = (of: (hour: Hour) => number, n: number): number =>
    logVolatility(
      mean(
        own
          .slice(-n)
          .filter(({ present }) => present)
          .map(of),
      ),
    );
  const move = (hours: readonly Hour[], n: number): number => sum(hours.slice(-n).map(({ r }) => r));
  const squares = (n: number): number => sum(own.slice(-n).map(({ r }) => r * r));
  const volume = (n: number): number => mean(own.slice(-n).map(({ bar }) => bar.volume));
  const absolute = (n: number): number => mean(own.slice(-n).map(({ r }) => Math.abs(r)));
  const downside = (n: number): number => sum(own.slice(-n).map(({ r }) => (r < 0 ? r * r : 0))) / squares(n);
  const jump = (n: number): number => {
    const pairs = own.map(({ r }, i) => (i === 0 ? 0 : Math.abs(r * own[i - 1].r)));
    return Math.max(1 - ((Math.PI / 2) * sum(pairs.slice(-n))) / squares(n), 0);
  };
  const scaled = (n: number): number => move(own, n) / Math.sqrt(n * (variance(own, 168) + FLOOR));
  const month = Math.sqrt(720 * (variance(own, 720) + FLOOR));
  const present720 = own.slice(-720).filter(({ present }) => present);
  const close = own[own.length - 1].bar.close;
  const logRanges = own
    .slice(-168)
    .filter(({ present }) => present)
    .map((hour) => Math.log(parkinson(hour) + FLOOR));
  const crossLog = (n: number): number => mean(warm.map((hours) => logVolatility(variance(hours, n))));
  const dispersion = (n: number): number => {
    const moves = warm.map((hours) => move(hours, n));
    return logVolatility(mean(moves.map((r) => (r - mean(moves)) ** 2)) / n);
  };
  const { funding } = markets[m];
  const fundings = [...(funding?.time ?? [])].flatMap((time, i) =>
    time <= asOf && time > asOf - 72 * HOUR ? [funding!.rate[i]] : [],
  );
  const date = new Date(asOf);
  const hourAngle = (2 * Math.PI * date.getUTCHours()) / 24;
  const dayAngle = (2 * Math.PI * date.getUTCDay()) / 7;
  return {
    logRealisedVolatility1h: logVolatility(variance(own, 1)),
    logRealisedVolatility4h: logVolatility(variance(own, 4)),
    logRealisedVolatility24h: logVolatility(variance(own, 24)),
    logRealisedVolatility72h: logVolatility(variance(own, 72)),
    logRealisedVolatility168h: logVolatility(variance(own, 168)),
    logRealisedVolatility720h: logVolatility(variance(own, 720)),
    logRealisedVolatility2160h: logVolatility(variance(own, 2160)),
    logParkinsonVolatility1h: own[own.length - 1].present ? range(parkinson, 1) : logVolatility(0),
    logParkinsonVolatility4h: range(parkinson, 4),
    logParkinsonVolatility24h: range(parkinson, 24),
    logParkinsonVolatility168h: range(parkinson, 168),
    logRogersSatchellVolatility24h: range(rogersSatchell, 24),
    indexLogVolatility24h: logVolatility(indexVariance(24)),
    indexLogVolatility168h: logVolatility(indexVariance(168)),
    indexLogVolatility720h: logVolatility(indexVariance(720)),
    marketMeanLogVolatility24h: crossLog(24),
    marketMeanLogVolatility168h: crossLog(168),
    volatilityOfVolatility168h: Math.sqrt(mean(logRanges.map((x) => (x - mean(logRanges)) ** 2))),
    downsideShare24h: downside(24),
    downsideShare168h: downside(168),
    jumpShare24h: jump(24),
    jumpShare168h: jump(168),
    largestReturnShare24h: Math.max(...own.slice(-24).map(({ r }) => Math.abs(r))) / Math.sqrt(squares(24)),
    scaledReturn1h: clip(scaled(1), 10),
    scaledReturn4h: clip(scaled(4), 10),
    scaledReturn24h: clip(scaled(24), 10),
    scaledReturn168h: clip(scaled(168), 10),
    scaledReturn720h: clip(move(own, 720) / month, 10),
    distanceFromHigh720h: clip(
      Math.log(Math.max(...present720.map(({ bar }) => bar.high)) / close) / month,
      10,
    ),
    distanceFromLow720h: clip(
      Math.log(close / Math.min(...present720.map(({ bar }) => bar.low))) / month,
      10,
    ),
    logVolumeRatio4h: volume(4) === 0 ? 0 : clip(Math.log(volume(4) / volume(720)), 5),
    logVolumeRatio24h: clip(Math.log(volume(24) / volume(720)), 5),
    zeroVolumeShare168h: mean(own.slice(-168).map(({ bar }) => (bar.volume === 0 ? 1 : 0))),
    logIlliquidityRatio24h: clip(Math.log((absolute(24) * volume(720)) / (absolute(720) * volume(24))), 5),
    logDailyQuoteVolume: (Math.log10(24 * volume(168) + 1) - 8) / 1.5,
    missingShare168h: mean(own.slice(-168).map(({ present }) => (present ? 0 : 1))),
    fundingLast: fundings.length === 0 ? 0 : Math.asinh(1e4 * fundings[fundings.length - 1]),
    fundingMean72h: fundings.length === 0 ? 0 : Math.asinh(1e4 * mean(fundings)),
    fundingAvailable: fundings.length === 0 ? 0 : 1,
    indexScaledReturn1h: clip(scaledIndex(1), 10),
    indexScaledReturn4h: clip(scaledIndex(4), 10),
    indexScaledReturn24h: clip(scaledIndex(24), 10),
    indexScaledReturn168h: clip(scaledIndex(168), 10),
    ownMinusMarketLogVolatility24h: logVolatility(variance(own, 24)) - crossLog(24),
    ownMinusMarketLogVolatility168h: logVolatility(variance(own, 168)) - crossLog(168),
    logDispersion24h: dispersion(24),
    logDispersion168h: dispersion(168),
    averageCorrelation168h: Math.min(
      indexVariance(168) / (mean(warm.map((hours) => variance(hours, 168))) + FLOOR),
      1.5,
    ),
    shockShare24h: mean(warm.map((hours) => (lastShock(hours) < 24 ? 1 : 0))),
    hourSine: Math.sin(hourAngle),
    hourCosine: Math.cos(hourAngle),
    weekdaySine: Math.sin(dayAngle),
    weekdayCosine: Math.cos(dayAngle),
    weekend: [0, 6].includes(date.getUTCDay()) ? 1 : 0,
    logHoursSinceShock: Math.log1p(Math.min(lastShock(own), 1992)) / Math.log1p(1992),
    logAge: Math.log(Math.min(own.length, 2160) / 2160),
  };
}

describe('feature definitions', () => {
  const markets = [0, 1, 2, 3].map((m) =>
    randomMarket({
      seed: 50 + m,
      symbol: `M${m}USDT`,
      start: RANDOM_MARKET_START + 37 * m * HOUR,
      hours: 2600 - 37 * m,
      gapProbability: 0.01,
      longestGapHours: 20,
      withFunding: m < 2,
    }),
  );

  test('every feature equals its definition, computed slowly and by name', () => {
    const table = computeFeatures(markets);
    const compared = new Set<number>();
    for (let r = 7; r < table.rows; r += 613) {
      const expected = slowFeatures(markets, table.market[r], table.asOf[r]);
      FEATURE_NAMES.forEach((name, j) => {
        const actual = table.values[r * FEATURE_COUNT + j];
        // The lattice rounds squared returns at 4.5e-13, against which a quiet hour's variance is not large.
        expect(actual, `${name} in row ${r}`).toBeCloseTo(expected[name], name.endsWith('1h') ? 2 : 5);
      });
      compared.add(table.market[r]);
    }
    expect(compared.size).toBe(4);
  });

  test('the row opens with the inputs of the log-HAR-X', () => {
    expect(HAR_FEATURES).toEqual(HAR_FEATURES.map((_, i) => i));
    expect(FEATURE_NAMES[baseVolatilityIndex]).toBe('logRealisedVolatility24h');
    expect(new Set(FEATURE_NAMES).size).toBe(FEATURE_COUNT);
    expect(dailyVolatilityOf(0)).toBe(0.03);
  });

  test('the hash of the specification is known: whoever changes a feature changes it knowingly', () => {
    expect(featureSpecHash()).toBe('b5e7dfa542d5a8ed8202469b8dcf9be78010f9f49f3ee5489db673cc25138e37');
  });
});
