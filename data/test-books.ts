import type { AuditDraft } from '../src/control/ports.ts';
import { GENESIS_HASH, sealBook } from '../src/limits/chain.ts';
import type { Bracket, LimitBook, MarketLimit } from '../src/limits/types.ts';

/** Small but complete books for tests of the state store. */
export const FIRST_DECISION = Date.UTC(2024, 0, 1);
export const HOUR = 3_600_000;

/** The book after `previous`, an hour later. `leverages` gives each market's top leverage; they are its schedule. */
export function nextBook(previous: LimitBook | null, leverages: Readonly<Record<string, number>>): LimitBook {
  const version = (previous?.version ?? 0) + 1;
  const decidedAt = FIRST_DECISION + (version - 1) * HOUR;
  return sealBook({
    version,
    previousHash: previous?.hash ?? GENESIS_HASH,
    decidedAt,
    effectiveAt: decidedAt,
    validUntil: decidedAt + 6 * HOUR,
    asOf: decidedAt,
    degraded: false,
    simulated: true,
    reasons: ['SIMULATED'],
    model: null,
    policyHash: 'a'.repeat(64),
    inputsHash: 'b'.repeat(64),
    markets: Object.entries(leverages).map(([symbol, leverage]) => marketLimit(symbol, leverage, decidedAt)),
  });
}

function marketLimit(symbol: string, maxLeverage: number, decidedAt: number): MarketLimit {
  return {
    symbol,
    brackets: brackets(maxLeverage),
    bindingBound: 'historical',
    bounds: [],
    reasons: ['HISTORICAL_BINDS', 'SIMULATED'],
    governor: {
      move: 'hold',
      previousMaxLeverage: maxLeverage,
      targetMaxLeverage: maxLeverage,
      publishedMaxLeverage: maxLeverage,
      changedAt: decidedAt,
      looseningAllowedAt: decidedAt,
    },
    quality: 'accept',
    simulated: true,
    asOf: decidedAt,
    shockProbability: { long: 0.012, short: 0.009 },
    model: 'historical@1',
    forecasts: [],
    shocks: [],
  };
}

function brackets(maxLeverage: number): readonly Bracket[] {
  const initialMarginRatePpm = Math.ceil(1_000_000 / maxLeverage);
  return [
    {
      bracket: 1,
      notionalFloor: 0,
      notionalCap: 1_000_000,
      maxLeverage,
      initialMarginRatePpm,
      maintenanceMarginRatePpm: Math.ceil(initialMarginRatePpm / 2),
      maintenanceAmountMicros: 0,
    },
  ];
}

export function decisionDraft(book: LimitBook): AuditDraft {
  return {
    at: book.decidedAt,
    kind: 'decision',
    actor: 'test',
    subject: `book ${book.version}`,
    reason: 'cycle',
    details: { hash: book.hash },
  };
}
