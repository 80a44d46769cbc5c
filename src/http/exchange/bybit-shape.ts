import type { ContractTerms } from '../../limits/account-policy.ts';
import type { LimitBook } from '../../limits/types.ts';
import { formatMicros, formatWhole } from '../../units.ts';
import type { BybitCategory, BybitInstrument, BybitPosition, BybitRiskLimit } from './bybit-schemas.ts';
import { type Listed, Listings } from './listing.ts';
import { leverageText, leverageTextOfTwoDecimals, rateText } from './numbers.ts';
import type { VenueAnswer } from './venue-read.ts';

// A book as Bybit would tell it. Nearly everything is a string there.

/**
 * Perpetuals in a quote asset; those in USDC have a name of their own. Coin-margined ones are left out: their limits are
 * in coins at Bybit, which would make a table move with every price.
 */
export const BYBIT_MARKETS = new Listings((symbol, { kind, deliveryAt, base, quote }) => {
  if (kind !== 'linear' || deliveryAt !== null) return null;
  return quote === 'USDC' ? `${base}PERP` : symbol;
});

/** Of the linear category, as at Bybit. */
export const RISK_LIMIT_PAGE_MARKETS = 15;
export const INSTRUMENTS_PAGE_MARKETS = 500;
export const INSTRUMENTS_PAGE_MOST_MARKETS = 1000;

interface Page {
  readonly markets: readonly Listed[];
  /** Name of the last market of the page; empty where no other page follows. */
  readonly nextPageCursor: string;
}

/**
 * The markets behind a cursor, which is the name of the last market before them. So pages need no memory, and a table that
 * changes between two pages makes nobody miss a market.
 */
export function pageOf(listed: readonly Listed[], cursor: string, most: number): Page {
  const from = cursor === '' ? 0 : listed.findIndex(({ name }) => name > cursor);
  const markets = from === -1 ? [] : listed.slice(from, from + most);
  const isLast = from === -1 || from + most >= listed.length;
  return { markets, nextPageCursor: isLast ? '' : markets[markets.length - 1].name };
}

/** The envelope of a good answer. */
export function bybitResult(result: unknown, time: number) {
  return { retCode: 0, retMsg: 'OK', result, retExtInfo: {}, time };
}

export function riskLimitPage(book: LimitBook, contracts: readonly ContractTerms[], cursor: string) {
  const { listed, leftOut } = BYBIT_MARKETS.of(book, contracts);
  const { markets, nextPageCursor } = pageOf(listed, cursor, RISK_LIMIT_PAGE_MARKETS);
  const list = markets.flatMap(riskLimits);
  const answer: VenueAnswer = {
    json: bybitResult({ category: 'linear', list, nextPageCursor }, book.decidedAt),
    total: listed.length,
    leftOut,
  };
  return { answer, nextPageCursor };
}

/** The tiers of one market; their ids count from 1 in each market. */
export function riskLimits({ name, market }: Listed): BybitRiskLimit[] {
  return market.brackets.map((bracket) => ({
    id: bracket.bracket,
    symbol: name,
    riskLimitValue: formatWhole(bracket.notionalCap),
    maintenanceMargin: rateText(bracket.maintenanceMarginRatePpm),
    initialMargin: rateText(bracket.initialMarginRatePpm),
    isLowestRisk: bracket.bracket === 1 ? 1 : 0,
    maxLeverage: leverageTextOfTwoDecimals(bracket.maxLeverage),
    mmDeduction: bracket.bracket === 1 ? '' : formatMicros(bracket.maintenanceAmountMicros),
  }));
}

export function instrumentsPage(
  book: LimitBook,
  contracts: readonly ContractTerms[],
  cursor: string,
  most: number,
): VenueAnswer {
  const { listed, leftOut } = BYBIT_MARKETS.of(book, contracts);
  const { markets, nextPageCursor } = pageOf(listed, cursor, most);
  const list = markets.map(bybitInstrument);
  const json = bybitResult({ category: 'linear', list, nextPageCursor }, book.decidedAt);
  return { json, total: listed.length, leftOut };
}

/** What is not here at all: another category, or a list of none. */
export function emptyPage(category: BybitCategory, book: LimitBook): VenueAnswer {
  const json = bybitResult({ category, list: [], nextPageCursor: '' }, book.decidedAt);
  return { json, total: 0, leftOut: book.markets.length };
}

/** What only concerns orders is empty, or 0: no orders are taken here. */
export function bybitInstrument({ name, market, instrument }: Listed): BybitInstrument {
  return {
    symbol: name,
    contractType: 'LinearPerpetual',
    status: 'Trading',
    baseCoin: instrument.base,
    quoteCoin: instrument.quote,
    launchTime: '0',
    deliveryTime: '0',
    deliveryFeeRate: '',
    priceScale: '',
    leverageFilter: {
      minLeverage: '1',
      maxLeverage: leverageTextOfTwoDecimals(market.brackets[0].maxLeverage),
      leverageStep: '0.01',
    },
    priceFilter: { minPrice: '', maxPrice: '', tickSize: '' },
    lotSizeFilter: {
      maxOrderQty: '',
      minOrderQty: '',
      qtyStep: '',
      postOnlyMaxOrderQty: '',
      maxMktOrderQty: '',
      minNotionalValue: '',
    },
    unifiedMarginTrade: true,
    fundingInterval: 0,
    settleCoin: instrument.settle,
    copyTrading: 'none',
    upperFundingRate: '',
    lowerFundingRate: '',
  };
}

/** Where Bybit keeps a user's leverage. What a position would be is empty and not 0: it is not what was asked. */
export function bybitPosition({ name, market }: Listed, leverage: number): BybitPosition {
  return {
    positionIdx: 0,
    riskId: 1,
    riskLimitValue: formatWhole(market.brackets[0].notionalCap),
    symbol: name,
    side: '',
    size: '',
    avgPrice: '',
    positionValue: '',
    tradeMode: 0,
    positionStatus: '',
    leverage: leverageText(leverage),
    markPrice: '',
    liqPrice: '',
    unrealisedPnl: '',
    createdTime: '',
    updatedTime: '',
  };
}
