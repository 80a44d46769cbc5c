import type { ContractTerms } from '../../limits/account-policy.ts';
import type { LimitBook } from '../../limits/types.ts';
import { formatPrice, formatWhole } from '../../units.ts';
import type { Instrument } from './instrument.ts';
import { type Listed, Listings } from './listing.ts';
import { leverageText, rateText } from './numbers.ts';
import type { OkxInstrument, OkxPositionTier } from './okx-schemas.ts';
import type { VenueAnswer } from './venue-read.ts';

// A book as OKX would tell it. Everything is a string there, and positions are counted in contracts.

/** Perpetuals, by family: `BTC-USDT` is the family of `BTC-USDT-SWAP`. */
export const OKX_MARKETS = new Listings((_symbol, { deliveryAt, base, quote }) =>
  deliveryAt === null ? `${base}-${quote}` : null,
);

/** The envelope of a good answer. */
export function okxData(data: readonly unknown[]) {
  return { code: '0', msg: '', data };
}

export function swapOf(family: string): string {
  return `${family}-SWAP`;
}

/**
 * What a contract is worth, in the quote asset: one unit of it for linear contracts, because tables are in the quote asset and
 * contracts of some of the base asset would make them move with every price; the size of the contract for inverse ones.
 */
function contractValue({ kind, contractSize }: Instrument): number {
  return kind === 'linear' ? 1 : contractSize;
}

/**
 * The tiers of one family. A tier begins one contract above the end of the one before, so whole contracts are in exactly
 * the bracket that their notional is in. Ends are rounded down; a tier that is left without a contract is left out.
 */
export function positionTiers({ name, market, instrument }: Listed): OkxPositionTier[] {
  const value = contractValue(instrument);
  const tiers: OkxPositionTier[] = [];
  let before = 0;
  for (const bracket of market.brackets) {
    const most = Math.floor(bracket.notionalCap / value);
    if (most <= before) continue;
    tiers.push({
      uly: name,
      instFamily: name,
      instId: '',
      tier: String(tiers.length + 1),
      minSz: formatWhole(tiers.length === 0 ? 0 : before + 1),
      maxSz: formatWhole(most),
      mmr: rateText(bracket.maintenanceMarginRatePpm),
      imr: rateText(bracket.initialMarginRatePpm),
      maxLever: leverageText(bracket.maxLeverage),
      optMgnFactor: '0',
      quoteMaxLoan: '',
      baseMaxLoan: '',
    });
    before = most;
  }
  return tiers;
}

export function swapInstruments(book: LimitBook, contracts: readonly ContractTerms[]): VenueAnswer {
  const { listed, leftOut } = OKX_MARKETS.of(book, contracts);
  return { json: okxData(listed.map(okxInstrument)), total: listed.length, leftOut };
}

/** What only concerns orders is empty: no orders are taken here. */
export function okxInstrument({ name, market, instrument }: Listed): OkxInstrument {
  return {
    instType: 'SWAP',
    instId: swapOf(name),
    uly: name,
    instFamily: name,
    category: '1',
    baseCcy: '',
    quoteCcy: '',
    settleCcy: instrument.settle,
    ctVal: formatPrice(contractValue(instrument)),
    ctMult: '1',
    ctValCcy: instrument.quote,
    ctType: instrument.kind,
    optType: '',
    stk: '',
    listTime: '',
    expTime: '',
    lever: leverageText(market.brackets[0].maxLeverage),
    tickSz: '',
    lotSz: '1',
    minSz: '1',
    alias: '',
    state: 'live',
    ruleType: 'normal',
    maxLmtSz: '',
    maxMktSz: '',
    maxTwapSz: '',
    maxIcebergSz: '',
    maxTriggerSz: '',
    maxStopSz: '',
  };
}
