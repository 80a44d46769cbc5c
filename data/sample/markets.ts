/** The twelve invented markets of the sample. No exchange lists these names, so that nobody takes them for real ones. */
export const SECTORS = ['majors', 'platforms', 'finance', 'culture'] as const;

export interface SampleMarket {
  readonly symbol: string;
  /** Index into `SECTORS`. */
  readonly sector: number;
  readonly initialPrice: number;
  /** The tick is 10 to the power of minus this. */
  readonly priceDecimals: number;
  readonly quantityDecimals: number;
  /** Standard deviation of hourly log returns in the normal regime, jumps apart. */
  readonly volatility: number;
  /** Shares of that variance that the market factor and the sector factor explain; the rest is the market's own. */
  readonly marketShare: number;
  readonly sectorShare: number;
  /** Size of a common jump here, relative to the market factor's. */
  readonly jumpBeta: number;
  /** Own jumps a year while the market's own regime is quiet. */
  readonly ownJumpsPerYear: number;
  /** Typical traded volume of an hour, in the quote asset. */
  readonly hourlyQuoteVolume: number;
  /** Highest funding rate of a funding interval, either way. */
  readonly fundingCap: number;
  /** Hours after the anchor at which trading starts; 0 for markets that were always there. */
  readonly listedAtHour: number;
}

/** The first generation covers two years. */
export const FIRST_GENERATION_HOURS = 730 * 24;

/** Sixty days before the end of the first generation. */
const YOUNG_LISTING_HOUR = FIRST_GENERATION_HOURS - 60 * 24;

// MAREUSDT is the illiquid one, QUAYUSDT the young listing.
export const SAMPLE_MARKETS: readonly SampleMarket[] = (
  [
    ['AURUSDT', 0, 42_000, 1, 3, 0.0052, 0.8, 0.05, 0.95, 3, 350_000_000, 0.003, 0],
    ['BOREUSDT', 0, 2_600, 2, 3, 0.0064, 0.7, 0.08, 1.05, 5, 180_000_000, 0.0075, 0],
    ['CINDUSDT', 1, 96, 3, 2, 0.0085, 0.58, 0.12, 1.2, 9, 32_000_000, 0.0075, 0],
    ['DELPUSDT', 1, 310, 2, 2, 0.0068, 0.55, 0.1, 1, 6, 24_000_000, 0.0075, 0],
    ['ESKRUSDT', 0, 0.55, 5, 1, 0.0074, 0.48, 0.1, 1, 12, 18_000_000, 0.0075, 0],
    ['FJORUSDT', 1, 0.48, 5, 0, 0.0081, 0.58, 0.12, 1.15, 8, 10_500_000, 0.0075, 0],
    ['GALEUSDT', 1, 14.2, 3, 1, 0.0086, 0.56, 0.12, 1.2, 8, 8_500_000, 0.0075, 0],
    ['HELMUSDT', 2, 8.1, 3, 1, 0.0085, 0.5, 0.16, 1.15, 10, 6_000_000, 0.02, 0],
    ['ISLAUSDT', 2, 92, 2, 1, 0.0094, 0.48, 0.16, 1.2, 12, 2_600_000, 0.02, 0],
    ['KEELUSDT', 3, 0.083, 6, 0, 0.0092, 0.44, 0.16, 1.2, 16, 15_000_000, 0.02, 0],
    ['MAREUSDT', 2, 1.37, 4, 1, 0.0096, 0.34, 0.14, 1.25, 20, 120_000, 0.02, 0],
    ['QUAYUSDT', 3, 0.62, 5, 0, 0.0115, 0.36, 0.14, 1.3, 24, 4_200_000, 0.02, YOUNG_LISTING_HOUR],
  ] as const satisfies readonly Row[]
).map(toMarket);

type Row = readonly [
  symbol: string,
  sector: number,
  initialPrice: number,
  priceDecimals: number,
  quantityDecimals: number,
  volatility: number,
  marketShare: number,
  sectorShare: number,
  jumpBeta: number,
  ownJumpsPerYear: number,
  hourlyQuoteVolume: number,
  fundingCap: number,
  listedAtHour: number,
];

function toMarket(row: Row): SampleMarket {
  const [symbol, sector, initialPrice, priceDecimals, quantityDecimals, ...rest] = row;
  const [volatility, marketShare, sectorShare, jumpBeta, ownJumpsPerYear, ...venue] = rest;
  const [hourlyQuoteVolume, fundingCap, listedAtHour] = venue;
  return {
    symbol,
    sector,
    initialPrice,
    priceDecimals,
    quantityDecimals,
    volatility,
    marketShare,
    sectorShare,
    jumpBeta,
    ownJumpsPerYear,
    hourlyQuoteVolume,
    fundingCap,
    listedAtHour,
  };
}
