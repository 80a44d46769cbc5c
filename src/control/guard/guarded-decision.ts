import { type DecisionContext, decideBook } from '../../limits/decide.ts';
import { type EncodedInputs, encodeInputs } from '../../limits/decision-inputs.ts';
import type { MarketInput } from '../../limits/market-input.ts';
import type { LimitBook } from '../../limits/types.ts';
import { PROGRAM_VERSION } from '../../program.ts';
import type { IntrabarReport } from './intrabar-guard.ts';

export interface GuardedDecision {
  readonly book: LimitBook;
  readonly inputs: EncodedInputs;
  /** The markets that were decided. */
  readonly symbols: readonly string[];
}

/**
 * Decides the markets whose prices are out of bounds again, on the bars and forecasts of the last decision of all. Every
 * other market stays as it is, and nothing that is known of a market is renewed by it.
 *
 * @param kept inputs of the urgent markets in the last decision of all, and what that was made with.
 * @param now when this decision is made, and what people have set by then.
 * @returns null where no urgent market has an input that its prices follow.
 */
export function guardedDecision(
  kept: { readonly inputs: readonly MarketInput[]; readonly context: DecisionContext },
  report: IntrabarReport,
  previous: LimitBook,
  now: Pick<DecisionContext, 'decidedAt' | 'governance'>,
): GuardedDecision | null {
  const inputs = kept.inputs
    .map((input) => withPrices(input, report))
    .filter(({ intrabar }) => intrabar !== undefined);
  if (inputs.length === 0) return null;
  const { inputsHash: _, ...before } = kept.context;
  const context = { ...before, ...now, keepsOthers: true };
  const encoded = encodeInputs({ markets: inputs, context, program: PROGRAM_VERSION });
  return {
    book: decideBook(inputs, previous, { ...context, inputsHash: encoded.hash }),
    inputs: encoded,
    symbols: inputs.map(({ symbol }) => symbol),
  };
}

/** Prices that follow another bar than the one that the market is decided on are left out. */
export function withPrices(input: MarketInput, { prices }: IntrabarReport): MarketInput {
  const intrabar = prices.get(input.symbol);
  return intrabar?.since === input.asOf ? { ...input, intrabar } : input;
}
