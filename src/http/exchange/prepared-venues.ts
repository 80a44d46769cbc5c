import type { ContractTerms } from '../../limits/account-policy.ts';
import type { LimitBook } from '../../limits/types.ts';
import type { PreparedRead } from '../send.ts';
import { defaultLeverageBrackets, exchangeInfo } from './binance-shape.ts';
import {
  BYBIT_MARKETS,
  INSTRUMENTS_PAGE_MOST_MARKETS,
  instrumentsPage,
  RISK_LIMIT_PAGE_MARKETS,
  riskLimitPage,
} from './bybit-shape.ts';
import { OKX_MARKETS, okxData, positionTiers, swapInstruments } from './okx-shape.ts';
import { type VenueAnswer, venueRead } from './venue-read.ts';

/**
 * The default table. The key is no address, on purpose: whose table is asked for has to be looked at first, which is done
 * behind the prepared reads.
 */
export const BINANCE_DEFAULT_TABLE = '/fapi/v1/leverageBracket (default)';
export const BINANCE_EXCHANGE_INFO = '/fapi/v1/exchangeInfo';
export const OKX_INSTRUMENTS_PATH = '/api/v5/public/instruments?instType=SWAP';

/** The address of a page, with its parameters in the order in which clients send them. */
export function bybitRiskLimitPath(cursor: string): string {
  return `/v5/market/risk-limit?category=linear${cursor === '' ? '' : `&cursor=${cursor}`}`;
}

/** Likewise; isolated positions are held to the same tiers. */
export function okxTiersPath(family: string): string {
  return `/api/v5/public/position-tiers?instType=SWAP&tdMode=cross&uly=${family}`;
}

/** Answers of the exchange-compatible routes that are the same for everybody, by path: each is made when it is asked for first. */
export function venueReads(
  book: LimitBook,
  isExpired: boolean,
  contracts: readonly ContractTerms[],
): readonly (readonly [path: string, make: () => PreparedRead])[] {
  const made = (path: string, answer: () => VenueAnswer) =>
    [path, () => venueRead(answer(), book, isExpired, 'everybody')] as const;
  const bybit = BYBIT_MARKETS.of(book, contracts).listed;
  const cursors = bybit.filter((_, i) => i % RISK_LIMIT_PAGE_MARKETS === RISK_LIMIT_PAGE_MARKETS - 1);
  return [
    made(BINANCE_DEFAULT_TABLE, () => defaultLeverageBrackets(book, contracts)),
    made(BINANCE_EXCHANGE_INFO, () => exchangeInfo(book, contracts)),
    ...['', ...cursors.map(({ name }) => name)].map((cursor) =>
      made(bybitRiskLimitPath(cursor), () => riskLimitPage(book, contracts, cursor).answer),
    ),
    made(`/v5/market/instruments-info?category=linear&limit=${INSTRUMENTS_PAGE_MOST_MARKETS}`, () =>
      instrumentsPage(book, contracts, '', INSTRUMENTS_PAGE_MOST_MARKETS),
    ),
    made(OKX_INSTRUMENTS_PATH, () => swapInstruments(book, contracts)),
    ...OKX_MARKETS.of(book, contracts).listed.map((one) =>
      made(okxTiersPath(one.name), () => ({ json: okxData(positionTiers(one)), total: 1, leftOut: 0 })),
    ),
  ];
}
