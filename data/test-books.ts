import type { AuditDraft } from '../src/control/ports.ts';
import { GENESIS_HASH, sealBook } from '../src/limits/chain.ts';
import { decideBook } from '../src/limits/decide.ts';
import { type EncodedInputs, encodeInputs } from '../src/limits/decision-inputs.ts';
import type { MarketInput } from '../src/limits/market-input.ts';
import { context, forecast, largeMarket } from '../src/limits/test-inputs.ts';
import type { Bracket, LimitBook, MarketLimit } from '../src/limits/types.ts';

/** Small but complete books for tests of the state store. */
export const FIRST_DECISION = Date.UTC(2024, 0, 1);
export const HOUR = 3_600_000;

/** The book after `previous`, an hour later. `leverages` gives each market's top leverage; they are its schedule. */
export function nextBook(
  previous: LimitBook | null,
  leverages: Readonly<Record<string, number>>,
  inputsHash = 'b'.repeat(64),
): LimitBook {
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
    inputsHash,
    markets: Object.entries(leverages).map(([symbol, leverage]) => marketLimit(symbol, leverage, decidedAt)),
  });
}

/** Inputs that differ in one forecast from those of another number. */
export function someInputs(number: number): EncodedInputs {
  const { inputsHash: _, ...rest } = context();
  const markets = [largeMarket({ shockModel: forecast('network@1', 0.02 + 1e-6 * number) })];
  return encodeInputs({ markets, context: rest, program: 'test' });
}

/** A book that was really decided, with what it was decided from. */
export function decidedBook(
  previous: LimitBook | null,
  markets: readonly MarketInput[],
  changes: Parameters<typeof context>[0] = {},
): { readonly book: LimitBook; readonly inputs: EncodedInputs } {
  const decidedAt = (previous?.decidedAt ?? FIRST_DECISION - HOUR) + HOUR;
  const { inputsHash: _, ...rest } = context({ decidedAt, ...changes });
  const inputs = encodeInputs({ markets, context: rest, program: 'test' });
  return { book: decideBook(markets, previous, { ...rest, inputsHash: inputs.hash }), inputs };
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
