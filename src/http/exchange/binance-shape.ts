import type { z } from 'zod';
import type { ContractTerms } from '../../limits/account-policy.ts';
import type { Bracket, LimitBook } from '../../limits/types.ts';
import { DAY_MILLISECONDS, formatDecimal } from '../../units.ts';
import type { BinanceBrackets, exchangeInfoSchema } from './binance-schemas.ts';
import type { Instrument } from './instrument.ts';
import { type Listed, Listings } from './listing.ts';
import { fraction } from './numbers.ts';
import type { VenueAnswer } from './venue-read.ts';

// A book as Binance's USD-M futures would tell it. Money and rates are JSON numbers there.

/** Markets are called here as there. Coin-margined ones are another service of Binance, with quantities for notionals. */
export const BINANCE_MARKETS = new Listings((symbol, { kind }) => (kind === 'linear' ? symbol : null));

/** @param coefMicros by which the brackets are scaled for a user; null for the default ones. */
export function binanceBrackets(
  symbol: string,
  brackets: readonly Bracket[],
  coefMicros: number | null,
): BinanceBrackets {
  return {
    symbol,
    ...(coefMicros === null ? {} : { notionalCoef: fraction(coefMicros) }),
    brackets: brackets.map((bracket) => ({
      bracket: bracket.bracket,
      initialLeverage: Math.floor(bracket.maxLeverage),
      notionalCap: bracket.notionalCap,
      notionalFloor: bracket.notionalFloor,
      maintMarginRatio: fraction(bracket.maintenanceMarginRatePpm),
      cum: fraction(bracket.maintenanceAmountMicros),
    })),
  };
}

/** The whole default table. */
export function defaultLeverageBrackets(book: LimitBook, contracts: readonly ContractTerms[]): VenueAnswer {
  const { listed, leftOut } = BINANCE_MARKETS.of(book, contracts);
  const json = listed.map(({ name, market }) => binanceBrackets(name, market.brackets, null));
  return { json, total: json.length, leftOut };
}

export function exchangeInfo(book: LimitBook, contracts: readonly ContractTerms[]): VenueAnswer {
  const { listed, leftOut } = BINANCE_MARKETS.of(book, contracts);
  const assets = [...new Set(listed.map(({ instrument }) => instrument.settle))].sort();
  const json: z.infer<typeof exchangeInfoSchema> = {
    timezone: 'UTC',
    serverTime: book.decidedAt,
    futuresType: 'U_MARGINED',
    rateLimits: [],
    exchangeFilters: [],
    assets: assets.map((asset) => ({ asset, marginAvailable: true, autoAssetExchange: '0' })),
    symbols: listed.map((one) => symbolInfo(one, book.decidedAt)),
  };
  return { json, total: listed.length, leftOut };
}

type SymbolInfo = z.infer<typeof exchangeInfoSchema>['symbols'][number];

/** What Binance gives for the delivery of what is never delivered. */
const NEVER = 4_133_404_800_000;
const QUARTER_DAYS = 92;

export function contractFacts(
  { deliveryAt }: Instrument,
  now: number,
): Pick<SymbolInfo, 'contractType' | 'deliveryDate'> {
  if (deliveryAt === null) return { contractType: 'PERPETUAL', deliveryDate: NEVER };
  const isNear = deliveryAt - now <= QUARTER_DAYS * DAY_MILLISECONDS;
  return { contractType: isNear ? 'CURRENT_QUARTER' : 'NEXT_QUARTER', deliveryDate: deliveryAt };
}

/** Parts per million as a percentage of four decimals, exactly: 25000 is "2.5000". */
function percentText(ppm: number): string {
  const [whole, decimals = ''] = formatDecimal(BigInt(ppm), 4).split('.');
  return `${whole}.${decimals.padEnd(4, '0')}`;
}

/** What only concerns orders is empty, or 0: no orders are taken here. */
function symbolInfo({ name, market, instrument }: Listed, now: number): SymbolInfo {
  const [first] = market.brackets;
  const { base, quote, settle } = instrument;
  return {
    symbol: name,
    pair: base + quote,
    ...contractFacts(instrument, now),
    onboardDate: 0,
    status: 'TRADING',
    maintMarginPercent: percentText(first.maintenanceMarginRatePpm),
    requiredMarginPercent: percentText(first.initialMarginRatePpm),
    baseAsset: base,
    quoteAsset: quote,
    marginAsset: settle,
    pricePrecision: 8,
    quantityPrecision: 8,
    baseAssetPrecision: 8,
    quotePrecision: 8,
    underlyingType: 'COIN',
    underlyingSubType: [],
    settlePlan: 0,
    triggerProtect: '0',
    filters: [],
    orderTypes: [],
    timeInForce: [],
    liquidationFee: '0',
    marketTakeBound: '0',
  };
}
